package helpdesk_test

import (
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// hire makes an agent.
func (h *house) hire(email, name string) *helpdesk.User {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: email, Name: name, Password: "correct horse battery", Role: helpdesk.RoleAgent})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func TestTicketsOfATeam(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	mori, hayashi := h.hire("mori@example.jp", "森"), h.hire("hayashi@example.jp", "林")
	team, err := h.SaveTeam(ctx, h.admin, helpdesk.Team{Name: " 請求  チーム ", Members: []string{"mori@example.jp"}, Lead: "mori@example.jp"})
	if err != nil || team.Name != "請求 チーム" || team.Members[0] != mori.ID {
		t.Fatalf("%+v, %v", team, err)
	}
	h.alias.TeamID = team.Name // by name or id
	if _, err := h.SaveAlias(ctx, h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	h.first()
	if v := h.ticket(1); v.Row.Ticket.TeamID != team.ID || v.Row.TeamName != "請求 チーム" || v.Row.Ticket.AssigneeID != "" {
		t.Errorf("a new ticket of the team's alias: %+v", v.Row)
	}
	note, err := h.AddNote(ctx, h.admin, 1, "@請求 チーム お願いします")
	if err != nil || len(note.Mentions) != 1 || note.Mentions[0] != mori.ID {
		t.Errorf("the team is mentioned: %+v, %v", note, err)
	}
	rows, _, err := h.Tickets(ctx, h.admin, helpdesk.TicketQuery{Filter: helpdesk.Filter{Teams: []string{team.ID}}})
	if err != nil || len(rows) != 1 {
		t.Errorf("the team's tickets: %v, %v", rows, err)
	}

	// A member keeps the ticket when it comes to the team; another does not.
	assign := func(user string) {
		t.Helper()
		if _, err := h.Change(ctx, h.admin, 1, helpdesk.Change{Assignee: &user}); err != nil {
			t.Fatal(err)
		}
	}
	give := func(to string) *helpdesk.Ticket {
		t.Helper()
		changed, err := h.Change(ctx, h.admin, 1, helpdesk.Change{Team: &to})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	give("")
	assign(hayashi.ID)
	if got := give(team.ID); got.AssigneeID != "" || got.TeamID != team.ID {
		t.Errorf("the ticket of somebody outside the team: %+v", got)
	}
	give("")
	assign(mori.ID)
	if got := give("請求 チーム"); got.AssigneeID != mori.ID {
		t.Errorf("the ticket of a member: %+v", got)
	}
	if got := kinds(h.ticket(1).Events); !strings.Contains(got, "ticket.team") {
		t.Errorf("the history: %s", got)
	}

	wantCode(t, h.DeleteTeam(ctx, h.admin, team.ID), helpdesk.CodeConflict, "open tickets")
	give("")
	wantCode(t, h.DeleteTeam(ctx, h.admin, team.ID), helpdesk.CodeConflict, "support@example.jp")
	h.alias.TeamID = ""
	if _, err := h.SaveAlias(ctx, h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	rule := h.rule(helpdesk.AssignmentRule{Name: "請求", Then: helpdesk.RuleActions{TeamID: team.ID, Assign: helpdesk.AssignBalanced}})
	wantCode(t, h.DeleteTeam(ctx, h.admin, team.ID), helpdesk.CodeConflict, "rule \"請求\"")
	if err := h.DeleteRule(ctx, h.admin, rule.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteTeam(ctx, h.admin, team.ID); err != nil {
		t.Error(err)
	}
	for _, bad := range []helpdesk.Team{{Name: ""}, {Name: "x", Members: []string{"nobody@example.jp"}}, {Name: strings.Repeat("長", 61)}} {
		if _, err := h.SaveTeam(ctx, h.admin, bad); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("team %+v: %v", bad, err)
		}
	}
}
