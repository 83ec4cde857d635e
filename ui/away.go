package ui

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) awayRoutes(g *echo.Group) {
	g.POST("/away", s.setAway)
}

// awayView is what the profile's menu and page say of one's own absence.
type awayView struct {
	Now      bool
	Text     string // "away until …"
	Choices  []holdChoice
	Reason   string
	Mail     []option
	Deputies []option
}

// endOfDay is when a day's work ends, for "the rest of today".
const endOfDay = 18

// Choices of an absence's end that are no times.
const (
	untilBack = "back" // until one says so
	isBack    = "here" // one is back
	ownTime   = "own"
)

func (v *visit) newAway(u *helpdesk.User, users []helpdesk.User) awayView {
	now := v.Now.In(v.Zone)
	day := func(days, hour int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, hour, 0, 0, 0, v.Zone)
	}
	view := awayView{}
	offer := func(label string, at time.Time) {
		view.Choices = append(view.Choices, holdChoice{isoTime(at), v.T(label), longMoment(v.Printer, at)})
	}
	offer("away.hour", now.Add(time.Hour).Truncate(time.Minute))
	if now.Hour() < endOfDay {
		offer("away.today", day(0, endOfDay))
	}
	offer("away.tomorrow", day(1, morning))
	view.Choices = append(view.Choices, holdChoice{Value: untilBack, Label: v.T("away.until_back")})
	mail := helpdesk.AbsenceRelease
	deputy := ""
	if u.AwayAt(v.Now) {
		view.Now, view.Text, view.Reason = true, awayWords(v.Printer, u.Away), u.Away.Reason
		mail, deputy = u.Away.Mail, u.Away.Deputy
	}
	for _, m := range []helpdesk.AbsenceMail{helpdesk.AbsenceRelease, helpdesk.AbsenceDeputy, helpdesk.AbsenceKeep} {
		view.Mail = append(view.Mail, option{string(m), v.T("away.mail." + string(m)), m == mail})
	}
	view.Deputies = []option{{"", v.T("away.no_deputy"), deputy == ""}}
	for _, other := range users {
		if other.ID != u.ID && !other.Disabled {
			view.Deputies = append(view.Deputies, option{other.ID, v.nameAndAbsence(other), other.ID == deputy})
		}
	}
	return view
}

// awayWords says until when somebody is away.
func awayWords(p locale.Printer, a *helpdesk.Absence) string {
	if a == nil || a.Until.IsZero() {
		return p.T("unavailable.away")
	}
	return p.T("away.until", p.Long(a.Until))
}

// nameAndAbsence is a colleague's name in a menu.
func (v *visit) nameAndAbsence(u helpdesk.User) string {
	if !u.AwayAt(v.Now) {
		return u.Name
	}
	return v.T("away.named", u.Name, awayWords(v.Printer, u.Away))
}

// whereFrom is the page of ours that a form was sent from.
func whereFrom(c echo.Context) string {
	u, err := url.Parse(c.Request().Referer())
	if err != nil || u.Host != c.Request().Host || c.Request().Method != http.MethodPost {
		return "/inbox/open"
	}
	return localPath(u.RequestURI(), "/inbox/open")
}

// setAway says that the reader is away, or back.
func (s *Server) setAway(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	back := localPath(c.FormValue("back"), whereFrom(c))
	choice := c.FormValue("until")
	if choice == isBack {
		if _, err := s.desk.EndAway(ctx, v.actor(), v.User.ID); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, back)
	}
	absence := helpdesk.Absence{Reason: c.FormValue("reason"), Mail: helpdesk.AbsenceMail(c.FormValue("mail")), Deputy: c.FormValue("deputy")}
	var err error
	switch choice {
	case untilBack:
	case ownTime: // without one, until they are back
		if c.FormValue("own") == "" {
			break
		}
		if absence.Until, err = typedComing(v, c.FormValue("own")); err != nil {
			return invalid("own", "error.time_unreadable", "cannot read the time \""+c.FormValue("own")+"\": write it like 2026-11-18T15:04", c.FormValue("own"))
		}
	default:
		if absence.Until, err = time.Parse(time.RFC3339, choice); err != nil {
			return invalid("until", "error.time_unreadable", "cannot read the time \""+choice+"\": write it like 2026-11-18T15:04:00+09:00", choice)
		}
	}
	if _, err := s.desk.SetAway(ctx, v.actor(), v.User.ID, absence); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, back)
}
