package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// suppressionsView lists the addresses that nothing is sent to.
type suppressionsView struct {
	settingsPage
	Suppressions []suppressionView
	OptOuts      []optOutView
	Lifts        bool // the reader may lift one
}

type suppressionView struct {
	Address string
	Reason  string // what the other side said, with its status
	Since   moment
}

func (s *Server) suppressionsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "suppressions", "")
	if err != nil {
		return err
	}
	list, err := s.desk.Suppressions(ctx, v.actor())
	if err != nil {
		return err
	}
	view := suppressionsView{settingsPage: sp, Lifts: v.may(helpdesk.PermitSuppressions)}
	for _, x := range list {
		reason := said(helpdesk.Attempt{Enhanced: x.Status, Text: x.Reason})
		view.Suppressions = append(view.Suppressions, suppressionView{x.Address, strings.TrimSpace(reason), longMoment(v.Printer, x.At)})
	}
	outs, err := s.desk.OptOuts(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, o := range outs {
		view.OptOuts = append(view.OptOuts, optOutView{o.Address, o.Ticket, longMoment(v.Printer, o.At)})
	}
	return s.render(c, http.StatusOK, "settings-suppressions", view)
}

// optOutView is an address whose owner wants no mail that goes to many.
type optOutView struct {
	Address string
	Ticket  uint64
	Since   moment
}

func (s *Server) liftOptOut(c echo.Context) error {
	if err := s.desk.LiftOptOut(c.Request().Context(), visitOf(c).actor(), c.FormValue("address")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/suppressions?saved=1")
}

func (s *Server) liftSuppression(c echo.Context) error {
	if err := s.desk.LiftSuppression(c.Request().Context(), visitOf(c).actor(), c.FormValue("address")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/suppressions?saved=1")
}
