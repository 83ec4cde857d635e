package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

func (s *Server) domainRoutes(g *echo.Group) {
	g.GET("/settings/domains", s.domainsPage)
	g.POST("/settings/domains", s.checkDomains)
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
	Parts     []domainPartView
	Checked   moment
}

type domainPartView struct {
	DomainPart
	Label  string
	Why    string // what the record is for
	Badge  *badge
	Say    string // what to do
	Create *dnsRecord
}

// dnsRecord is a record to create, each of its parts to be copied.
type dnsRecord struct{ Name, Type, Value string }

// tones are the looks of the states of a domain's parts.
var domainTones = map[string]string{"fine": "good", "missing": "bad", "wrong": "bad", "unsure": "warn", "unset": "warn", "unknown": "plain"}

func (s *Server) domainsPage(c echo.Context) error {
	view, err := s.newDomainsView(c, false)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-domains", view)
}

// checkDomains asks the DNS again.
func (s *Server) checkDomains(c echo.Context) error {
	if _, err := s.newDomainsView(c, true); err != nil {
		return err
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
	if len(report.problems()) > 0 {
		view.Badge = &badge{"bad", v.T("domain.not_in_order")}
	}
	for _, p := range report.Parts {
		part := domainPartView{DomainPart: p, Label: v.T("domain.part." + p.Kind), Why: v.T("domain.why." + p.Kind),
			Badge: &badge{domainTones[p.State], v.T("domain.state." + p.State)}}
		if p.State != "fine" {
			part.Say = v.T("domain.say." + p.State)
			if p.Kind == "mx" && p.State == "unsure" {
				part.Say = v.T("domain.say.mx_elsewhere")
			}
		}
		if p.Name != "" && p.Value != "" {
			part.Create = &dnsRecord{p.Name, p.Type, p.Value}
		}
		view.Parts = append(view.Parts, part)
	}
	return view
}
