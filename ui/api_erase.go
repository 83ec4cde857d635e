package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiErasure is an erasure as the API tells of it.
type apiErasure struct {
	ID      string     `json:"id"`
	State   string     `json:"state"`
	BegunAt time.Time  `json:"begun_at"`
	DoneAt  *time.Time `json:"done_at"`
	Tickets int        `json:"tickets"`
	Mails   int        `json:"mails"`
	Left    []uint64   `json:"left"`
}

func erasureJSON(e helpdesk.Erasure) apiErasure {
	return apiErasure{e.ID, string(e.State), e.At, timeOrNull(e.DoneAt), e.Tickets, e.Mails, orEmpty(e.Left)}
}

type apiErasureAnswer struct {
	Erasure apiErasure `json:"erasure"`
}

func (s *Server) apiEraseContact(c echo.Context, a helpdesk.Actor) error {
	e, err := s.desk.EraseContact(c.Request().Context(), a, c.Param("id"), c.QueryParam("confirm"))
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/erasures/"+e.ID)
	return c.JSON(http.StatusAccepted, apiErasureAnswer{erasureJSON(*e)})
}

func (s *Server) apiErasures(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Erasures(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := struct {
		Erasures []apiErasure `json:"erasures"`
	}{[]apiErasure{}}
	for _, e := range list {
		answer.Erasures = append(answer.Erasures, erasureJSON(e))
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiReadErasure(c echo.Context, a helpdesk.Actor) error {
	e, err := s.desk.Erasure(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, apiErasureAnswer{erasureJSON(*e)})
}
