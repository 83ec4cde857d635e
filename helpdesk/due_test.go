package helpdesk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// The tests begin on Tuesday, the day after Labour Thanksgiving Day, at ten in
// Tokyo: an hour after the house opened.
var tuesdayAtTen = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)

func newPunctualHouse(t *testing.T) *house {
	h := newHouse(t)
	h.now = tuesdayAtTen
	h.dueTimes(helpdesk.HouseScope, helpdesk.DuePolicy{
		Times: map[helpdesk.Priority]helpdesk.DueTimes{
			helpdesk.PriorityNormal: {First: 4 * time.Hour, Next: 6 * time.Hour},
			helpdesk.PriorityUrgent: {First: time.Hour, Next: time.Hour, Resolution: 9 * time.Hour},
		}, NeedsAttention: helpdesk.PriorityUrgent})
	return h
}

// dueTimes saves a policy and lets it reach every ticket.
func (h *house) dueTimes(scope string, p helpdesk.DuePolicy) {
	h.t.Helper()
	p.Scope = scope
	if err := h.SaveDuePolicy(h.t.Context(), h.admin, p); err != nil {
		h.t.Fatal(err)
	}
	h.work(helpdesk.TimerDueTimes, h.RecomputeDue)
}

// work does what is due of a kind.
func (h *house) work(kind helpdesk.TimerKind, do func(context.Context, string) error) (done int) {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.t.Context(), kind, 1000, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		if err := do(h.t.Context(), timer.ID); err != nil {
			h.t.Fatal(err)
		}
	}
	return len(claimed)
}

// wantDue compares when a ticket is due, in Tokyo.
func (h *house) wantDue(number uint64, kind helpdesk.DueKind, want string) {
	h.t.Helper()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		h.t.Fatal(err)
	}
	ticket, got := h.ticket(number).Row.Ticket, ""
	if !ticket.DueAt.IsZero() {
		got = ticket.DueAt.In(tokyo).Format("01-02 15:04")
	}
	if got != want || ticket.DueKind != kind {
		h.t.Errorf("ticket %d is due %q (%q); want %q (%q)", number, got, ticket.DueKind, want, kind)
	}
}

func TestDueTimesFollowTheWaiting(t *testing.T) {
	h := newPunctualHouse(t)
	n := h.first().Ticket
	h.wantDue(n, helpdesk.DueFirst, "11-24 14:00")

	h.pass(3 * time.Hour)
	h.reply(n, "We will send it today.")
	h.wantDue(n, "", "")

	h.pass(3 * time.Hour) // 16:00
	answer := h.post(h.ticket(n).Messages[1].Message.ReplyAddress, "From: tamura@customer.example", "Subject: Re: Invoice 2291", "", "It has not come.")
	if answer.Ticket != n {
		t.Fatalf("the answer went to ticket %d", answer.Ticket)
	}
	h.wantDue(n, helpdesk.DueNext, "11-25 13:00")

	urgent, normal := helpdesk.PriorityUrgent, helpdesk.PriorityNormal
	h.change(n, helpdesk.Change{Priority: &urgent})
	h.wantDue(n, helpdesk.DueNext, "11-24 17:00")
	h.change(n, helpdesk.Change{Priority: &normal})
	h.wantDue(n, helpdesk.DueNext, "11-25 13:00")

	h.change(n, helpdesk.Change{Snooze: &helpdesk.Snooze{}})
	h.wantDue(n, "", "")
	h.change(n, helpdesk.Change{Wake: true})
	h.wantDue(n, helpdesk.DueNext, "11-25 13:00")

	reply := h.reply(n, "It is on its way.")
	h.wantDue(n, "", "")
	if _, err := h.Undo(t.Context(), h.admin, reply.ID); err != nil {
		t.Fatal(err)
	}
	h.wantDue(n, helpdesk.DueNext, "11-25 13:00")
	h.change(n, helpdesk.Change{Stage: h.closedStage(n)})
	h.wantDue(n, "", "")
}

// The first answer that is undone was none, and a merge takes the waiting along.
func TestDueTimesAfterUndoAndMerge(t *testing.T) {
	h := newPunctualHouse(t)
	n := h.first().Ticket
	reply := h.reply(n, "Wait.")
	if _, err := h.Undo(t.Context(), h.admin, reply.ID); err != nil {
		t.Fatal(err)
	}
	h.wantDue(n, helpdesk.DueFirst, "11-24 14:00")
	other := h.post("support@example.jp", "From: kato@customer.example", "Subject: Other", "", "Hello").Ticket
	h.reply(other, "Answered.")
	merged, err := h.Merge(t.Context(), h.admin, n, other)
	if err != nil {
		t.Fatal(err)
	}
	h.wantDue(n, "", "")
	h.wantDue(other, helpdesk.DueNext, "11-24 16:00")
	if _, err := h.UndoMerge(t.Context(), h.admin, merged.ID); err != nil {
		t.Fatal(err)
	}
	h.wantDue(n, helpdesk.DueFirst, "11-24 14:00")
	h.wantDue(other, "", "")
}

func TestResolutionIsDueWhetherOrNotTheCustomerWaits(t *testing.T) {
	h := newPunctualHouse(t)
	n := h.first().Ticket
	urgent := helpdesk.PriorityUrgent
	h.change(n, helpdesk.Change{Priority: &urgent})
	h.wantDue(n, helpdesk.DueFirst, "11-24 11:00")
	h.reply(n, "We look into it.")
	h.wantDue(n, helpdesk.DueResolution, "11-25 10:00")
	h.change(n, helpdesk.Change{Stage: h.closedStage(n)})
	h.pass(24 * time.Hour)
	open := h.ticket(n).Pipeline.Stages[0].ID
	h.change(n, helpdesk.Change{Stage: &open})
	h.wantDue(n, helpdesk.DueResolution, "11-26 10:00")
}

func TestReplyTypeTightensTheTime(t *testing.T) {
	h := newPunctualHouse(t)
	receipt := h.first()
	if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, ReplyType: "needs_attention"}); err != nil {
		t.Fatal(err)
	}
	h.wantDue(receipt.Ticket, helpdesk.DueFirst, "11-24 11:00")
}

func TestOverdueIsMarkedAtItsMoment(t *testing.T) {
	h := newPunctualHouse(t)
	n := h.first().Ticket
	h.pass(4*time.Hour - time.Second)
	if done := h.work(helpdesk.TimerOverdue, h.MarkOverdue); done != 0 {
		t.Fatalf("%d tickets were overdue a second too early", done)
	}
	h.pass(time.Second)
	h.work(helpdesk.TimerOverdue, h.MarkOverdue)
	view := h.ticket(n)
	last := view.Events[len(view.Events)-1]
	if !view.Row.Ticket.Overdue || last.Kind != helpdesk.EventTicketOverdue || last.Data["what"] != "first" {
		t.Fatalf("overdue: %t; the newest event is %s %v", view.Row.Ticket.Overdue, last.Kind, last.Data)
	}
	if got := h.numbers(helpdesk.ViewOverdue); fmt.Sprint(got) != fmt.Sprint([]uint64{n}) {
		t.Errorf("the overdue view has %v", got)
	}
	counts, err := h.Counts(t.Context(), h.admin)
	if err != nil || counts.Views[helpdesk.ViewOverdue] != 1 {
		t.Errorf("counts: %v, %v", counts.Views, err)
	}
	h.verify()
	if done := h.work(helpdesk.TimerOverdue, h.MarkOverdue); done != 0 {
		t.Error("it was marked twice")
	}
	h.reply(n, "Sorry for the delay.")
	if h.ticket(n).Row.Ticket.Overdue || len(h.numbers(helpdesk.ViewOverdue)) > 0 {
		t.Error("an answered ticket is still overdue")
	}
}

// Nobody is told of a ticket whose assignee cannot log in any more: what happens
// next gives it back to everybody.
func TestTicketsOfADisabledAssigneeComeBack(t *testing.T) {
	for what, happens := range map[string]func(h *house, n uint64){
		"the customer writes": func(h *house, n uint64) {
			h.post(h.ticket(n).Messages[1].Message.ReplyAddress, "From: tamura@customer.example", "Subject: Re", "", "Still there?")
		},
		"its time comes": func(h *house, n uint64) {
			h.snooze(n, h.now.Add(time.Hour), "")
			h.pass(2 * time.Hour)
			h.wakeDue()
		},
		"it is overdue": func(h *house, n uint64) {
			h.post(h.ticket(n).Messages[1].Message.ReplyAddress, "From: tamura@customer.example", "Subject: Re", "", "Still there?")
			h.change(n, helpdesk.Change{Assignee: new(h.agent("ito@example.jp", "伊藤").ID)})
			h.disable("ito@example.jp")
			h.pass(24 * time.Hour)
			h.work(helpdesk.TimerOverdue, h.MarkOverdue)
		},
	} {
		h := newPunctualHouse(t)
		gone := h.agent("mori@example.jp", "森")
		n := h.first().Ticket
		h.reply(n, "We look into it.")
		h.deliver(taken)
		h.change(n, helpdesk.Change{Assignee: &gone.ID})
		h.disable("mori@example.jp")
		happens(h, n)
		view := h.ticket(n)
		if !slices.Contains(h.numbers(helpdesk.ViewUnassigned), n) {
			t.Errorf("%s: %q still has it", what, view.Row.Ticket.AssigneeID)
		}
		if !slices.ContainsFunc(view.Events, func(e helpdesk.Event) bool {
			return e.Kind == helpdesk.EventTicketAssigned && e.Data["why"] == "disabled"
		}) {
			t.Errorf("%s: no event says why: %s", what, kinds(view.Events))
		}
		h.verify()
	}
}

// disable shuts a user out.
func (h *house) disable(email string) {
	h.t.Helper()
	list, err := h.Users(h.t.Context(), h.admin)
	i := slices.IndexFunc(list, func(u helpdesk.User) bool { return u.Email == email })
	if err == nil && i >= 0 {
		_, err = h.ChangeUser(h.t.Context(), h.admin, list[i].ID, helpdesk.UserChange{Disabled: new(true)})
	}
	if err != nil || i < 0 {
		h.t.Fatal(email, err)
	}
}

func TestNarrowerScopesGoFirst(t *testing.T) {
	h := newPunctualHouse(t)
	n := h.first().Ticket
	times := func(d time.Duration) map[helpdesk.Priority]helpdesk.DueTimes {
		return map[helpdesk.Priority]helpdesk.DueTimes{helpdesk.PriorityNormal: {First: d}}
	}
	h.dueTimes(helpdesk.PipelineScope(h.alias.PipelineID), helpdesk.DuePolicy{Times: times(2 * time.Hour)})
	h.wantDue(n, helpdesk.DueFirst, "11-24 12:00")

	nights := hours.Calendar{Zone: "Asia/Tokyo"}
	for day := range nights.Week {
		nights.Week[day] = []hours.Span{{Start: 20 * 60, End: 24 * 60}}
	}
	calendar, err := h.SaveCalendar(t.Context(), h.admin, helpdesk.Calendar{Name: "夜間", Hours: nights})
	if err != nil {
		t.Fatal(err)
	}
	h.dueTimes(helpdesk.AliasScope(h.alias.ID), helpdesk.DuePolicy{CalendarID: calendar.ID})
	h.wantDue(n, helpdesk.DueFirst, "11-24 22:00")
	wantCode(t, h.DeleteCalendar(t.Context(), h.admin, calendar.ID), helpdesk.CodeConflict, "in use")

	h.dueTimes(helpdesk.AliasScope(h.alias.ID), helpdesk.DuePolicy{Never: true})
	h.wantDue(n, "", "")
	if err := h.DeleteDuePolicy(t.Context(), h.admin, helpdesk.AliasScope(h.alias.ID)); err != nil {
		t.Fatal(err)
	}
	h.work(helpdesk.TimerDueTimes, h.RecomputeDue)
	h.wantDue(n, helpdesk.DueFirst, "11-24 12:00")
	if err := h.DeleteCalendar(t.Context(), h.admin, calendar.ID); err != nil {
		t.Error(err)
	}
}

func TestChangedHoursReachEveryOpenTicket(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the thousand tickets whose hours change")
	}
	h := newPunctualHouse(t)
	const many = 1203 // more than two transactions' worth
	for i := range many {
		h.post("support@example.jp", fmt.Sprintf("From: customer%d@customer.example", i), "Subject: x", "", "Hello")
	}
	h.change(7, helpdesk.Change{Stage: h.closedStage(7)})
	standard, err := h.Calendars(t.Context(), h.admin)
	if err != nil || standard[0].ID != helpdesk.StandardCalendar {
		t.Fatalf("calendars: %v, %v", standard, err)
	}
	changed := standard[0]
	changed.Hours.Days = []hours.SpecialDay{{Date: "2026-11-24", Name: "創立記念日"}}
	if _, err := h.SaveCalendar(t.Context(), h.admin, changed); err != nil {
		t.Fatal(err)
	}
	h.verify() // what was not reached yet is no difference
	h.work(helpdesk.TimerDueTimes, h.RecomputeDue)
	for _, n := range []uint64{1, 500, 501, many} {
		h.wantDue(n, helpdesk.DueFirst, "11-25 13:00")
	}
	h.wantDue(7, "", "")
}

func TestHoursThatCannotBeAreRefused(t *testing.T) {
	h := newHouse(t)
	_, err := h.SaveCalendar(t.Context(), h.admin, helpdesk.Calendar{Name: "x", Hours: hours.Calendar{Zone: "Nowhere"}})
	wantCode(t, err, helpdesk.CodeInvalid, "time zone")
	_, err = h.SaveCalendar(t.Context(), h.admin, helpdesk.Calendar{Hours: hours.Office("Asia/Tokyo")})
	wantCode(t, err, helpdesk.CodeInvalid, "no name")
	_, err = h.SaveCalendar(t.Context(), h.admin, helpdesk.Calendar{ID: "ghost", Name: "x", Hours: hours.Office("Asia/Tokyo")})
	wantCode(t, err, helpdesk.CodeNotFound, "ghost")
	wantCode(t, h.DeleteCalendar(t.Context(), h.admin, helpdesk.StandardCalendar), helpdesk.CodeConflict, "stay")
	wantCode(t, h.SaveDuePolicy(t.Context(), h.admin, helpdesk.DuePolicy{Scope: "planet:1"}), helpdesk.CodeInvalid, "scope")
	wantCode(t, h.SaveDuePolicy(t.Context(), h.admin, helpdesk.DuePolicy{Scope: helpdesk.PipelineScope("none")}), helpdesk.CodeNotFound, "pipeline")
	wantCode(t, h.SaveDuePolicy(t.Context(), h.admin, helpdesk.DuePolicy{Scope: helpdesk.HouseScope,
		Times: map[helpdesk.Priority]helpdesk.DueTimes{"": {First: -1}}}), helpdesk.CodeInvalid, "between")
	agent := h.agent("yamada@example.jp", "山田 健").Actor()
	wantCode(t, h.SaveDuePolicy(t.Context(), agent, helpdesk.DuePolicy{Scope: helpdesk.HouseScope}), helpdesk.CodeForbidden, "")
	if _, err := h.Calendars(t.Context(), agent); err != nil {
		t.Errorf("an agent may not read the working hours: %v", err)
	}
}

func (h *house) closedStage(number uint64) *string {
	h.t.Helper()
	pipeline := h.ticket(number).Pipeline
	stage, ok := pipeline.FirstOf(helpdesk.StageClosed)
	if !ok {
		h.t.Fatal("the pipeline closes nothing")
	}
	return &stage.ID
}

// numbers are those of the tickets in a view of the admin's.
func (h *house) numbers(view helpdesk.View) (list []uint64) {
	h.t.Helper()
	rows, _, err := h.Tickets(h.t.Context(), h.admin, helpdesk.TicketQuery{View: view, Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, row := range rows {
		list = append(list, row.Ticket.Number)
	}
	return list
}

func (h *house) agent(email, name string) *helpdesk.User {
	h.t.Helper()
	user, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: email, Name: name,
		Password: strings.Repeat("long enough ", 2), Role: helpdesk.RoleAgent})
	if err != nil {
		h.t.Fatal(err)
	}
	return user
}
