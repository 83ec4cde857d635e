package ui

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TemplateMatcher asks the model which template answers a text, for somebody
// who waits. Its errors have a sentence for the reader.
type TemplateMatcher interface {
	PickNow(ctx context.Context, q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error)
}

func (s *Server) serviceRoutes(g *echo.Group) {
	g.GET("/settings/services", s.servicesPage)
	g.GET("/settings/services/:id", s.servicePage)
	g.POST("/settings/services/:id", s.saveService)
	g.POST("/settings/services/:id/try", s.tryService)
	g.GET("/settings/services/:id/trial", s.trialFragment)
	g.POST("/settings/services/:id/trial", s.startTrial)
}

type servicesView struct {
	settingsPage
	Services []serviceRow
	Model    string // what keeps the model from matching, in words, "" for nothing
}

// serviceRow is a service in the list, said in words.
type serviceRow struct {
	Name, URL, For, Then string
	Disabled             bool
}

func (s *Server) servicesPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "services", "")
	if err != nil {
		return err
	}
	services, err := s.desk.Services(ctx, v.actor())
	if err != nil {
		return err
	}
	aliases, err := s.templateNames(ctx, v.actor())
	if err != nil {
		return err
	}
	view := servicesView{settingsPage: sp, Model: s.matchingProblem(ctx, v)}
	for _, x := range services {
		var addresses []string
		for _, id := range x.Aliases {
			addresses = append(addresses, aliases[id])
		}
		view.Services = append(view.Services, serviceRow{Name: x.Name, URL: "/settings/services/" + x.ID, Disabled: x.Disabled,
			For:  v.T("service.for", languageName(v, x.Language), strings.Join(addresses, v.T("list.comma"))),
			Then: v.T("service.then", v.N("service.templates", len(x.Templates)), v.Duration(x.Delay))})
	}
	return s.render(c, http.StatusOK, "settings-services", view)
}

// matchingProblem says why nothing is matched at present, "" where all is well.
func (s *Server) matchingProblem(ctx context.Context, v *visit) string {
	if problem := s.options.Analysis(ctx).problem(); problem != "" {
		return v.T("service.model_away")
	}
	return ""
}

type serviceView struct {
	settingsPage
	Service   helpdesk.Service
	Languages []option
	Aliases   []serviceChoice
	Templates []serviceChoice
	Calendars []option
	Hours     string // of the delay
	Model     string
	Try       tryView
	Trial     *serviceTrialView // nil for a service that is not saved yet
}

// serviceChoice is an alias or a template that a service may have.
type serviceChoice struct {
	option
	Note     string // "" where there is nothing to say
	Disabled bool
}

func (s *Server) serviceByID(c echo.Context) (*helpdesk.Service, error) {
	id := c.Param("id")
	if id == newRecord {
		return &helpdesk.Service{Language: string(visitOf(c).Language), Delay: helpdesk.ServiceDelay, Threshold: helpdesk.ServiceThreshold,
			SenderLimit: helpdesk.ServiceSenderLimit}, nil
	}
	list, err := s.desk.Services(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(x helpdesk.Service) bool { return x.ID == id })
	if i < 0 {
		return nil, echo.ErrNotFound
	}
	return &list[i], nil
}

func (s *Server) servicePage(c echo.Context) error {
	service, err := s.serviceByID(c)
	if err != nil {
		return err
	}
	view, err := s.newServiceView(c, service)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-service", view)
}

func (s *Server) newServiceView(c echo.Context, x *helpdesk.Service) (*serviceView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	heading := x.Name
	if x.ID == "" {
		heading = v.T("service.new")
	}
	sp, err := s.newSettingsPage(c, "services", heading)
	if err != nil {
		return nil, err
	}
	sp.seen(c, x.ID, x)
	view := &serviceView{settingsPage: sp, Service: *x, Hours: cmp.Or(hoursText(x.Delay), "0"), Model: s.matchingProblem(ctx, v), Try: tryView{ID: x.ID}}
	if view.Aliases, err = s.serviceAliases(ctx, v, x); err != nil {
		return nil, err
	}
	if view.Templates, view.Languages, err = s.serviceTemplates(ctx, v, x); err != nil {
		return nil, err
	}
	calendars, err := s.desk.Calendars(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	view.Calendars = []option{{"", v.T("service.always"), x.CalendarID == ""}}
	for _, calendar := range calendars {
		view.Calendars = append(view.Calendars, option{calendar.ID, v.calendarName(calendar), x.CalendarID == calendar.ID})
	}
	if x.ID != "" && sp.Locked == "" {
		view.Trial, err = s.newServiceTrial(ctx, v, x)
	}
	return view, err
}

// serviceAliases are all aliases; the note says why one cannot be chosen.
func (s *Server) serviceAliases(ctx context.Context, v *visit, x *helpdesk.Service) (list []serviceChoice, err error) {
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	for _, a := range aliases {
		choice := serviceChoice{option: option{a.ID, a.Address, slices.Contains(x.Aliases, a.ID)}}
		switch {
		case a.Approval:
			choice.Note, choice.Disabled = v.T("service.alias_approval"), !choice.Selected
		case a.Language == "":
			choice.Note, choice.Disabled = v.T("service.alias_no_language"), !choice.Selected
		default:
			choice.Note = v.T("language." + a.Language)
		}
		if !a.Disabled || choice.Selected {
			list = append(list, choice)
		}
	}
	return list, nil
}

// serviceTemplates are the shared templates with their languages, the chosen
// ones first, and the languages that any of them has.
func (s *Server) serviceTemplates(ctx context.Context, v *visit, x *helpdesk.Service) (list []serviceChoice, languages []option, err error) {
	templates, err := s.desk.Templates(ctx, v.actor())
	if err != nil {
		return nil, nil, err
	}
	known := []string{"ja", "en"}
	for _, t := range templates {
		if t.OwnerID != "" {
			continue
		}
		var has []string
		for _, version := range t.Versions {
			language, _, _ := strings.Cut(version.Language, "-")
			if !slices.Contains(known, language) {
				known = append(known, language)
			}
			has = append(has, languageName(v, language))
		}
		name := t.Name
		if t.Folder != "" {
			name = t.Folder + " / " + name
		}
		list = append(list, serviceChoice{option: option{t.ID, name, slices.Contains(x.Templates, t.ID)}, Note: strings.Join(has, v.T("list.comma"))})
	}
	slices.SortStableFunc(list, func(a, b serviceChoice) int {
		if a.Selected == b.Selected {
			return 0
		}
		if a.Selected {
			return -1
		}
		return 1
	})
	for _, language := range known {
		languages = append(languages, option{language, languageName(v, language), language == x.Language})
	}
	return list, languages, nil
}

func (s *Server) saveService(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	service, err := s.serviceByID(c)
	if err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	if form.Get("action") == "delete" {
		if err := s.desk.DeleteService(ctx, v.actor(), service.ID); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/settings/services?saved=1")
	}
	whole := func(name string) int {
		n, err := strconv.Atoi(norm.NFKC.String(strings.TrimSpace(form.Get(name))))
		if err != nil {
			return -1 // which no field may be
		}
		return n
	}
	delay, err := parseHours(norm.NFKC.String(form.Get("delay")))
	if err != nil {
		delay = -1
	}
	service.Name, service.Language, service.Disabled = form.Get("name"), form.Get("language"), form.Get("enabled") == ""
	service.Aliases, service.Templates, service.CalendarID = form["alias"], form["template"], form.Get("calendar")
	service.Delay, service.Threshold, service.SenderLimit = delay, whole("threshold"), whole("sender_limit")
	saved, err := s.desk.SaveService(ctx, v.having(c), *service)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/services/"+saved.ID+"?saved=1")
	}
	view, failed := s.newServiceView(c, service)
	if failed != nil {
		return failed
	}
	view.Hours = cmp.Or(form.Get("delay"), view.Hours)
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-service", view)
}
