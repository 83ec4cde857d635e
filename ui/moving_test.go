package ui_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

var movingID = regexp.MustCompile(`/movings/([0-9A-Z]{26})/undo`)

func TestMergingLeadsOnAndCanBeUndone(t *testing.T) {
	h := newReadyHouse(t)
	first := h.receive(letter{subject: "一つ目の件名", text: "一つ目です。"})
	h.receive(letter{subject: "二つ目の件名", text: "二つ目です。"})
	h.receive(letter{from: "other@kyaku.example", name: "別の方", subject: "無関係な件名", text: "三つ目です。"})
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows(`href="/tickets/1/merge?back=%2finbox%2fopen%2f1"`)

	offer := b.fragment("/tickets/1/merge", "picker").want(http.StatusOK).hides("<html", `value="1"`).
		shows("田村 美咲 様のほかのチケット", "二つ目の件名", "最近のチケット", "無関係な件名")
	if strings.Index(offer.body, `value="2"`) > strings.Index(offer.body, `value="3"`) {
		t.Error("the same customer's ticket is not offered first")
	}
	b.fragment("/tickets/1/merge?q=%EF%BC%83%EF%BC%93", "choices").shows("番号が一致", `value="3"`).hides(`value="2"`, "picker-head")
	b.fragment("/tickets/1/merge?q=zzz", "choices").shows("あてはまるチケットはありません")
	b.get("/tickets/1/merge?back=/inbox/mine/1").shows("<html", `value="2"`, `name="back" value="/inbox/mine/1"`)

	b.post("/tickets/1/merge", "into", "x").want(http.StatusUnprocessableEntity).shows("チケットの番号ではありません")
	b.post("/tickets/1/merge", "into", "1").want(http.StatusUnprocessableEntity)
	to := b.post("/tickets/1/merge", "into", "2", "back", "/inbox/mine/1").want(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(to, "/inbox/mine/2?moved=") {
		t.Fatalf("merging leads to %s", to)
	}
	shown := b.fragment(to, "ticket").want(http.StatusOK).shows("一つ目です。", "二つ目です。", `class="toast"`,
		`<a class="link" href="/tickets/1">#1</a> をこのチケットに統合しました`)
	if got := shown.Header.Get("HX-Replace-Url"); got != "/inbox/mine/2" {
		t.Errorf("the browser is told the address %q", got)
	}
	b.get("/inbox/open/2").hides(`class="toast"`).shows("元に戻す")
	b.get("/inbox/open/1").shows("#1 は #2 に統合されています", `href="/inbox/open/2"`, "このチケットを <a").hides("data-composer", `id="close-button"`, `id="merge-link"`)
	if n := strings.Count(b.get("/inbox/open/1").body, "/undo\" hx-post"); n != 1 {
		t.Errorf("the merged ticket offers to undo it %d times", n)
	}
	b.fragment("/tickets/3/merge?q=1", "choices").hides(`value="1"`)

	id := movingID.FindStringSubmatch(shown.body)[1]
	back := b.post("/movings/"+id+"/undo", "kind", "merge", "back", "/inbox/open/2").want(http.StatusSeeOther).Header.Get("Location")
	b.get(back).shows("一つ目です。", "data-composer", "への統合を元に戻しました").hides("統合されています", "/movings/"+id)
	b.fragment("/inbox/open/2", "ticket").hides("一つ目です。", "/movings/"+id)
	b.post("/movings/"+id+"/undo", "kind", "merge").want(http.StatusConflict).shows("すでに元に戻されています")
	if row, err := h.TicketRow(h.ctx(), h.admin.Actor(), first.Ticket); err != nil || row.Ticket.Messages != 1 || row.Ticket.MergedInto != 0 {
		t.Errorf("the ticket is %+v, %v", row, err)
	}
}

func TestMovingAMailToATicketAndToANewOne(t *testing.T) {
	h := newReadyHouse(t)
	first := h.receive(letter{subject: "件名", text: "一通目です。"})
	b := h.as(h.admin)
	b.get("/inbox/open/1").hides("/messages/" + first.MessageID + "/move") // it has nothing else
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信です。"})
	if err != nil {
		t.Fatal(err)
	}
	second := h.receive(letter{to: reply.ReplyAddress, subject: "Re: 件名", text: "二通目です。", authentication: proven})
	h.receive(letter{from: "other@kyaku.example", name: "別の方", subject: "別件", text: "別の本文"})
	path := "/messages/" + second.MessageID + "/move"
	b.get("/inbox/open/1").shows(path)
	b.fragment(path, "picker").want(http.StatusOK).shows("新しいチケットにする", "別件", `name="to" value="2"`)
	b.fragment("/messages/"+reply.ID+"/move", "picker").hides("新しいチケットにする")

	to := b.post(path, "to", "2", "back", "/inbox/open/1").want(http.StatusSeeOther).Header.Get("Location")
	shown := b.get(to).shows("メールを <a class=\"link\" href=\"/tickets/1\">#1</a> から <a class=\"link\" href=\"/tickets/2\">#2</a> に移しました").hides("二通目です。")
	b.get("/inbox/open/2").shows("二通目です。", "からメールを移しました")
	id := movingID.FindStringSubmatch(shown.body)[1]
	b.post("/movings/"+id+"/undo", "kind", "move", "back", "/inbox/open/1").want(http.StatusSeeOther)
	b.get("/inbox/open/1").shows("二通目です。", "に移したメールを戻しました")

	b.post(path, "to", "new", "back", "/inbox/open/1").want(http.StatusSeeOther)
	ticket, err := h.Ticket(h.ctx(), h.admin.Actor(), 3)
	if err != nil || len(ticket.Messages) != 1 || ticket.Messages[0].Message.ID != second.MessageID {
		t.Fatalf("the new ticket is %+v, %v", ticket, err)
	}
	b.post("/messages/"+second.MessageID+"/move", "to", strconv.Itoa(1)).want(http.StatusConflict).shows("チケットを統合してください")
}

// TestBothConversationsOfOneMailSayWhereItIs has a customer answer two
// conversations with one mail.
func TestBothConversationsOfOneMailSayWhereItIs(t *testing.T) {
	h := newReadyHouse(t)
	var to []string
	for _, subject := range []string{"見積り", "納期"} {
		n := h.receive(letter{subject: subject, text: "お願いします。"}).Ticket
		m, err := h.Reply(t.Context(), h.admin.Actor(), helpdesk.Reply{Ticket: n, Text: "お送りします。"})
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, m.ReplyAddress)
	}
	raw := []byte("From: tamura@kyaku.example\r\nSubject: Re\r\nMessage-ID: <both@kyaku.example>\r\n\r\nThanks for both.\r\n")
	if _, err := h.Receive(t.Context(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: to}}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows("Thanks for both.", `<b>tamura@kyaku.example</b> のメールは <a class="link" href="/tickets/2">#2</a> の会話にも宛てられています`)
	b.get("/inbox/open/2").want(http.StatusOK).shows(`この会話にも宛てられた <b>tamura@kyaku.example</b> のメールは <a class="link" href="/tickets/1">#1</a> にあります`)
}
