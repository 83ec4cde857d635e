package ui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// trustedView lists the senders whose mail is received with a proof.
type trustedView struct {
	settingsPage
	Trusted []trustedRow
}

type trustedRow struct {
	Pattern, Proof string
	Text           string
	Warning        string // what is to be known of it, or ""
	By             string
	Since          moment
}

func (s *Server) trustedPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "trusted", "")
	if err != nil {
		return err
	}
	view := trustedView{settingsPage: sp}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	list, err := s.desk.TrustedSenders(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, t := range list {
		domain := t.Proof.Value
		if t.Risk() == helpdesk.RiskEverybody {
			domain = t.Pattern
		}
		view.Trusted = append(view.Trusted, trustedRow{t.Pattern, t.Proof.String(), v.T("quarantine.proof."+string(t.Proof.Kind), t.Proof.Value), v.trustWarning(t.Risk(), domain),
			people[t.By].Name, longMoment(v.Printer, t.At)})
	}
	return s.render(c, http.StatusOK, "settings-trusted", view)
}

func (s *Server) distrust(c echo.Context) error {
	proof, err := helpdesk.ParseProof(c.FormValue("proof"))
	if err == nil {
		err = s.desk.Distrust(c.Request().Context(), visitOf(c).actor(), c.FormValue("pattern"), proof)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/trusted?saved=1")
}
