package ui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) movingRoutes(g *echo.Group) {
	g.GET("/tickets/:number/merge", s.mergePicker)
	g.POST("/tickets/:number/merge", s.merge)
	g.GET("/messages/:id/move", s.movePicker)
	g.POST("/messages/:id/move", s.move)
	g.POST("/movings/:id/undo", s.undoMoving)
	s.forwardRoutes(g)
}

// pickerView is where a ticket is chosen: to merge into, or to move a message
// to. It is a dialog over the conversation, and a page of its own without
// scripts.
type pickerView struct {
	page
	Action  string // where the choice is posted, and the search asked
	Field   string // the choice's name
	Heading string
	Lead    string
	Back    string
	Text    string // what is searched for
	Groups  []pickerGroup
	New     bool // a new ticket can be chosen
}

type pickerGroup struct {
	Label   string
	Tickets []pickerTicket
}

type pickerTicket struct {
	Number  uint64
	Subject string
	Name    string
	Stage   string
	Time    moment
}

// maxPicked is how many tickets are offered in each group.
const maxPicked = 12

func (s *Server) mergePicker(c echo.Context) error {
	number := ticketNumber(c)
	v := visitOf(c)
	view := pickerView{Action: "/tickets/" + strconv.FormatUint(number, 10) + "/merge", Field: "into",
		Heading: v.T("picker.merge", number), Lead: v.T("picker.merge_lead", number)}
	return s.pick(c, view, number)
}

func (s *Server) movePicker(c echo.Context) error {
	v := visitOf(c)
	m, err := s.desk.Message(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	view := pickerView{Action: "/messages/" + m.Message.ID + "/move", Field: "to", New: m.Message.Direction == helpdesk.Inbound,
		Heading: v.T("picker.move"), Lead: v.T("picker.move_lead")}
	return s.pick(c, view, m.Message.Ticket)
}

// pick answers with the tickets that the one with the given number may go to.
func (s *Server) pick(c echo.Context, view pickerView, number uint64) error {
	ctx, v := c.Request().Context(), visitOf(c)
	view.Text, view.Back = strings.TrimSpace(c.QueryParam("q")), backTo(c, number)
	row, err := s.desk.TicketRow(ctx, v.actor(), number)
	if err != nil {
		return err
	}
	if view.Groups, err = s.pickable(ctx, v, row, view.Text); err != nil {
		return err
	}
	switch target(c.Request()) {
	case "choices":
		return s.render(c, http.StatusOK, "choices", view)
	case "picker":
		return s.render(c, http.StatusOK, "picker", view)
	}
	if view.page, err = s.newPage(ctx, v, view.Heading, ""); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "picker-page", view)
}

// pickable are the tickets that fit a number or words: the same customer's
// first, then the most recent ones.
func (s *Server) pickable(ctx context.Context, v *visit, from *helpdesk.TicketRow, text string) ([]pickerGroup, error) {
	var exact, theirs, others []helpdesk.TicketRow
	if number, ok := typedNumber(text); ok {
		row, err := s.desk.TicketRow(ctx, v.actor(), number)
		if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
			return nil, err
		}
		if err == nil {
			exact = append(exact, *row)
		}
	}
	for _, q := range []struct {
		contact string
		into    *[]helpdesk.TicketRow
	}{{from.Contact.ID, &theirs}, {"", &others}} {
		for _, view := range []helpdesk.View{helpdesk.ViewOpen, helpdesk.ViewClosed} {
			rows, _, err := s.desk.Tickets(ctx, v.actor(), helpdesk.TicketQuery{View: view, Contact: q.contact, Text: text, Limit: 2 * maxPicked})
			if err != nil {
				return nil, err
			}
			*q.into = append(*q.into, rows...)
		}
	}
	taken := map[uint64]bool{from.Ticket.Number: true}
	var groups []pickerGroup
	for _, g := range []struct {
		label string
		rows  []helpdesk.TicketRow
	}{{v.T("picker.number"), exact}, {v.T("picker.theirs", customerCalled(v.Printer, contactName(from.Contact))), theirs}, {v.T("picker.others"), others}} {
		if list := offered(v.Printer, g.rows, taken); len(list) > 0 {
			groups = append(groups, pickerGroup{g.label, list})
		}
	}
	return groups, nil
}

// offered are the rows that can take something in and were not offered yet.
func offered(p locale.Printer, rows []helpdesk.TicketRow, taken map[uint64]bool) (list []pickerTicket) {
	for _, row := range rows {
		t := row.Ticket
		if taken[t.Number] || t.MergedInto != 0 || len(list) == maxPicked {
			continue
		}
		taken[t.Number] = true
		list = append(list, pickerTicket{t.Number, subjectOf(p, t.Subject), contactName(row.Contact), row.StageName, shortMoment(p, t.UpdatedAt)})
	}
	return list
}

// typedNumber reads a ticket's number as people type it: "12", "#12", "＃１２".
func typedNumber(text string) (uint64, bool) {
	number, err := strconv.ParseUint(strings.TrimPrefix(norm.NFKC.String(text), "#"), 10, 64)
	return number, err == nil && number > 0
}

// chosenTicket is the number in a form's field, 0 for a new ticket.
func chosenTicket(c echo.Context, field string) (uint64, error) {
	typed := c.FormValue(field)
	if typed == newRecord {
		return 0, nil
	}
	number, ok := typedNumber(typed)
	if !ok {
		return 0, invalid(field, "error.ticket_number", "\""+typed+"\" is no number of a ticket", typed)
	}
	return number, nil
}

func (s *Server) merge(c echo.Context) error {
	into, err := chosenTicket(c, "into")
	if err != nil {
		return err
	}
	m, err := s.desk.Merge(c.Request().Context(), visitOf(c).actor(), ticketNumber(c), into)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfPath(c.FormValue("back"), 0).address(m.Into, "moved", m.ID))
}

func (s *Server) move(c echo.Context) error {
	to, err := chosenTicket(c, "to")
	if err != nil {
		return err
	}
	m, err := s.desk.Move(c.Request().Context(), visitOf(c).actor(), c.Param("id"), to)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfPath(c.FormValue("back"), 0).address(m.From, "moved", m.ID))
}

// undoMoving takes a merge or a move back and shows the ticket that has its
// own again.
func (s *Server) undoMoving(c echo.Context) error {
	undo := s.desk.UndoMove
	if c.FormValue("kind") == string(helpdesk.MovingTicket) {
		undo = s.desk.UndoMerge
	}
	m, err := undo(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfPath(c.FormValue("back"), 0).address(m.From, "returned", m.ID))
}

// followMoving tells the browser the address of the ticket it is shown after
// something was merged, moved or returned: it may be another than before.
func followMoving(c echo.Context, p place) {
	if c.QueryParam("held") != "" || c.QueryParam("moved") != "" || c.QueryParam("returned") != "" {
		c.Response().Header().Set("HX-Replace-Url", p.address(p.number))
	}
}

// standing is the moving with an id, nil when it was undone or is unknown.
func standing(list []helpdesk.Moving, id string) *helpdesk.Moving {
	i := slices.IndexFunc(list, func(m helpdesk.Moving) bool { return m.ID == id && m.UndoneAt.IsZero() })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// movedToast says what was just merged or moved and offers to take it back.
func (v *visit) movedToast(t *ticketView, id string) *toastView {
	m := standing(t.movings, id)
	if m == nil {
		return nil
	}
	key := "toast.moved"
	switch {
	case m.Kind == helpdesk.MovingTicket:
		key = "toast.merged"
	case m.Opened:
		key = "toast.moved_new"
	}
	return &toastView{ID: m.ID, Text: withTickets(v.T(key, linkTo(m.From), linkTo(m.Into))), Action: "/movings/" + m.ID + "/undo",
		Kind: string(m.Kind), Seconds: 12, Back: t.Path}
}
