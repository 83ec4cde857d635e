package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// view lists the numbers of the tickets in a view, as the user has it.
func (h *house) view(view helpdesk.View, a helpdesk.Actor) []uint64 {
	h.t.Helper()
	rows, _, err := h.Tickets(h.t.Context(), a, helpdesk.TicketQuery{View: view})
	if err != nil {
		h.t.Fatal(err)
	}
	var numbers []uint64
	for _, row := range rows {
		numbers = append(numbers, row.Ticket.Number)
	}
	counts, err := h.Counts(h.t.Context(), a)
	if err != nil || (view != helpdesk.ViewClosed && counts.Views[view] != len(numbers)) {
		h.t.Errorf("%s counts %d, lists %v: %v", view, counts.Views[view], numbers, err)
	}
	return numbers
}

// wakeDue does the work of the wake timers that are due.
func (h *house) wakeDue() (done int) {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.t.Context(), helpdesk.TimerWake, 10, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		if err := h.WakeDue(h.t.Context(), timer.ID); err != nil {
			h.t.Fatal(err)
		}
	}
	return len(claimed)
}

func (h *house) snooze(number uint64, until time.Time, note string) {
	h.t.Helper()
	if _, err := h.Snooze(h.t.Context(), h.admin, number, until, note); err != nil {
		h.t.Fatal(err)
	}
}

func TestSnoozedTicketRestsUntilItsTime(t *testing.T) {
	h := newHouse(t)
	h.first()
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Assignee: &h.user.ID}); err != nil {
		t.Fatal(err)
	}
	until := h.now.Add(20 * time.Hour)
	h.snooze(1, until, "部品の入荷待ち")
	for _, view := range []helpdesk.View{helpdesk.ViewMine, helpdesk.ViewUnassigned, helpdesk.ViewWaiting} {
		if got := h.view(view, h.admin); len(got) > 0 {
			t.Errorf("%s lists %v while it rests", view, got)
		}
	}
	if !slices.Equal(h.view(helpdesk.ViewSnoozed, h.admin), []uint64{1}) || !slices.Equal(h.view(helpdesk.ViewOpen, h.admin), []uint64{1}) {
		t.Error("a ticket that rests is neither on hold nor among all")
	}
	h.pass(19 * time.Hour)
	if n := h.wakeDue(); n > 0 {
		t.Errorf("%d woken before the time", n)
	}
	later := until.Add(5 * time.Hour)
	h.snooze(1, later, "") // put off again
	h.pass(2 * time.Hour)
	if n := h.wakeDue(); n > 0 || len(h.view(helpdesk.ViewSnoozed, h.admin)) != 1 {
		t.Errorf("%d woken at the first time, though it was put off", n)
	}
	if err := h.MarkSeen(t.Context(), h.admin, 1, h.ticket(1).LastSeq); err != nil {
		t.Fatal(err)
	}
	h.pass(5 * time.Hour)
	if n := h.wakeDue(); n != 1 {
		t.Fatalf("%d timers due", n)
	}
	row := h.ticket(1).Row
	if row.Ticket.Snooze != nil || !row.Woken || !row.Unread || !slices.Equal(h.view(helpdesk.ViewMine, h.admin), []uint64{1}) {
		t.Errorf("woken: %+v", row)
	}
	if err := h.WakeDue(t.Context(), "1"); err != nil { // a claim worked on twice
		t.Fatal(err)
	}
	if got := kinds(h.ticket(1).Events); got != "ticket.created message.received ticket.assigned ticket.snoozed ticket.snoozed ticket.woken" {
		t.Errorf("events: %s", got)
	}
}

func TestCustomerWakesWhatRests(t *testing.T) {
	h := newHouse(t)
	h.first()
	reply := h.reply(1, "お調べします。")
	h.snooze(1, time.Time{}, "")
	if got := h.view(helpdesk.ViewSnoozed, h.admin); !slices.Equal(got, []uint64{1}) {
		t.Fatalf("on hold: %v", got)
	}
	h.pass(time.Hour)
	h.post(reply.ReplyAddress, "From: 田村 美咲 <tamura@customer.example>", "Subject: Re: x", "", "まだでしょうか。")
	if ticket := h.ticket(1).Row.Ticket; ticket.Snooze != nil || ticket.WokenSeq == 0 || !slices.Equal(h.view(helpdesk.ViewWaiting, h.admin), []uint64{1}) {
		t.Errorf("after the customer wrote: %+v", ticket)
	}

	h.snooze(1, h.now.Add(time.Hour), "")
	if _, err := h.Wake(t.Context(), h.admin, 1); err != nil {
		t.Fatal(err)
	}
	if ticket := h.ticket(1).Row.Ticket; ticket.Snooze != nil || ticket.WokenSeq != 0 {
		t.Errorf("taken off hold by hand: %+v", ticket)
	}

	h.snooze(1, h.now.Add(time.Hour), "")
	closed := "完了"
	h.change(1, helpdesk.Change{Stage: &closed})
	if ticket := h.ticket(1).Row.Ticket; ticket.Snooze != nil {
		t.Errorf("closed, and on hold: %+v", ticket.Snooze)
	}
	for what, err := range map[string]error{
		"closed": func() error { _, err := h.Snooze(t.Context(), h.admin, 1, time.Time{}, ""); return err }(),
		"past":   func() error { _, err := h.Snooze(t.Context(), h.admin, 1, h.now, ""); return err }(),
		"far":    func() error { _, err := h.Snooze(t.Context(), h.admin, 1, h.now.AddDate(3, 0, 0), ""); return err }(),
	} {
		if err == nil {
			t.Errorf("%s was not refused", what)
		}
	}
}

// By phone a customer wakes what waits for them as by mail.
func TestLoggedReplyWakesWhatRests(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "Which invoice do you mean?")
	h.snooze(1, time.Time{}, "until they say")
	if _, err := h.LogReply(t.Context(), h.admin, helpdesk.LoggedReply{Ticket: 1, Text: "The one of May", Channel: "phone"}); err != nil {
		t.Fatal(err)
	}
	if v := h.ticket(1); v.Row.Ticket.Snooze != nil || !strings.Contains(kinds(v.Events), "ticket.woken") {
		t.Errorf("it rests on: %+v, events %s", v.Row.Ticket.Snooze, kinds(v.Events))
	}
	h.verify()
}

func TestFollowersAndPriority(t *testing.T) {
	h := newHouse(t)
	h.first()
	mori, ono := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleSupervisor)
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.change(1, helpdesk.Change{Assignee: &h.user.ID}) // mori had it and goes on following
	if _, err := h.AddNote(t.Context(), ono.Actor(), 1, "在庫を確認しました。"); err != nil {
		t.Fatal(err)
	}
	for _, u := range []*helpdesk.User{mori, ono} {
		if got := h.view(helpdesk.ViewFollowing, u.Actor()); !slices.Equal(got, []uint64{1}) {
			t.Errorf("%s follows %v", u.Email, got)
		}
	}
	if _, err := h.Follow(t.Context(), ono.Actor(), 1, false); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddNote(t.Context(), ono.Actor(), 1, "追記します。"); err != nil {
		t.Fatal(err)
	}
	if got := h.view(helpdesk.ViewFollowing, ono.Actor()); len(got) > 0 {
		t.Errorf("follows %v again after saying no", got)
	}
	if _, err := h.Follow(t.Context(), ono.Actor(), 1, true); err != nil {
		t.Fatal(err)
	}
	if got := h.view(helpdesk.ViewFollowing, ono.Actor()); !slices.Equal(got, []uint64{1}) {
		t.Errorf("follows %v after saying so", got)
	}

	high, unknown := helpdesk.PriorityHigh, helpdesk.Priority("asap")
	h.change(1, helpdesk.Change{Priority: &high})
	rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{Filter: helpdesk.Filter{Priorities: []helpdesk.Priority{high}}})
	if err != nil || len(rows) != 1 || rows[0].Ticket.Priority != high {
		t.Errorf("high ones: %v, %v", rows, err)
	}
	if _, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Priority: &unknown}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("an unknown priority: %v", err)
	}
}
