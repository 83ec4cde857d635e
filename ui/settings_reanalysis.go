package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// reanalysisView is how far the reading of earlier mails is, and the form that
// asks for it.
type reanalysisView struct {
	From, To    string // what the form offers: the last 30 days
	MayAsk      bool
	Says        string // of the newest one, "" where there was none
	Working     bool
	Done, Total int
	Percent     int
}

func (s *Server) newReanalysisView(c echo.Context) (*reanalysisView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	run, err := s.desk.LastReanalysis(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	today := v.Now
	if v.Zone != nil {
		today = today.In(v.Zone)
	}
	view := &reanalysisView{From: today.AddDate(0, 0, -29).Format(time.DateOnly), To: today.Format(time.DateOnly), MayAsk: v.may(helpdesk.PermitSystem)}
	if run == nil {
		return view, nil
	}
	view.Working = run.State == helpdesk.ReanalysisWorking
	view.Done, view.Total, view.Percent = run.Done, run.Total, percent(run.Done, run.Total)
	view.Says = v.T("reanalysis.state."+string(run.State), run.From, run.To, v.Number(run.Done), v.Number(run.Total), v.Number(run.Read))
	return view, nil
}

// reanalysisProgress is the part of the page that looks again by itself.
func (s *Server) reanalysisProgress(c echo.Context) error {
	if target(c.Request()) != "reanalysis" {
		return c.Redirect(http.StatusSeeOther, "/settings/analysis")
	}
	view, err := s.newReanalysisView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "reanalysis", view)
}

func (s *Server) startReanalysis(c echo.Context) error {
	_, err := s.desk.StartReanalysis(c.Request().Context(), visitOf(c).actor(), c.FormValue("from"), c.FormValue("to"), c.FormValue("all") != "")
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/analysis")
}

func (s *Server) stopReanalysis(c echo.Context) error {
	if _, err := s.desk.StopReanalysis(c.Request().Context(), visitOf(c).actor()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/analysis")
}
