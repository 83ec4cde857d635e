package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// newMail is a mail that begins a ticket.
func (h *house) newMail(to, subject, text string) helpdesk.Reply {
	return helpdesk.Reply{Opening: &helpdesk.Opening{AliasID: h.alias.ID, Subject: subject}, Text: text, To: []helpdesk.Address{{Name: "Mori Aoi", Email: to}}}
}

func (h *house) send(a helpdesk.Actor, r helpdesk.Reply, when helpdesk.Sending) helpdesk.Sent {
	h.t.Helper()
	sent, err := h.Send(h.t.Context(), a, r, when)
	h.must(err)
	return sent
}

func TestNewMailBeginsATicketThatItsAnswerJoins(t *testing.T) {
	h := newHouse(t)
	ito := h.colleague("Ito", helpdesk.RoleAgent)
	h.alias.Tags = []string{"shop"}
	h.alias.Signature = "サポート {{agent.name}}"
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	_, err = h.SaveDraft(t.Context(), ito, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftMail, AliasID: h.alias.ID, Subject: "Delivery", To: "mori@customer.example", Text: "It is"})
	h.must(err)
	file, err := h.AddDraftFile(t.Context(), ito, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftMail}, helpdesk.Upload{Filename: "slip.pdf", ContentType: "application/pdf", Data: []byte("%PDF")}, false)
	h.must(err)
	mails, err := h.MailDrafts(t.Context(), ito)
	if err != nil || len(mails) != 1 || mails[0].Alias != "support@example.jp" {
		t.Fatalf("drafts %+v, %v", mails, err)
	}
	counts, err := h.Counts(t.Context(), ito)
	if err != nil || counts.Views[helpdesk.ViewDrafts] != 1 {
		t.Errorf("%d drafts counted, %v", counts.Views[helpdesk.ViewDrafts], err)
	}

	r := h.newMail("Mori@Customer.example", " Your  delivery\r\n", "It is on its way.")
	r.Cc, r.Bcc = []helpdesk.Address{{Email: "boss@customer.example"}}, []helpdesk.Address{{Email: "audit@customer.example"}}
	r.Draft, r.IdempotencyKey, r.Uploads = draftID, draftID, []string{file.ID}
	warnings, err := h.CheckReply(t.Context(), ito, r)
	if err != nil || len(warnings) != 3 || warnings[0].Kind != helpdesk.WarnFirstTime {
		t.Errorf("warned of %+v, %v", warnings, err)
	}
	m := h.send(ito, r, helpdesk.Sending{}).Message
	again := h.send(ito, r, helpdesk.Sending{}).Message
	if again == nil || again.ID != m.ID {
		t.Fatalf("sent twice: %+v and %+v", m, again)
	}
	if number, err := h.Begun(t.Context(), ito, draftID); err != nil || number != m.Ticket {
		t.Errorf("the draft began ticket %d, %v", number, err)
	}
	if _, err := h.SaveDraft(t.Context(), ito, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftMail, Text: "late"}); keyOf(err) != "draft_sent" {
		t.Errorf("a late save: %v", err)
	}
	v := h.ticket(m.Ticket)
	ticket := v.Row.Ticket
	if ticket.Subject != "Your delivery" || ticket.AssigneeID != ito.UserID || !ticket.WaitingSince.IsZero() || !ticket.Open || !slices.Equal(ticket.Tags, []string{"shop"}) ||
		v.Row.Contact.Email != "mori@customer.example" || v.Row.Contact.Name != "Mori Aoi" || len(v.Drafts) != 0 || m.Reason != helpdesk.ReasonBegun {
		t.Errorf("ticket %+v of %+v", ticket, v.Row.Contact)
	}
	if got := kinds(v.Events); got != "ticket.created reply.posted ticket.assigned" {
		t.Errorf("events %s", got)
	}

	h.pass(time.Minute)
	sent := h.deliver(taken)
	if len(sent) != 3 {
		t.Fatalf("sent to %d", len(sent))
	}
	raw := sent["Mori@Customer.example"]
	if raw == "" {
		raw = sent["mori@customer.example"]
	}
	letter := mail.Parse([]byte(raw))
	if letter.Subject != "Your delivery" || len(letter.InReplyTo) != 0 || strings.Contains(raw, "audit@") || !strings.Contains(letter.Text, "サポート Ito") || len(letter.Attachments) != 1 {
		t.Errorf("mail %q, in reply to %v, %d files:\n%s", letter.Subject, letter.InReplyTo, len(letter.Attachments), letter.Text)
	}
	answer := h.post(m.ReplyAddress, "From: mori@customer.example", "Test-DMARC: pass", "Subject: Re: Your delivery", "", "Thank you!")
	if answer.Ticket != m.Ticket || answer.Reason != helpdesk.ReasonToken {
		t.Errorf("the answer went to %+v", answer)
	}

	// Who writes once more before an answer came continues the same conversation.
	second := h.send(ito, h.newMail("kato@customer.example", "Second", "One."), helpdesk.Sending{}).Message
	more, err := h.Reply(t.Context(), ito, helpdesk.Reply{Ticket: second.Ticket, Text: "Two."})
	h.must(err)
	if !slices.Equal(more.InReplyTo, []string{second.MessageID}) || more.Subject != "Re: Second" || more.To[0].Email != "kato@customer.example" {
		t.Errorf("the second mail answers %v as %q to %+v", more.InReplyTo, more.Subject, more.To)
	}
	if known, err := h.CheckReply(t.Context(), ito, h.newMail("mori@customer.example", "x", "x")); err != nil || len(known) != 0 {
		t.Errorf("warned of a known customer: %+v, %v", known, err)
	}
}

func TestNewMailIsTakenBackWithItsTicket(t *testing.T) {
	h := newHouse(t)
	r := h.newMail("mori@customer.example", "Too early", "Wait")
	r.Attachments = []helpdesk.Upload{{Filename: "a.txt", ContentType: "text/plain", Data: []byte("a")}}
	m := h.send(h.admin, r, helpdesk.Sending{}).Message
	_, err := h.Undo(t.Context(), h.admin, m.ID)
	h.must(err)
	mails, err := h.MailDrafts(t.Context(), h.admin)
	if err != nil || len(mails) != 1 || mails[0].Subject != "Too early" || mails[0].AliasID != h.alias.ID || mails[0].To != "Mori Aoi <mori@customer.example>" || len(mails[0].Files) != 1 {
		t.Fatalf("drafts %+v, %v", mails, err)
	}
	rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{View: helpdesk.ViewAll})
	if err != nil || len(rows) != 0 {
		t.Errorf("%d tickets are listed, %v", len(rows), err)
	}
	if v := h.ticket(m.Ticket); !v.Row.Ticket.Withdrawn || !strings.HasSuffix(kinds(v.Events), "ticket.withdrawn") {
		t.Errorf("withdrawn %v, events %s", v.Row.Ticket.Withdrawn, kinds(v.Events))
	}
	_, err = h.AddNote(t.Context(), h.admin, m.Ticket, "x")
	wantCode(t, err, helpdesk.CodeConflict, "taken back")
	next := h.send(h.admin, h.newMail("mori@customer.example", "Now", "Go"), helpdesk.Sending{}).Message
	if next.Ticket == m.Ticket {
		t.Error("the number was used again")
	}

	// What somebody has added meanwhile stays.
	_, err = h.AddNote(t.Context(), h.admin, next.Ticket, "Call her first.")
	h.must(err)
	_, err = h.Undo(t.Context(), h.admin, next.ID)
	h.must(err)
	if v := h.ticket(next.Ticket); v.Row.Ticket.Withdrawn || len(v.Notes) != 1 {
		t.Errorf("a ticket with a note was withdrawn: %+v", v.Row.Ticket)
	}
}

func TestNewMailLeavesLaterAndAfterApproval(t *testing.T) {
	h := newHouse(t)
	h.approving()
	ito, mori := h.colleague("Ito", helpdesk.RoleAgent), h.colleague("Mori", helpdesk.RoleSupervisor)
	r := h.newMail("aoi@customer.example", "Price", "4,000 yen")
	r.IdempotencyKey = "mail-1"
	sent := h.send(ito, r, helpdesk.Sending{At: h.now.Add(time.Hour)})
	if sent.Draft == nil || sent.Draft.Kind != helpdesk.DraftMail || sent.Draft.State != helpdesk.DraftReview || sent.Draft.Subject != "Price" {
		t.Fatalf("requested %+v", sent)
	}
	notices, unread, err := h.Notices(t.Context(), mori, 5)
	if err != nil || unread != 1 || notices[0].Notice.Kind != helpdesk.NoticeApproval || notices[0].Subject != "Price" || notices[0].Notice.Ticket != 0 {
		t.Fatalf("told of %+v, %v", notices, err)
	}
	if seen, err := h.MailDrafts(t.Context(), mori); err != nil || len(seen) != 1 {
		t.Errorf("the supervisor finds %+v, %v", seen, err)
	}
	if counts, err := h.Counts(t.Context(), mori); err != nil || counts.Views[helpdesk.ViewApproval] != 1 {
		t.Errorf("%d wait, %v", counts.Views[helpdesk.ViewApproval], err)
	}
	_, err = h.SendBack(t.Context(), mori, sent.Draft.ID, "Too cheap")
	h.must(err)
	if _, unread, _ := h.Notices(t.Context(), mori, 5); unread != 0 {
		t.Errorf("%d still unread after the decision", unread)
	}
	r.Draft, r.Text = sent.Draft.ID, "4,400 yen"
	sent = h.send(ito, r, helpdesk.Sending{At: h.now.Add(time.Hour)})
	mended := r
	mended.Opening = &helpdesk.Opening{AliasID: h.alias.ID, Subject: "Our price"}
	approved, err := h.Approve(t.Context(), mori, sent.Draft.ID, 0, &mended)
	if err != nil || approved.Draft == nil || approved.Draft.State != helpdesk.DraftScheduled {
		t.Fatalf("approved %+v, %v", approved, err)
	}
	h.verify()
	h.pass(time.Hour)
	if n := h.sendDue(); n != 1 {
		t.Fatalf("%d were due", n)
	}
	v := h.ticket(1)
	if v.Row.Ticket.Subject != "Our price" || v.Messages[0].Message.AuthorID != ito.UserID || v.Messages[0].Body.Text != "4,400 yen" {
		t.Errorf("ticket %+v, %+v", v.Row.Ticket, v.Messages[0].Message)
	}

	// Approved at once, the log of the new ticket says by whom.
	r = h.newMail("aoi@customer.example", "Again", "Hello")
	sent = h.send(ito, r, helpdesk.Sending{})
	approved, err = h.Approve(t.Context(), mori, sent.Draft.ID, 0, nil)
	if err != nil || approved.Message == nil || !strings.Contains(kinds(h.ticket(approved.Message.Ticket).Events), "reply.approved") {
		t.Errorf("approved %+v, %v", approved, err)
	}
}

func TestNewMailThatCannotBeWritten(t *testing.T) {
	h := newHouse(t)
	other, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "old@example.jp", Name: "Old", PipelineID: h.alias.PipelineID, Disabled: true})
	h.must(err)
	for key, change := range map[string]func(*helpdesk.Reply){
		"alias_missing":    func(r *helpdesk.Reply) { r.Opening.AliasID = "" },
		"alias_gone":       func(r *helpdesk.Reply) { r.Opening.AliasID = "01NOTHING" },
		"sender_disabled":  func(r *helpdesk.Reply) { r.Opening.AliasID = other.ID },
		"subject_empty":    func(r *helpdesk.Reply) { r.Opening.Subject = " \n" },
		"subject_too_long": func(r *helpdesk.Reply) { r.Opening.Subject = strings.Repeat("件", 251) },
		"to_empty":         func(r *helpdesk.Reply) { r.To = nil },
		"to_ourselves":     func(r *helpdesk.Reply) { r.To[0].Email = "Support@example.jp" },
		"reply_empty":      func(r *helpdesk.Reply) { r.Text = " " },
	} {
		r := h.newMail("mori@customer.example", "Hello", "Hello")
		change(&r)
		if _, err := h.Send(t.Context(), h.admin, r, helpdesk.Sending{}); keyOf(err) != key {
			t.Errorf("want %s, got %v", key, err)
		}
	}
	if rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{View: helpdesk.ViewAll}); err != nil || len(rows) != 0 {
		t.Errorf("%d tickets after refusals, %v", len(rows), err)
	}
}
