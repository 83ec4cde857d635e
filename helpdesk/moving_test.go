package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (h *house) merge(from, into uint64) *helpdesk.Moving {
	h.t.Helper()
	m, err := h.Merge(h.t.Context(), h.admin, from, into)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// second opens another ticket, of somebody else.
func (h *house) second() helpdesk.Receipt {
	h.t.Helper()
	return h.post("support@example.jp", "From: ono@other.example", "Subject: The same invoice", "", "We ask for it too.")
}

func refused(string) (helpdesk.Attempt, bool) {
	return helpdesk.Attempt{Code: 554, Enhanced: "5.7.1", Text: "refused by policy"}, true
}

func TestMergeTakesEverythingAlong(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.second()
	answered := h.reply(2, "Which one?")
	h.pass(10 * time.Second)
	if _, err := h.AddNote(t.Context(), h.admin, 2, "They share an account"); err != nil {
		t.Fatal(err)
	}
	h.change(2, helpdesk.Change{Tags: &[]string{"urgent"}})
	stranger := h.post(answered.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "And me")
	moving := h.merge(2, 1)
	v := h.ticket(1)
	if len(v.Messages) != 3 || len(v.Held) != 1 || len(v.Notes) != 1 || strings.Join(v.Row.Ticket.Tags, " ") != "urgent" {
		t.Errorf("%d messages, %d held, %d notes, tags %q", len(v.Messages), len(v.Held), len(v.Notes), v.Row.Ticket.Tags)
	}
	if v.Row.Ticket.WaitingSince.IsZero() {
		t.Error("the answer to one customer answered the other")
	}
	for _, m := range v.Messages {
		if m.Message.From.Email == "ono@other.example" && (m.Message.Reason != helpdesk.ReasonNew || m.Message.Moved[0].From != 2 || m.Message.Moved[0].By != h.user.ID) {
			t.Errorf("why it is here: %s, moved %+v", m.Message.Reason, m.Message.Moved)
		}
	}
	if old := h.ticket(2); old.Row.Ticket.MergedInto != 1 || len(old.Messages) != 0 || !strings.HasSuffix(kinds(old.Events), "ticket.merged") {
		t.Errorf("ticket 2 after the merge: %+v", old.Row.Ticket)
	}
	if rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{}); err != nil || len(rows) != 1 {
		t.Errorf("%d open tickets, %v", len(rows), err)
	}
	later := h.post(answered.ReplyAddress, "From: ono@other.example", "Subject: Re: Invoice", "", "By token")
	reference := h.post("support@example.jp", "From: ono@other.example", "In-Reply-To: <"+answered.MessageID+">", "Subject: Re: Invoice", "", "By reference")
	if sent := h.deliver(refused); later.Ticket != 1 || reference.Ticket != 1 || len(sent) != 1 || !h.ticket(1).Row.Ticket.DeliveryFailed {
		t.Errorf("later mails: %+v, %+v; %d deliveries", later, reference, len(sent))
	}
	h.verify()
	if _, err := h.UndoMerge(t.Context(), h.admin, moving.ID); err != nil {
		t.Fatal(err)
	}
	one, two := h.ticket(1), h.ticket(2)
	if len(one.Messages) != 1 || len(two.Messages) != 4 || len(two.Held) != 1 || two.Held[0].Message.ID != stranger.MessageID || len(two.Notes) != 1 || len(one.Row.Ticket.Tags) != 0 {
		t.Errorf("after the undo: %d and %d messages, %d held, %d notes, tags %q", len(one.Messages), len(two.Messages), len(two.Held), len(two.Notes), one.Row.Ticket.Tags)
	}
	if strings.Contains(strings.Join(one.Row.Ticket.Participants, " "), "ono@") || one.Row.Ticket.DeliveryFailed || !two.Row.Ticket.DeliveryFailed {
		t.Errorf("participants %v, failed %t and %t", one.Row.Ticket.Participants, one.Row.Ticket.DeliveryFailed, two.Row.Ticket.DeliveryFailed)
	}
	_, err := h.UndoMerge(t.Context(), h.admin, moving.ID)
	wantCode(t, err, helpdesk.CodeConflict, "undone already")
}

func TestWorkOnAMergedTicketSaysWhereItIs(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.second()
	h.merge(2, 1)
	for name, command := range map[string]func() error{
		"reply": func() error {
			_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 2, Text: "x"})
			return err
		},
		"note":   func() error { _, err := h.AddNote(t.Context(), h.admin, 2, "x"); return err },
		"change": func() error { _, err := h.Change(t.Context(), h.admin, 2, helpdesk.Change{}); return err },
		"merge":  func() error { _, err := h.Merge(t.Context(), h.admin, 1, 2); return err },
		"log": func() error {
			_, err := h.LogReply(t.Context(), h.admin, helpdesk.LoggedReply{Ticket: 2, Text: "x", Channel: "phone"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, command(), helpdesk.CodeConflict, "merged into ticket 1; work there") })
	}
	_, err := h.Merge(t.Context(), h.admin, 1, 1)
	wantCode(t, err, helpdesk.CodeInvalid, "into itself")
	_, err = h.Merge(t.Context(), h.admin, 1, 9)
	wantCode(t, err, helpdesk.CodeNotFound, "no ticket 9")
}

// Whoever writes an answer must not miss what a merge brought in.
func TestMergeStopsAReplyBeingWritten(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.second()
	seen := h.ticket(1).LastSeq
	h.merge(2, 1)
	_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Here", Seen: seen})
	wantCode(t, err, helpdesk.CodeConflict, "wrote again")
}

func TestWhatWaitsIsNotMergedIntoAClosedTicket(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.second()
	closed := "完了"
	h.change(1, helpdesk.Change{Stage: &closed})
	h.merge(2, 1)
	if v := h.ticket(1); !v.Row.Ticket.Open || v.Row.Ticket.WaitingSince.IsZero() || !strings.HasSuffix(kinds(v.Events), "ticket.reopened") {
		t.Errorf("open %t, events %s", v.Row.Ticket.Open, kinds(v.Events))
	}
}

func TestNothingIsMovedOutOfSightIntoSpam(t *testing.T) {
	h := newHouse(t)
	h.first()
	mail := h.second()
	h.post("support@example.jp", "From: tamura@customer.example", "Subject: third", "", "It stays where it is.")
	if _, err := h.MarkSpam(t.Context(), h.admin, 1, helpdesk.BlockNobody); err != nil {
		t.Fatal(err)
	}
	_, err := h.Merge(t.Context(), h.admin, 2, 1)
	wantCode(t, err, helpdesk.CodeConflict, "ticket 1 is spam")
	h.merge(3, 2)
	_, err = h.Move(t.Context(), h.admin, mail.MessageID, 1)
	wantCode(t, err, helpdesk.CodeConflict, "ticket 1 is spam")
	h.merge(1, 2)
	if !slices.Contains(h.view(helpdesk.ViewOpen, h.admin), 2) {
		t.Error("a ticket that took in spam is spam")
	}
}

// A customer who waits is not laid aside with the ticket that takes them in.
func TestWhatWaitsWakesTheTicketItIsMovedTo(t *testing.T) {
	for _, moved := range []func(h *house, mail helpdesk.Receipt){
		func(h *house, _ helpdesk.Receipt) { h.merge(2, 1) },
		func(h *house, mail helpdesk.Receipt) {
			h.post("support@example.jp", "From: tamura@customer.example", "Subject: third", "", "It stays where it is.")
			h.merge(3, 2)
			if _, err := h.Move(t.Context(), h.admin, mail.MessageID, 1); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h := newHouse(t)
		h.first()
		mail := h.second()
		h.snooze(1, h.now.Add(48*time.Hour), "")
		moved(h, mail)
		if v := h.ticket(1); v.Row.Ticket.Snooze != nil || !slices.Contains(h.view(helpdesk.ViewOpen, h.admin), 1) || !strings.Contains(kinds(v.Events), "ticket.woken") {
			t.Errorf("rests: %+v, events %s", v.Row.Ticket.Snooze, kinds(v.Events))
		}
	}
	h := newHouse(t)
	h.first()
	h.second()
	h.snooze(1, h.now.Add(48*time.Hour), "")
	h.snooze(2, h.now.Add(24*time.Hour), "")
	h.merge(2, 1)
	if h.ticket(1).Row.Ticket.Snooze == nil {
		t.Error("two tickets that rest do not rest as one")
	}
}

// A merge that is taken back leaves both tickets on hold as before.
func TestUndoOfAMergePutsBackOnHold(t *testing.T) {
	for name, c := range map[string]struct {
		since         func(h *house)
		first, second bool // they rest again
	}{
		"at once":                     {func(*house) {}, true, true},
		"somebody laid it aside anew": {func(h *house) { h.snooze(1, h.now.Add(time.Hour), "since") }, true, true},
		"somebody woke it again": {func(h *house) {
			h.snooze(1, h.now.Add(time.Hour), "since")
			_, err := h.Wake(t.Context(), h.admin, 1)
			h.must(err)
		}, false, true},
		"the first customer wrote": {func(h *house) {
			h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "And now?")
		}, false, true},
		"a time came": {func(h *house) { h.pass(30 * time.Hour) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.first()
			h.second()
			h.post("support@example.jp", "From: ueda@third.example", "Subject: A third", "", "It is about this.")
			h.snooze(1, h.now.Add(48*time.Hour), "parts")
			h.snooze(2, h.now.Add(24*time.Hour), "the bank")
			waiting, laid := h.merge(3, 1), h.merge(2, 1)
			if h.ticket(1).Row.Ticket.Snooze != nil {
				t.Fatal("who waits did not wake the ticket")
			}
			c.since(h)
			for _, m := range []*helpdesk.Moving{laid, waiting} {
				_, err := h.UndoMerge(t.Context(), h.admin, m.ID)
				h.must(err)
			}
			first, second := h.ticket(1).Row.Ticket.Snooze, h.ticket(2).Row.Ticket.Snooze
			if (first != nil) != c.first || (second != nil) != c.second || h.ticket(3).Row.Ticket.Snooze != nil {
				t.Errorf("on hold: %+v and %+v, the third %+v", first, second, h.ticket(3).Row.Ticket.Snooze)
			}
			if second != nil && (second.Note != "the bank" || second.By != h.user.ID) {
				t.Errorf("the hold is another: %+v", second)
			}
			h.verify()
			if h.pass(72 * time.Hour); c.first && h.wakeDue() == 0 {
				t.Error("nothing wakes what rests again")
			}
		})
	}
}

func TestMoveToANewTicketAndBack(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "Anything else?")
	other := h.post(m.ReplyAddress, "From: tamura@customer.example", "Subject: Re: Invoice", "", "Yes: my printer burns")
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: other.MessageID, ReplyType: "needs_attention"}); err != nil {
		t.Fatal(err)
	}
	moving, err := h.Move(t.Context(), h.admin, other.MessageID, 0)
	if err != nil || moving.Into != 2 {
		t.Fatalf("%+v, %v", moving, err)
	}
	one, two := h.ticket(1), h.ticket(2)
	if len(one.Messages) != 2 || len(two.Messages) != 1 || !one.Row.Ticket.WaitingSince.IsZero() || two.Row.Ticket.WaitingSince.IsZero() {
		t.Errorf("%d and %d messages, waiting %v and %v", len(one.Messages), len(two.Messages), one.Row.Ticket.WaitingSince, two.Row.Ticket.WaitingSince)
	}
	if two.Row.Contact.Email != "tamura@customer.example" || two.Row.AssigneeName != "佐藤 遥" || one.Row.Ticket.Snippet != "Anything else?" {
		t.Errorf("contact %s, assignee %s, snippet %q", two.Row.Contact.Email, two.Row.AssigneeName, one.Row.Ticket.Snippet)
	}
	if one.Row.Ticket.ReplyType != "" || two.Row.Ticket.ReplyType != "needs_attention" || two.Messages[0].Analysis.Ticket != 2 {
		t.Errorf("reply types %q and %q", one.Row.Ticket.ReplyType, two.Row.Ticket.ReplyType)
	}
	fire := h.reply(2, "Pull the plug")
	if _, err := h.AddNote(t.Context(), h.admin, 2, "Fire brigade called"); err != nil {
		t.Fatal(err)
	}
	if r := h.post(fire.ReplyAddress, "From: tamura@customer.example", "Subject: Re: Fire", "", "Done"); r.Ticket != 2 {
		t.Errorf("an answer to the new ticket: %+v", r)
	}
	if _, err := h.UndoMove(t.Context(), h.admin, moving.ID); err != nil {
		t.Fatal(err)
	}
	if one, two := h.ticket(1), h.ticket(2); len(one.Messages) != 5 || len(one.Notes) != 1 || two.Row.Ticket.MergedInto != 1 {
		t.Errorf("after the undo: %d messages, %d notes, ticket 2 leads to %d", len(one.Messages), len(one.Notes), two.Row.Ticket.MergedInto)
	}
	if list, err := h.Movings(t.Context(), h.admin, 2); err != nil || len(list) != 1 || list[0].UndoneAt.IsZero() {
		t.Errorf("movings %+v, %v", list, err)
	}
}

func TestMoveRefusesWhatMakesNoSense(t *testing.T) {
	h := newHouse(t)
	first := h.first()
	h.second()
	_, err := h.Move(t.Context(), h.admin, first.MessageID, 0)
	wantCode(t, err, helpdesk.CodeConflict, "merge the ticket instead")
	m := h.reply(1, "Hello")
	_, err = h.Move(t.Context(), h.admin, m.ID, 2)
	wantCode(t, err, helpdesk.CodeConflict, "can still be undone")
	_, err = h.Move(t.Context(), h.admin, m.ID, 0)
	wantCode(t, err, helpdesk.CodeInvalid, "cannot open a ticket")
	_, err = h.Move(t.Context(), h.admin, first.MessageID, 1)
	wantCode(t, err, helpdesk.CodeInvalid, "on ticket 1 already")
	held := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: x", "", "y")
	_, err = h.Move(t.Context(), h.admin, held.MessageID, 2)
	wantCode(t, err, helpdesk.CodeConflict, "is held")
	one, err := h.Move(t.Context(), h.admin, first.MessageID, 2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.UndoMerge(t.Context(), h.admin, one.ID)
	wantCode(t, err, helpdesk.CodeInvalid, "no merge")
	if _, err := h.Move(t.Context(), h.admin, first.MessageID, 1); err != nil {
		t.Fatal(err)
	}
	_, err = h.UndoMove(t.Context(), h.admin, one.ID)
	wantCode(t, err, helpdesk.CodeConflict, "moved later first")
	_, err = h.Move(t.Context(), h.admin.WithScope(helpdesk.ScopeRead), first.MessageID, 2)
	wantCode(t, err, helpdesk.CodeForbidden, "")
}
