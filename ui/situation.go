package ui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) situationRoutes(g *echo.Group) {
	g.GET("/situation", s.situationPage)
	g.POST("/situation/assign", s.situationAssign)
	g.POST("/situation/reassign", s.situationReassign)
}

// situationView is the page of who waits and who handles what.
type situationView struct {
	page
	At       moment
	Figures  []situationFigure
	Bands    []bandView
	Chart    string // the distribution in a sentence
	Longest  []waitView
	People   []personView
	Places   []placesView
	Others   []option // whom tickets can be given to: once for all rows
	Partial  string   // says that not all were looked at, "" where they were
	Moved    string   // what was just done
	NoneWait bool
}

// situationFigure is one number at the head, with the list behind it.
type situationFigure struct {
	Label, Value, Hint, URL, Tone string
}

// bandView is a bar of the chart, in units of its drawing.
type bandView struct {
	Label        string
	Count        int
	Y, Width     int
	TextX, TextY int
	Late         bool
}

type waitView struct {
	Number  uint64
	URL     string
	Name    string
	Subject string
	Work    string // working time waited
	Since   moment
	Due     *dueView
	People  []option
}

type personView struct {
	Avatar   avatar
	ID, Name string
	State    string // why they are given nothing by itself, "" where they are there
	Reason   string
	Open     string
	Waiting  int
	Overdue  int
	Longest  string
	Last     moment
	OpenURL  string
	Gives    bool // there is something to give to others
	Disabled bool
}

// placesView is one of the tables by pipeline or alias.
type placesView struct {
	Title string
	Rows  []placeView
}

type placeView struct {
	Name, URL string
	Waiting   int
	Overdue   int
	Longest   string
}

func (s *Server) situationPage(c echo.Context) error {
	view, err := s.situation(c)
	if err != nil {
		return err
	}
	if target(c.Request()) == "situation-body" {
		return s.render(c, http.StatusOK, "situation-body", view)
	}
	return s.render(c, http.StatusOK, "situation", view)
}

func (s *Server) situation(c echo.Context) (*situationView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	now, err := s.desk.Situation(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	p, err := s.newPage(ctx, v, v.T("situation.title"), "situation")
	if err != nil {
		return nil, err
	}
	view := &situationView{page: p, At: longMoment(v.Printer, v.Now), NoneWait: now.Waiting.Waiting == 0}
	if n, err := strconv.Atoi(c.QueryParam("moved")); err == nil {
		view.Moved = v.N("situation.moved", n)
	}
	if now.Partial {
		view.Partial = v.T("situation.partial", v.Number(now.Waiting.Waiting))
	}
	view.figures(v.Printer, now)
	view.bands(v.Printer, now)
	return view, s.fillSituation(ctx, v, view, now)
}

func (s *Server) fillSituation(ctx context.Context, v *visit, view *situationView, now *helpdesk.Situation) error {
	_, users, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	view.Others = v.takers(users, "")
	for _, w := range now.Longest {
		t := w.Row.Ticket
		view.Longest = append(view.Longest, waitView{Number: t.Number, URL: "/inbox/waiting/" + strconv.FormatUint(t.Number, 10), Name: contactName(w.Row.Contact),
			Subject: subjectOf(v.Printer, t.Subject), Work: worked(v.Printer, w.Work), Since: longMoment(v.Printer, t.WaitingSince), Due: newDue(v.Printer, t),
			People: v.takers(users, t.AssigneeID)})
	}
	for _, load := range now.People {
		u := load.User
		person := personView{Avatar: newAvatar(u.ID, u.Name), ID: u.ID, Name: u.Name, Open: upTo(v.Printer, load.Open, now.Capped), Waiting: load.Waiting,
			Overdue: load.Overdue, Last: shortMoment(v.Printer, load.LastReply), OpenURL: "/inbox/open?assignee=" + u.ID, Gives: load.Open > 0, Disabled: u.Disabled}
		if load.Waiting > 0 {
			person.Longest = minutes(v.Printer, load.Work)
		}
		if load.Unavailable != "" {
			person.State = v.T("unavailable." + string(load.Unavailable))
		}
		if load.Unavailable == helpdesk.UnavailableAway {
			person.State, person.Reason = awayWords(v.Printer, u.Away), u.Away.Reason
		}
		view.People = append(view.People, person)
	}
	view.Places = []placesView{
		v.placesOf(v.T("situation.by_team"), now.Teams, func(l helpdesk.LoadOf) string { return "/inbox/waiting?team=" + l.ID }),
		v.placesOf(v.T("situation.by_pipeline"), now.Pipelines, func(l helpdesk.LoadOf) string { return "/inbox/waiting?pipeline=" + l.ID }),
		v.placesOf(v.T("situation.by_alias"), now.Aliases, func(l helpdesk.LoadOf) string { return "/inbox/waiting?alias=" + url.QueryEscape(l.Name) }),
	}
	return nil
}

// figures are the numbers at the head, each leading to what it counts.
func (view *situationView) figures(p locale.Printer, now *helpdesk.Situation) {
	longest := situationFigure{Label: p.T("situation.longest"), Value: p.T("situation.none"), URL: "/inbox/waiting"}
	if len(now.Longest) > 0 {
		w := now.Longest[0]
		longest.Value, longest.URL = minutes(p, w.Work), "/inbox/waiting/"+strconv.FormatUint(w.Row.Ticket.Number, 10)
		longest.Hint = p.T("situation.longest_hint", p.Duration(p.Now.Sub(w.Row.Ticket.WaitingSince)))
	}
	waiting := upTo(p, now.Waiting.Waiting, 0)
	if now.Partial {
		waiting += "+"
	}
	overdue := situationFigure{Label: p.T("view.overdue"), Value: p.Number(now.Waiting.Overdue), URL: "/inbox/overdue?waiting=1", Hint: p.T("situation.overdue_hint")}
	if now.Waiting.Overdue > 0 {
		overdue.Tone = "bad"
	}
	unassigned := situationFigure{Label: p.T("situation.unassigned"), Value: p.Number(now.Unassigned.Waiting), URL: "/inbox/waiting?assignee=" + helpdesk.AssigneeNone, Hint: p.T("situation.unassigned_hint")}
	if now.Unassigned.Waiting > 0 {
		unassigned.Tone = "warn"
	}
	view.Figures = []situationFigure{
		{Label: p.T("situation.waiting"), Value: waiting, Hint: p.T("situation.open", upTo(p, now.Open, now.Capped)), URL: "/inbox/waiting"},
		longest, overdue, unassigned,
	}
}

// The drawing of the chart, in its own units.
const (
	bandHeight = 26
	bandLabel  = 124 // where the bars begin
	bandWidth  = 312 // of the longest bar
)

// bands draws how long people have waited.
func (view *situationView) bands(p locale.Printer, now *helpdesk.Situation) {
	most := 1
	for _, b := range now.Bands {
		most = max(most, b.Count)
	}
	for i, b := range now.Bands {
		label := p.T("situation.band.last", p.Duration(b.From))
		if i+1 < len(now.Bands) {
			label = p.T("situation.band.between", int(b.From/time.Hour), p.Duration(now.Bands[i+1].From))
		}
		if i == 0 {
			label = p.T("situation.band.first", p.Duration(now.Bands[1].From))
		}
		bar := bandView{Label: label, Count: b.Count, Y: i * bandHeight, Width: b.Count * bandWidth / most, Late: i >= len(now.Bands)-2}
		if b.Count > 0 {
			bar.Width = max(bar.Width, 3)
		}
		bar.TextX, bar.TextY = bandLabel+bar.Width+8, bar.Y+bandHeight/2+4
		view.Bands = append(view.Bands, bar)
	}
	view.Chart = p.T("situation.chart", p.Number(now.Waiting.Waiting), p.Number(now.Bands[0].Count), p.Number(now.Bands[len(now.Bands)-1].Count))
}

func (v *visit) placesOf(title string, list []helpdesk.LoadOf, address func(helpdesk.LoadOf) string) placesView {
	table := placesView{Title: title}
	for _, l := range list {
		table.Rows = append(table.Rows, placeView{Name: l.Name, URL: address(l), Waiting: l.Waiting, Overdue: l.Overdue, Longest: minutes(v.Printer, l.Work)})
	}
	return table
}

// worked says a wait in working time. Who wrote at night has waited for none.
func worked(p locale.Printer, d time.Duration) string {
	if d == 0 {
		return p.T("situation.outside")
	}
	return p.Duration(d)
}

// minutes says a wait as a figure: nobody asks for the seconds of one.
func minutes(p locale.Printer, d time.Duration) string {
	if d < time.Minute {
		return p.N("time.minutes", 0)
	}
	return p.Duration(d)
}

// upTo says a count that stops at capped; 0 is no limit.
func upTo(p locale.Printer, n, capped int) string {
	if capped > 0 && n >= capped {
		return p.Number(capped) + "+"
	}
	return p.Number(n)
}

// takers are those who can be given tickets, nobody first; who is away says so.
func (v *visit) takers(users []helpdesk.User, chosen string) []option {
	options := []option{{"", v.T("ticket.unassigned"), chosen == ""}}
	for _, u := range users {
		if !u.Disabled || u.ID == chosen {
			options = append(options, option{u.ID, v.nameAndAbsence(u), u.ID == chosen})
		}
	}
	return options
}

// situationAssign gives one ticket to somebody.
func (s *Server) situationAssign(c echo.Context) error {
	number, err := strconv.ParseUint(c.FormValue("number"), 10, 64)
	if err != nil {
		return echo.ErrNotFound
	}
	assignee := c.FormValue("assignee")
	if _, err := s.desk.Change(c.Request().Context(), visitOf(c).actor(), number, helpdesk.Change{Assignee: &assignee}); err != nil {
		return err
	}
	return s.afterReassigning(c, 1)
}

// situationReassign gives all tickets of one person to another. A form that does not
// say to whom, not even to nobody, was sent before its list was there, and is refused.
func (s *Server) situationReassign(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	from, to := form.Get("from"), form.Get("to")
	if !form.Has("to") {
		to = from
	}
	moved, err := s.desk.ReassignAll(c.Request().Context(), visitOf(c).actor(), from, to, form.Get("waiting") != "")
	if err != nil {
		return err
	}
	return s.afterReassigning(c, moved)
}

func (s *Server) afterReassigning(c echo.Context, moved int) error {
	return c.Redirect(http.StatusSeeOther, "/situation?moved="+strconv.Itoa(moved))
}
