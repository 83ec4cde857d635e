package ui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// place is where in the inbox somebody is: a view, its filters, a ticket.
type place struct {
	query  helpdesk.TicketQuery
	number uint64
	draft  string // the draft to go on with, "" for the newest
}

// parsePlace reads the place from the request's own address.
func parsePlace(c echo.Context) (place, error) {
	p := place{query: helpdesk.TicketQuery{View: helpdesk.View(c.Param("view"))}}
	if !knownView(p.query.View) {
		return p, echo.ErrNotFound
	}
	p.filter(c.QueryParams())
	p.query.After, p.draft = c.QueryParam("after"), c.QueryParam("draft")
	if n := c.Param("number"); n != "" {
		number, err := strconv.ParseUint(n, 10, 64)
		if err != nil {
			return p, echo.ErrNotFound
		}
		p.number = number
	}
	return p, nil
}

// placeOfPath reads the place from the address of an inbox page, such as a
// form brings along; anything else is among the open tickets.
func placeOfPath(path string, number uint64) place {
	p := place{query: helpdesk.TicketQuery{View: "open"}, number: number}
	u, err := url.Parse(path)
	if err != nil {
		return p
	}
	rest, ok := strings.CutPrefix(u.Path, "/inbox/")
	view, _, _ := strings.Cut(rest, "/")
	if ok && knownView(helpdesk.View(view)) {
		p.query.View = helpdesk.View(view)
		p.filter(u.Query())
	}
	return p
}

func (p *place) filter(values url.Values) {
	p.query.Pipeline, p.query.Alias, p.query.Assignee, p.query.Team = values.Get("pipeline"), values.Get("alias"), values.Get("assignee"), values.Get("team")
	p.query.Tag, p.query.Text = values.Get("tag"), values.Get("q")
	if priority, ok := helpdesk.ParsePriority(values.Get("priority")); ok {
		p.query.Priority = &priority
	}
}

func (p place) filters() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"pipeline": p.query.Pipeline, "alias": p.query.Alias, "assignee": p.query.Assignee,
		"tag": p.query.Tag, "q": p.query.Text} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if p.query.Priority != nil {
		values.Set("priority", p.query.Priority.Name())
	}
	return values
}

// address is the place's own, of its list where number is 0. More parameters
// may be set in pairs; an empty value removes one.
func (p place) address(number uint64, pairs ...string) string {
	path := "/inbox/" + string(p.query.View)
	if number > 0 {
		path += "/" + strconv.FormatUint(number, 10)
	}
	values := p.filters()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			values.Del(pairs[i])
			continue
		}
		values.Set(pairs[i], pairs[i+1])
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// current is the navigation's entry that the place belongs to.
func (p place) current() string {
	if p.query.Pipeline != "" {
		return "pipeline:" + p.query.Pipeline
	}
	return string(p.query.View)
}

// findTicket leads a bare ticket number to the view that it is in.
func (s *Server) findTicket(c echo.Context) error {
	number := ticketNumber(c)
	row, err := s.desk.TicketRow(c.Request().Context(), visitOf(c).actor(), number)
	if err != nil {
		return err
	}
	p := place{query: helpdesk.TicketQuery{View: "open"}}
	if !row.Ticket.Open {
		p.query.View = "closed"
	}
	address := p.address(number)
	if sent := c.QueryParam("sent"); sent != "" {
		address = p.address(number, "sent", sent)
	}
	if draft := c.QueryParam("draft"); draft != "" {
		address = p.address(number, "draft", draft)
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// people are the users by id, for names and menus.
func (s *Server) people(ctx context.Context, v *visit) (map[string]helpdesk.User, []helpdesk.User, error) {
	users, err := s.desk.Users(ctx, v.actor())
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]helpdesk.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	return byID, users, nil
}
