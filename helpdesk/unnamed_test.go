package helpdesk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Tickets that have no team, language or reply type are in no list of these, and are
// found all the same where they are asked for, alone or beside others.
func TestTicketsWithoutAValueAreFound(t *testing.T) {
	h := newHouse(t)
	team, err := h.SaveTeam(t.Context(), h.admin, helpdesk.Team{Name: "請求"})
	if err != nil {
		t.Fatal(err)
	}
	h.mailFrom("a@customer.example", "One")
	h.mailFrom("b@customer.example", "Two")
	if _, err := h.Change(t.Context(), h.admin, 2, helpdesk.Change{Team: &team.ID}); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		filter helpdesk.Filter
		want   string
	}{
		{helpdesk.Filter{Teams: []string{""}}, "[1]"},
		{helpdesk.Filter{Teams: []string{team.ID}}, "[2]"},
		{helpdesk.Filter{Teams: []string{"", team.ID}}, "[1 2]"},
		{helpdesk.Filter{Languages: []string{"", h.ticket(2).Row.Ticket.Language}, Teams: []string{team.ID}}, "[2]"},
		{helpdesk.Filter{ReplyTypes: []string{"", "high_value"}}, "[1 2]"},
		{helpdesk.Filter{ReplyTypes: []string{"high_value"}}, "[]"},
	} {
		rows, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{Filter: try.filter})
		numbers := []uint64{}
		for _, row := range rows {
			numbers = append(numbers, row.Ticket.Number)
		}
		slices.Sort(numbers)
		if got := fmt.Sprint(numbers); err != nil || got != try.want {
			t.Errorf("%+v finds %s, %v, want %s", try.filter, got, err, try.want)
		}
	}
}

// A sender's many mails of one minute write the contact once; a new name at once.
func TestLastSeenToTheMinute(t *testing.T) {
	h := newHouse(t)
	begin := h.now
	for _, step := range []struct {
		after  time.Duration
		sender string
		seen   time.Duration
		name   string
	}{
		{0, "Mai <mai@customer.example>", 0, "Mai"},
		{59 * time.Second, "Mai <mai@customer.example>", 0, "Mai"},
		{59 * time.Second, "舞 <mai@customer.example>", 59 * time.Second, "舞"},
		{2 * time.Minute, "舞 <mai@customer.example>", 2 * time.Minute, "舞"},
	} {
		h.now = begin.Add(step.after)
		number := h.mailFrom(step.sender, "Hello").Ticket
		got := h.contact(h.ticket(number).Row.Ticket.ContactID).Contact
		if !got.LastSeenAt.Equal(begin.Add(step.seen)) || got.Name != step.name {
			t.Errorf("after %v: seen %v after the first, name %s", step.after, got.LastSeenAt.Sub(begin), got.Name)
		}
	}
}
