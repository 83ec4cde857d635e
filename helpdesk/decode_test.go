package helpdesk_test

import (
	"reflect"
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

// TestDecodeAgainReadsSubjectAndNames decodes what stands raw in the header, and
// what was named after it.
func TestDecodeAgainReadsSubjectAndNames(t *testing.T) {
	h := newHouse(t)
	euc := func(s string) string {
		encoded, err := japanese.EUCJP.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	const subject, name = "見積書の件", "山田"
	receipt := h.post("support@example.jp", "From: "+euc(name)+" <a@customer.example>", "Subject: "+euc(subject), "Content-Type: text/plain; charset=gb2312", "", euc("見積書を確認しました。"))
	before := h.ticket(receipt.Ticket)
	if before.Row.Ticket.Subject == subject || before.Row.Contact.Name == name {
		t.Fatalf("the mail is no case for decoding again: %q", before.Row.Ticket.Subject)
	}
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", Summary: "garbage"}); err != nil {
		t.Fatal(err)
	}
	if waiting, _, err := h.AnalysisQueue(t.Context()); err != nil || waiting != 0 {
		t.Fatalf("%d analyses wait, %v", waiting, err)
	}
	if _, err := h.DecodeAgain(t.Context(), h.admin, receipt.MessageID, "euc-jp"); err != nil {
		t.Fatal(err)
	}
	after := h.ticket(receipt.Ticket)
	if got := after.Messages[0].Message; got.Subject != subject || got.From.Name != name || got.From.Email != "a@customer.example" {
		t.Errorf("the message is from %v: %q", got.From, got.Subject)
	}
	if after.Row.Ticket.Subject != subject || after.Row.Contact.Name != name {
		t.Errorf("the ticket says %q of %q", after.Row.Ticket.Subject, after.Row.Contact.Name)
	}
	if waiting, _, err := h.AnalysisQueue(t.Context()); err != nil || waiting != 1 {
		t.Errorf("%d analyses wait after decoding again, %v; want 1", waiting, err)
	}
}

// TestDecodeAgainReadsFilesByTodaysRules stands for a mail that an earlier version
// stored, which knew of no risk and no invitation.
func TestDecodeAgainReadsFilesByTodaysRules(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"risk-programs", "ja-calendar-google", "name-hides-its-type"} {
		want := h.fixture(name)
		if err := h.ForgetSpecialParts(t.Context(), want.ID); err != nil {
			t.Fatal(err)
		}
		if old := h.message(want.ID); old.Invitation != nil || len(old.Attachments) > 0 && old.Attachments[0].Risk != "" {
			t.Fatalf("%s: nothing was forgotten", name)
		}
		if _, err := h.DecodeAgain(t.Context(), h.admin, want.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := h.message(want.ID); !reflect.DeepEqual(got.Attachments, want.Attachments) || !reflect.DeepEqual(got.Invitation, want.Invitation) {
			t.Errorf("%s: decoded again, the files are %+v, want %+v", name, got.Attachments, want.Attachments)
		}
	}
	hidden := h.fixture("name-hides-its-type")
	if hidden.Attachments[0].RawFilename == "" {
		t.Errorf("the name as written is lost: %+v", hidden.Attachments[0])
	}
}
