package ui

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) presenceRoutes(g *echo.Group) {
	g.POST("/tickets/:number/presence", s.tellPresence)
}

// tellPresence takes a page's sign of life. Nothing of it is stored.
func (s *Server) tellPresence(c echo.Context) error {
	v, number := visitOf(c), ticketNumber(c)
	if c.FormValue("state") == "gone" {
		s.presence.left(number, v.User.ID)
		return c.NoContent(http.StatusNoContent)
	}
	if _, err := s.desk.TicketRow(c.Request().Context(), v.actor(), number); err != nil {
		return err // only who may read it is at it
	}
	switch c.FormValue("state") {
	case "writing":
		s.presence.seen(number, v.User.ID, v.User.Name, true)
	default:
		s.presence.seen(number, v.User.ID, v.User.Name, false)
	}
	return c.NoContent(http.StatusNoContent)
}

// presenceView is who else is at a ticket.
type presenceView struct {
	Ticket uint64        `json:"ticket"`
	Line   string        `json:"line"`
	People []presentView `json:"people"`
}

// presentView is one of them.
type presentView struct {
	Name    string `json:"name"`
	Initial string `json:"initial"`
	Colour  int    `json:"colour"`
	Writing bool   `json:"writing"`
}

func newPresenceView(p locale.Printer, ticket uint64, people []person) presenceView {
	view := presenceView{Ticket: ticket, People: []presentView{}}
	var names []string
	for _, one := range people {
		a := newAvatar(one.ID, one.Name)
		view.People = append(view.People, presentView{one.Name, a.Initial, a.Colour, one.Writing})
		// Who writes comes first, and then only they are worth a sentence.
		if one.Writing == people[0].Writing && len(names) < 3 {
			names = append(names, p.T("event.person", one.Name))
		}
	}
	if len(names) == 0 {
		return view
	}
	joined := strings.Join(names, p.T("list.and"))
	view.Line = p.N("presence.viewing", len(names), joined)
	if people[0].Writing {
		view.Line = p.N("presence.writing", len(names), joined)
	}
	return view
}

// presenceTold is what the live stream says of people.
type presenceTold struct {
	Tickets []presenceView `json:"tickets"`
	Drafts  []uint64       `json:"drafts,omitempty"`
}

// tellPeople writes who came, went or writes since a version, all who are
// anywhere after 0, and returns the newest and what is closed when there is more.
func (s *Server) tellPeople(v *visit, stream *eventStream, version uint64) (uint64, <-chan struct{}, error) {
	news := s.presence.after(version, v.User.ID)
	told := presenceTold{Tickets: []presenceView{}, Drafts: news.drafts}
	for ticket, people := range news.people {
		told.Tickets = append(told.Tickets, newPresenceView(v.Printer, ticket, people))
	}
	slices.SortFunc(told.Tickets, func(a, b presenceView) int { return int(a.Ticket) - int(b.Ticket) })
	if len(told.Tickets) == 0 && len(told.Drafts) == 0 {
		return news.version, news.next, nil
	}
	return news.version, news.next, stream.event("desk:presence", 0, told)
}
