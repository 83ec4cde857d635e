package ui

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TurnedAway is what the listener refused a host within the last day, and which of
// its limits hold for the host now.
type TurnedAway struct {
	Host               string
	Counts             map[helpdesk.RefusalReason]int
	Last               time.Time
	Slowed, Shut, Full bool
}

// limitsView shows whom the listener keeps out or puts off.
type limitsView struct {
	settingsPage
	Hosts       []turnedRow
	More        string
	Greylisting bool
	Counts      string
	Waiting     []waitingRow
	Allowed     []allowedRow
}

type turnedRow struct {
	Host, Why, Count string
	Last             moment
	Badge            *badge
}

type waitingRow struct {
	Network, Sender, Recipient, Text string
	Since                            moment
}

type allowedRow struct {
	Network, By string
	Since       moment
}

const turnedShown = 50

func (s *Server) limitsRoutes(g *echo.Group) {
	g.GET("/settings/limits", s.limitsPage)
	g.POST("/settings/limits", s.changeLimits)
}

func (s *Server) limitsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "limits", "")
	if err != nil {
		return err
	}
	view := limitsView{settingsPage: sp, Greylisting: s.policy.Load().Greylisting}
	state, err := s.desk.Greylisted(ctx, v.actor())
	if err != nil {
		return err
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	if s.options.TurnedAway != nil {
		hosts := s.options.TurnedAway()
		for _, h := range hosts[:min(len(hosts), turnedShown)] {
			view.Hosts = append(view.Hosts, v.turned(h))
		}
		if more := len(hosts) - turnedShown; more > 0 {
			view.More = v.N("limits.more", more, v.Number(more))
		}
	}
	view.Counts = v.T("limits.counts", v.Number(state.Waiting), v.Number(state.Passed))
	for _, e := range state.Entries {
		sender := e.Sender
		if sender == "" {
			sender = v.T("limits.bounce")
		}
		view.Waiting = append(view.Waiting, waitingRow{e.Network, sender, e.Recipient, v.T("limits.until", v.Long(e.From), v.Long(e.Until)), longMoment(v.Printer, e.First)})
	}
	for _, a := range state.Allowed {
		view.Allowed = append(view.Allowed, allowedRow{a.Network, people[a.By].Name, longMoment(v.Printer, a.At)})
	}
	return s.render(c, http.StatusOK, "settings-limits", view)
}

// turned says what a host was refused, the most frequent first, and what holds
// for it now.
func (v *visit) turned(h TurnedAway) turnedRow {
	row := turnedRow{Host: h.Host, Last: longMoment(v.Printer, h.Last)}
	var why []string
	sum := 0
	for _, reason := range slices.SortedFunc(maps.Keys(h.Counts), func(a, b helpdesk.RefusalReason) int { return h.Counts[b] - h.Counts[a] }) {
		why = append(why, v.T("limits.refused", v.T("ledger.reason."+string(reason)), v.Number(h.Counts[reason])))
		sum += h.Counts[reason]
	}
	row.Why, row.Count = strings.Join(why, v.T("field.comma")), v.Number(sum)
	switch h.holds() {
	case "shut":
		row.Badge = &badge{"bad", v.T("limits.shut")}
	case "full":
		row.Badge = &badge{"warn", v.T("limits.full")}
	case "slowed":
		row.Badge = &badge{"warn", v.T("limits.slowed")}
	}
	return row
}

// changeLimits lets a network pass the greylist, or takes that back.
func (s *Server) changeLimits(c echo.Context) error {
	ctx, actor, network := c.Request().Context(), visitOf(c).actor(), c.FormValue("network")
	change := s.desk.AllowGreylisted
	if c.FormValue("action") == "disallow" {
		change = s.desk.DisallowGreylisted
	}
	if err := change(ctx, actor, network); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/limits?saved=1")
}
