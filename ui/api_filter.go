package ui

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiFilter narrows a list of tickets, in the names of the API. A ticket fits
// when it fits every field that is there; of the values of one field it needs one.
type apiFilter struct {
	Pipelines  []string `json:"pipeline,omitempty"`
	Stages     []string `json:"stage,omitempty"`
	Aliases    []string `json:"alias,omitempty"`    // addresses
	Brands     []string `json:"brand,omitempty"`    // names
	Assignees  []string `json:"assignee,omitempty"` // addresses of users, "me" or "none"
	Teams      []string `json:"team,omitempty"`     // names, or "me"
	Tags       []string `json:"tag,omitempty"`
	Languages  []string `json:"language,omitempty"`
	ReplyTypes []string `json:"reply_type,omitempty"`
	Priorities []string `json:"priority,omitempty"`
	Waiting    bool     `json:"waiting,omitempty"`
	Unread     bool     `json:"unread,omitempty"`
}

// fields are the lists of a filter by their names.
func (f *apiFilter) fields() map[string]*[]string {
	return map[string]*[]string{"pipeline": &f.Pipelines, "stage": &f.Stages, "alias": &f.Aliases, "brand": &f.Brands, "assignee": &f.Assignees,
		"team": &f.Teams, "tag": &f.Tags, "language": &f.Languages, "reply_type": &f.ReplyTypes, "priority": &f.Priorities}
}

// filterOf reads a filter from a query, in which a field may come several times.
func filterOf(values url.Values) (f apiFilter, err error) {
	for name, into := range f.fields() {
		*into = values[name]
	}
	for name, into := range map[string]*bool{"waiting": &f.Waiting, "unread": &f.Unread} {
		switch value := values.Get(name); value {
		case "", "false":
		case "true":
			*into = true
		default:
			return f, invalid(name, "", fmt.Sprintf("%s=%q is not true or false", name, value))
		}
	}
	return f, nil
}

// directory translates between names, which programs know, and ids.
type directory struct {
	users     roster
	pipelines []helpdesk.Pipeline
	teams     []helpdesk.Team
}

func (s *Server) directory(ctx context.Context, a helpdesk.Actor) (d directory, err error) {
	if d.users, err = s.roster(ctx, a); err != nil {
		return d, err
	}
	if d.pipelines, err = s.desk.Pipelines(ctx, a); err != nil {
		return d, err
	}
	d.teams, err = s.desk.Teams(ctx, a)
	return d, err
}

// read turns names into ids; one that nothing has is refused.
func (d directory) read(f apiFilter) (out helpdesk.Filter, err error) {
	out = helpdesk.Filter{Aliases: f.Aliases, Brands: f.Brands, Tags: f.Tags, Languages: f.Languages, ReplyTypes: f.ReplyTypes, Waiting: f.Waiting, Unread: f.Unread}
	for _, each := range []struct {
		field string
		names []string
		into  *[]string
		ids   func(string) []string
	}{{"pipeline", f.Pipelines, &out.Pipelines, d.pipeline}, {"stage", f.Stages, &out.Stages, d.stage},
		{"assignee", f.Assignees, &out.Assignees, d.user}, {"team", f.Teams, &out.Teams, d.team}} {
		for _, name := range each.names {
			ids := each.ids(name)
			if len(ids) == 0 {
				return out, invalid(each.field, "", fmt.Sprintf("there is no %s %q", each.field, name))
			}
			*each.into = append(*each.into, ids...)
		}
	}
	for _, name := range f.Priorities {
		p, ok := helpdesk.ParsePriority(name)
		if !ok {
			return out, invalid("priority", "", fmt.Sprintf("priority %q is not one of urgent, high, normal, low", name))
		}
		out.Priorities = append(out.Priorities, p)
	}
	return out, nil
}

func (d directory) pipeline(name string) (ids []string) {
	for _, p := range d.pipelines {
		if strings.EqualFold(p.Name, name) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (d directory) stage(name string) (ids []string) {
	for _, p := range d.pipelines {
		for _, stage := range p.Stages {
			if stage.Name == name {
				ids = append(ids, stage.ID)
			}
		}
	}
	return ids
}

func (d directory) user(email string) []string {
	if email == helpdesk.AssigneeMe || email == helpdesk.AssigneeNone {
		return []string{email}
	}
	for id, u := range d.users {
		if strings.EqualFold(u.Email, email) {
			return []string{id}
		}
	}
	return nil
}

func (d directory) team(name string) []string {
	if name == helpdesk.AssigneeMe {
		return []string{name}
	}
	for _, t := range d.teams {
		if strings.EqualFold(t.Name, name) {
			return []string{t.ID}
		}
	}
	return nil
}

// write turns ids into names; what is gone is left out.
func (d directory) write(f helpdesk.Filter) apiFilter {
	out := apiFilter{Aliases: f.Aliases, Brands: f.Brands, Tags: f.Tags, Languages: f.Languages, ReplyTypes: f.ReplyTypes, Waiting: f.Waiting, Unread: f.Unread}
	for _, p := range d.pipelines {
		if slices.Contains(f.Pipelines, p.ID) {
			out.Pipelines = append(out.Pipelines, p.Name)
		}
		for _, stage := range p.Stages {
			if slices.Contains(f.Stages, stage.ID) && !slices.Contains(out.Stages, stage.Name) {
				out.Stages = append(out.Stages, stage.Name)
			}
		}
	}
	for _, id := range f.Assignees {
		if u := d.users[id]; u != nil {
			id = u.Email
		} else if id != helpdesk.AssigneeMe && id != helpdesk.AssigneeNone {
			continue
		}
		out.Assignees = append(out.Assignees, id)
	}
	if slices.Contains(f.Teams, helpdesk.AssigneeMe) {
		out.Teams = []string{helpdesk.AssigneeMe}
	}
	out.Teams = append(out.Teams, d.teamNames(f.Teams)...)
	for _, p := range f.Priorities {
		out.Priorities = append(out.Priorities, p.Name())
	}
	return out
}

func (d directory) teamNames(ids []string) (names []string) {
	for _, t := range d.teams {
		if slices.Contains(ids, t.ID) {
			names = append(names, t.Name)
		}
	}
	return names
}

// ticketQuery reads which tickets a request asks for. A view may be a saved one,
// by its id; then what the request names takes the place of the view's own.
func (s *Server) ticketQuery(c echo.Context, a helpdesk.Actor) (q helpdesk.TicketQuery, err error) {
	values := c.QueryParams()
	given, err := filterOf(values)
	if err != nil {
		return q, err
	}
	ctx := c.Request().Context()
	d, err := s.directory(ctx, a)
	if err != nil {
		return q, err
	}
	view := helpdesk.View(values.Get("view"))
	if view != "" && !slices.Contains(helpdesk.Views, view) {
		v, err := s.desk.SavedView(ctx, a, string(view))
		if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
			return q, invalid("view", "", fmt.Sprintf("view %q is neither one of %v nor the id of a saved view", view, helpdesk.Views))
		}
		if err != nil {
			return q, err
		}
		q = v.Query() // by its ids: a name may be another stage's too, or gone
	} else {
		q.View = view
	}
	asked, err := d.read(given)
	if err != nil {
		return q, err
	}
	q.Filter = replaced(q.Filter, asked)
	if values.Has("q") {
		q.Text = values.Get("q")
	}
	if sort := helpdesk.Sort(values.Get("sort")); sort != "" {
		if !slices.Contains(helpdesk.Sorts, sort) {
			return q, invalid("sort", "", fmt.Sprintf("sort %q is not one of %v", sort, helpdesk.Sorts))
		}
		q.Sort = sort
	}
	return q, nil
}

// replaced is a filter in which the lists that another names take the place of its
// own.
func replaced(f, by helpdesk.Filter) helpdesk.Filter {
	for _, list := range []struct{ mine, other *[]string }{{&f.Pipelines, &by.Pipelines}, {&f.Stages, &by.Stages}, {&f.Aliases, &by.Aliases},
		{&f.Brands, &by.Brands}, {&f.Assignees, &by.Assignees}, {&f.Teams, &by.Teams}, {&f.Tags, &by.Tags}, {&f.Languages, &by.Languages},
		{&f.ReplyTypes, &by.ReplyTypes}} {
		if len(*list.other) > 0 {
			*list.mine = *list.other
		}
	}
	if len(by.Priorities) > 0 {
		f.Priorities = by.Priorities
	}
	f.Waiting, f.Unread = f.Waiting || by.Waiting, f.Unread || by.Unread
	return f
}
