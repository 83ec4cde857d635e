package ui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// unsubscribeRoutes are for whoever got a mail that went to many. Mail programs
// post from their own servers (RFC 8058, section 3.2), so the token in the address
// decides, and no origin is asked for.
func (s *Server) unsubscribeRoutes(g *echo.Group) {
	g.GET(helpdesk.OptOutPath+":token", s.unsubscribePage)
	g.POST(helpdesk.OptOutPath+":token", s.unsubscribe)
}

// unsubscribeView asks once more, or says that it is done.
type unsubscribeView struct {
	page
	Languages []option
	Path      string
	Address   string
	From      string
	Done      bool
}

// unsubscribePage changes nothing: programs follow links to look at them.
func (s *Server) unsubscribePage(c echo.Context) error { return s.showUnsubscribe(c) }

func (s *Server) unsubscribe(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 4<<10)
	if err := s.desk.OptOut(c.Request().Context(), c.Param("token")); err != nil {
		return err
	}
	return s.showUnsubscribe(c)
}

func (s *Server) showUnsubscribe(c echo.Context) error {
	v := visitOf(c)
	address, from, done, err := s.desk.OptOutOf(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "unsubscribe", unsubscribeView{page: page{visit: v, Title: v.T("unsubscribe.title")},
		Languages: languageOptions(v.Printer), Path: c.Request().URL.Path, Address: address, From: from, Done: done})
}
