package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Rules, due times and rests pass spam over, and not-spam brings all of it back.
func TestNothingIsDoneForSpamUntilItIsNone(t *testing.T) {
	h, agents := newBusyHouse(t)
	ctx := t.Context()
	h.dueTimes(helpdesk.HouseScope, helpdesk.DuePolicy{Times: map[helpdesk.Priority]helpdesk.DueTimes{helpdesk.PriorityNormal: {First: 4 * time.Hour}}})
	h.rule(helpdesk.AssignmentRule{Name: "順番", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[:1])}})
	h.rule(helpdesk.AssignmentRule{Name: "至急", When: helpdesk.RuleConditions{ReplyTypes: []string{"needs_attention"}}, Then: helpdesk.RuleActions{Tags: []string{"至急"}}})
	h.must(h.Block(ctx, h.admin, "pest@customer.example"))

	blocked := h.post("support@example.jp", "From: pest@customer.example", "Subject: Buy", "", "Now")
	ticket := h.ticket(blocked.Ticket).Row.Ticket
	if ticket.Spam == nil || ticket.AssigneeID != "" || !ticket.DueAt.IsZero() {
		t.Fatalf("a blocked sender's ticket: assigned to %q, due %s", ticket.AssigneeID, ticket.DueAt)
	}
	h.must(h.StoreAnalysis(ctx, helpdesk.Analysis{MessageID: blocked.MessageID, ReplyType: "needs_attention"}))
	if tags := h.ticket(blocked.Ticket).Row.Ticket.Tags; len(tags) > 0 {
		t.Errorf("a late rule tagged spam with %v", tags)
	}
	_, err := h.Snooze(ctx, h.admin, blocked.Ticket, time.Time{}, "")
	wantCode(t, err, helpdesk.CodeConflict, "spam")

	if _, err := h.MarkNotSpam(ctx, h.admin, blocked.Ticket); err != nil {
		t.Fatal(err)
	}
	if got := h.ticket(blocked.Ticket).Row.Ticket.AssigneeID; got != agents[0].ID {
		t.Errorf("taken out of spam, it went to %q; the rule says %s", got, agents[0].Name)
	}
	h.wantDue(blocked.Ticket, helpdesk.DueFirst, "11-24 14:00")
	h.must(h.StoreAnalysis(ctx, helpdesk.Analysis{MessageID: blocked.MessageID, ReplyType: "needs_attention"}))
	if tags := h.ticket(blocked.Ticket).Row.Ticket.Tags; !slices.Equal(tags, []string{"至急"}) {
		t.Errorf("the late rule left the tags %v", tags)
	}

	// Whom a person gave it to keeps it, and a rest ends in silence.
	other := h.arrives("tamura@customer.example", "x", "y")
	h.change(other.Number, helpdesk.Change{Assignee: &agents[1].ID, Snooze: &helpdesk.Snooze{Until: h.now.Add(time.Hour)}})
	h.markSpam(other.Number)
	h.wantDue(other.Number, "", "")
	situation, err := h.Situation(ctx, h.admin)
	if err != nil || situation.Waiting.Waiting != 1 {
		t.Errorf("supervisors see %d waiting, %v; spam does not wait", situation.Waiting.Waiting, err)
	}
	h.pass(time.Hour)
	h.work(helpdesk.TimerWake, h.WakeDue)
	if v := h.ticket(other.Number); v.Row.Ticket.Snooze != nil || strings.Contains(kinds(v.Events), string(helpdesk.EventTicketWoken)) {
		t.Errorf("spam came back from its rest: %s", kinds(v.Events))
	}
	if _, err := h.MarkNotSpam(ctx, h.admin, other.Number); err != nil {
		t.Fatal(err)
	}
	if got := h.ticket(other.Number).Row.Ticket.AssigneeID; got != agents[1].ID {
		t.Errorf("it was taken from whom a person chose: %q", got)
	}
	h.wantDue(other.Number, helpdesk.DueFirst, "11-24 14:00")
	h.verify()
}

func (h *house) markSpam(number uint64) {
	h.t.Helper()
	if _, err := h.MarkSpam(h.t.Context(), h.admin, number, helpdesk.BlockNobody); err != nil {
		h.t.Fatal(err)
	}
}

func TestARuleAsksForTheBrand(t *testing.T) {
	h, agents := newBusyHouse(t)
	if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "red@example.jp", Brand: "赤い店"}); err != nil {
		t.Fatal(err)
	}
	h.rule(helpdesk.AssignmentRule{Name: "赤い店の担当", When: helpdesk.RuleConditions{Brands: []string{"赤い店"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[2:])}})
	red := h.post("red@example.jp", "From: a@customer.example", "Subject: x", "", "y").Ticket
	if got := h.ticket(red).Row.Ticket.AssigneeID; got != agents[2].ID {
		t.Errorf("the red shop's mail went to %q", got)
	}
	if other := h.arrives("b@customer.example", "x", "y"); other.AssigneeID != "" {
		t.Errorf("another mail went to %q", other.AssigneeID)
	}
	verdicts, err := h.TryRules(t.Context(), h.admin, helpdesk.RuleTrial{AliasID: h.alias.ID, From: "c@customer.example"})
	if err != nil || len(verdicts) != 1 || verdicts[0].Fails != helpdesk.ConditionBrand {
		t.Errorf("tried: %+v, %v", verdicts, err)
	}
}

func TestARuleSaysWhoFollows(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.rule(helpdesk.AssignmentRule{Name: "見守り", Then: helpdesk.RuleActions{Followers: ids(agents[:2])}})
	v := h.ticket(h.arrives("a@customer.example", "x", "y").Number)
	if !slices.Equal(v.Row.Ticket.Followers, ids(agents[:2])) {
		t.Errorf("followers: %v", v.Row.Ticket.Followers)
	}
	i := slices.IndexFunc(v.Events, func(e helpdesk.Event) bool { return e.Kind == helpdesk.EventTicketFollowed })
	if i < 0 || v.Events[i].Data["rule"] != "見守り" || v.Events[i].Data["followers"] != agents[0].Name+", "+agents[1].Name {
		t.Errorf("events: %s", kinds(v.Events))
	}
}

// What nobody got is no reply of anybody.
func TestAnUndoneReplyIsNotTheLastOne(t *testing.T) {
	h := newHouse(t)
	h.first()
	last := func() time.Time {
		t.Helper()
		s, err := h.Situation(t.Context(), h.admin)
		if err != nil || len(s.People) != 1 {
			t.Fatalf("%+v, %v", s, err)
		}
		return s.People[0].LastReply
	}
	undo := func(m *helpdesk.Message) {
		t.Helper()
		if _, err := h.Undo(t.Context(), h.admin, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	undo(h.reply(1, "a mistake"))
	if at := last(); !at.IsZero() {
		t.Errorf("after the undo of the only reply: %s", at)
	}
	h.pass(time.Minute)
	kept := h.reply(1, "an answer")
	h.pass(time.Minute)
	undo(h.reply(1, "another mistake"))
	if at := last(); !at.Equal(kept.At) {
		t.Errorf("the last reply is of %s; want %s", at, kept.At)
	}
}
