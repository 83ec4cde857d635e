package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// loggedView is the form for what a customer said another way than by mail.
type loggedView struct {
	Text     string
	Channels []option
	At       string // as the browser's field has it, "" for now
}

func newLogged(v *visit, channel string) loggedView {
	var l loggedView
	for _, name := range helpdesk.Channels {
		if name == "mail" {
			continue // mail comes by itself, or can be sent here
		}
		l.Channels = append(l.Channels, option{name, v.T("channel." + name), name == channel})
	}
	return l
}

// composeLogged writes down what the customer said by phone, say.
func (s *Server) composeLogged(c echo.Context) error {
	v, number := visitOf(c), ticketNumber(c)
	logged := helpdesk.LoggedReply{Ticket: number, Text: strings.ReplaceAll(c.FormValue("log"), "\r\n", "\n"), Channel: c.FormValue("channel")}
	if typed := c.FormValue("at"); typed != "" {
		at, err := typedPast(v, typed)
		if err != nil {
			return s.refuseCompose(c, invalid("at", "error.time_unreadable", "cannot read the time \""+typed+"\": write it like 2026-11-18T15:04", typed))
		}
		if at.After(s.now()) {
			return s.refuseCompose(c, invalid("at", "error.time_ahead", "the time "+typed+" is still to come"))
		}
		logged.ReceivedAt = at
	}
	if _, err := s.desk.LogReply(c.Request().Context(), v.actor(), logged); err != nil {
		return s.refuseCompose(c, err)
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}
