package ui

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// DomainPart is one part of what the DNS says of a domain that we send from.
type DomainPart struct {
	// Kind is "mx", "host", "spf", "dkim", "dmarc", "mta_sts", "mta_sts_host", "tls_rpt" or "ptr".
	Kind string
	// Key and Phase tell DKIM keys apart: the algorithm ("rsa", "ed25519"), and
	// "first", "new", "used", "retired" or "withdrawn".
	Key, Phase string
	// State is "fine", "missing", "wrong", "unsure", "unknown", "unset" or "surplus".
	State string
	// Bad says that mail does not arrive, or is not believed, because of it.
	Bad   bool
	Found []string // what the DNS says now
	// Name, Type and Value are the record that should be there; Value is empty where
	// it is not known.
	Name, Type, Value string
	Detail            string // what the other side said
}

// domainReport is what was found out about a domain, and when.
type domainReport struct {
	Domain string
	Parts  []DomainPart
	At     time.Time
}

// problems are the kinds of what is not in order.
func (r domainReport) problems() (kinds []string) {
	for _, p := range r.Parts {
		if kind := strings.ToUpper(p.Kind); p.Bad && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// How long a report holds, and how long the DNS is given.
const (
	domainReportLifetime = 15 * time.Minute
	domainCheckTimeout   = 10 * time.Second
)

// domainReports remembers what the DNS said, so that pages need not wait for it.
type domainReports struct {
	check func(context.Context, string) []DomainPart
	now   func() time.Time
	log   *slog.Logger

	mu       sync.Mutex
	reports  map[string]domainReport
	checking map[string]chan struct{} // closed when the check is done
}

func newDomainReports(check func(context.Context, string) []DomainPart, now func() time.Time, log *slog.Logger) *domainReports {
	return &domainReports{check: check, now: now, log: log, reports: map[string]domainReport{}, checking: map[string]chan struct{}{}}
}

// begin starts a check, or joins the one under way, and returns what is closed
// at its end. closed ends when the server does.
func (d *domainReports) begin(closed context.Context, domain string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if done, ok := d.checking[domain]; ok {
		return done
	}
	done := make(chan struct{})
	d.checking[domain] = done
	go func() {
		ctx, cancel := context.WithTimeout(closed, domainCheckTimeout)
		defer cancel()
		var parts []DomainPart
		notEnding(d.log, "domain not checked", func() { parts = d.check(ctx, domain) })
		d.mu.Lock()
		defer d.mu.Unlock()
		d.reports[domain] = domainReport{domain, parts, d.now()}
		delete(d.checking, domain)
		close(done)
	}()
	return done
}

// known returns what is known of a domain without waiting. What is old is
// asked for anew meanwhile.
func (d *domainReports) known(closed context.Context, domain string) (domainReport, bool) {
	if d.check == nil || domain == "" {
		return domainReport{}, false
	}
	d.mu.Lock()
	report, ok := d.reports[domain]
	d.mu.Unlock()
	if !ok || d.now().Sub(report.At) > domainReportLifetime {
		d.begin(closed, domain)
	}
	return report, ok
}

// all returns a report of each domain: what is known, or, where anew is set or
// nothing is known, what the DNS says now.
func (d *domainReports) all(ctx, closed context.Context, domains []string, anew bool) ([]domainReport, error) {
	var waits []<-chan struct{}
	for _, domain := range domains {
		if _, ok := d.known(closed, domain); !ok || anew {
			waits = append(waits, d.begin(closed, domain))
		}
	}
	for _, done := range waits {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var list []domainReport
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, domain := range domains {
		list = append(list, d.reports[domain])
	}
	return list, nil
}

// domainsOf are the domains of aliases that send, sorted.
func domainsOf(aliases []helpdesk.Alias) (domains []string) {
	for _, a := range aliases {
		if domain := domainOf(a.Address); domain != "" && !a.Disabled && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	slices.Sort(domains)
	return domains
}

// senderAlert says why mail from a ticket's alias does not leave, or may not
// arrive. It stands above the composer and on the alias's page.
type senderAlert struct {
	Tone string // "bad" or "plain"
	Text string
	Why  string // which records, "" for none
	URL  string // where to mend it, "" for who may not
	Link string
}

// senderAlert is nil where all is well, as far as is known.
func (s *Server) senderAlert(v *visit, a helpdesk.Alias) *senderAlert {
	alert := &senderAlert{}
	switch report, known := s.domainReports.known(s.closed, domainOf(a.Address)); {
	case a.ID == "":
		*alert = senderAlert{Tone: "plain", Text: v.T("sender.gone")}
		return alert
	case a.Disabled:
		*alert = senderAlert{Tone: "plain", Text: v.T("sender.disabled", a.Address), URL: "/settings/aliases/" + a.ID, Link: v.T("sender.open_alias")}
	case known && len(report.problems()) > 0:
		*alert = senderAlert{Tone: "bad", Text: v.T("sender.dns", a.Address), Why: strings.Join(report.problems(), v.T("field.comma")),
			URL: "/settings/domains#" + report.Domain, Link: v.T("sender.open_domain")}
	default:
		return nil
	}
	if !v.may(helpdesk.PermitAliases) {
		alert.URL = ""
	}
	return alert
}
