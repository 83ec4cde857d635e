package ui

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) domainRoutes(g *echo.Group) {
	g.GET("/settings/domains", s.domainsPage)
	g.POST("/settings/domains", s.checkDomains)
	g.POST("/settings/domains/:domain/rotate", s.rotateKeys)
}

type domainsView struct {
	settingsPage
	Domains []domainView
	// Hostname is the server's name where that is none that others could find.
	Hostname string
}

type domainView struct {
	Domain    string
	Badge     *badge
	Addresses []string
	Groups    []domainGroup
	Checked   moment
	// Rotates says that new keys can be made now.
	Rotates bool
}

// domainGroup is what belongs together of a domain's records.
type domainGroup struct {
	Name  string
	Parts []domainPartView
}

type domainPartView struct {
	DomainPart
	Label  string
	Why    string // what the record is for
	Badge  *badge
	Say    string     // what to do
	Record *dnsRecord // to be created, or, folded away, as it is
	Open   bool       // there is something to do
}

// dnsRecord is a record to create, each of its parts to be copied.
type dnsRecord struct{ Name, Type, Value string }

// tones are the looks of the states of a domain's parts.
var domainTones = map[string]string{"fine": "good", "missing": "bad", "wrong": "bad", "unsure": "warn", "unset": "warn", "unknown": "plain", "surplus": "warn"}

// domainGroups are the parts of a domain by what they are for.
var domainGroups = []struct {
	name  string
	kinds []string
}{
	{"arrive", []string{"mx", "host"}},
	{"believed", []string{"spf", "dkim", "dmarc", "ptr"}},
	{"encrypted", []string{"mta_sts", "mta_sts_host", "tls_rpt"}},
}

func (s *Server) domainsPage(c echo.Context) error {
	view, err := s.newDomainsView(c, false)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-domains", view)
}

// checkDomains asks the DNS again.
func (s *Server) checkDomains(c echo.Context) error {
	view, err := s.newDomainsView(c, true)
	if err != nil {
		return err
	}
	if view.Locked != "" {
		return &helpdesk.Error{Code: helpdesk.CodeForbidden, Key: "error.forbidden", Message: view.Locked}
	}
	return c.Redirect(http.StatusSeeOther, "/settings/domains")
}

func (s *Server) newDomainsView(c echo.Context, anew bool) (domainsView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "domains", "")
	view := domainsView{settingsPage: sp}
	if err != nil || sp.Locked != "" || s.domainReports.check == nil {
		return view, err
	}
	if !strings.Contains(s.options.Hostname, ".") {
		view.Hostname = s.options.Hostname
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return view, err
	}
	reports, err := s.domainReports.all(ctx, s.closed, domainsOf(aliases), anew)
	if err != nil {
		return view, err
	}
	for _, report := range reports {
		domain := v.domain(report)
		for _, a := range aliases {
			if domainOf(a.Address) == report.Domain && !a.Disabled {
				domain.Addresses = append(domain.Addresses, a.Address)
			}
		}
		view.Domains = append(view.Domains, domain)
	}
	return view, nil
}

func (v *visit) domain(report domainReport) domainView {
	view := domainView{Domain: report.Domain, Checked: longMoment(v.Printer, report.At), Badge: &badge{"good", v.T("domain.in_order")}}
	switch {
	case len(report.problems()) > 0:
		view.Badge = &badge{"bad", v.T("domain.not_in_order")}
	case slices.ContainsFunc(report.Parts, func(p DomainPart) bool { return p.State == "unknown" }):
		view.Badge = &badge{"plain", v.T("domain.not_known")}
	}
	view.Rotates = !slices.ContainsFunc(report.Parts, func(p DomainPart) bool { return p.Phase == "new" || p.Phase == "first" })
	for _, group := range domainGroups {
		shown := domainGroup{Name: v.T("domain.group." + group.name)}
		for _, p := range report.Parts {
			if slices.Contains(group.kinds, p.Kind) {
				shown.Parts = append(shown.Parts, v.domainPart(p))
			}
		}
		if len(shown.Parts) > 0 {
			view.Groups = append(view.Groups, shown)
		}
	}
	return view
}

func (v *visit) domainPart(p DomainPart) domainPartView {
	part := domainPartView{DomainPart: p, Label: v.T("domain.part." + p.Kind), Why: v.T("domain.why." + p.Kind),
		Badge: &badge{domainTones[p.State], v.T("domain.state." + p.State)}, Open: p.State != "fine"}
	if p.Key != "" {
		part.Label = v.T("domain.key." + p.Key)
	}
	if p.Phase != "" {
		part.Why = v.T("domain.phase." + p.Phase)
	}
	switch {
	case p.Kind == "mx" && p.State == "unsure":
		part.Say = v.T("domain.say.mx_elsewhere")
	case p.Kind == "host" && p.State == "missing":
		part.Say = v.T("domain.say.host", p.Name)
	case p.State == "missing" && p.Phase == "new":
		part.Say, part.Badge.Tone = v.T("domain.say.key_new"), "warn"
	case part.Open:
		part.Say = v.T("domain.say." + p.State)
	}
	if !p.Bad && part.Badge.Tone == "bad" {
		part.Badge.Tone = "warn"
	}
	if p.Name != "" && p.Value != "" {
		part.Record = &dnsRecord{p.Name, p.Type, p.Value}
	}
	return part
}

// rotateKeys makes new keys for a domain.
func (s *Server) rotateKeys(c echo.Context) error {
	if s.options.RotateKeys == nil {
		return echo.ErrNotFound
	}
	domain := c.Param("domain")
	if err := s.options.RotateKeys(c.Request().Context(), visitOf(c).actor(), domain); err != nil {
		return err
	}
	if _, err := s.domainReports.all(c.Request().Context(), s.closed, []string{domain}, true); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/domains?saved=1#"+domain)
}
