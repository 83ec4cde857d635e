package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// place is where in the inbox somebody is: a view, its filters, a ticket.
type place struct {
	query  listQuery
	number uint64
	draft  string // the draft to go on with, "" for the newest
	answer string // the element of the message that is answered, "" for the customer's newest
	saved  string // id of the saved view that it began as, or ""
	// folding is what of the ticket's conversation is shown.
	folding folding
}

// parsePlace reads the place from the request's own address.
func parsePlace(c echo.Context) (place, error) {
	p := place{query: inView(helpdesk.View(c.Param("view")))}
	if !knownView(p.query.View) {
		return p, echo.ErrNotFound
	}
	p.filter(c.QueryParams())
	p.query.After, p.draft = c.QueryParam("after"), c.QueryParam("draft")
	p.answer = c.QueryParam("answer")
	if n := c.Param("number"); n != "" {
		number, err := strconv.ParseUint(n, 10, 64)
		if err != nil {
			return p, echo.ErrNotFound
		}
		p.number, p.folding = number, foldingOf(c, number)
	}
	return p, nil
}

// placeOfPath reads the place from the address of an inbox page, such as a
// form brings along; anything else is among the open tickets.
func placeOfPath(path string, number uint64) place {
	p := place{query: inView(helpdesk.ViewOpen), number: number}
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

// filter reads the filters, the order and the saved view from a query.
func (p *place) filter(values url.Values) {
	q := &p.query
	for name, into := range q.fields() {
		*into = values[name]
	}
	q.Priorities = nil
	for _, name := range values["priority"] {
		if priority, ok := helpdesk.ParsePriority(name); ok {
			q.Priorities = append(q.Priorities, priority)
		}
	}
	q.Waiting, q.Unread = values.Get("waiting") != "", values.Get("unread") != ""
	q.Text = values.Get("q")
	if sort := helpdesk.Sort(values.Get("sort")); slices.Contains(helpdesk.Sorts, sort) && (sort != helpdesk.SortNewest || q.Text != "") {
		q.Sort = sort
	}
	p.saved = values.Get("saved")
}

func inView(v helpdesk.View) listQuery { return listQuery{helpdesk.TicketQuery{View: v}} }

// listQuery is a query as addresses write it.
type listQuery struct{ helpdesk.TicketQuery }

// fields are the filters with several values, by their names in addresses.
func (q *listQuery) fields() map[string]*[]string {
	return map[string]*[]string{"pipeline": &q.Pipelines, "stage": &q.Stages, "alias": &q.Aliases, "brand": &q.Brands,
		"assignee": &q.Assignees, "team": &q.Teams, "tag": &q.Tags, "language": &q.Languages, "type": &q.ReplyTypes}
}

// values are the filters, the order and the saved view as a query.
func (p place) filters() url.Values {
	values := url.Values{}
	for name, list := range p.query.fields() {
		for _, value := range *list {
			values.Add(name, value)
		}
	}
	for _, priority := range p.query.Priorities {
		values.Add("priority", priority.Name())
	}
	for name, on := range map[string]bool{"waiting": p.query.Waiting, "unread": p.query.Unread} {
		if on {
			values.Set(name, "1")
		}
	}
	for name, value := range map[string]string{"q": p.query.Text, "sort": string(p.query.Sort), "saved": p.saved} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// address is the place's own, of its list where number is 0. More parameters
// may be set in pairs; an empty value removes one.
func (p place) address(number uint64, pairs ...string) string {
	values := p.filters()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			values.Del(pairs[i])
			continue
		}
		values.Set(pairs[i], pairs[i+1])
	}
	return p.path(number, values)
}

// without is the address of the list without one value of a filter.
func (p place) without(name, value string) string {
	values := p.filters()
	values[name] = slices.DeleteFunc(values[name], func(v string) bool { return v == value })
	return p.path(0, values)
}

func (p place) path(number uint64, values url.Values) string {
	path := "/inbox/" + string(p.query.View)
	if number > 0 {
		path += "/" + strconv.FormatUint(number, 10)
	}
	if query := values.Encode(); query != "" {
		path += "?" + query
	}
	return path
}

// current is the navigation's entry that the place belongs to.
func (p place) current() string {
	switch {
	case p.saved != "":
		return "saved:" + p.saved
	case p.onlyPipeline() != "":
		return "pipeline:" + p.onlyPipeline()
	case !p.query.Filter.Empty() || p.query.Text != "":
		return ""
	}
	return string(p.query.View)
}

// onlyPipeline is the pipeline whose entry in the navigation the place is.
func (p place) onlyPipeline() string {
	if len(p.query.Pipelines) == 1 && p.query.View == helpdesk.ViewOpen && p.query.Filter.Equal(helpdesk.Filter{Pipelines: p.query.Pipelines}) {
		return p.query.Pipelines[0]
	}
	return ""
}

// findTicket leads a bare ticket number to the view that it is in.
func (s *Server) findTicket(c echo.Context) error {
	number := ticketNumber(c)
	row, err := s.desk.TicketRow(c.Request().Context(), visitOf(c).actor(), number)
	if err != nil {
		return err
	}
	p := place{query: inView(helpdesk.ViewOpen)}
	switch {
	case row.Ticket.Spam != nil:
		p.query.View = helpdesk.ViewSpam
	case !row.Ticket.Open:
		p.query.View = helpdesk.ViewClosed
	}
	address := p.address(number)
	if sent := c.QueryParam("sent"); sent != "" {
		address = p.address(number, "sent", sent)
	}
	if draft := c.QueryParam("draft"); draft != "" {
		address = p.address(number, "draft", draft)
	}
	if answer := c.QueryParam("answer"); answer != "" {
		address = p.address(number, "answer", answer)
	}
	if text := c.QueryParam("find"); text != "" {
		back := placeOfPath(c.QueryParam("back"), number)
		address = back.address(number, "find", text)
	}
	if at := c.QueryParam("at"); at != "" {
		address = p.address(number, "at", at)
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
