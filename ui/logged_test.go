package ui_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

func TestAReplyByPhoneIsLogged(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows(`value="log"`, "電話などの返信を記録", `<option value="phone" selected>電話</option>`).hides(`<option value="mail"`)
	b.header.Set("Cookie", "zone=Asia%2FTokyo")
	at := time.Now().Add(-26 * time.Hour).In(time.FixedZone("", 9*3600))
	log := func(pairs ...string) *page {
		t.Helper()
		return b.post("/tickets/1/compose", append([]string{"mode", "log", "back", "/inbox/open/1"}, pairs...)...)
	}
	log("log", "", "channel", "phone").want(http.StatusUnprocessableEntity).shows("本文を入力してください", `value="log" checked`)
	log("log", "伝言です", "channel", "visit", "at", "2199-01-01T00:00").want(http.StatusUnprocessableEntity).
		shows("日時がこれから先になっています", "伝言です</textarea>", `<option value="visit" selected>`, `value="2199-01-01T00:00"`)
	log("log", "伝言です", "channel", "phone", "at", "yesterday").want(http.StatusUnprocessableEntity).shows("日時「yesterday」を読み取れません")
	log("log", "伝言です", "channel", "pigeon").want(http.StatusUnprocessableEntity).shows("手段「pigeon」はありません")
	log("log", "電話で\r\n承諾されました。", "channel", "phone", "at", at.Format("2006-01-02T15:04")).want(http.StatusSeeOther).leads("/inbox/open/1")
	log("log", "今の伝言です。", "channel", "chat").want(http.StatusSeeOther)

	b.get("/inbox/open/1").shows("電話で\n承諾されました。", `<span class="badge">電話</span>`, "手動で記録しました", "今の伝言です。")
	ticket, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
	if err != nil || len(ticket.Messages) != 3 {
		t.Fatalf("%d messages, %v", len(ticket.Messages), err)
	}
	first := ticket.Messages[0].Message // by time: it was said before the mail came
	if first.Channel != "phone" || !first.At.Equal(at.Truncate(time.Minute)) || first.AuthorID != h.admin.ID {
		t.Errorf("logged %s at %s by %s, want phone at %s", first.Channel, first.At, first.AuthorID, at)
	}
}

func TestSuppressedAddressesAreSaidAndLifted(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	h.fullTicket(agent) // gone@kyaku.example has refused
	b := h.as(agent)
	b.post("/tickets/1/compose", "mode", "reply", "text", "もう一度", "to", "gone@kyaku.example", "seen", "999", "key", "k").want(http.StatusConflict).
		shows("以前のメールが届かなかったため、送信しません", `href="/settings/suppressions"`, "もう一度</textarea>")
	b.get("/inbox/open/1").shows("<b>gone@kyaku.example</b> にメールが届かなかったため")
	b.get("/settings/suppressions").want(http.StatusOK).shows("gone@kyaku.example", "5.1.1 no such user").hides("/settings/suppressions/lift")
	b.post("/settings/suppressions/lift", "address", "gone@kyaku.example").want(http.StatusForbidden)

	b = h.as(h.admin)
	b.get("/settings/suppressions").shows("/settings/suppressions/lift")
	b.post("/settings/suppressions/lift", "address", "gone@kyaku.example").want(http.StatusSeeOther)
	b.get("/settings/suppressions?saved=1").shows("送信を止めているアドレスはありません").hides("gone@kyaku.example")
	b.post("/settings/suppressions/lift", "address", "gone@kyaku.example").want(http.StatusNotFound)
	b.post("/tickets/1/compose", "mode", "reply", "text", "もう一度", "to", "gone@kyaku.example", "seen", "999", "key", "k").want(http.StatusSeeOther)
}

func TestAModelThatCannotBeReachedIsWaitedFor(t *testing.T) {
	status := ui.AnalysisStatus{Enabled: true, Reachable: true, ModelPresent: true}
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Analysis = func(context.Context) ui.AnalysisStatus { return status }
	})
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows("AI が読んでいます").hides(`href="/settings/analysis"`)
	for _, trouble := range []ui.AnalysisStatus{{Enabled: true}, {Enabled: true, Reachable: true}, {Enabled: true, Reachable: true, ModelPresent: true, Problem: "busy"}} {
		status = trouble
		b.get("/inbox/open/1").shows("AI に接続できないため、分析を待っています", `<a class="link" href="/settings/analysis">`).hides("AI が読んでいます")
	}
}

// A house that writes to many has thousands of addresses that are gone.
func TestSuppressedAddressesComeInPages(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	for batch := range 2 {
		var to []helpdesk.Address
		for i := range 60 {
			to = append(to, helpdesk.Address{Email: fmt.Sprintf("gone%03d@kyaku.example", batch*60+i)})
		}
		m, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信", To: to})
		if err != nil {
			t.Fatal(err)
		}
		view, err := h.Message(h.ctx(), h.admin.Actor(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range view.Deliveries {
			if _, _, err := h.StartDelivery(h.ctx(), d.ID); err != nil {
				t.Fatal(err)
			}
			if err := h.RecordAttempt(h.ctx(), d.ID, helpdesk.Attempt{Code: 550, Enhanced: "5.1.1", Text: "no such user"}, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := h.as(h.admin)
	shown := func(p *page) (addresses []string) {
		for _, found := range regexp.MustCompile(`(gone\d+@kyaku\.example)</b>`).FindAllStringSubmatch(p.body, -1) {
			addresses = append(addresses, found[1])
		}
		return addresses
	}
	first := b.get("/settings/suppressions").want(http.StatusOK)
	list := shown(first)
	if len(list) != 100 {
		t.Fatalf("the first page has %d addresses", len(list))
	}
	next := html.UnescapeString(partOf(first.body, `people-next"><a class="button" href="`, `"`))
	b.post("/settings/suppressions/lift", "address", list[99]).want(http.StatusSeeOther)
	list = append(list, shown(b.get(next).want(http.StatusOK).hides("people-next"))...)
	slices.Sort(list)
	if len(list) != 120 || len(slices.Compact(list)) != 120 {
		t.Errorf("both pages have %d addresses: %v", len(list), list)
	}
	b.get("/settings/suppressions?q=GONE11").shows("gone111@kyaku.example", "gone118@kyaku.example").hides("gone109@kyaku.example", "people-next")
	b.get("/settings/suppressions?q=nobody").shows("該当するアドレスはありません")
}
