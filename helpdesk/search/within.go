package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// lists are what the filters of a list name by other words than the tickets do.
type lists struct {
	aliases, brands, only, stages, teams []string // facts
}

// lists looks up what a filter names.
func (ix *Index) lists(ctx context.Context, a helpdesk.Actor, q helpdesk.TicketQuery) (l lists, err error) {
	for _, address := range q.Aliases {
		l.aliases = append(l.aliases, factAlias(address))
	}
	if len(q.Aliases)+len(q.Brands)+len(q.Only) > 0 {
		aliases, err := ix.desk.Aliases(ctx, a)
		if err != nil {
			return l, err
		}
		for _, alias := range aliases {
			var ways []string
			for _, address := range alias.Ways() {
				ways = append(ways, factAlias(address))
			}
			if slices.Contains(q.Aliases, alias.Address) {
				l.aliases = append(l.aliases, ways...)
			}
			if alias.Brand != "" && slices.Contains(q.Brands, alias.Brand) {
				l.brands = append(l.brands, ways...)
			}
			if alias.Brand != "" && slices.Contains(q.Only, alias.Brand) || slices.ContainsFunc(q.Only, func(o string) bool { return strings.EqualFold(o, alias.Address) }) {
				l.only = append(l.only, ways...)
			}
		}
	}
	if len(q.Teams) > 0 {
		teams, err := ix.desk.Teams(ctx, a)
		if err != nil {
			return l, err
		}
		for _, team := range teams {
			if slices.Contains(q.Teams, team.ID) || slices.Contains(q.Teams, helpdesk.AssigneeMe) && slices.Contains(team.Members, a.UserID) {
				l.teams = append(l.teams, factTeam(team.ID))
			}
		}
	}
	if len(q.Stages) > 0 {
		pipelines, err := ix.desk.Pipelines(ctx, a)
		if err != nil {
			return l, err
		}
		for _, p := range pipelines {
			for _, id := range q.Stages {
				if _, ok := p.Stage(id); ok {
					l.stages = append(l.stages, factStage(p.ID, id))
				}
			}
		}
	}
	return l, nil
}

// viewFacts are the facts of which a ticket of a view has one.
func viewFacts(v helpdesk.View, a helpdesk.Actor) (facts [][]string, known bool) {
	switch v {
	case "":
		return nil, true
	case helpdesk.ViewMine:
		return [][]string{{factAwake}, {factAssignee(a.UserID)}}, true
	case helpdesk.ViewUnassigned:
		return [][]string{{factAwake}, {factUnassigned}}, true
	case helpdesk.ViewFollowing:
		return [][]string{{factOpen}, {factFollower(a.UserID)}}, true
	case helpdesk.ViewMentions:
		return [][]string{{factOpen, factClosed}, {factMentioned(a.UserID)}}, true
	case helpdesk.ViewAll, helpdesk.ViewDrafts, helpdesk.ViewApproval, helpdesk.ViewPlanned, helpdesk.ViewUnmatched: // these are not in the index: a search there looks everywhere
		return [][]string{{factOpen, factClosed}}, true
	}
	fact, known := map[helpdesk.View]string{helpdesk.ViewWaiting: factWaiting, helpdesk.ViewOpen: factOpen, helpdesk.ViewClosed: factClosed,
		helpdesk.ViewSnoozed: factSnoozed, helpdesk.ViewHeld: factHeld, helpdesk.ViewFailed: factFailed, helpdesk.ViewSpam: factSpam}[v]
	return [][]string{{fact}}, known
}

// withinClauses are the conditions of a list.
func withinClauses(q helpdesk.TicketQuery, a helpdesk.Actor, l lists) (clauses []clause, err error) {
	facts, known := viewFacts(q.View, a)
	if !known {
		return nil, &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: "view", Key: "error.view_unknown", Args: []any{q.View, helpdesk.Views},
			Message: fmt.Sprintf("view %q is not one of %v", q.View, helpdesk.Views)}
	}
	for _, one := range facts {
		clauses = append(clauses, clause{facts: one})
	}
	// one adds the condition that a ticket has one of the values.
	one := func(values []string, fact func(string) string) {
		if len(values) == 0 {
			return
		}
		c := clause{}
		for _, v := range values {
			c.facts = append(c.facts, fact(v))
		}
		clauses = append(clauses, c)
	}
	one(q.Pipelines, factPipeline)
	one(q.Tags, factTag)
	one(q.Languages, factLanguage)
	one(q.ReplyTypes, factReplyType)
	one(q.Assignees, func(id string) string {
		switch id {
		case helpdesk.AssigneeMe:
			return factAssignee(a.UserID)
		case helpdesk.AssigneeNone, "":
			return factUnassigned
		}
		return factAssignee(id)
	})
	for _, listed := range []struct {
		asked bool
		facts []string
	}{{len(q.Aliases) > 0, l.aliases}, {len(q.Stages) > 0, l.stages}, {len(q.Teams) > 0, l.teams}, {len(q.Brands) > 0, l.brands}, {len(q.Only) > 0, l.only}} {
		if listed.asked { // with no fact nothing fulfils it
			clauses = append(clauses, clause{facts: listed.facts})
		}
	}
	if len(q.Priorities) > 0 {
		c := clause{}
		for _, p := range q.Priorities {
			c.facts = append(c.facts, factPriority(p))
		}
		clauses = append(clauses, c)
	}
	if q.Waiting {
		clauses = append(clauses, clause{facts: []string{factWaiting}})
	}
	if q.Contact != "" {
		clauses = append(clauses, clause{facts: []string{factContact(q.Contact)}})
	}
	return clauses, nil
}
