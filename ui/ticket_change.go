package ui

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// changeTicket sets the stage, the assignee or team, the tags or the priority.
func (s *Server) changeTicket(c echo.Context) error {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	var change helpdesk.Change
	if form.Has("stage") {
		stage := form.Get("stage")
		change.Stage = &stage
	}
	if form.Has("assignee") {
		assignee := form.Get("assignee")
		if team, ok := strings.CutPrefix(assignee, "team:"); ok {
			change.Team = &team
		} else {
			change.Assignee = &assignee
		}
	}
	if form.Has("priority") {
		priority, ok := helpdesk.ParsePriority(form.Get("priority"))
		if !ok {
			priority = helpdesk.Priority(form.Get("priority")) // refused with words
		}
		change.Priority = &priority
	}
	change.Tag = tagsOf(form.Get("tag"))
	if form.Has("untag") {
		change.Untag = []string{form.Get("untag")}
	}
	if form.Get("then") == "leave" && change.Stage != nil {
		return s.closeAndLeave(c, change)
	}
	if _, err := s.desk.Change(ctx, v.actor(), number, change); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

// closeAndLeave closes a ticket and shows what its reader wants to see then.
func (s *Server) closeAndLeave(c echo.Context, change helpdesk.Change) error {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	p := placeOfPath(backTo(c, number), number)
	row, err := s.desk.TicketRow(ctx, v.actor(), number)
	if err != nil {
		return err
	}
	where, next, err := s.leave(ctx, v, p)
	if err != nil {
		return err
	}
	changed, err := s.desk.Change(ctx, v.actor(), number, change)
	if err != nil {
		return err
	}
	if where == helpdesk.AfterCloseStay || changed.Open {
		return c.Redirect(http.StatusSeeOther, backTo(c, number))
	}
	return left(c, p, next, "was", row.Ticket.StageID)
}

// tagsOf are the tags that somebody typed; commas part several.
func tagsOf(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == '、' || r == '，' })
}

// markSeen records that the reader has the newest events before their eyes.
// The page asks for it; opening an address alone changes nothing.
func (s *Server) markSeen(c echo.Context) error {
	seq, err := strconv.ParseUint(c.FormValue("seq"), 10, 64)
	if err != nil {
		return invalid("seq", "error.bad_request", "seq must be the number of an event")
	}
	if err := s.desk.MarkSeen(c.Request().Context(), visitOf(c).actor(), ticketNumber(c), seq); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// markUnread lets the ticket be new again to the reader, who is led back to the
// list: a page that shows it would mark it as seen.
func (s *Server) markUnread(c echo.Context) error {
	number := ticketNumber(c)
	if err := s.desk.MarkUnread(c.Request().Context(), visitOf(c).actor(), number); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfPath(backTo(c, number), 0).address(0))
}
