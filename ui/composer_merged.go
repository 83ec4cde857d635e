package ui

import (
	"github.com/labstack/echo/v4"
)

// whereMerged returns the ticket into which that of view was merged while
// somebody wrote on it, with the sentence that says so: what was written goes on
// there, since the other ticket has no composer any more.
func (s *Server) whereMerged(c echo.Context, view *ticketView, p place) (*ticketView, string, error) {
	v, was := visitOf(c), view.Number
	for view.MergedInto != 0 {
		p.number, p.folding = view.MergedInto, folding{}
		var err error
		if view, err = s.ticket(c.Request().Context(), v, p); err != nil {
			return nil, "", err
		}
	}
	c.Response().Header().Set("HX-Replace-Url", p.address(view.Number))
	switch c.FormValue("mode") {
	case "note", "log":
		return view, v.T("merged.note_stopped", was, view.Number), nil
	}
	return view, v.T("merged.reply_stopped", was, view.Number), nil
}
