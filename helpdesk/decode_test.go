package helpdesk_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestDecodeAgain(t *testing.T) {
	h := newHouse(t)
	const words = "見積書を確認しました。"
	encoded, err := japanese.EUCJP.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	receipt := h.post("support@example.jp", "From: a@customer.example", "Subject: x", "Content-Type: text/plain; charset=gb2312", "", encoded)
	before, err := h.Message(t.Context(), h.admin, receipt.MessageID)
	if err != nil || strings.Contains(before.Body.Text, words) {
		t.Fatalf("the mail is no case for decoding again: %q, %v", before.Body.Text, err)
	}
	v, err := h.DecodeAgain(t.Context(), h.admin, receipt.MessageID, "EUC-JP")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(v.Body.Text) != words || v.Message.Snippet != words || v.Message.Ticket != receipt.Ticket {
		t.Errorf("decoded to %q, snippet %q", v.Body.Text, v.Message.Snippet)
	}
	ticket := h.ticket(receipt.Ticket)
	if ticket.Row.Ticket.Snippet != words || strings.TrimSpace(ticket.Messages[0].Body.ReplyText) != words {
		t.Errorf("the ticket says %q", ticket.Row.Ticket.Snippet)
	}
	if last := ticket.Events[len(ticket.Events)-1]; last.Kind != helpdesk.EventMessageDecoded || last.Data["charset"] != "EUC-JP" || last.Actor.UserID != h.user.ID {
		t.Errorf("event %+v", last)
	}
	undone, err := h.DecodeAgain(t.Context(), h.admin, receipt.MessageID, "")
	if err != nil || undone.Body != before.Body || undone.Message.Snippet != before.Message.Snippet {
		t.Errorf("undone to %+v, %v; want %+v", undone.Body, err, before.Body)
	}
	_, err = h.DecodeAgain(t.Context(), h.admin, receipt.MessageID, "klingon")
	wantCode(t, err, helpdesk.CodeInvalid, `"klingon" is not known`)
	_, err = h.DecodeAgain(t.Context(), h.admin, "01NOPE", "utf-8")
	wantCode(t, err, helpdesk.CodeNotFound, "01NOPE")
	_, err = h.DecodeAgain(t.Context(), h.admin, h.reply(receipt.Ticket, "Thank you").ID, "utf-8")
	wantCode(t, err, helpdesk.CodeInvalid, "only a received mail")
}
