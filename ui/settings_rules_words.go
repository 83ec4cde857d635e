package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// ruleWords says rules in words; it knows the names of what they refer to.
type ruleWords struct {
	*visit
	people  map[string]helpdesk.User
	users   []helpdesk.User
	aliases []helpdesk.Alias
	stages  []string // of all pipelines, once each
	teams   []helpdesk.Team
}

func (s *Server) ruleWords(ctx context.Context, v *visit) (w ruleWords, err error) {
	w.visit = v
	if w.people, w.users, err = s.people(ctx, v); err != nil {
		return w, err
	}
	if w.aliases, err = s.desk.Aliases(ctx, v.actor()); err != nil {
		return w, err
	}
	if w.teams, err = s.desk.Teams(ctx, v.actor()); err != nil {
		return w, err
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	for _, p := range pipelines {
		for _, stage := range p.Stages {
			if !slices.Contains(w.stages, stage.Name) {
				w.stages = append(w.stages, stage.Name)
			}
		}
	}
	return w, err
}

func (w ruleWords) list(values []string, name func(string) string) string {
	var said []string
	for _, v := range values {
		said = append(said, name(v))
	}
	return strings.Join(said, w.T("list.comma"))
}

func (w ruleWords) alias(id string) string {
	for _, a := range w.aliases {
		if a.ID == id {
			return a.Address
		}
	}
	return id
}

func (w ruleWords) person(id string) string {
	if u, ok := w.people[id]; ok {
		return u.Name
	}
	return w.T("unavailable.gone")
}

func (w ruleWords) team(id string) string {
	for _, t := range w.teams {
		if t.ID == id {
			return t.Name
		}
	}
	return w.T("unavailable.gone")
}

func (w ruleWords) when(c helpdesk.RuleConditions) string {
	var said []string
	add := func(key string, list []string, name func(string) string) {
		if len(list) > 0 {
			said = append(said, w.T(key, w.list(list, name)))
		}
	}
	same := func(s string) string { return s }
	add("rules.when.alias", c.Aliases, w.alias)
	add("rules.when.brand", c.Brands, same)
	add("rules.when.language", c.Languages, func(l string) string { return w.T("language." + l) })
	add("rules.when.keyword", c.Keywords, same)
	add("rules.when.domain", c.Domains, same)
	add("rules.when.reply_type", c.ReplyTypes, func(t string) string { return w.T("rules.reply_type." + t) })
	if c.Hours != helpdesk.HoursAny {
		said = append(said, w.T("rules.hours."+string(c.Hours)))
	}
	if len(said) == 0 {
		return w.T("rules.when.always")
	}
	return strings.Join(said, w.T("rules.and"))
}

func (w ruleWords) then(a helpdesk.RuleActions) string {
	var said []string
	if a.Assign != helpdesk.AssignNobody {
		var whom []string
		if a.TeamID != "" {
			whom = append(whom, w.team(a.TeamID))
		}
		for _, id := range a.Among {
			whom = append(whom, w.person(id))
		}
		who := strings.Join(whom, w.T("list.comma"))
		if len(a.Among) == 1 && a.TeamID == "" {
			said = append(said, w.T("rules.then.single", who))
		} else {
			said = append(said, w.T("rules.then."+string(a.Assign), who))
		}
	}
	if a.Assign == helpdesk.AssignNobody && a.TeamID != "" {
		said = append(said, w.T("rules.then.team", w.team(a.TeamID)))
	}
	if len(a.Tags) > 0 {
		said = append(said, w.T("rules.then.tags", strings.Join(a.Tags, w.T("list.comma"))))
	}
	if a.Priority != "" {
		said = append(said, w.T("rules.then.priority", w.T("priority."+a.Priority)))
	}
	if a.Stage != "" {
		said = append(said, w.T("rules.then.stage", a.Stage))
	}
	if len(a.Followers) > 0 {
		said = append(said, w.T("rules.then.followers", w.list(a.Followers, w.person)))
	}
	return strings.Join(said, w.T("list.comma"))
}

func (w ruleWords) aliasOptions(chosen string) (options []option) {
	for _, a := range w.aliases {
		options = append(options, option{a.ID, a.Address, a.ID == chosen})
	}
	return options
}

func (w ruleWords) verdict(r helpdesk.RuleVerdict) verdictView {
	view := verdictView{Name: r.Rule.Name, Fits: r.Asked && r.Fails == "", Off: !r.Asked}
	switch {
	case !r.Asked:
		view.Text = w.T("rules.verdict.not_asked")
	case r.Late:
		view.Text = w.T("rules.verdict.late")
	case r.Fails != "":
		view.Text = w.T("rules.verdict.fails", w.T("explain.condition."+string(r.Fails)))
	case r.Chosen != nil:
		view.Text = w.T("rules.verdict.chosen", r.Chosen.Name)
	case r.Rule.Then.Assign != helpdesk.AssignNobody:
		var passed []string
		for _, p := range r.Passed {
			passed = append(passed, w.T("unavailable.passed", p.User.Name, w.T("unavailable."+string(p.Reason))))
		}
		view.Text = w.T("rules.verdict.nobody", strings.Join(passed, w.T("list.comma")))
	default:
		view.Text = w.T("rules.verdict.fits", w.then(r.Rule.Then))
	}
	return view
}
