package ui

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type dueListView struct {
	settingsPage
	House     dueRow
	Pipelines []dueRow
	Aliases   []dueRow
}

// dueRow is a scope of due times and what holds there.
type dueRow struct {
	Scope, URL, Name, State string
	Own                     bool
}

func (s *Server) duePage(c echo.Context) error {
	sp, err := s.newSettingsPage(c, "due", "")
	if err != nil {
		return err
	}
	scopes, err := s.dueScopes(c.Request().Context(), sp.visit)
	if err != nil {
		return err
	}
	view := dueListView{settingsPage: sp, House: scopes[0]}
	for _, row := range scopes[1:] {
		if strings.HasPrefix(row.Scope, "pipeline:") {
			view.Pipelines = append(view.Pipelines, row)
		} else {
			view.Aliases = append(view.Aliases, row)
		}
	}
	return s.render(c, http.StatusOK, "settings-due", view)
}

// dueScopes lists everything that due times can be set for, the house first.
func (s *Server) dueScopes(ctx context.Context, v *visit) ([]dueRow, error) {
	policies, err := s.duePolicies(ctx, v)
	if err != nil {
		return nil, err
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	row := func(scope, name string) dueRow {
		p, own := policies[scope]
		return dueRow{Scope: scope, URL: "/settings/due/" + scope, Name: name, State: v.dueState(scope, p), Own: own}
	}
	list := []dueRow{row(helpdesk.HouseScope, v.T("duetimes.house"))}
	for _, p := range pipelines {
		list = append(list, row(helpdesk.PipelineScope(p.ID), p.Name))
	}
	for _, a := range aliases {
		if !a.Disabled {
			list = append(list, row(helpdesk.AliasScope(a.ID), a.Address))
		}
	}
	return list, nil
}

func (s *Server) duePolicies(ctx context.Context, v *visit) (map[string]helpdesk.DuePolicy, error) {
	list, err := s.desk.DuePolicies(ctx, v.actor())
	policies := map[string]helpdesk.DuePolicy{}
	for _, p := range list {
		policies[p.Scope] = p
	}
	return policies, err
}

// dueState says on one line what a scope's policy says.
func (v *visit) dueState(scope string, p helpdesk.DuePolicy) string {
	normal := p.Times[helpdesk.PriorityNormal]
	switch {
	case p.Never:
		return v.T("duetimes.never")
	case len(p.Times) == 0 && scope == helpdesk.HouseScope:
		return v.T("duetimes.none")
	case len(p.Times) == 0:
		return v.T("duetimes.inherit")
	case normal == helpdesk.DueTimes{}:
		return v.T("duetimes.some")
	}
	var parts []string
	for _, t := range []struct {
		key  string
		time time.Duration
	}{{"duetimes.says.first", normal.First}, {"duetimes.says.next", normal.Next}, {"duetimes.says.resolution", normal.Resolution}} {
		if t.time > 0 {
			parts = append(parts, v.T(t.key, hoursText(t.time)))
		}
	}
	return strings.Join(parts, v.T("list.comma"))
}

type duePolicyView struct {
	settingsPage
	House     bool
	Mode      string // "own", "inherit" or "never"
	Calendars []option
	Rows      []dueTimesRow
	Attention []option
	Value     []option
}

// dueTimesRow is a priority's line of the form, in hours.
type dueTimesRow struct {
	Name, Label, First, Next, Resolution string
}

func (s *Server) duePolicyPage(c echo.Context) error {
	policies, err := s.duePolicies(c.Request().Context(), visitOf(c))
	if err != nil {
		return err
	}
	policy := policies[c.Param("scope")]
	view, err := s.newDuePolicyView(c, policy)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-due-policy", view)
}

func (s *Server) newDuePolicyView(c echo.Context, p helpdesk.DuePolicy) (duePolicyView, error) {
	ctx, v, scope := c.Request().Context(), visitOf(c), c.Param("scope")
	scopes, err := s.dueScopes(ctx, v)
	if err != nil {
		return duePolicyView{}, err
	}
	i := slices.IndexFunc(scopes, func(r dueRow) bool { return r.Scope == scope })
	if i < 0 {
		return duePolicyView{}, echo.ErrNotFound
	}
	sp, err := s.newSettingsPage(c, "due", scopes[i].Name)
	if err != nil {
		return duePolicyView{}, err
	}
	sp.seen(c, scope, p)
	view := duePolicyView{settingsPage: sp, House: scope == helpdesk.HouseScope, Mode: "inherit"}
	switch {
	case p.Never:
		view.Mode = "never"
	case len(p.Times) > 0:
		view.Mode = "own"
	case view.House:
		view.Mode = "never"
	}
	if view.Calendars, err = s.calendarOptions(ctx, v, p.CalendarID, map[bool]string{true: "", false: v.T("duetimes.inherit")}[view.House]); err != nil {
		return view, err
	}
	for _, priority := range helpdesk.Priorities {
		t := p.Times[priority]
		view.Rows = append(view.Rows, dueTimesRow{priority.Name(), v.T("priority." + priority.Name()), hoursText(t.First), hoursText(t.Next), hoursText(t.Resolution)})
	}
	view.Attention, view.Value = raiseOptions(v, p.NeedsAttention), raiseOptions(v, p.HighValue)
	return view, nil
}

// calendarOptions offers the calendars, and inherit ("" not to) for none.
func (s *Server) calendarOptions(ctx context.Context, v *visit, chosen, inherit string) (options []option, err error) {
	calendars, err := s.desk.Calendars(ctx, v.actor())
	if inherit != "" {
		options = append(options, option{"", inherit, chosen == ""})
	}
	for _, calendar := range calendars {
		options = append(options, option{calendar.ID, v.calendarName(calendar), calendar.ID == chosen})
	}
	return options, err
}

// raiseOptions offers the priorities that a reply type may raise a ticket to.
func raiseOptions(v *visit, chosen helpdesk.Priority) []option {
	options := []option{{"normal", v.T("duetimes.no_raise"), chosen == helpdesk.PriorityNormal}}
	for _, p := range []helpdesk.Priority{helpdesk.PriorityHigh, helpdesk.PriorityUrgent} {
		options = append(options, option{p.Name(), v.T("duetimes.at_least", v.T("priority."+p.Name())), p == chosen})
	}
	return options
}

func (s *Server) saveDuePolicy(c echo.Context) error {
	ctx, v, scope := c.Request().Context(), visitOf(c), c.Param("scope")
	p, err := formDuePolicy(c)
	if err == nil {
		if c.FormValue("mode") == "inherit" && p.CalendarID == "" {
			err = s.desk.DeleteDuePolicy(ctx, v.having(c), scope)
		} else {
			err = s.desk.SaveDuePolicy(ctx, v.having(c), p)
		}
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/due?saved=1")
	}
	view, failed := s.newDuePolicyView(c, p)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	view.Mode = c.FormValue("mode")
	for i, row := range view.Rows { // as typed
		view.Rows[i].First, view.Rows[i].Next, view.Rows[i].Resolution = c.FormValue("first_"+row.Name), c.FormValue("next_"+row.Name), c.FormValue("resolution_"+row.Name)
	}
	return s.render(c, status, "settings-due-policy", view)
}

// formDuePolicy reads the form. What is not chosen by its mode is left out.
func formDuePolicy(c echo.Context) (p helpdesk.DuePolicy, err error) {
	p = helpdesk.DuePolicy{Scope: c.Param("scope"), CalendarID: c.FormValue("calendar"), Never: c.FormValue("mode") == "never"}
	if c.FormValue("mode") != "own" {
		return p, nil
	}
	p.NeedsAttention, _ = helpdesk.ParsePriority(c.FormValue("needs_attention"))
	p.HighValue, _ = helpdesk.ParsePriority(c.FormValue("high_value"))
	p.Times = map[helpdesk.Priority]helpdesk.DueTimes{}
	for _, priority := range helpdesk.Priorities {
		var t helpdesk.DueTimes
		for field, d := range map[string]*time.Duration{"first_": &t.First, "next_": &t.Next, "resolution_": &t.Resolution} {
			if *d, err = parseHours(c.FormValue(field + priority.Name())); err != nil {
				return p, err
			}
		}
		p.Times[priority] = t
	}
	return p, nil
}

// parseHours reads a number of hours: "4", "0.5"; nothing is none.
func parseHours(typed string) (time.Duration, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return 0, nil
	}
	h, err := strconv.ParseFloat(typed, 64)
	if err != nil || math.IsNaN(h) || math.Abs(h) > 1e6 {
		return 0, invalid("times", "error.due_unreadable", fmt.Sprintf("%q is no number of hours; write it like 4 or 0.5", typed), typed)
	}
	return time.Duration(h * float64(time.Hour)).Round(time.Minute), nil
}

// hoursText writes a length of time as parseHours reads it.
func hoursText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatFloat(math.Round(d.Hours()*100)/100, 'f', -1, 64)
}
