package ui

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

func (s *Server) inboxRoutes(g *echo.Group) {
	g.GET("/", s.home)
	g.GET("/inbox", s.home)
	g.GET("/inbox/:view", s.inbox)
	g.GET("/inbox/:view/:number", s.inbox)
	g.GET("/tickets/:number", s.findTicket)
	g.GET("/navigation", s.navigationFragment)
}

// inboxPage is the daily screen.
type inboxPage struct {
	page
	List   listView
	Ticket *ticketView // nil while none is chosen
	Toast  *toastView
	Empty  string // what the conversation's place says while none is chosen
}

// inbox answers for the whole screen and for its parts: the rows of the list,
// more rows, or one ticket.
func (s *Server) inbox(c echo.Context) error {
	place, err := parsePlace(c)
	if err != nil {
		return err
	}
	switch target(c.Request()) {
	case "ticket":
		return s.ticketFragment(c, place)
	case "rows", "more":
		return s.rowsFragment(c, place)
	}
	ctx, v := c.Request().Context(), visitOf(c)
	data := inboxPage{Empty: v.T("ticket.none")}
	if data.List, err = s.list(ctx, v, place, c.QueryParam("limit")); err != nil {
		return err
	}
	if data.List.Bar, err = s.filters(ctx, v, place); err != nil {
		return err
	}
	if save := data.List.Bar.Save; save != nil && save.Name != "" {
		data.List.Title = save.Name
	}
	if data.page, err = s.newPage(ctx, v, data.List.Title, place.current()); err != nil {
		return err
	}
	data.Nav.Text = place.query.Text
	if place.query.Text == "" { // a search counts nothing: the number would be the view's
		data.List.Count, err = s.listCount(ctx, v, place, data.Nav)
		if err != nil {
			return err
		}
	}
	if place.number > 0 {
		if data.Ticket, err = s.ticket(ctx, v, place); err != nil {
			return err
		}
		data.Title = data.Ticket.Subject
		data.Toast = s.toast(c, data.Ticket)
	}
	if c.QueryParam("closed") != "" {
		if data.Toast, err = s.leftToast(c, place); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, "inbox", data)
}

// listCount is the number beside a list's title: the navigation's, or one of its
// own where filters narrow it.
func (s *Server) listCount(ctx context.Context, v *visit, p place, nav *navigation) (string, error) {
	changed := p.saved != "" && !slices.ContainsFunc(nav.Saved, func(i navItem) bool { return i.Current && i.URL == p.address(0) })
	if p.current() != "" && !changed {
		return nav.count(), nil
	}
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return "", err
	}
	q := p.query.TicketQuery
	q.Only = preference.Only
	n, err := s.desk.CountTickets(ctx, v.actor(), q)
	return cappedNumber(v, n), err
}

func (s *Server) rowsFragment(c echo.Context, place place) error {
	ctx, v := c.Request().Context(), visitOf(c)
	list, err := s.list(ctx, v, place, c.QueryParam("limit"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "rows", list)
}

func (s *Server) navigationFragment(c echo.Context) error {
	nav, err := s.navigation(c.Request().Context(), visitOf(c), c.QueryParam("current"))
	if err != nil {
		return err
	}
	nav.Text = c.QueryParam("q")
	return s.render(c, http.StatusOK, "navigation", nav)
}
