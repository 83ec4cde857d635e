package helpdesk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// forwarding is a customer's mail with a file, in Japanese.
func (h *house) forwarding() helpdesk.Receipt {
	h.t.Helper()
	return h.post("support@example.jp", "From: Misaki Tamura <tamura@customer.example>", "To: support@example.jp, colleague@customer.example", "Subject: Invoice 2291",
		"Message-ID: <first@customer.example>", "Date: Sat, 21 Nov 2026 10:00:00 +0900", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "",
		"--b", "Content-Type: text/plain; charset=utf-8", "", "Is this invoice right?",
		"--b", "Content-Type: application/pdf", `Content-Disposition: attachment; filename="invoice.pdf"`, "", "%PDF 2291",
		"--b", "Content-Type: text/plain", `Content-Disposition: attachment; filename="private.txt"`, "", "only for you",
		"--b--")
}

// forward posts a draft as the composer would, to these recipients and with
// these of its files.
func (h *house) forward(message string, to string, files ...string) *helpdesk.Message {
	h.t.Helper()
	draft, err := h.DraftForward(h.t.Context(), h.admin, message)
	if err != nil {
		h.t.Fatal(err)
	}
	uploads := []string{}
	for _, f := range draft.Files {
		if slices.Contains(files, f.Filename) {
			uploads = append(uploads, f.ID)
		}
	}
	m, err := h.Reply(h.t.Context(), h.admin, helpdesk.Reply{Ticket: draft.Ticket, Text: "Please have a look." + draft.Text, Forward: draft.Forward, Draft: draft.ID, Uploads: uploads,
		To: []helpdesk.Address{{Email: to}}, IdempotencyKey: draft.ID})
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// answerTo is a mail from outside to the reply address of a message of ours.
func (h *house) answerTo(m *helpdesk.Message, lines ...string) helpdesk.Receipt {
	h.t.Helper()
	return h.post(m.ReplyAddress, append(lines, "Subject: Re: "+m.Subject, "In-Reply-To: <"+m.MessageID+">", "", "The invoice is right.")...)
}

// A mail that is forwarded goes to the third party alone, with what was chosen,
// and the customer goes on waiting.
func TestForwardingAMail(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	if _, err := h.AddNote(t.Context(), h.admin, first.Ticket, "SECRET: she is difficult"); err != nil {
		t.Fatal(err)
	}
	before := h.ticket(first.Ticket).Row.Ticket
	h.pass(time.Minute)
	m := h.forward(first.MessageID, "accountant@tax.example", "invoice.pdf")
	if m.Subject != "Fwd: Invoice 2291" || len(m.InReplyTo)+len(m.References) != 0 || !m.ThirdParty || m.Forwarded != first.MessageID {
		t.Errorf("forwarded as %+v", m)
	}
	raw, err := h.Source(t.Context(), h.admin, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	sent := mail.Parse(raw)
	for _, want := range []string{"Please have a look.", "---------- 転送メッセージ ----------\n差出人: Misaki Tamura <tamura@customer.example>\n日時: 2026年11月21日(土) 10:00\n件名: Invoice 2291\n宛先: support@example.jp, colleague@customer.example", "Is this invoice right?"} {
		if !strings.Contains(sent.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, sent.Text)
		}
	}
	if strings.Contains(string(raw), "SECRET") || strings.Contains(sent.Text, "SECRET") {
		t.Error("a note left the house")
	}
	if len(sent.Attachments) != 1 || sent.Attachments[0].Filename != "invoice.pdf" || len(sent.To) != 1 || len(sent.Cc) != 0 {
		t.Errorf("it has %v to %v and %v", sent.Attachments, sent.To, sent.Cc)
	}
	after := h.ticket(first.Ticket)
	record := after.Row.Ticket
	if !record.WaitingSince.Equal(before.WaitingSince) || record.Answered || !slices.Equal(record.ThirdParties, []string{"accountant@tax.example"}) || len(after.Drafts) != 0 {
		t.Errorf("the ticket says %+v with drafts %v", record, after.Drafts)
	}
	h.verify()
}

// The third party's answer comes back as theirs: nothing that answers the
// customer goes to them or quotes them, and it settles nothing of the customer's.
func TestAThirdPartyAnswers(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	waiting := h.ticket(first.Ticket).Row.Ticket.WaitingSince
	forwarded := h.forward(first.MessageID, "accountant@tax.example")
	h.deliver(taken)
	h.pass(time.Hour)
	answer := h.answerTo(forwarded, "From: Accountant <accountant@tax.example>", "Cc: trainee@tax.example", "Message-ID: <answer@tax.example>")
	v := h.ticket(first.Ticket)
	if answer.Ticket != first.Ticket || len(v.Messages) != 3 || !v.Messages[2].Message.ThirdParty {
		t.Fatalf("the answer is on ticket %d, the last message %+v", answer.Ticket, v.Messages[len(v.Messages)-1].Message)
	}
	if want := []string{"accountant@tax.example", "trainee@tax.example"}; !slices.Equal(v.Row.Ticket.ThirdParties, want) {
		t.Errorf("third parties %v, want %v", v.Row.Ticket.ThirdParties, want)
	}
	list, err := h.Events(t.Context(), h.admin, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EnqueueAnalyses(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if in, err := h.AnalysisInput(t.Context(), answer.MessageID); err != nil || in != nil {
		t.Errorf("the model is given the third party's mail: %+v, %v", in, err)
	}

	// Answering the accountant leaves the customer waiting.
	h.pass(time.Minute)
	back, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: first.Ticket, Text: "Thanks.", To: []helpdesk.Address{{Email: "accountant@tax.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	if record := h.ticket(first.Ticket).Row.Ticket; !back.ThirdParty || !slices.Equal(back.InReplyTo, []string{"answer@tax.example"}) || !record.WaitingSince.Equal(waiting) || record.Answered {
		t.Errorf("answered %+v; the customer waits since %v, answered %v", back, record.WaitingSince, record.Answered)
	}

	// An answer to nobody in particular is the customer's, and quotes the customer.
	h.pass(time.Minute)
	reply, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: first.Ticket, Text: "It is right.", Quote: true})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := h.Source(t.Context(), h.admin, reply.ID)
	if err != nil {
		t.Fatal(err)
	}
	text := mail.Parse(raw).Text
	if reply.ThirdParty || len(reply.To) != 1 || reply.To[0].Email != "tamura@customer.example" || strings.Contains(text, "The invoice is right.") || strings.Contains(string(raw), "tax.example") {
		t.Errorf("the customer got %v:\n%s", reply.To, text)
	}
	if record := h.ticket(first.Ticket).Row.Ticket; !record.WaitingSince.IsZero() || !record.Answered {
		t.Errorf("after the answer the customer waits since %v", record.WaitingSince)
	}
	h.verify()

	// On a ticket of its own, the third party is the customer.
	split, err := h.Move(t.Context(), h.admin, answer.MessageID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if own := h.ticket(split.Into); own.Messages[0].Message.ThirdParty || len(own.Row.Ticket.ThirdParties) != 0 {
		t.Errorf("on its own ticket it is %+v", own.Messages[0].Message)
	}
	if _, err := h.UndoMove(t.Context(), h.admin, split.ID); err != nil {
		t.Fatal(err)
	}
	if v := h.ticket(first.Ticket); !v.Messages[2].Message.ThirdParty || !slices.Contains(v.Row.Ticket.ThirdParties, "trainee@tax.example") {
		t.Errorf("back on the ticket it is %+v, third parties %v", v.Messages[2].Message, v.Row.Ticket.ThirdParties)
	}
	h.verify()
}

// Whoever forwards is warned before words reach the other side.
func TestForwardingWarnsOfTheOtherSide(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	forwarded := h.forward(first.MessageID, "accountant@tax.example")
	warned := func(r helpdesk.Reply) string {
		t.Helper()
		r.Ticket, r.Text = first.Ticket, "See the words below.\n\n---------- Forwarded message ----------\n\nPlease see the attached file."
		list, err := h.CheckReply(t.Context(), h.admin, r)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(list)
	}
	to := func(emails ...string) (list []helpdesk.Address) {
		for _, email := range emails {
			list = append(list, helpdesk.Address{Email: email})
		}
		return list
	}
	for _, c := range []struct {
		reply helpdesk.Reply
		want  string
	}{
		{helpdesk.Reply{Forward: first.MessageID, To: to("tamura@customer.example"), Cc: to("colleague@customer.example")}, "[{customer tamura@customer.example} {customer colleague@customer.example}]"},
		{helpdesk.Reply{Forward: first.MessageID, To: to("accountant@tax.example")}, "[]"},
		{helpdesk.Reply{Forward: first.MessageID, To: to("other@tax.example")}, "[{first_time other@tax.example}]"},
		{helpdesk.Reply{To: to("tamura@customer.example"), Cc: to("accountant@tax.example")}, "[{third_party accountant@tax.example} {no_attachment attached}]"},
	} {
		if got := warned(c.reply); got != c.want {
			t.Errorf("to %v, cc %v: %s, want %s", c.reply.To, c.reply.Cc, got, c.want)
		}
	}
	_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: first.Ticket, Text: "x", Forward: first.MessageID})
	wantCode(t, err, helpdesk.CodeInvalid, "enter under To whom")
	other := h.post("support@example.jp", "From: other@customer.example", "Subject: Other", "", "Hello")
	_, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: other.Ticket, Text: "x", Forward: first.MessageID, To: to("a@tax.example")})
	wantCode(t, err, helpdesk.CodeConflict, "forward it from there")

	// Taken back, it is a draft to forward again, and nobody has come in.
	if _, err := h.Undo(t.Context(), h.admin, forwarded.ID); err != nil {
		t.Fatal(err)
	}
	v := h.ticket(first.Ticket)
	if len(v.Drafts) != 1 || v.Drafts[0].Forward != first.MessageID || len(v.Row.Ticket.ThirdParties) != 0 {
		t.Errorf("drafts %+v, third parties %v", v.Drafts, v.Row.Ticket.ThirdParties)
	}
	h.verify()
}

// What is discarded stays so, also where the save of a moment before arrives after it; it can be
// begun anew.
func TestADiscardedForwardLeavesNothing(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	draft, err := h.DraftForward(t.Context(), h.admin, first.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	h.must(h.DiscardDraft(t.Context(), h.admin, draft.ID))
	late := *draft
	late.Text = "Words of a moment before"
	_, err = h.SaveDraft(t.Context(), h.admin, late)
	wantCode(t, err, helpdesk.CodeConflict, "discarded")
	if v := h.ticket(first.Ticket); len(v.Row.Ticket.Drafters) > 0 {
		t.Errorf("the ticket is still being written on by %v", v.Row.Ticket.Drafters)
	}
	again, err := h.DraftForward(t.Context(), h.admin, first.MessageID)
	if err != nil || again.ID == draft.ID || len(again.Files) != 2 {
		t.Errorf("begun anew: %+v, %v", again, err)
	}
	if m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: first.Ticket, Text: "Hello", IdempotencyKey: draft.ID}); err != nil || m == nil {
		t.Errorf("a reply sent from another page under its key: %+v, %v", m, err)
	}
}

// An export says what is of third parties.
func TestAnExportTellsThirdPartiesApart(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	m := h.forward(first.MessageID, "accountant@tax.example")
	h.answerTo(m, "From: accountant@tax.example")
	var said []string
	for _, part := range []helpdesk.ExportPart{helpdesk.ExportTickets, helpdesk.ExportMessages} {
		page, err := h.ExportPage(t.Context(), h.admin, helpdesk.ExportQuery{Part: part})
		if err != nil {
			t.Fatal(err)
		}
		for _, ticket := range page.Tickets {
			said = append(said, fmt.Sprintf("ticket with %v", ticket.ThirdParties))
		}
		for _, m := range page.Messages {
			said = append(said, fmt.Sprintf("%s %s %t %t", m.Direction, m.From.Email, m.ThirdParty, m.Forwarded == first.MessageID))
		}
	}
	want := []string{"ticket with [accountant@tax.example]", "in tamura@customer.example false false", "out support@example.jp true true", "in accountant@tax.example true false"}
	if !slices.Equal(said, want) {
		t.Errorf("exported %q, want %q", said, want)
	}
}
