package ui

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// leave is where somebody goes who closes a ticket, found out before it is
// closed: afterwards it stands in another list. "" is to stay.
func (s *Server) leave(ctx context.Context, v *visit, p place) (where helpdesk.AfterClose, next uint64, err error) {
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil || preference.AfterClose == helpdesk.AfterCloseStay {
		return helpdesk.AfterCloseStay, 0, err
	}
	if preference.AfterClose == helpdesk.AfterCloseList {
		return helpdesk.AfterCloseList, 0, nil
	}
	p.query.Only, p.query.Limit = preference.Only, rowsAtMost
	found, err := s.tickets(ctx, v.actor(), p.query.TicketQuery, v.Zone)
	if err != nil {
		return "", 0, err
	}
	at := slices.IndexFunc(found.rows, func(r helpdesk.TicketRow) bool { return r.Ticket.Number == p.number })
	switch {
	case at >= 0 && at+1 < len(found.rows):
		next = found.rows[at+1].Ticket.Number
	case at > 0: // it was the last one
		next = found.rows[at-1].Ticket.Number
	}
	return helpdesk.AfterCloseNext, next, nil
}

// left leads from the closed ticket to the next one, or to the list, where what
// was done can be taken back: pairs say what.
func left(c echo.Context, p place, next uint64, pairs ...string) error {
	address := p.address(next, append(pairs, "closed", strconv.FormatUint(p.number, 10))...)
	if next == 0 && target(c.Request()) != "" { // a list is a page of its own
		c.Response().Header().Set("HX-Redirect", address)
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// leftToast offers to take back what was done on the ticket that was left: the
// reply, while it waits, else the closing.
func (s *Server) leftToast(c echo.Context, p place) (*toastView, error) {
	number, err := strconv.ParseUint(c.QueryParam("closed"), 10, 64)
	if err != nil {
		return nil, nil
	}
	v := visitOf(c)
	t, err := s.desk.TicketOutline(c.Request().Context(), v.actor(), number)
	if err != nil {
		return nil, err
	}
	if sent := c.QueryParam("sent"); sent != "" {
		return s.sentToast(v, t, sent, p.address(number)), nil
	}
	was, ok := t.Pipeline.Stage(c.QueryParam("was"))
	if !ok || t.Row.Ticket.Open {
		return nil, nil
	}
	return &toastView{ID: "closed", Text: withTickets(v.T("after_close.closed", linkTo(number))), Seconds: 10, Back: p.address(number, "returned", "1"),
		Action: "/tickets/" + strconv.FormatUint(number, 10) + "/change?stage=" + was.ID}, nil
}
