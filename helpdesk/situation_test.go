package helpdesk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestSituationSaysWhoWaitsAndWhoHandlesWhat(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.now = tuesdayAtTen.Add(-4 * 24 * time.Hour) // Friday at ten
	old := h.arrives("old@customer.example", "Friday", "x")
	h.change(old.Number, helpdesk.Change{Assignee: &agents[0].ID})
	h.now = tuesdayAtTen
	fresh := h.arrives("fresh@customer.example", "Tuesday", "x")
	rests := h.arrives("rests@customer.example", "Later", "x")
	h.change(rests.Number, helpdesk.Change{Snooze: &helpdesk.Snooze{}})
	answered := h.arrives("answered@customer.example", "Done", "x")
	if _, err := h.Reply(t.Context(), agents[1].Actor(), helpdesk.Reply{Ticket: answered.Number, Text: "Done."}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetAway(t.Context(), agents[2].Actor(), agents[2].ID, helpdesk.Absence{Reason: "休暇"}); err != nil {
		t.Fatal(err)
	}
	h.pass(30 * time.Minute)

	s, err := h.Situation(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	// From Friday ten over a weekend and a holiday to Tuesday half past ten.
	if s.Waiting.Waiting != 2 || s.Waiting.Work != 9*time.Hour+30*time.Minute || !s.Waiting.Oldest.Equal(old.WaitingSince) {
		t.Errorf("waiting: %+v", s.Waiting)
	}
	if s.Unassigned.Waiting != 1 || s.Unassigned.Work != 30*time.Minute {
		t.Errorf("unassigned: %+v", s.Unassigned)
	}
	if len(s.Longest) != 2 || s.Longest[0].Row.Ticket.Number != old.Number || s.Longest[1].Row.Ticket.Number != fresh.Number {
		t.Errorf("longest: %+v", s.Longest)
	}
	var bands []int
	for _, band := range s.Bands {
		bands = append(bands, band.Count)
	}
	if fmt.Sprint(bands) != "[1 0 0 1 0]" {
		t.Errorf("bands: %v", bands)
	}
	if len(s.Pipelines) != 1 || s.Pipelines[0].Waiting != 2 || len(s.Aliases) != 1 || s.Aliases[0].Name != "support@example.jp" {
		t.Errorf("places: %+v %+v", s.Pipelines, s.Aliases)
	}
	people := map[string]helpdesk.PersonLoad{}
	for _, p := range s.People {
		people[p.User.ID] = p
	}
	if p := people[agents[0].ID]; s.People[0].User.ID != agents[0].ID || p.Open != 1 || p.Waiting != 1 || !p.LastReply.IsZero() {
		t.Errorf("who has the waiting customer: %+v", p)
	}
	if p := people[agents[1].ID]; p.Open != 1 || p.Waiting != 0 || !p.LastReply.Equal(tuesdayAtTen) {
		t.Errorf("who has just answered: %+v", p)
	}
	if p := people[agents[2].ID]; p.Unavailable != helpdesk.UnavailableAway || p.User.Away.Reason != "休暇" {
		t.Errorf("who is away: %+v", p)
	}
	_, err = h.Situation(t.Context(), agents[0].Actor())
	wantCode(t, err, helpdesk.CodeForbidden, "supervise")
}

func TestReassignAll(t *testing.T) {
	h, agents := newBusyHouse(t)
	const many = 230 // more than two transactions' worth
	h.rule(helpdesk.AssignmentRule{Name: "一人", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[:1])}})
	for i := range many {
		h.arrives(fmt.Sprintf("c%d@customer.example", i), "x", "y")
	}
	h.reply(1, "Answered.")
	moved, err := h.ReassignAll(t.Context(), h.admin, agents[0].ID, agents[1].Email, true)
	if err != nil || moved != many-1 {
		t.Errorf("moved %d of those who wait, %v", moved, err)
	}
	moved, err = h.ReassignAll(t.Context(), h.admin, agents[0].ID, "", false)
	if err != nil || moved != 1 || h.ticket(1).Row.Ticket.AssigneeID != "" {
		t.Errorf("moved %d of the rest, %v", moved, err)
	}
	_, err = h.ReassignAll(t.Context(), h.admin, agents[0].ID, agents[0].ID, false)
	wantCode(t, err, helpdesk.CodeInvalid, "somebody else")
	_, err = h.ReassignAll(t.Context(), agents[1].Actor(), agents[1].ID, "", false)
	wantCode(t, err, helpdesk.CodeForbidden, "supervise")
}
