package ui

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) topicRoutes(g *echo.Group) {
	g.GET("/topics", s.topicsPage)
	g.GET("/topics.csv", takenOut(s.topicsFile, helpdesk.PermitSupervise, helpdesk.PermitExport))
	g.GET("/topics/:id", s.topicPage)
	g.POST("/topics/again", s.topicsAgain)
}

// topicsView is the page of what the mails of a week are about.
type topicsView struct {
	page
	Soon   bool // a report is being made
	Report bool // there is one
	Week   string
	Lead   string // what was put together
	Basis  string // what was compared, when
	Note   string // what cannot be said yet, or what was left out; "" for nothing
	Topics []topicView
	Days   []string // the weekdays, in order
}

// topicView is one topic.
type topicView struct {
	URL, Name string
	Named     string // by whom
	Count     int
	Rising    bool
	Says      string // of the weeks before
	Chart     string // the days in a sentence
	Bars      []topicBar
	Days      []int
	Usual     string
}

// topicBar is a bar of the chart, in units of its drawing.
type topicBar struct {
	X, Y, Height, Middle int
	Count                int
	Day                  string
}

func (s *Server) topicsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	report, soon, err := s.desk.Topics(ctx, v.actor())
	if err != nil {
		return err
	}
	p, err := s.newPage(ctx, v, v.T("topics.title"), "topics")
	if err != nil {
		return err
	}
	view := &topicsView{page: p, Soon: soon, Report: report != nil}
	if report != nil {
		view.show(v, report)
	}
	return s.render(c, http.StatusOK, "topics", view)
}

func (view *topicsView) show(v *visit, r *helpdesk.TopicReport) {
	zone := houseZone(r)
	house := v.Printer // whose days they are, wherever the reader is
	house.Zone = zone
	noon := func(day int) time.Time { return r.From.In(zone).AddDate(0, 0, day).Add(12 * time.Hour) }
	view.Week = v.T("topics.week", house.Date(noon(0)), house.Date(noon(6)))
	view.Lead = v.N("topics.lead", len(r.Topics), r.Tickets, r.Tickets-r.Left)
	view.Basis = v.T("topics.by."+r.By, v.Long(r.MadeAt), r.Model)
	switch {
	case r.Weeks == 0:
		view.Note = v.T("topics.no_history")
	case r.Read < r.Mails:
		view.Note = v.T("topics.sampled", v.Number(r.Mails), v.Number(r.Read))
	}
	for d := range 7 {
		view.Days = append(view.Days, house.Weekday(noon(d)))
	}
	for _, t := range r.Topics {
		view.Topics = append(view.Topics, newTopicView(v.Printer, t, r.Weeks, view.Days))
	}
}

// houseZone is where the days of the report are those of the house.
func houseZone(r *helpdesk.TopicReport) *time.Location {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// The drawing of a topic's days, in its own units.
const (
	topicBarStep   = 26
	topicBarHeight = 36
)

func newTopicView(p locale.Printer, t helpdesk.Topic, weeks int, days []string) topicView {
	view := topicView{URL: "/topics/" + t.ID, Name: t.Name, Count: t.Count(), Rising: t.Rising, Days: t.Days, Usual: amount(t.Usual())}
	if view.Named = p.T("topics.named_by", t.NamedBy); t.NamedBy == "" {
		view.Named = p.T("topics.named_by_words")
	}
	switch {
	case weeks == 0:
	case t.Rising && t.Usual() == 0:
		view.Says = p.N("topics.says.new", weeks)
	case t.Rising && t.Chance < 0.001:
		view.Says = p.N("topics.says.rising_rare", weeks, view.Usual)
	case t.Rising:
		view.Says = p.N("topics.says.rising", weeks, view.Usual)
	case t.Usual() == 0:
		view.Says = p.N("topics.says.unknown", weeks)
	default:
		view.Says = p.N("topics.says.usual", weeks, view.Usual)
	}
	most, said := 1, make([]string, len(t.Days))
	for _, n := range t.Days {
		most = max(most, n)
	}
	for d, n := range t.Days {
		height := n * topicBarHeight / most
		view.Bars = append(view.Bars, topicBar{X: d * topicBarStep, Y: topicBarHeight - height, Height: height, Middle: d*topicBarStep + topicBarStep/2 - 2, Count: n, Day: days[d]})
		said[d] = fmt.Sprintf("%s %d", days[d], n)
	}
	view.Chart = p.T("topics.chart", strings.Join(said, p.T("writing.and")))
	return view
}

// amount is a mean as people say it: 4, 2.5.
func amount(mean float64) string {
	return strconv.FormatFloat(math.Round(mean*10)/10, 'f', -1, 64)
}

// topicPageView is one topic with its tickets.
type topicPageView struct {
	page
	Topic   topicView
	Tickets []pickerTicket
}

func (s *Server) topicPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	topic, rows, err := s.desk.TopicTickets(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	p, err := s.newPage(ctx, v, topic.Name, "topics")
	if err != nil {
		return err
	}
	view := &topicPageView{page: p, Topic: topicView{Name: topic.Name, Count: topic.Count(), Rising: topic.Rising}}
	for _, row := range rows {
		t := row.Ticket
		view.Tickets = append(view.Tickets, pickerTicket{t.Number, subjectOf(v.Printer, t.Subject), contactName(row.Contact), row.StageName, shortMoment(v.Printer, t.UpdatedAt)})
	}
	return s.render(c, http.StatusOK, "topic", view)
}

// topicsAgain has the report made now.
func (s *Server) topicsAgain(c echo.Context) error {
	if err := s.desk.RequestTopics(c.Request().Context(), visitOf(c).actor()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/topics")
}

// topicsFile is the newest report for a spreadsheet, a line a topic.
func (s *Server) topicsFile(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	report, _, err := s.desk.Topics(ctx, v.actor())
	if err != nil {
		return err
	}
	if err := s.desk.RecordExport(ctx, v.actor(), "topics"); err != nil {
		return err
	}
	heading := []string{"topic", "rising", "chance", "tickets", "weekly_before"}
	if report == nil {
		return newSheet(c, "topics.csv", heading...).end()
	}
	for d := range 7 {
		heading = append(heading, report.From.In(houseZone(report)).AddDate(0, 0, d).Format(time.DateOnly))
	}
	file := newSheet(c, "topics.csv", append(heading, "ticket_numbers")...)
	for _, t := range report.Topics {
		if err := file.add(topicLine(t)...); err != nil {
			return err
		}
	}
	return file.end()
}

func topicLine(t helpdesk.Topic) []string {
	line := []string{t.Name, strconv.FormatBool(t.Rising), strconv.FormatFloat(t.Chance, 'g', 3, 64), strconv.Itoa(t.Count()), amount(t.Usual())}
	for _, n := range t.Days {
		line = append(line, strconv.Itoa(n))
	}
	return append(line, numberList(t.Tickets))
}

// numberList writes numbers of tickets with a space between them.
func numberList(tickets []uint64) string {
	var texts []string
	for _, n := range tickets {
		texts = append(texts, strconv.FormatUint(n, 10))
	}
	return strings.Join(texts, " ")
}
