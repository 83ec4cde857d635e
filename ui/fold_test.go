package ui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// longTicket is a ticket of one mail and n answers to it, each with its number;
// it returns the ids of the messages.
func (h *house) longTicket(n int) (ids []string) {
	h.t.Helper()
	ids = append(ids, h.receive(letter{subject: "年間契約", text: "最初の一通です。"}).MessageID)
	for i := range n {
		ids = append(ids, h.answerFirst(i, fmt.Sprintf("返事その%d。見積書の件です。", i)))
	}
	return ids
}

// answerFirst receives an answer to the house's first mail.
func (h *house) answerFirst(n int, text string) string {
	h.t.Helper()
	raw := []byte(fmt.Sprintf("From: =?utf-8?B?55Sw5p2R?= <tamura@kyaku.example>\r\nTo: support@example.jp\r\nSubject: Re: =?utf-8?B?5aWR57SE?=\r\nMessage-ID: <answer-%d@kyaku.example>\r\n"+
		"In-Reply-To: <1@kyaku.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", n, text))
	receipt, err := h.Receive(h.ctx(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw),
		Envelope: helpdesk.Envelope{MailFrom: "tamura@kyaku.example", Recipients: []string{"support@example.jp"}}})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt.MessageID
}

// readAll notes that a user has seen all of a ticket.
func (h *house) readAll(u *helpdesk.User, number uint64) {
	h.t.Helper()
	v, err := h.Ticket(h.ctx(), u.Actor(), number)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.MarkSeen(h.ctx(), u.Actor(), number, v.LastSeq); err != nil {
		h.t.Fatal(err)
	}
}

var answerShown = regexp.MustCompile(`返事その(\d+)。`)

// answersOf are the numbers of the answers that a page shows, in its order.
func answersOf(body string) (numbers []string) {
	_, flow, _ := strings.Cut(body, `id="flow"`)
	if flow == "" {
		flow = body
	}
	flow, _, _ = strings.Cut(flow, "<form class=\"composer\"")
	for _, found := range answerShown.FindAllStringSubmatch(flow, -1) {
		numbers = append(numbers, found[1])
	}
	return numbers
}

func numbered(from, to int) (list []string) {
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

func wantAnswers(t *testing.T, what string, p *page, want []string) {
	t.Helper()
	if got := answersOf(p.body); !slices.Equal(got, want) {
		t.Errorf("%s shows %v, want %v", what, got, want)
	}
}

var moreLink = regexp.MustCompile(`href="([^"#]+)#[^"]*" data-more="([^"]+)"`)

// A long conversation comes without its middle, which every way to it brings.
func TestLongConversationsAreLoadedBySteps(t *testing.T) {
	h := newReadyHouse(t)
	ids := h.longTicket(60)
	b := h.as(h.admin)
	newest := numbered(54, 59)
	p := b.get("/inbox/open/1").shows("以前のやり取り 54 件を折りたたんでいます", "前の 20 件を表示", "最初の一通です。")
	wantAnswers(t, "the page", p, newest)

	links := moreLink.FindStringSubmatch(p.body)
	page, part := strings.ReplaceAll(links[1], "&amp;", "&"), strings.ReplaceAll(links[2], "&amp;", "&")
	wantAnswers(t, "the next step", b.fragment(part, "older").want(http.StatusOK).shows("以前のやり取り 34 件"), numbered(34, 53))
	p = b.get(page).want(http.StatusOK).shows("以前のやり取り 34 件", "最初の一通です。")
	wantAnswers(t, "the page without a script", p, numbered(34, 59))
	wantAnswers(t, "the whole page", b.get("/inbox/open/1?fold=none").hides(`class="older"`), numbered(0, 59))

	at := "message-" + ids[11]
	wantAnswers(t, "a link to one message", b.get("/tickets/1?at="+at).leadsTo(b).shows(`data-at="`+at+`"`), append(numbered(8, 12), newest...))
	wantAnswers(t, "looking for words", b.get("/tickets/1?find="+url.QueryEscape("返事その20 見積書")).leadsTo(b).shows("1 件に見つかりました"), append([]string{"20"}, newest...))
	b.get("/inbox/open/1?find=nothing").shows("見つかりませんでした")

	// What a page has loaded stays there whatever brings the ticket anew.
	_, run, _ := strings.Cut(part, "fold=")
	run, _, _ = strings.Cut(run, "&")
	b.header.Set("Folded", "1 message-"+ids[1]+".message-"+ids[30])
	wantAnswers(t, "a change", b.fragment("/inbox/open/1", "ticket"), numbered(30, 59))
	wantAnswers(t, "another ticket's page", b.fragment("/inbox/open/1?fold="+run, "ticket"), numbered(30, 59))
	b.header.Set("Folded", "2 none")
	wantAnswers(t, "another ticket's page", b.fragment("/inbox/open/1", "ticket"), newest)
	b.header.Del("Folded")

	// What is new to the reader is never folded.
	h.readAll(h.admin, 1)
	for n := range 20 {
		h.answerFirst(100+n, fmt.Sprintf("返事その%d。", 100+n))
	}
	p = b.get("/inbox/open/1").shows(`id="new-mark"`)
	wantAnswers(t, "news", p, append(newest, numbered(100, 119)...))
	wantAnswers(t, "news beneath a fold", b.get("/inbox/open/1?fold=message-"+ids[1]+".message-"+ids[60]), numbered(100, 119))
	b.get("/tickets/9/earlier?fold=message-a.message-b").want(http.StatusNotFound)
	b.get("/inbox/open/1?fold=x.y&fold=z&at=none").want(http.StatusOK)
}

// leadsTo follows a redirect.
func (a *page) leadsTo(b *browser) *page {
	a.t.Helper()
	return b.get(a.want(http.StatusSeeOther).Header.Get("Location")).want(http.StatusOK)
}

func TestAPIPagesThroughAThread(t *testing.T) {
	h := newAPIHouse(t)
	first := h.post("support@example.jp", helpdesk.Authentication{}, "From: customer@example.org", "Subject: One", "", "Number 0")
	for i := range 6 {
		h.post("support@example.jp", helpdesk.Authentication{}, "From: customer@example.org", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: One", "", fmt.Sprintf("Number %d", i+1))
	}
	path := fmt.Sprintf("/tickets/%d", first.Ticket)
	whole := h.get(path)
	if len(whole.list("messages")) != 7 || whole["messages_next"] != nil {
		t.Fatalf("without a limit %d messages, next %v", len(whole.list("messages")), whole["messages_next"])
	}
	newest := h.get(path + "?messages=2")
	var texts []any
	for i := range newest.list("messages") {
		texts = append(texts, newest.at("messages", i)["text"])
	}
	for after := newest["messages_next"]; after != nil; {
		page := h.get(path + "/messages?limit=2&after=" + after.(string))
		for i := range page.list("messages") {
			texts = append(texts, page.at("messages", i)["text"])
		}
		after = page["next"]
	}
	if want := []any{"Number 5", "Number 6", "Number 4", "Number 3", "Number 2", "Number 1", "Number 0"}; fmt.Sprint(trimmed(texts)) != fmt.Sprint(want) {
		t.Errorf("the pages have %v", texts)
	}
	h.call("GET", path+"/messages?after=nothing", nil).refused(400, helpdesk.CodeInvalid, "after", "not from this list")
	h.call("GET", path+"?messages=0", nil).refused(400, helpdesk.CodeInvalid, "messages", "")
	h.call("GET", "/tickets/99/messages", nil).refused(404, helpdesk.CodeNotFound, "", "99")
}

func trimmed(texts []any) (list []any) {
	for _, text := range texts {
		list = append(list, strings.TrimSpace(text.(string)))
	}
	return list
}

// TestBrowserLongConversation reads a long ticket in a real browser.
func TestBrowserLongConversation(t *testing.T) {
	h := newReadyHouse(t)
	ids := h.longTicket(60)
	h.readAll(h.admin, 1)
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	shown := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll("#flow > .message").length === %d`, n)
	}
	b.until(shown(7))

	// A step leaves what is read where it is, and the focus on the way on.
	top := `Math.round(document.querySelector("#message-` + ids[55] + `").getBoundingClientRect().top)`
	eval[bool](b, `(document.querySelector(".older").scrollIntoView({ block: "start" }), true)`)
	before := eval[int](b, top)
	b.click(".older [data-more]")
	b.until(shown(27))
	if after := eval[int](b, top); after < before-2 || after > before+2 {
		t.Errorf("what stood at %d px stands at %d", before, after)
	}
	b.until(`document.activeElement.matches(".older [data-more]")`)

	// Mail that arrives, and a change, leave it as it is.
	h.answerFirst(200, "返事その200。")
	b.until(shown(28))
	b.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	b.keys("l")
	b.until(`document.activeElement.id === "tag-text"`)
	b.keys("契約" + kb.Enter)
	b.until(`document.querySelector("#ticket-head .tag")?.innerText.includes("契約")`)
	b.until(shown(28))

	// A link within the page loads one message with its neighbours.
	eval[bool](b, `(location.hash = "message-`+ids[11]+`", true)`)
	b.until(`document.querySelector("#message-` + ids[11] + `.pointed")`)
	b.until(shown(33))
	b.until(`document.querySelectorAll("#flow > .older").length === 2`)

	// Paper has all of it.
	eval[bool](b, `(dispatchEvent(new Event("beforeprint")), true)`)
	b.until(shown(62))

	// Words are looked for in the whole conversation, and shown where they are.
	b.open("/inbox/open/1")
	b.until(`document.documentElement.dataset.live === "yes" && document.querySelectorAll("#flow > .message").length < 62`)
	b.do(chromedp.SendKeys(chromedp.CSS(`.thread-find input[type=search]`), "返事その3。"+kb.Enter))
	b.until(`document.querySelector("#message-` + ids[4] + `") && CSS.highlights.has("found")`)
	b.until(says + `("1 件に見つかりました")`)

	// A message is passed on to somebody else from its menu, with its words and
	// without the customer among its recipients.
	b.click(`#more-` + ids[60] + ` > summary`)
	b.click(`#more-` + ids[60] + ` [data-forward]`)
	b.until(`document.querySelector("[data-composer] [name=forward]") && document.querySelector("[data-composer] .editor")?.innerText.includes("返事その59。")`)
	b.until(`document.querySelector("[data-composer] [name=to]").value === ""`)
	b.until(`document.querySelector(".recipient-fields .recipient-input")?.offsetParent`)
	eval[bool](b, `(document.querySelector(".recipient-fields .recipient-input").focus(), true)`)
	b.keys("keiri@tax.example,")
	b.until(`document.querySelector("[data-composer] [name=to]").value.includes("keiri@tax.example")`)
	b.click(`[data-composer] [data-send]`)
	b.until(says + `("まだメールのやり取りがありません")`)
	b.click(`[data-composer] [data-send]`)
	b.until(`document.querySelector("#flow > .message.out.aside") && document.querySelector(".toast")`)

	// What is moved out of it leaves its reader at the newest.
	b.open("/inbox/open/1")
	b.until(`document.documentElement.dataset.live === "yes" && document.querySelector("#more-` + ids[59] + `")`)
	eval[bool](b, `(document.querySelector("#thread").scrollTop = 1e6, window.pane = document.querySelector("#thread"), true)`)
	b.click(`#more-` + ids[59] + ` > summary`)
	b.click(`#more-` + ids[59] + ` [href*="/move"]`)
	b.until(`document.querySelector("#picker[open] .choice.new")`)
	b.click(`#picker .choice.new`)
	b.until(`document.querySelector("#thread") !== window.pane && document.querySelector("#to-newest").hidden && document.querySelector("#thread").scrollTop > 100`)
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

var eventShown = regexp.MustCompile(`id="(event-\d+)"`)

// A ticket that was changed again and again shows the newest of those changes.
func TestManyEventsBetweenTwoMessagesAreFolded(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "年間契約", text: "最初の一通です。"})
	change := func(times int) {
		t.Helper()
		for range times {
			v, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
			if err != nil {
				t.Fatal(err)
			}
			p := helpdesk.PriorityHigh
			if v.Row.Ticket.Priority == p {
				p = helpdesk.PriorityNormal
			}
			if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Priority: &p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := h.as(h.admin)
	change(12)
	if n := len(eventShown.FindAllString(b.get("/inbox/open/1").hides("data-fold").body, -1)); n != 12 {
		t.Errorf("of twelve %d events are shown", n)
	}
	change(8)
	h.answerFirst(1, "返事その1。")
	change(30)
	p := b.get("/inbox/open/1").shows("以前の記録 15 件を折りたたんでいます", "以前の記録 25 件を折りたたんでいます", "最初の一通です。", "返事その1。")
	if n := len(eventShown.FindAllString(p.body, -1)); n != 10 {
		t.Errorf("of fifty in two places %d events are shown", n)
	}
	links := moreLink.FindAllStringSubmatch(p.body, -1)
	if len(links) != 2 {
		t.Fatalf("links %q", links)
	}
	page, part := strings.ReplaceAll(links[0][1], "&amp;", "&"), strings.ReplaceAll(links[0][2], "&amp;", "&")
	first := eventShown.FindAllString(b.fragment(part, "older").want(http.StatusOK).hides("data-fold").body, -1)
	if len(first) != 15 || strings.Contains(p.body, first[14]) {
		t.Errorf("what is folded in the first place: %q", first)
	}
	p = b.get(page).want(http.StatusOK).hides("15 件を").shows("以前の記録 25 件を")
	if n := len(eventShown.FindAllString(p.body, -1)); n != 25 {
		t.Errorf("without a script %d events are shown", n)
	}

	// News leaves what a page shows, and adds to it.
	change(20)
	_, run, _ := strings.Cut(part, "fold=")
	run, _, _ = strings.Cut(run, "&")
	b.header.Set("Folded", "1 "+run+" none")
	p = b.fragment("/inbox/open/1", "ticket").shows("以前の記録 15 件を").hides("25 件を", "45 件を")
	if n := len(eventShown.FindAllString(p.body, -1)); n != 55 {
		t.Errorf("after news %d events are shown", n)
	}
	b.header.Del("Folded")
	b.get("/inbox/open/1").shows("以前の記録 15 件を", "以前の記録 45 件を")
}

// What comes out of a fold of messages has its own many events folded.
func TestManyEventsWithinFoldedMessages(t *testing.T) {
	h := newReadyHouse(t)
	h.longTicket(10)
	for n := range 20 {
		p := []helpdesk.Priority{helpdesk.PriorityHigh, helpdesk.PriorityNormal}[n%2]
		if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Priority: &p}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 10 {
		h.answerFirst(10+n, fmt.Sprintf("返事その%d。", 10+n))
	}
	b := h.as(h.admin)
	p := b.get("/inbox/open/1").shows("以前のやり取り 14 件を").hides("以前の記録")
	links := moreLink.FindStringSubmatch(p.body)
	page, part := strings.ReplaceAll(links[1], "&amp;", "&"), strings.ReplaceAll(links[2], "&amp;", "&")
	wantAnswers(t, "the fold", b.fragment(part, "older").want(http.StatusOK).shows("以前の記録 15 件を"), numbered(0, 13))
	wantAnswers(t, "the page", b.get(page).shows("以前の記録 15 件を").hides(`class="older"`), numbered(0, 19))
}
