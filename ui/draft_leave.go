package ui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) leavingRoutes(g *echo.Group) {
	g.POST("/drafts/:id/recall", s.recallDraft)
	g.POST("/drafts/:id/send", s.sendDraft)
	g.POST("/drafts/:id/approve", s.approveDraft)
	g.POST("/drafts/:id/refuse", s.sendBackDraft)
}

// sendLater are the times that the composer offers: when the house works next,
// tomorrow morning, and Monday's.
func (s *Server) sendLater(ctx context.Context, v *visit) ([]option, error) {
	p := v.Printer
	now := p.Now.In(p.Zone)
	schedule, err := s.desk.Schedule(ctx, v.actor(), helpdesk.StandardCalendar)
	if err != nil {
		return nil, err
	}
	var list []option
	if next := schedule.Next(p.Now); next.After(p.Now) { // while it works, that is now
		next = next.In(p.Zone)
		list = append(list, option{Value: next.Format(dateTimeField), Label: p.T("draft.working", p.Long(next))})
	}
	at := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, morning, 0, 0, 0, p.Zone)
	}
	monday := (8 - int(now.Weekday())) % 7
	if monday == 0 {
		monday = 7
	}
	add := func(o option) {
		if !slices.ContainsFunc(list, func(known option) bool { return known.Value == o.Value }) {
			list = append(list, o)
		}
	}
	add(option{Value: at(1).Format(dateTimeField), Label: locale.Capital(p.Long(at(1)))})
	if monday != 1 {
		add(option{Value: at(monday).Format(dateTimeField), Label: p.T("draft.monday", p.Long(at(monday)))})
	}
	return list, nil
}

// sendingOf reads when a composer's reply is to leave: "then" is a time, or
// "later" for the one in the field beside it.
func sendingOf(c echo.Context) (helpdesk.Sending, error) {
	sending := helpdesk.Sending{Regardless: c.FormValue("regardless") != ""}
	typed := c.FormValue("then")
	switch typed {
	case "", "close":
		return sending, nil
	case "later":
		typed = c.FormValue("send_at")
	}
	at, err := typedComing(visitOf(c), typed)
	if err != nil {
		return sending, invalid("at", "error.send_time", "choose the time to send at")
	}
	sending.At = at
	return sending, nil
}

// recallDraft gives a draft that was to leave back to its author, and opens it
// for them.
func (s *Server) recallDraft(c echo.Context) error {
	v := visitOf(c)
	d, err := s.desk.RecallDraft(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	s.presence.draftChanged(d.Ticket)
	back := backToDraft(c, d)
	if d.UserID == v.User.ID {
		back = withQuery(back, "draft", d.ID)
	}
	return c.Redirect(http.StatusSeeOther, back)
}

func (s *Server) sendDraft(c echo.Context) error {
	m, err := s.desk.SendNow(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.leftDraft(c, m.Ticket, helpdesk.Sent{Message: m})
}

// approveDraft lets a colleague's reply leave as it is.
func (s *Server) approveDraft(c echo.Context) error {
	seen, err := strconv.ParseUint(c.FormValue("seen"), 10, 64)
	if err != nil {
		return invalid("seen", "error.bad_request", "seen must be the number of an event")
	}
	sent, err := s.desk.Approve(c.Request().Context(), visitOf(c).actor(), c.Param("id"), seen, nil)
	if err != nil {
		return err
	}
	number := uint64(0)
	if sent.Message != nil {
		number = sent.Message.Ticket
	} else {
		number = sent.Draft.Ticket
	}
	return s.leftDraft(c, number, sent)
}

// leftDraft goes back to the ticket, which offers to take back what was sent; of a
// new mail to the ticket that it began.
func (s *Server) leftDraft(c echo.Context, ticket uint64, sent helpdesk.Sent) error {
	switch {
	case sent.Message != nil && sent.Message.Reason == helpdesk.ReasonBegun:
		s.presence.draftChanged(0)
		return leave(c, withQuery("/tickets/"+strconv.FormatUint(sent.Message.Ticket, 10), "sent", sent.Message.ID))
	case sent.Draft != nil && sent.Draft.Kind == helpdesk.DraftMail:
		s.presence.draftChanged(0)
		return c.Redirect(http.StatusSeeOther, openingPath)
	}
	s.written(c, ticket)
	back := backTo(c, ticket)
	if sent.Message != nil {
		back = withQuery(back, "sent", sent.Message.ID)
	}
	return c.Redirect(http.StatusSeeOther, back)
}

func (s *Server) sendBackDraft(c echo.Context) error {
	d, err := s.desk.SendBack(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.FormValue("comment"))
	if err != nil {
		return err
	}
	s.presence.draftChanged(d.Ticket)
	return c.Redirect(http.StatusSeeOther, backToDraft(c, d))
}
