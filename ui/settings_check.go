package ui

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// Finding is one thing around the server that was looked at.
type Finding struct {
	Area    string // "records", "certificate", "port", "blocklist", "clock", "disk", "backup" or "model"
	Subject string
	State   string // "fine", "warning", "wrong" or "unknown"
	// Key names its sentence under check.say, Args what stands in it.
	Key  string
	Args []string
	Fix  string // what to type
}

// FindingText is the sentence of a finding.
func FindingText(p locale.Printer, f Finding) string {
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		args[i] = a
	}
	if strings.HasPrefix(f.Key, "record_") && len(f.Args) == 4 { // the kind of record, as the page of domains calls it
		if args[0] = p.T("domain.part." + f.Args[2]); f.Args[3] != "" {
			args[0] = p.T("domain.key." + f.Args[3])
		}
		args = args[:2]
	}
	return p.T("check.say."+f.Key, args...)
}

func (s *Server) checkRoutes(g *echo.Group) {
	g.GET("/settings/check", s.checkPage)
	g.POST("/settings/check", s.checkNow)
}

// checkups remembers the newest check-up.
type checkups struct {
	check func(context.Context) ([]Finding, error)

	mu   sync.Mutex // held while one runs, so that they do not pile up
	last []Finding
	at   time.Time
}

type checkView struct {
	settingsPage
	Alarms []alarmLine
	Known  bool
	At     moment
	Areas  []checkArea
}

type checkArea struct {
	Name     string
	Findings []findingLine
}

type findingLine struct {
	Badge *badge
	Text  string
	Fix   string
}

// alarmLine is an alarm that stands.
type alarmLine struct {
	Text, Subject, Detail string
	Since                 moment
}

// checkAreas are the areas in the order in which they are shown.
var checkAreas = []string{"records", "certificate", "port", "blocklist", "clock", "disk", "backup", "model"}

// findingTones are the looks of the states.
var findingTones = map[string]string{"fine": "good", "warning": "warn", "wrong": "bad", "unknown": "plain"}

func (s *Server) checkPage(c echo.Context) error {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "check", "")
	if err != nil {
		return err
	}
	view := checkView{settingsPage: sp}
	if sp.Locked == "" {
		alarms, err := s.desk.Alarms(c.Request().Context(), v.actor())
		if err != nil {
			return err
		}
		for _, a := range alarms {
			line := alarmLine{v.T("alarm.kind." + string(a.Kind)), a.Subject, AlarmText(v.Printer, a.Found()), longMoment(v.Printer, a.At)}
			if a.Kind == helpdesk.AlarmWebhook && a.Key != "" { // an id; what was found names it
				line.Subject = ""
			}
			view.Alarms = append(view.Alarms, line)
		}
	}
	if sp.Locked == "" && s.checkups.check != nil {
		s.checkups.mu.Lock()
		list := s.checkups.last
		view.At, view.Known = longMoment(v.Printer, s.checkups.at), list != nil
		s.checkups.mu.Unlock()
		view.show(v, list)
	}
	return s.render(c, http.StatusOK, "settings-check", view)
}

func (w *checkView) show(v *visit, list []Finding) {
	for _, area := range checkAreas {
		shown := checkArea{Name: v.T("check.area." + area)}
		for _, f := range list {
			if f.Area == area {
				shown.Findings = append(shown.Findings, findingLine{&badge{findingTones[f.State], v.T("check.state." + f.State)}, FindingText(v.Printer, f), f.Fix})
			}
		}
		if len(shown.Findings) > 0 {
			w.Areas = append(w.Areas, shown)
		}
	}
	is := func(state string) bool {
		return slices.ContainsFunc(list, func(f Finding) bool { return f.State == state })
	}
	switch {
	case list == nil:
	case is("wrong"):
		w.Badge = &badge{"bad", v.T("check.wrong")}
	case is("warning"):
		w.Badge = &badge{"warn", v.T("check.warning")}
	default:
		w.Badge = &badge{"good", v.T("check.fine")}
	}
}

// checkNow looks at everything, which may take half a minute.
func (s *Server) checkNow(c echo.Context) error {
	v := visitOf(c)
	if !v.may(helpdesk.PermitSystem) {
		return &helpdesk.Error{Code: helpdesk.CodeForbidden, Key: "error.forbidden", Message: "checking the server needs the permission " + string(helpdesk.PermitSystem)}
	}
	if s.checkups.check == nil {
		return echo.ErrNotFound
	}
	s.checkups.mu.Lock()
	defer s.checkups.mu.Unlock()
	list, err := s.checkups.check(c.Request().Context())
	if err != nil {
		return err
	}
	s.checkups.last, s.checkups.at = list, s.options.Now()
	return c.Redirect(http.StatusSeeOther, "/settings/check")
}
