package ui

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// eraseView is the page on which erasing a person's data is confirmed.
type eraseView struct {
	peoplePage
	Person  customerView
	Tickets int
	Cut     bool
	Left    []ticketLine
	Named   string // where the search finds what else names them
}

func (s *Server) erasePage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	plan, err := s.desk.PlanErasure(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	view := eraseView{Person: v.person(plan.Contact, ""), Tickets: plan.Tickets, Cut: plan.Cut}
	if view.peoplePage, err = s.newPeoplePage(c, "contacts", contactName(plan.Contact)); err != nil {
		return err
	}
	view.Named = "/inbox/all?" + url.Values{"q": {`"` + plan.Contact.Email + `"`}}.Encode()
	for _, t := range plan.Left {
		row, err := s.desk.TicketRow(ctx, v.actor(), t.Number)
		if err != nil {
			return err
		}
		view.Left = append(view.Left, v.ticketLine(*row))
	}
	return s.render(c, http.StatusOK, "contact-erase", view)
}

func (s *Server) eraseContact(c echo.Context) error {
	if _, err := s.desk.EraseContact(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.FormValue("confirm")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/contacts?erased=1")
}

// erasuresView proves what was erased: when, by whom and how much, and not of whom.
type erasuresView struct {
	settingsPage
	Lines []erasureLine
}

type erasureLine struct {
	ID             string
	Begun, Done    moment
	By             string
	Badge          badge
	Tickets, Mails string
	Left           []erasureTicket
	More           int // further tickets that stay
}

type erasureTicket struct {
	URL    string
	Number uint64
}

// maxLeftShown is how many of the tickets that stay are named.
const maxLeftShown = 20

func (s *Server) erasuresPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	list, err := s.desk.Erasures(ctx, v.actor())
	if err != nil {
		return err
	}
	sp, err := s.newSettingsPage(c, "erasures", "")
	if err != nil {
		return err
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	view := erasuresView{settingsPage: sp}
	for _, e := range list {
		view.Lines = append(view.Lines, v.erasureLine(e, people))
	}
	return s.render(c, http.StatusOK, "settings-erasures", view)
}

func (v *visit) erasureLine(e helpdesk.Erasure, people map[string]helpdesk.User) erasureLine {
	line := erasureLine{ID: e.ID, Begun: longMoment(v.Printer, e.At), By: people[e.By].Name, Badge: badge{"", v.T("erase.state." + string(e.State))},
		Tickets: v.Number(e.Tickets), Mails: v.Number(e.Mails), More: max(len(e.Left)-maxLeftShown, 0)}
	if e.State == helpdesk.ErasureDone {
		line.Badge.Tone, line.Done = "good", longMoment(v.Printer, e.DoneAt)
	}
	for _, number := range e.Left[:min(len(e.Left), maxLeftShown)] {
		line.Left = append(line.Left, erasureTicket{"/tickets/" + strconv.FormatUint(number, 10), number})
	}
	return line
}
