package helpdesk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// newBusyHouse has three agents who can be given work, on Tuesday at ten.
func newBusyHouse(t *testing.T) (h *house, agents []*helpdesk.User) {
	set, err := setUpBusy()
	if err != nil {
		t.Fatal(err)
	}
	h = openHouse(t, set)
	h.now = tuesdayAtTen
	users, err := h.Users(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range users {
		if u.ID != h.user.ID {
			agents = append(agents, &users[i])
		}
	}
	slices.SortFunc(agents, func(a, b *helpdesk.User) int { return strings.Compare(a.Email, b.Email) })
	return h, agents
}

// setUpBusy adds the agents once for all tests: their passwords are slow to hash.
var setUpBusy = sync.OnceValues(func() (*setUpHouse, error) {
	set, err := setUp()
	if err != nil {
		return nil, err
	}
	return set.with(func(ctx context.Context, desk *helpdesk.Desk) error {
		for i, name := range []string{"青木 亮", "井上 薫", "上田 凛"} {
			_, err := desk.CreateUser(ctx, set.admin.Actor(), helpdesk.NewUser{Email: fmt.Sprintf("agent%d@example.jp", i), Name: name,
				Password: "correct horse battery", Role: helpdesk.RoleAgent})
			if err != nil {
				return err
			}
		}
		return nil
	})
})

func ids(users []*helpdesk.User) (list []string) {
	for _, u := range users {
		list = append(list, u.ID)
	}
	return list
}

func (h *house) rule(r helpdesk.AssignmentRule) *helpdesk.AssignmentRule {
	h.t.Helper()
	saved, err := h.SaveRule(h.t.Context(), h.admin, r)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

// arrives posts a first mail and returns its ticket.
func (h *house) arrives(from, subject, text string) helpdesk.Ticket {
	h.t.Helper()
	receipt := h.post("support@example.jp", "From: "+from, "Subject: "+subject, "", text)
	return h.ticket(receipt.Ticket).Row.Ticket
}

func TestRoundRobinIsFairAcrossRestarts(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.rule(helpdesk.AssignmentRule{Name: "順番", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents)}})
	given := map[string]int{}
	for i := range 9 {
		if i%2 == 1 {
			h.restart()
		}
		ticket := h.arrives(fmt.Sprintf("c%d@customer.example", i), "x", "y")
		if ticket.AssigneeID != agents[i%3].ID {
			t.Errorf("ticket %d went to %q; it was the turn of %s", i, ticket.AssigneeID, agents[i%3].Name)
		}
		given[ticket.AssigneeID]++
	}
	for _, a := range agents {
		if given[a.ID] != 3 {
			t.Errorf("%s got %d of 9", a.Name, given[a.ID])
		}
	}
}

// restart opens the desk anew on the same store.
func (h *house) restart() {
	h.t.Helper()
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
}

// restartWith is restart with other options.
func (h *house) restartWith(o helpdesk.Options) {
	h.t.Helper()
	desk, err := helpdesk.Open(h.t.Context(), h.db, o)
	if err != nil {
		h.t.Fatal(err)
	}
	desk.Now = h.Desk.Now
	h.Desk = desk
}

func TestWhoIsNotThereIsPassedOver(t *testing.T) {
	h, agents := newBusyHouse(t)
	ctx := t.Context()
	h.rule(helpdesk.AssignmentRule{Name: "順番", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents)}})
	if _, err := h.SetAway(ctx, agents[0].Actor(), agents[0].ID, helpdesk.Absence{Until: h.now.Add(2 * time.Hour), Reason: "通院"}); err != nil {
		t.Fatal(err)
	}
	mornings := hours.Calendar{Zone: "Asia/Tokyo"}
	for day := range mornings.Week {
		mornings.Week[day] = []hours.Span{{Start: 6 * 60, End: 9 * 60}}
	}
	calendar, err := h.SaveCalendar(ctx, h.admin, helpdesk.Calendar{Name: "早番", Hours: mornings})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ChangeUser(ctx, h.admin, agents[1].ID, helpdesk.UserChange{CalendarID: &calendar.ID}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if got := h.arrives(fmt.Sprintf("a%d@customer.example", i), "x", "y").AssigneeID; got != agents[2].ID {
			t.Errorf("ticket %d went to %q; only %s is there", i, got, agents[2].Name)
		}
	}
	off := true
	if _, err := h.ChangeUser(ctx, h.admin, agents[2].ID, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	ticket := h.arrives("b@customer.example", "x", "y")
	view := h.ticket(ticket.Number)
	said := view.Events[len(view.Events)-1]
	if ticket.AssigneeID != "" || said.Kind != helpdesk.EventRuleNobody {
		t.Fatalf("nobody is there, but %q has it; the event is %s", ticket.AssigneeID, said.Kind)
	}
	for _, reason := range []string{"青木 亮 away", "井上 薫 hours", "上田 凛 disabled"} {
		if !strings.Contains(said.Data["skipped"], reason) {
			t.Errorf("the event says %q; want %q in it", said.Data["skipped"], reason)
		}
	}
	h.pass(2 * time.Hour) // the absence is over, and its timer says so
	if h.work(helpdesk.TimerReturn, h.ReturnDue) != 1 {
		t.Error("nobody noticed the return")
	}
	if got := h.arrives("c@customer.example", "x", "y").AssigneeID; got != agents[0].ID {
		t.Errorf("it went to %q; %s is back", got, agents[0].Name)
	}
}

func TestBalancedGivesToWhoHasTheFewestWaiting(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.rule(helpdesk.AssignmentRule{Name: "均等", Then: helpdesk.RuleActions{Assign: helpdesk.AssignBalanced, Among: ids(agents)}})
	var last helpdesk.Ticket
	for i := range 6 {
		last = h.arrives(fmt.Sprintf("c%d@customer.example", i), "x", "y")
	}
	h.reply(last.Number, "Done.") // its agent has one waiting customer less
	next := h.arrives("next@customer.example", "x", "y")
	if next.AssigneeID != last.AssigneeID {
		t.Errorf("it went to %q; %q has the fewest", next.AssigneeID, last.AssigneeID)
	}
}

func TestConditionsOfRules(t *testing.T) {
	h, agents := newBusyHouse(t)
	facts := []struct{ from, subject, text string }{
		{"a@shop.example", "Invoice", "Please send it."},
		{"b@eu.partner.example", "ＡＰＩ の質問", "使い方を教えてください。"},
		{"c@other.example", "문의", "안녕하세요"},
	}
	for name, c := range map[string]struct {
		when helpdesk.RuleConditions
		fits string
	}{
		"nothing":    {helpdesk.RuleConditions{}, "yes yes yes"},
		"alias":      {helpdesk.RuleConditions{Aliases: []string{h.alias.ID}}, "yes yes yes"},
		"japanese":   {helpdesk.RuleConditions{Languages: []string{"ja"}}, "no yes no"},
		"en or ko":   {helpdesk.RuleConditions{Languages: []string{"en", "ko"}}, "yes no yes"},
		"keyword":    {helpdesk.RuleConditions{Keywords: []string{"api", "返品"}}, "no yes no"},
		"phrase":     {helpdesk.RuleConditions{Keywords: []string{"SEND  it"}}, "yes no no"},
		"domain":     {helpdesk.RuleConditions{Domains: []string{"@Partner.example", "shop.example"}}, "yes yes no"},
		"within":     {helpdesk.RuleConditions{Hours: helpdesk.HoursWithin}, "yes yes yes"},
		"outside":    {helpdesk.RuleConditions{Hours: helpdesk.HoursOutside}, "no no no"},
		"reply type": {helpdesk.RuleConditions{ReplyTypes: []string{"high_value"}}, "no no no"},
	} {
		rule := h.rule(helpdesk.AssignmentRule{Name: name, When: c.when, Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[:1])}})
		var got []string
		for _, f := range facts {
			verdicts, err := h.TryRules(t.Context(), h.admin, helpdesk.RuleTrial{AliasID: h.alias.ID, From: f.from, Subject: f.subject, Text: f.text})
			if err != nil || len(verdicts) != 1 {
				t.Fatalf("%s: %v, %v", name, verdicts, err)
			}
			fits := map[bool]string{true: "yes", false: "no"}[verdicts[0].Fails == ""]
			if fits == "yes" && (verdicts[0].Chosen == nil || verdicts[0].Chosen.ID != agents[0].ID) {
				t.Errorf("%s chose %v", name, verdicts[0].Chosen)
			}
			got = append(got, fits)
		}
		if strings.Join(got, " ") != c.fits {
			t.Errorf("%s fits %v; want %s", name, got, c.fits)
		}
		if err := h.DeleteRule(t.Context(), h.admin, rule.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFirstRuleThatFitsIsTheLast(t *testing.T) {
	h, agents := newBusyHouse(t)
	owner := h.alias
	owner.OwnerID = agents[2].ID
	if _, err := h.SaveAlias(t.Context(), h.admin, owner); err != nil {
		t.Fatal(err)
	}
	h.rule(helpdesk.AssignmentRule{Name: "タグ", GoOn: true, Then: helpdesk.RuleActions{Tags: []string{"新規"}, Followers: []string{agents[1].Email}}})
	api := h.rule(helpdesk.AssignmentRule{Name: "API", When: helpdesk.RuleConditions{Keywords: []string{"API"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[:1]), Priority: "high", Stage: "対応中"}})
	bills := h.rule(helpdesk.AssignmentRule{Name: "請求", When: helpdesk.RuleConditions{Keywords: []string{"invoice"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[1:2])}})

	both := h.arrives("a@customer.example", "API invoice", "")
	if both.AssigneeID != agents[0].ID || both.Priority != helpdesk.PriorityHigh || strings.Join(both.Tags, " ") != "新規" {
		t.Errorf("the ticket has %q, %q, %v", both.AssigneeID, both.Priority, both.Tags)
	}
	if row := h.ticket(both.Number).Row; row.StageName != "対応中" || !strings.Contains(strings.Join(row.Ticket.Followers, " "), agents[1].ID) {
		t.Errorf("its stage is %q, its followers %v", row.StageName, row.Ticket.Followers)
	}
	if neither := h.arrives("b@customer.example", "Hello", ""); neither.AssigneeID != agents[2].ID {
		t.Errorf("no rule fits, but the alias's owner does not have it: %q", neither.AssigneeID)
	}
	if err := h.OrderRules(t.Context(), h.admin, []string{bills.ID, api.ID}); err != nil {
		t.Fatal(err)
	}
	if reordered := h.arrives("c@customer.example", "API invoice", ""); reordered.AssigneeID != agents[1].ID || len(reordered.Tags) > 0 {
		t.Errorf("after the change of order it has %q, %v", reordered.AssigneeID, reordered.Tags)
	}
}

func TestRulesThatWaitForTheReplyType(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.rule(helpdesk.AssignmentRule{Name: "高価値", When: helpdesk.RuleConditions{ReplyTypes: []string{"high_value"}},
		Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[:1])}})
	h.rule(helpdesk.AssignmentRule{Name: "ほか", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents[1:])}})
	analyse := func(n uint64) helpdesk.Ticket {
		t.Helper()
		message := h.ticket(n).Messages[0].Message.ID
		if err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: message, ReplyType: "high_value"}); err != nil {
			t.Fatal(err)
		}
		return h.ticket(n).Row.Ticket
	}
	first := h.arrives("a@customer.example", "Order", "A big one.")
	if first.AssigneeID != agents[1].ID {
		t.Errorf("before the model has read it, %q has it", first.AssigneeID)
	}
	if got := analyse(first.Number).AssigneeID; got != agents[0].ID {
		t.Errorf("after the model has read it, %q has it", got)
	}
	second := h.arrives("b@customer.example", "Order", "Another.")
	h.change(second.Number, helpdesk.Change{Assignee: &h.user.ID})
	if got := analyse(second.Number).AssigneeID; got != h.user.ID {
		t.Errorf("a rule took it from whom a person chose: %q", got)
	}
	h.change(first.Number, helpdesk.Change{Assignee: &agents[1].ID})
	if got := analyse(first.Number).AssigneeID; got != agents[1].ID {
		t.Errorf("the rules were asked twice: %q", got)
	}
}

func TestARuleGivesToATeam(t *testing.T) {
	h, agents := newBusyHouse(t)
	team, err := h.SaveTeam(t.Context(), h.admin, helpdesk.Team{Name: "請求", Members: ids(agents[:2])})
	if err != nil {
		t.Fatal(err)
	}
	h.rule(helpdesk.AssignmentRule{Name: "チーム", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, TeamID: team.Name}})
	for i := range 3 {
		ticket := h.arrives(fmt.Sprintf("c%d@customer.example", i), "x", "y")
		if ticket.TeamID != team.ID || ticket.AssigneeID != agents[i%2].ID {
			t.Errorf("ticket %d has the team %q and %q", i, ticket.TeamID, ticket.AssigneeID)
		}
	}
}

func TestRehearsalTellsOfRulesAndChangesNothing(t *testing.T) {
	h, agents := newBusyHouse(t)
	h.rule(helpdesk.AssignmentRule{Name: "API", When: helpdesk.RuleConditions{Keywords: []string{"API"}}, Then: helpdesk.RuleActions{Tags: []string{"x"}}})
	h.rule(helpdesk.AssignmentRule{Name: "順番", Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin, Among: ids(agents)}})
	raw := "Message-ID: <try@customer.example>\r\nFrom: a@customer.example\r\nSubject: x\r\n\r\ny\r\n"
	for range 2 {
		explanation, err := h.Rehearse(t.Context(), incoming("support@example.jp", raw, h.now))
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, step := range explanation.Steps {
			if strings.HasPrefix(string(step.Key), "rule") {
				said = append(said, fmt.Sprintf("%s %s%s%s", step.Key, step.Data["rule"], step.Data["condition"], step.Data["name"]))
			}
		}
		if got := strings.Join(said, ", "); got != "rule_not APIkeyword, rule 順番, rule_assigned 順番青木 亮" {
			t.Errorf("the rehearsal says %s", got)
		}
	}
}

func TestAbsentAgentsTicketsAreCovered(t *testing.T) {
	h, agents := newBusyHouse(t)
	n := h.first().Ticket
	h.change(n, helpdesk.Change{Assignee: &agents[0].ID})
	h.reply(n, "One moment.")
	to := h.ticket(n).Messages[1].Message.ReplyAddress
	answer := func() (assignee, why string) {
		t.Helper()
		h.post(to, "From: tamura@customer.example", "Subject: Re", "", fmt.Sprint("Still there? ", h.mails))
		view := h.ticket(n)
		for _, e := range view.Events {
			if e.Kind == helpdesk.EventTicketAssigned {
				why = e.Data["why"]
			}
		}
		return view.Row.Ticket.AssigneeID, why
	}
	away := func(absence helpdesk.Absence) {
		t.Helper()
		h.change(n, helpdesk.Change{Assignee: &agents[0].ID})
		if _, err := h.SetAway(t.Context(), h.admin, agents[0].ID, absence); err != nil {
			t.Fatal(err)
		}
	}
	away(helpdesk.Absence{})
	if got, _ := answer(); got != agents[0].ID {
		t.Errorf("who keeps their tickets lost one to %q", got)
	}
	away(helpdesk.Absence{Mail: helpdesk.AbsenceRelease})
	if got, why := answer(); got != "" || why != "away" {
		t.Errorf("it was to be released; %q has it because of %q", got, why)
	}
	away(helpdesk.Absence{Mail: helpdesk.AbsenceDeputy, Deputy: agents[1].Email})
	if got, _ := answer(); got != agents[1].ID {
		t.Errorf("the deputy does not have it: %q", got)
	}
	if _, err := h.SetAway(t.Context(), agents[1].Actor(), agents[1].ID, helpdesk.Absence{}); err != nil {
		t.Fatal(err)
	}
	away(helpdesk.Absence{Mail: helpdesk.AbsenceDeputy, Deputy: agents[1].ID})
	if got, _ := answer(); got != "" {
		t.Errorf("the deputy is away too; %q has it", got)
	}
	if _, err := h.EndAway(t.Context(), agents[0].Actor(), agents[0].ID); err != nil {
		t.Fatal(err)
	}
	h.change(n, helpdesk.Change{Assignee: &agents[0].ID})
	if got, _ := answer(); got != agents[0].ID {
		t.Errorf("back again, it was taken away: %q", got)
	}
	_, err := h.SetAway(t.Context(), agents[1].Actor(), agents[0].ID, helpdesk.Absence{})
	wantCode(t, err, helpdesk.CodeForbidden, "")
	_, err = h.SetAway(t.Context(), h.admin, agents[0].ID, helpdesk.Absence{Until: h.now})
	wantCode(t, err, helpdesk.CodeInvalid, "passed")
	_, err = h.SetAway(t.Context(), h.admin, agents[0].ID, helpdesk.Absence{Mail: helpdesk.AbsenceDeputy, Deputy: agents[0].ID})
	wantCode(t, err, helpdesk.CodeInvalid, "somebody else")
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	h, agents := newBusyHouse(t)
	tags := helpdesk.RuleActions{Tags: []string{"x"}}
	for want, rule := range map[string]helpdesk.AssignmentRule{
		"no name":       {Then: tags},
		"does nothing":  {Name: "x"},
		"names nobody":  {Name: "x", Then: helpdesk.RuleActions{Assign: helpdesk.AssignBalanced}},
		"no user":       {Name: "x", Then: helpdesk.RuleActions{Followers: []string{"nobody@example.jp"}}},
		"no alias":      {Name: "x", When: helpdesk.RuleConditions{Aliases: []string{"gone"}}, Then: tags},
		"language":      {Name: "x", When: helpdesk.RuleConditions{Languages: []string{"tlh"}}, Then: tags},
		"reply type":    {Name: "x", When: helpdesk.RuleConditions{ReplyTypes: []string{"odd"}}, Then: tags},
		"within":        {Name: "x", When: helpdesk.RuleConditions{Hours: "never"}, Then: tags},
		"priority":      {Name: "x", Then: helpdesk.RuleActions{Priority: "extreme"}},
		"round_robin":   {Name: "x", Then: helpdesk.RuleActions{Assign: "dice", Among: ids(agents)}},
		"no rule ghost": {ID: "ghost", Name: "x", Then: tags},
	} {
		if _, err := h.SaveRule(t.Context(), h.admin, rule); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", rule, err, want)
		}
	}
}
