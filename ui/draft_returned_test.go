package ui_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestWhyAReplyCameBackIsSaidInTheReadersLanguage schedules a reply whose alias
// then wants nothing sent any more.
func TestWhyAReplyCameBackIsSaidInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	const id = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	reply := helpdesk.Reply{Ticket: 1, Text: "ご連絡ありがとうございます。", Seen: h.seen(1).LastSeq, Draft: id, IdempotencyKey: id}
	if _, err := h.SaveDraft(h.ctx(), h.admin.Actor(), helpdesk.Draft{ID: id, Kind: helpdesk.DraftReply, Ticket: 1, Text: reply.Text, Seen: reply.Seen}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Send(h.ctx(), h.admin.Actor(), reply, helpdesk.Sending{At: h.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Disabled = true
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.SendScheduled(h.ctx(), id); err != nil {
		t.Fatal(err)
	}
	h.as(h.admin).get("/inbox/open/1").want(http.StatusOK).shows("予約した返信を送信できませんでした：", "は停止中です").hides("is disabled")
}
