package ui

import (
	"net/http"

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

// apiErasure is an erasure as the API tells of it.
type apiErasure struct {
	ID      string   `json:"id"`
	State   string   `json:"state"`
	Tickets int      `json:"tickets"`
	Mails   int      `json:"mails"`
	Left    []uint64 `json:"left"`
}

func (s *Server) apiEraseContact(c echo.Context, a helpdesk.Actor) error {
	e, err := s.desk.EraseContact(c.Request().Context(), a, c.Param("id"), c.QueryParam("confirm"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, struct {
		Erasure apiErasure `json:"erasure"`
	}{apiErasure{e.ID, string(e.State), e.Tickets, e.Mails, orEmpty(e.Left)}})
}
