package ui

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

type analysisPageView struct {
	settingsPage
	Status AnalysisStatus
	// Problem and Mend say what is wrong and what to do; empty when all is well.
	Problem, Mend string
	Commands      []string
	Again         *reanalysisView
	Vectors       *vectorsView // nil where nothing is known of them
}

// vectorsView is how far the mails are read by the model that finds similar
// tickets.
type vectorsView struct {
	similar.Status
	State, Tone string
	Percent     int
	Trouble     string
}

// vectors says how far the mails are read, and what keeps them.
func (s *Server) vectors(ctx context.Context, v *visit) (*vectorsView, error) {
	if s.options.Vectors == nil {
		return nil, nil
	}
	status, err := s.options.Vectors(ctx)
	if err != nil {
		return nil, err
	}
	view := &vectorsView{Status: status, Trouble: status.Trouble}
	switch {
	case status.Trouble != "":
		view.State, view.Tone = v.T("similar.state.waits"), "bad"
	case status.Next != "":
		view.Percent = int(status.Done * 100 / max(status.Total, 1))
		view.State, view.Tone = v.T("similar.state.reading", status.Next), "warn"
	case !status.Enabled:
		view.State, view.Tone = v.T("similar.state.off"), "plain"
	default:
		view.State, view.Tone = v.T("similar.state.ready"), "good"
	}
	return view, nil
}

// analysisPage says whether the model reads along and, where it does not, why
// and what to type.
func (s *Server) analysisPage(c echo.Context) error {
	sp, err := s.newSettingsPage(c, "analysis", "")
	if err != nil {
		return err
	}
	view := analysisPageView{settingsPage: sp, Status: s.options.Analysis(c.Request().Context())}
	view.explain()
	if view.Again, err = s.newReanalysisView(c); err != nil {
		return err
	}
	if view.Vectors, err = s.vectors(c.Request().Context(), visitOf(c)); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-analysis", view)
}

func (a *analysisPageView) explain() {
	status := a.Status
	problem := status.problem()
	switch problem {
	case "":
		a.Badge = &badge{"good", a.T("settings.analysis.running")}
		return
	case "disabled":
		a.Badge = &badge{"plain", a.T("settings.analysis.off")}
	default:
		a.Badge = &badge{"bad", a.T("settings.analysis.stopped")}
	}
	key := "settings.analysis.problem." + problem
	if !a.Has(key) {
		a.Problem, a.Mend = problem, a.T("settings.analysis.mend.other")
		return
	}
	a.Problem = a.T(key, status.Address, status.Model)
	a.Mend = a.T("settings.analysis.mend." + problem)
	switch problem {
	case "unreachable":
		a.Commands = []string{"ollama serve", "curl " + status.Address + "/api/version"}
	case "model_missing":
		a.Commands = []string{"ollama pull " + status.Model}
	}
}

type systemView struct {
	settingsPage
	Statistics helpdesk.Statistics
	Ledger     []figure
	Queues     []figure
	Version    string
	Outbound   string
	Domains    []mxRecord
	Resumes    bool // there is stopped work, and the reader may have it tried again
}

// figure is a counted thing; Tone is set where the count asks for a look.
type figure struct{ Label, Value, Tone, Hint string }

func (s *Server) systemPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "system", "")
	if err != nil {
		return err
	}
	view := systemView{settingsPage: sp, Version: s.options.Version, Outbound: s.options.Outbound}
	if view.Statistics, err = s.desk.Statistics(ctx); err != nil {
		return err
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return err
	}
	view.count()
	view.Resumes = view.Statistics.TimersParked > 0 && v.may(helpdesk.PermitSystem)
	view.Domains = s.domains(aliases)
	return s.render(c, http.StatusOK, "settings-system", view)
}

// resumeParked has stopped work tried again.
func (s *Server) resumeParked(c echo.Context) error {
	if _, err := s.desk.ResumeParked(c.Request().Context(), visitOf(c).actor()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/system")
}

func (w *systemView) count() {
	add := func(list *[]figure, key string, n int, tone string) {
		if n == 0 {
			tone = ""
		}
		*list = append(*list, figure{w.T("settings.system." + key), w.Number(n), tone, w.T("settings.system.hint." + key)})
	}
	st := w.Statistics
	add(&w.Ledger, "accepted", st.Accepted, "")
	add(&w.Ledger, "posted", st.Posted, "")
	add(&w.Ledger, "relayed", st.Relayed, "")
	add(&w.Ledger, "held", st.Held, "warn")
	add(&w.Ledger, "refused", st.Refused, "")
	add(&w.Ledger, "duplicates", st.Duplicates, "")
	add(&w.Queues, "waiting", st.DeliveriesWaiting, "")
	add(&w.Queues, "deferred", st.DeliveriesDeferred, "warn")
	add(&w.Queues, "failed", st.DeliveriesFailed, "bad")
	add(&w.Queues, "analyses", st.AnalysesWaiting, "")
	add(&w.Queues, "analyses_failed", st.AnalysesFailed, "warn")
	add(&w.Queues, "parked", st.TimersParked, "bad")
}

// domains are the MX records that the aliases need, one a domain.
func (s *Server) domains(aliases []helpdesk.Alias) (records []mxRecord) {
	seen := map[string]bool{}
	for _, a := range aliases {
		domain := domainOf(a.Address)
		if domain != "" && !seen[domain] {
			seen[domain] = true
			records = append(records, mxRecord{domain, "10 " + s.options.Hostname})
		}
	}
	return records
}
