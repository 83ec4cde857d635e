package ui_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// picks stands where the model does: it takes the first template whose name is in
// the question.
type picks struct{}

func (picks) PickNow(_ context.Context, q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error) {
	for _, t := range q.Templates {
		if strings.Contains(q.Text, t.Name) {
			return helpdesk.MatchChoice{Template: t.ID, Confidence: 92}, nil
		}
	}
	return helpdesk.MatchChoice{Confidence: 75}, nil
}

// matched lets the model answer every question that waits.
func (h *house) matched() {
	h.t.Helper()
	h.doDue(helpdesk.TimerMatch, func(ctx context.Context, id string) error {
		in, err := h.MatchInput(ctx, id)
		if err != nil || in == nil {
			return err
		}
		choice, _ := picks{}.PickNow(ctx, in.MatchQuestion)
		return h.StoreMatch(ctx, in, choice, "")
	})
}

// TestServiceInABrowser makes a smart service, tries it, sees a match come, has
// another one looked for, sends that, and finds what matches nothing.
func TestServiceInABrowser(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Matcher = picks{}
		o.Analysis = func(context.Context) ui.AnalysisStatus {
			return ui.AnalysisStatus{Enabled: true, Reachable: true, ModelPresent: true}
		}
	})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Language = "ja"
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, name := range []string{"配送", "注文"} {
		saved, err := h.SaveTemplate(h.ctx(), h.admin.Actor(), helpdesk.Template{Name: name, Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "{{customer.name_sama}}\n\n" + name + "のご案内です。"}}})
		if err != nil {
			t.Fatal(err)
		}
		names[name] = saved.ID
	}

	b.open("/settings/services/new")
	b.do(chromedp.SendKeys(chromedp.CSS(`.service-form [name=name]`), "よくあるご質問"))
	b.click(`.service-form [name=alias]`)
	b.click(fmt.Sprintf(`[name=template][value="%s"]`, names["配送"]))
	b.click(fmt.Sprintf(`[name=template][value="%s"]`, names["注文"]))
	b.click(`.save-bar .primary`)
	b.until(`location.pathname !== "/settings/services/new" && document.querySelector("#try")`)
	b.do(chromedp.SendKeys(chromedp.CSS(`#try-text`), "配送はいつですか"))
	b.click(`#try-button`)
	b.until(`document.querySelector("#try-verdict .sends")?.innerText.includes("配送")`)

	b.open("/inbox/open")
	number := h.receive(letter{subject: "注文した商品", text: "注文の配送はいつですか。", authentication: proven}).Ticket
	b.until(fmt.Sprintf(`document.querySelector("#row-%d")`, number))
	b.open(fmt.Sprintf("/inbox/open/%d", number))
	b.until(`document.querySelector("#auto-reply.matching") && document.documentElement.dataset.live === "yes"`)
	h.matched()
	b.until(`document.querySelector("#auto-reply.planned")?.innerText.includes("「注文」")`)
	b.until(fmt.Sprintf(`document.querySelector("#row-%d .row-auto")`, number))
	b.click(`#auto-reply-letter summary`)
	b.until(`document.querySelector(".auto-reply-text").innerText.includes("田村 美咲様")`)

	b.click(`#auto-reply-reject`)
	b.until(`document.querySelector("#auto-reply.matching")`)
	h.matched()
	b.until(`document.querySelector("#auto-reply.planned")?.innerText.includes("「配送」")`)
	b.click(`#auto-reply-send`)
	b.until(`!document.querySelector("#auto-reply") && document.querySelector("#flow").innerText.includes("配送のご案内です。")`)

	lost := h.receive(letter{from: "kato@kyaku.example", name: "加藤 大輔", subject: "特注", text: "特注は可能ですか。", authentication: proven}).Ticket
	h.matched()
	b.open("/inbox/unmatched")
	b.until(fmt.Sprintf(`document.querySelector("#row-%d") && !document.querySelector("#row-%d")`, lost, number))
	b.until(`document.querySelector('#nav [href="/inbox/unmatched"]').innerText.includes("1")`)
	b.click(fmt.Sprintf("#row-%d", lost))
	b.until(`document.querySelector("#auto-reply.unmatched")`)
	if _, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: lost, Text: "承ります。"}); err != nil {
		t.Fatal(err)
	}
	b.until(`!document.querySelector("#auto-reply") && !document.querySelector('#nav [href="/inbox/unmatched"]').innerText.includes("1")`)
	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

// The dry run goes on by itself on the page, and can be stopped.
func TestTrialPage(t *testing.T) {
	h := newReadyHouse(t)
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Language = "ja"
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]); err != nil {
		t.Fatal(err)
	}
	text, err := h.SaveTemplate(h.ctx(), h.admin.Actor(), helpdesk.Template{Name: "配送", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "<b>3日</b>"}}})
	if err != nil {
		t.Fatal(err)
	}
	service, err := h.SaveService(h.ctx(), h.admin.Actor(), helpdesk.Service{Name: "S", Language: "ja", Aliases: []string{aliases[0].ID}, Templates: []string{text.ID},
		Delay: time.Hour, Threshold: 80, SenderLimit: 1, Disabled: true})
	if err != nil {
		t.Fatal(err)
	}
	receipt := h.receive(letter{subject: "<script>x</script>", text: "配送は？", authentication: proven})
	if _, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: receipt.Ticket, Text: "3日です", Templates: []string{text.ID}}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	path := "/settings/services/" + service.ID
	b.post(path+"/trial", "mails", "20").want(303)
	b.fragment(path+"/trial", "service-trial").want(200).shows(`aria-busy="true"`, "0 / 1")
	h.doDue(helpdesk.TimerTrial, func(ctx context.Context, id string) error {
		in, err := h.TrialInput(ctx, id)
		if err != nil {
			return err
		}
		choice, _ := picks{}.PickNow(ctx, in.MatchQuestion)
		return h.StoreTrial(ctx, in, choice, "")
	})
	b.fragment(path+"/trial", "service-trial").want(200).shows("trial-same", "&lt;script&gt;", "確信度 92%").hides("aria-busy", "<script>")
	b.get("/settings/services").want(200).shows("S", "停止中")
	h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent)).get(path).want(200).shows("disabled").hides("trial-start")
}
