package ui

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// reportsView shows what other servers say of our domains.
type reportsView struct {
	settingsPage
	Address string // that takes reports, "" for none
	Domains []domainReportsView
}

// domainReportsView is what is said of one domain; either part may be nil.
type domainReportsView struct {
	Domain     string
	Senders    *sendersView
	Encryption *encryptionView
}

// sendersView is what receivers say of the mail that comes in a domain's name.
type sendersView struct {
	Summary, By, Period string
	Badge               *badge
	Sources             []reportSourceView
	Others              string
}

type reportSourceView struct {
	Address, Host, Mails string
	DKIM, SPF            string
	Undelivered          string
	Advice               string
	Tone                 string
}

const (
	reportDays         = 30
	reportSourcesShown = 30
	reverseTimeout     = 2 * time.Second
)

func (s *Server) reportsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "reports", "")
	if err != nil {
		return err
	}
	view := reportsView{settingsPage: sp, Address: strings.Join(s.policy.Load().ReportAddresses, v.T("field.comma"))}
	since := v.Now.AddDate(0, 0, -reportDays)
	senders, err := s.desk.DMARCReports(ctx, v.actor(), since)
	if err != nil {
		return err
	}
	encryption, err := s.desk.ReceivedTLSReports(ctx, v.actor(), since)
	if err != nil {
		return err
	}
	names := s.reverseNames(ctx, senders)
	domains := map[string]domainReportsView{}
	for _, d := range senders {
		domains[d.Domain] = domainReportsView{Domain: d.Domain, Senders: v.senders(d, names)}
	}
	for _, d := range encryption {
		domains[d.Domain] = domainReportsView{Domain: d.Domain, Senders: domains[d.Domain].Senders, Encryption: v.encryption(d)}
	}
	for _, name := range slices.Sorted(maps.Keys(domains)) {
		view.Domains = append(view.Domains, domains[name])
	}
	return s.render(c, http.StatusOK, "settings-reports", view)
}

func (v *visit) senders(d helpdesk.DomainReports, names map[string]string) *sendersView {
	view := &sendersView{Summary: v.N("reports.summary", d.Mails, v.Number(d.Mails), v.Number(d.Proven)), By: strings.Join(d.Organisations, v.T("field.comma")),
		Period: v.T("reports.period", v.Long(d.Begin), v.Long(d.End)), Badge: &badge{"good", v.T("reports.all_proven")}}
	tones := map[helpdesk.Advice]string{helpdesk.AdviceFine: "good", helpdesk.AdviceNoDKIM: "warn", helpdesk.AdvicePartly: "warn", helpdesk.AdviceUnknown: "bad"}
	for _, source := range d.Sources {
		if source.Advice() != helpdesk.AdviceFine {
			view.Badge = &badge{"warn", v.T("reports.some_unproven")}
		}
	}
	shown := d.Sources[:min(reportSourcesShown, len(d.Sources))]
	for _, source := range shown {
		row := reportSourceView{Address: source.Address, Host: names[source.Address], Mails: v.Number(source.Mails), DKIM: v.share(source.DKIM, source.Mails), SPF: v.share(source.SPF, source.Mails),
			Advice: v.T("reports.advice." + string(source.Advice())), Tone: tones[source.Advice()]}
		if lost := source.Quarantined + source.Rejected; lost > 0 {
			row.Undelivered = v.N("reports.undelivered", lost, v.Number(lost))
		}
		view.Sources = append(view.Sources, row)
	}
	if more := len(d.Sources) - len(shown); more > 0 {
		view.Others = v.N("reports.others", more, v.Number(more))
	}
	return view
}

// share writes a part of a whole in percent.
func (v *visit) share(part, whole int) string {
	return v.Number(part*100/max(whole, 1)) + "%"
}

// reverseNames asks the DNS for the names of the sources that are shown, all at
// once and for a moment only: they are a convenience.
func (s *Server) reverseNames(ctx context.Context, list []helpdesk.DomainReports) map[string]string {
	names := map[string]string{}
	if s.options.ReverseName == nil {
		return names
	}
	ctx, cancel := context.WithTimeout(ctx, reverseTimeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, d := range list {
		for _, source := range d.Sources[:min(reportSourcesShown, len(d.Sources))] {
			asked.Go(func() {
				notEnding(s.log, "no name of a sender's address", func() {
					name := s.options.ReverseName(ctx, source.Address)
					mu.Lock()
					defer mu.Unlock()
					names[source.Address] = name
				})
			})
		}
	}
	asked.Wait()
	return names
}
