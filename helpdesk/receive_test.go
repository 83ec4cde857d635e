package helpdesk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestFirstMailOpensATicket(t *testing.T) {
	h := newHouse(t)
	receipt := h.first()
	if receipt.Ticket != 1 || receipt.State != helpdesk.MessagePosted || receipt.Reason != helpdesk.ReasonNew {
		t.Fatalf("receipt %+v", receipt)
	}
	v := h.ticket(1)
	if v.Row.Contact.Name != "田村 美咲" || v.Row.Contact.Email != "tamura@customer.example" {
		t.Errorf("contact %+v", v.Row.Contact)
	}
	if v.Row.StageName != "受付" || !v.Row.Ticket.Open || v.Row.Ticket.WaitingSince.IsZero() || !v.Row.Unread {
		t.Errorf("ticket %+v", v.Row)
	}
	if len(v.Messages) != 1 || strings.TrimSpace(v.Messages[0].Body.Text) != "Please send the invoice again." {
		t.Errorf("messages %+v", v.Messages)
	}
	if kinds(v.Events) != "ticket.created message.received" {
		t.Errorf("events %s", kinds(v.Events))
	}
	if second := h.post("support@example.jp", "From: other@customer.example", "Subject: x", "", "y"); second.Ticket != 2 {
		t.Errorf("the second mail went to ticket %d", second.Ticket)
	}
}

func TestUnreadableMailIsATicketAllTheSame(t *testing.T) {
	h := newHouse(t)
	for _, raw := range []string{"", "\x00\xff\xfe garbage", "no header at all, only words"} {
		if receipt := h.post("support@example.jp", raw); receipt.Ticket == 0 {
			t.Errorf("mail %q is on no ticket", raw)
		}
	}
}

func TestImpossibleDateIsNoReasonToLoseAMail(t *testing.T) {
	h := newHouse(t)
	receipt := h.post("support@example.jp", "From: a@customer.example", "Date: Fri, 31 Dec 9999 23:59:59 -0100", "Subject: far away", "", "x")
	if v := h.ticket(receipt.Ticket); !v.Messages[0].Message.Date.IsZero() {
		t.Errorf("date %v", v.Messages[0].Message.Date)
	}
}

func TestRecipient(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	for address, problem := range map[string]helpdesk.RecipientProblem{
		"support@example.jp": "", "SUPPORT@Example.JP": "", "postmaster@example.jp": "", "Postmaster": "",
		m.ReplyAddress:                                          "",
		strings.ToUpper(m.ReplyAddress):                         "",
		"nobody@example.jp":                                     helpdesk.RecipientUnknown,
		"support@elsewhere.example":                             helpdesk.RecipientUnknown,
		"postmaster@elsewhere.example":                          helpdesk.RecipientUnknown,
		"reply+aaaaaaaaaaaaaaaa@example.jp":                     helpdesk.RecipientUnknown,
		"reply+short@example.jp":                                helpdesk.RecipientUnknown,
		strings.Replace(m.ReplyAddress, "reply+", "bounce+", 1): helpdesk.RecipientUnknown,
		strings.Replace(m.ReplyAddress, "@", "@other.", 1):      helpdesk.RecipientUnknown,
		"": helpdesk.RecipientUnknown, "@": helpdesk.RecipientUnknown, "@example.jp": helpdesk.RecipientUnknown,
	} {
		err := h.Recipient(t.Context(), address)
		var refused *helpdesk.RecipientError
		if problem == "" {
			if err != nil {
				t.Errorf("%q is refused: %v", address, err)
			}
		} else if !errors.As(err, &refused) || refused.Problem != problem {
			t.Errorf("%q: %v; want %s", address, err, problem)
		}
	}
	h.pass(91 * 24 * time.Hour)
	err := h.Recipient(t.Context(), m.ReplyAddress)
	if err == nil || !strings.Contains(err.Error(), "expired; please write to <support@example.jp>") {
		t.Errorf("an expired reply address: %v", err)
	}
}

func TestAnswerJoinsByToken(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	h.pass(time.Minute)
	for _, from := range []string{"Tamura@customer.example", "kojima@customer.example"} { // the author, and whom she put in copy
		receipt := h.post(strings.ToUpper(m.ReplyAddress), "From: "+from, "Subject: something else", "", "Thank you "+from)
		if receipt.Ticket != 1 || receipt.State != helpdesk.MessagePosted || receipt.Reason != helpdesk.ReasonToken {
			t.Errorf("%s: %+v", from, receipt)
		}
	}
	if v := h.ticket(1); len(v.Messages) != 4 || v.Row.Ticket.WaitingSince.IsZero() {
		t.Errorf("%d messages, waiting since %v", len(v.Messages), v.Row.Ticket.WaitingSince)
	}
}

func TestAnswerJoinsByReference(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	receipt := h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <"+m.MessageID+">", "Subject: Re: Invoice", "", "Thanks")
	if receipt.Ticket != 1 || receipt.Reason != helpdesk.ReasonReference {
		t.Errorf("by In-Reply-To: %+v", receipt)
	}
	receipt = h.post("support@example.jp", "From: tamura@customer.example", "References: <unknown@x> <"+m.MessageID+"> <also@x>", "Subject: Re: Invoice", "", "More")
	if receipt.Ticket != 1 || receipt.Reason != helpdesk.ReasonReference {
		t.Errorf("by References: %+v", receipt)
	}
	receipt = h.post("support@example.jp", "From: tamura@customer.example", "Subject: Re: Invoice 2291", "", "The same subject")
	if receipt.Ticket == 1 {
		t.Error("a subject alone joined a ticket")
	}
	receipt = h.post("support@example.jp", "From: tamura@customer.example", "References: <"+m.MessageID+">", "Subject: Fwd: Invoice", "", "Look at this")
	if receipt.Ticket == 1 || receipt.Reason != helpdesk.ReasonForward {
		t.Errorf("a forwarded mail: %+v", receipt)
	}
}

func TestStrangersAreHeld(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	token := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Change the account")
	reference := h.post("support@example.jp", "From: mallory@elsewhere.example", "In-Reply-To: <"+m.MessageID+">", "Subject: Re: Invoice", "", "Again")
	forged := h.post(m.ReplyAddress, "From: tamura@customer.example", "Test-DMARC: fail", "Subject: Re: Invoice", "", "Not me")
	for receipt, reason := range map[helpdesk.Receipt]helpdesk.Reason{token: helpdesk.ReasonStrangerToken, reference: helpdesk.ReasonStrangerRef, forged: helpdesk.ReasonFailedAuth} {
		if receipt.Ticket != 1 || receipt.State != helpdesk.MessageHeld || receipt.Reason != reason {
			t.Errorf("%+v; want held for %s", receipt, reason)
		}
	}
	v := h.ticket(1)
	if len(v.Messages) != 2 || len(v.Held) != 3 || v.Row.Ticket.Held != 3 {
		t.Fatalf("%d messages, %d held, %d counted", len(v.Messages), len(v.Held), v.Row.Ticket.Held)
	}
	if rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{View: helpdesk.ViewHeld}); err != nil || len(rows) != 1 {
		t.Errorf("the view of held mail has %d tickets, %v", len(rows), err)
	}
	if n, err := h.ResolveHeld(t.Context(), h.admin, token.MessageID, helpdesk.ResolveJoin); err != nil || n != 1 {
		t.Errorf("join: ticket %d, %v", n, err)
	}
	if n, err := h.ResolveHeld(t.Context(), h.admin, reference.MessageID, helpdesk.ResolveSplit); err != nil || n != 2 {
		t.Errorf("split: ticket %d, %v", n, err)
	}
	if n, err := h.ResolveHeld(t.Context(), h.admin, forged.MessageID, helpdesk.ResolveRefuse); err != nil || n != 1 {
		t.Errorf("refuse: ticket %d, %v", n, err)
	}
	_, err := h.ResolveHeld(t.Context(), h.admin, forged.MessageID, helpdesk.ResolveJoin)
	wantCode(t, err, helpdesk.CodeConflict, "somebody has decided already")
	v = h.ticket(1)
	if len(v.Messages) != 3 || len(v.Held) != 0 || len(h.ticket(2).Messages) != 1 {
		t.Errorf("after deciding: %d messages, %d held, %d on the new ticket", len(v.Messages), len(v.Held), len(h.ticket(2).Messages))
	}
	if again := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Me again"); again.State != helpdesk.MessagePosted {
		t.Errorf("who was let in is held again: %+v", again)
	}
}

// Whoever is let in days later has written when they wrote.
func TestASplitMailsAuthorIsSeenWhenTheyWrote(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	h.pass(time.Hour)
	wrote := h.now
	held := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Change the account")
	h.pass(48 * time.Hour)
	seen := func() helpdesk.Contact {
		t.Helper()
		v, err := h.Contact(t.Context(), h.admin, "mallory@elsewhere.example")
		if err != nil {
			t.Fatal(err)
		}
		return v.Contact
	}
	if _, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveSplit); err != nil {
		t.Fatal(err)
	}
	if c := seen(); !c.CreatedAt.Equal(wrote) || !c.LastSeenAt.Equal(wrote) {
		t.Errorf("first seen %s, last seen %s, wrote %s", c.CreatedAt, c.LastSeenAt, wrote)
	}
	// An earlier mail does not take back that they were seen later.
	early := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Nobody answers")
	second := h.now
	h.pass(time.Hour)
	last := h.now
	h.post("support@example.jp", "From: mallory@elsewhere.example", "Subject: Something else", "", "Hello")
	h.pass(time.Hour)
	if _, err := h.ResolveHeld(t.Context(), h.admin, early.MessageID, helpdesk.ResolveSplit); err != nil {
		t.Fatal(err)
	}
	if c := seen(); !c.CreatedAt.Equal(wrote) || !c.LastSeenAt.Equal(last) {
		t.Errorf("after a mail of %s first seen %s, last seen %s, want %s and %s", second, c.CreatedAt, c.LastSeenAt, wrote, last)
	}
}

func TestTheSameMailTwiceIsOneMessage(t *testing.T) {
	h := newHouse(t)
	if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "sales@example.jp", Name: "Sales", Tags: []string{"sales"}}); err != nil {
		t.Fatal(err)
	}
	lines := []string{"Message-ID: <same@customer.example>", "From: a@customer.example", "Subject: Both", "", "To both of you"}
	first := h.post("support@example.jp", lines...)
	second := h.post("sales@example.jp", append([]string{"Received: by another way"}, lines...)...)
	if second.Ticket != first.Ticket || !second.Duplicate || second.MessageID != first.MessageID {
		t.Errorf("first %+v, second %+v", first, second)
	}
	v := h.ticket(first.Ticket)
	if got := strings.Join(v.Messages[0].Message.Paths, " "); got != "support@example.jp sales@example.jp" {
		t.Errorf("paths %q", got)
	}
	if strings.Join(v.Row.Ticket.Aliases, " ") != "support@example.jp sales@example.jp" || strings.Join(v.Row.Ticket.Tags, " ") != "sales" {
		t.Errorf("aliases %q, tags %q", v.Row.Ticket.Aliases, v.Row.Ticket.Tags)
	}
	both := h.post("support@example.jp,sales@example.jp", "From: b@customer.example", "Subject: At once", "", "To both at once")
	if both.Ticket != 2 || len(h.ticket(2).Row.Ticket.Aliases) != 2 {
		t.Errorf("a mail to both at once: %+v", both)
	}
	reused := h.post("support@example.jp", "Message-ID: <same@customer.example>", "From: c@customer.example", "Subject: Other", "", "Another mail under the same id")
	if reused.Duplicate {
		t.Error("another mail under the same Message-ID is taken for a duplicate")
	}
}

func TestClosedTicketsReopenOrContinue(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "Done.")
	closed := "完了"
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Stage: &closed}); err != nil {
		t.Fatal(err)
	}
	h.post(m.ReplyAddress, "From: tamura@customer.example", "Auto-Submitted: auto-replied", "Subject: Out of office", "", "I am away")
	if h.ticket(1).Row.Ticket.Open {
		t.Error("an absence notice reopened the ticket")
	}
	h.post(m.ReplyAddress, "From: tamura@customer.example", "Subject: Re: Invoice", "", "One more thing")
	if v := h.ticket(1); v.Row.StageName != "対応中" || !strings.Contains(kinds(v.Events), "ticket.reopened") {
		t.Errorf("stage %s, events %s", v.Row.StageName, kinds(v.Events))
	}
	pipelines, err := h.Pipelines(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	pipelines[0].Reopen = false
	if _, err := h.SavePipeline(t.Context(), h.admin, pipelines[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Stage: &closed}); err != nil {
		t.Fatal(err)
	}
	receipt := h.post(m.ReplyAddress, "From: tamura@customer.example", "Subject: Re: Invoice", "", "And another")
	if v := h.ticket(receipt.Ticket); receipt.Ticket != 2 || receipt.Reason != helpdesk.ReasonClosed || v.Row.Ticket.Previous != 1 {
		t.Errorf("receipt %+v, previous %d", receipt, v.Row.Ticket.Previous)
	}
}

// A mail is there exactly when Receive returned nil, whichever commit fails.
func TestNothingIsHalfStoredWhenACommitFails(t *testing.T) {
	h := newHouse(t)
	failure := errors.New("disk on fire")
	accepted := 0
	for i := range 12 {
		if i%3 == 0 {
			h.fault.FailCommit(1, failure)
		}
		_, err := h.tryPost("support@example.jp", "From: a@customer.example", "Subject: x", "", "text")
		if (err != nil) != (i%3 == 0) {
			t.Fatalf("mail %d: %v", i, err)
		}
		if err == nil {
			accepted++
		} else if !errors.Is(err, failure) || helpdesk.CodeOf(err) != helpdesk.CodeInternal {
			t.Errorf("error %v", err)
		}
	}
	s, err := h.Statistics(t.Context())
	if err != nil || s.Accepted != accepted || s.Posted != accepted {
		t.Errorf("accepted %d, statistics %+v, %v", accepted, s, err)
	}
}
