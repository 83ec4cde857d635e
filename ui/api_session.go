package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiSession is a browser that the token's user is logged in with.
type apiSession struct {
	ID        string     `json:"id"`
	Browser   string     `json:"browser"`
	From      string     `json:"from"`
	By        string     `json:"by"`
	CreatedAt *time.Time `json:"created_at"`
	UsedAt    *time.Time `json:"used_at"`
}

// apiSessions lists where the token's user is logged in, the last used first.
func (s *Server) apiSessions(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Sessions(c.Request().Context(), a, a.UserID)
	if err != nil {
		return err
	}
	answer := []apiSession{}
	for _, session := range list {
		answer = append(answer, apiSession{session.ID, session.Browser, session.From, string(session.By), timeOrNull(session.CreatedAt), timeOrNull(session.UsedAt)})
	}
	return c.JSON(http.StatusOK, map[string][]apiSession{"sessions": answer})
}

// apiEndSession logs the token's user out of one browser.
func (s *Server) apiEndSession(c echo.Context, a helpdesk.Actor) error {
	if err := s.desk.EndSession(c.Request().Context(), a, a.UserID, c.Param("id")); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]int{"ended": 1})
}

// apiEndSessions logs the token's user out of every browser. A program has no
// session of its own that would stay.
func (s *Server) apiEndSessions(c echo.Context, a helpdesk.Actor) error {
	ended, err := s.desk.EndSessions(c.Request().Context(), a, a.UserID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]int{"ended": ended})
}
