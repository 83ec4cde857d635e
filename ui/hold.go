package ui

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) holdRoutes(g *echo.Group) {
	g.POST("/tickets/:number/snooze", s.snooze)
	g.POST("/tickets/:number/wake", s.wake)
	g.POST("/tickets/:number/follow", s.follow)
}

// untilReply is the choice to rest until the customer writes.
const untilReply = "reply"

// holdView is the choice of how long a ticket rests, and what is said of one
// that does.
type holdView struct {
	Choices  []holdChoice
	Earliest string // of an own time, as browsers write it
	Text     string // "on hold until …", "" for a ticket that is awake
	Note     string
}

type holdChoice struct {
	Value string
	Label string
	Time  moment
}

// morning is when a day's work begins, for "tomorrow" and "Monday".
const morning = 9

// newHold offers times in the reader's zone.
func newHold(p locale.Printer, sn *helpdesk.Snooze) holdView {
	now := p.Now.In(p.Zone)
	at := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, morning, 0, 0, 0, p.Zone)
	}
	hour := time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), 0, 0, 0, p.Zone)
	untilMonday := (7+int(time.Monday-now.Weekday())-1)%7 + 1 // 1 to 7
	view := holdView{Earliest: now.Format(dateTimeField)}
	offer := func(label string, at time.Time) {
		view.Choices = append(view.Choices, holdChoice{isoTime(at), label, longMoment(p, at)})
	}
	offer(p.T("hold.later"), hour.Add(3*time.Hour))
	offer(p.T("hold.tomorrow"), at(1))
	if untilMonday > 1 {
		offer(p.T("hold.monday"), at(untilMonday))
	}
	offer(p.T("hold.week"), at(7))
	view.Choices = append(view.Choices, holdChoice{Value: untilReply, Label: p.T("hold.reply")})
	if sn != nil {
		view.Note, view.Text = sn.Note, p.T("hold.until_reply")
		if !sn.Until.IsZero() {
			view.Text = p.T("hold.until", p.Long(sn.Until))
		}
	}
	return view
}

// snooze puts a ticket on hold until the chosen time, or one's own.
func (s *Server) snooze(c echo.Context) error {
	v, number := visitOf(c), ticketNumber(c)
	until, err := restUntil(v, c.FormValue("until"), c.FormValue("own"))
	if err != nil {
		return err
	}
	if _, err := s.desk.Snooze(c.Request().Context(), v.actor(), number, until, c.FormValue("note")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfPath(backTo(c, number), number).address(number, "held", "1"))
}

// restUntil reads until when a ticket rests from a choice of newHold, or from
// one's own time; zero is until the customer writes.
func restUntil(v *visit, choice, own string) (until time.Time, err error) {
	switch {
	case choice == untilReply:
	case choice == "own":
		if until, err = typedComing(v, own); err != nil {
			return until, invalid("own", "error.time_unreadable", "cannot read the time \""+own+"\": write it like 2026-11-18T15:04", own)
		}
	default:
		if until, err = time.Parse(time.RFC3339, choice); err != nil {
			return until, invalid("until", "error.time_unreadable", "cannot read the time \""+choice+"\": write it like 2026-11-18T15:04:00+09:00", choice)
		}
	}
	return until, nil
}

func (s *Server) wake(c echo.Context) error {
	number := ticketNumber(c)
	if _, err := s.desk.Wake(c.Request().Context(), visitOf(c).actor(), number); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

func (s *Server) follow(c echo.Context) error {
	number := ticketNumber(c)
	if _, err := s.desk.Follow(c.Request().Context(), visitOf(c).actor(), number, c.FormValue("on") != ""); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

// heldToast says that the ticket rests and offers to take that back.
func (v *visit) heldToast(t *ticketView) *toastView {
	if t.Hold.Text == "" {
		return nil
	}
	return &toastView{ID: "hold", Text: withTickets(t.Hold.Text), Action: "/tickets/" + strconv.FormatUint(t.Number, 10) + "/wake", Seconds: 10, Back: t.Path}
}

// priorityOptions offers the priorities, the most urgent first.
func priorityOptions(p locale.Printer, chosen helpdesk.Priority) (list []option) {
	for _, priority := range helpdesk.Priorities {
		list = append(list, option{priority.Name(), p.T("priority." + priority.Name()), priority == chosen})
	}
	return list
}
