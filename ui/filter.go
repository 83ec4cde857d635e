package ui

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// filterBar is what narrows and sorts a list: the filters in force as chips, and
// the others to choose from.
type filterBar struct {
	Action  string // of the form
	Chips   []chip
	Groups  []filterGroup
	Toggles []option
	Keep    []option // what the form does not offer, to be kept
	Sorts   []navItem
	Clear   string
	Save    *saveView // nil where there is nothing to save
}

// chip is a filter in force, with the address of the list without it.
type chip struct{ Label, Without string }

// filterGroup are the values of one filter; any number may be chosen.
type filterGroup struct {
	Name, Label string
	Options     []option
	Open        bool // some are chosen
}

// saveView is how a narrowed list gets a name.
type saveView struct {
	Path    string
	Name    string // of the saved view that the list began as, or ""
	ID      string
	Version string   // of that view
	Changed bool     // the list is not that view any more
	Update  bool     // the reader may change that view
	Share   bool     // the reader may save for everybody
	For     []option // who else may have it
}

// refined reports whether anything narrows the list besides its view.
func (p place) refined() bool { return !p.query.Filter.Empty() || p.query.Text != "" }

// filters names what is in force and offers the rest.
func (s *Server) filters(ctx context.Context, v *visit, p place) (filterBar, error) {
	bar := filterBar{Action: "/inbox/" + string(p.query.View), Clear: "/inbox/" + string(p.query.View)}
	groups, err := s.filterGroups(ctx, v, p)
	if err != nil {
		return bar, err
	}
	for _, g := range groups {
		for _, o := range g.Options {
			if o.Selected {
				g.Open = true
				bar.Chips = append(bar.Chips, chip{o.Label, p.without(g.Name, o.Value)})
			}
		}
		if len(g.Options) > 1 || g.Open || g.Name == "tag" && len(g.Options) > 0 { // many tickets have no tag
			bar.Groups = append(bar.Groups, g)
		}
	}
	for _, toggle := range []struct {
		name string
		on   bool
	}{{"waiting", p.query.Waiting}, {"unread", p.query.Unread}} {
		o := option{toggle.name, v.T("filter." + toggle.name), toggle.on}
		bar.Toggles = append(bar.Toggles, o)
		if o.Selected {
			bar.Chips = append(bar.Chips, chip{o.Label, p.address(0, o.Value, "")})
		}
	}
	if p.query.Text != "" {
		bar.Chips = append(bar.Chips, chip{v.T("filter.text", p.query.Text), p.address(0, "q", "")})
	}
	for _, kept := range []option{{Label: "q", Value: p.query.Text}, {Label: "sort", Value: string(p.query.Sort)}, {Label: "saved", Value: p.saved}} {
		if kept.Value != "" {
			bar.Keep = append(bar.Keep, kept)
		}
	}
	bar.Sorts = sortItems(v, p)
	bar.Save, err = s.saveView(ctx, v, p)
	return bar, err
}

// sortItems are the orders that a list can have. What a search finds is the
// most relevant or the newest first.
func sortItems(v *visit, p place) (items []navItem) {
	if p.query.Text != "" {
		return []navItem{{URL: p.address(0, "sort", ""), Label: v.T("sort.relevance"), Current: p.query.Sort == ""},
			{URL: p.address(0, "sort", "newest"), Label: v.T("sort.newest"), Current: p.query.Sort == helpdesk.SortNewest}}
	}
	for _, sort := range helpdesk.Sorts {
		value := string(sort)
		if sort == helpdesk.SortNewest {
			value = ""
		}
		items = append(items, navItem{URL: p.address(0, "sort", value), Label: v.T("sort." + string(sort)), Current: p.query.Sort == helpdesk.Sort(value)})
	}
	return items
}

func (s *Server) filterGroups(ctx context.Context, v *visit, p place) (groups []filterGroup, err error) {
	add := func(name string, chosen []string, options ...option) {
		for i := range options {
			options[i].Selected = slices.Contains(chosen, options[i].Value)
		}
		for _, value := range chosen { // what is not offered any more can still be taken away
			if !slices.ContainsFunc(options, func(o option) bool { return o.Value == value }) {
				options = append(options, option{value, value, true})
			}
		}
		groups = append(groups, filterGroup{Name: name, Label: v.T("filter." + name), Options: options})
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	_, users, err := s.people(ctx, v)
	if err != nil {
		return nil, err
	}
	var inPipeline, inStage, through, brands []option
	for _, x := range pipelines {
		inPipeline = append(inPipeline, option{Value: x.ID, Label: x.Name})
		for _, stage := range x.Stages {
			label := stage.Name
			if len(pipelines) > 1 {
				label = x.Name + " / " + stage.Name
			}
			inStage = append(inStage, option{Value: stage.ID, Label: label})
		}
	}
	for _, x := range aliases {
		through = append(through, option{Value: x.Address, Label: x.Address})
	}
	for _, name := range brandsOf(aliases) {
		brands = append(brands, option{Value: name, Label: name})
	}
	people := []option{{Value: helpdesk.AssigneeMe, Label: v.T("filter.me")}, {Value: helpdesk.AssigneeNone, Label: v.T("ticket.unassigned")}}
	for _, u := range users {
		if u.ID != v.User.ID && (!u.Disabled || slices.Contains(p.query.Assignees, u.ID)) {
			people = append(people, option{Value: u.ID, Label: u.Name})
		}
	}
	add("pipeline", p.query.Pipelines, inPipeline...)
	add("stage", p.query.Stages, inStage...)
	add("brand", p.query.Brands, brands...)
	add("alias", p.query.Aliases, through...)
	add("assignee", p.query.Assignees, people...)
	teams, err := s.desk.Teams(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	var inTeam []option
	if len(teams) > 0 {
		inTeam = append(inTeam, option{Value: helpdesk.AssigneeMe, Label: v.T("filter.my_teams")})
	}
	for _, team := range teams {
		inTeam = append(inTeam, option{Value: team.ID, Label: team.Name})
	}
	add("team", p.query.Teams, inTeam...)
	if err := s.valueGroups(ctx, v, p, add); err != nil {
		return nil, err
	}
	return groups, nil
}

// valueGroups are the filters whose values tickets have: tags, languages, what
// the model says, priorities.
func (s *Server) valueGroups(ctx context.Context, v *visit, p place, add func(string, []string, ...option)) error {
	tags, err := s.desk.Tags(ctx, v.actor())
	if err != nil {
		return err
	}
	languages, err := s.desk.Languages(ctx, v.actor())
	if err != nil {
		return err
	}
	var tagged, written, rated, urgent []option
	for _, tag := range tags {
		tagged = append(tagged, option{Value: tag, Label: "#" + tag})
	}
	for _, code := range languages {
		label := code
		if v.Has("language." + code) {
			label = v.T("language." + code)
		}
		written = append(written, option{Value: code, Label: label})
	}
	rated = []option{{Value: "needs_attention", Label: v.T("analysis.reply_type.needs_attention")},
		{Value: "high_value", Label: v.T("analysis.reply_type.high_value")}, {Value: "standard", Label: v.T("filter.standard")}}
	var chosen []string
	for _, priority := range helpdesk.Priorities {
		urgent = append(urgent, option{Value: priority.Name(), Label: v.T("priority." + priority.Name())})
		if slices.Contains(p.query.Priorities, priority) {
			chosen = append(chosen, priority.Name())
		}
	}
	add("tag", p.query.Tags, tagged...)
	add("language", p.query.Languages, written...)
	add("type", p.query.ReplyTypes, rated...)
	add("priority", chosen, urgent...)
	return nil
}

// brandsOf are the brands that aliases speak for, sorted.
func brandsOf(aliases []helpdesk.Alias) (names []string) {
	for _, a := range aliases {
		if a.Brand != "" && !slices.Contains(names, a.Brand) {
			names = append(names, a.Brand)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// countFragment says how many tickets a choice of filters would find.
func (s *Server) countFragment(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p, err := parsePlace(c)
	if err != nil {
		return err
	}
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return err
	}
	p.query.Only = preference.Only
	if s.searches(p.query.TicketQuery) { // the number is the search's to say
		return c.String(http.StatusOK, v.T("filter.apply"))
	}
	n, err := s.desk.CountTickets(ctx, v.actor(), p.query.TicketQuery)
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, v.N("filter.show", n, cappedNumber(v, n)))
}

// maxShownCount is where counts say "or more".
const maxShownCount = 1000

func cappedNumber(v *visit, n int) string {
	if n >= maxShownCount {
		return v.Number(n) + "+"
	}
	return v.Number(n)
}
