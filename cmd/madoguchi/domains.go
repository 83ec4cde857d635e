package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
	"github.com/madoguchi/madoguchi/ui"
)

// domains answers what the DNS has to say of the domains that mail leaves from,
// for a server of the given configuration.
type domains struct {
	config  func() *config // the one in force
	desk    *helpdesk.Desk
	signing *run.Signing
}

func newDomains(ctx context.Context, c func() *config, desk *helpdesk.Desk, log *slog.Logger) (*domains, error) {
	files, err := fileSigners(ctx, c().DKIM, log)
	if err != nil {
		return nil, err
	}
	signing := &run.Signing{Desk: desk, Resolver: auth.NewResolver(c().DNS.Resolver), Files: files, Log: log}
	return &domains{config: c, desk: desk, signing: signing}, nil
}

// policy is the MTA-STS policy of every domain; false where there is none.
func (d *domains) policy() (mtasts.Policy, bool) {
	c := d.config()
	return mtasts.Policy{Mode: mtasts.Mode(c.MTASTS.Mode), MX: []string{strings.ToLower(c.hostname())}, MaxAge: c.MTASTS.MaxAge.Duration}, c.MTASTS.Mode != mtaSTSOff
}

// check looks after a domain's keys and asks the DNS for every record.
func (d *domains) check(ctx context.Context, domain string) ([]auth.SetupPart, error) {
	if err := d.signing.Look(ctx, domain); err != nil {
		return nil, err
	}
	c := d.config()
	setup := auth.Setup{Domain: domain, Hostname: c.hostname(), Sender: c.hostname(), Reports: c.Reports.DMARC, TLSReports: c.Reports.tls()}
	if c.Outbound.Smarthost != "" {
		setup.Sender, setup.Smarthost = c.Outbound.Smarthost, true
		if host, _, err := net.SplitHostPort(setup.Sender); err == nil {
			setup.Sender = host
		}
	}
	if policy, served := d.policy(); served {
		setup.PolicyRecord = policy.Record()
	}
	var err error
	if setup.Keys, err = d.keys(ctx, domain); err != nil {
		return nil, err
	}
	return auth.CheckSetup(ctx, d.signing.Resolver, setup), nil
}

// keys are the DKIM keys of a domain: those of files, or else the program's own.
func (d *domains) keys(ctx context.Context, domain string) (list []auth.SetupKey, err error) {
	for _, file := range d.config().DKIM {
		if !strings.EqualFold(file.Domain, domain) {
			continue
		}
		// At start the file was read and understood; should it be gone by now, the
		// domain counts as one without that key.
		if key, err := readKey(file.KeyFile); err == nil {
			list = append(list, auth.SetupKey{Selector: file.Selector, Record: auth.DNSRecord(key), Algorithm: algorithmOf(key), Phase: string(helpdesk.DKIMUsed)})
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	keys, err := d.desk.DKIMKeys(ctx, helpdesk.System("domains"), domain)
	if err != nil {
		return nil, err
	}
	signs := slices.ContainsFunc(keys, func(k helpdesk.DKIMKey) bool { return k.State == helpdesk.DKIMUsed })
	for _, k := range keys {
		record, err := auth.PublicRecord(k.Public)
		if err != nil {
			return nil, err
		}
		key := auth.SetupKey{Selector: k.Selector, Record: record, Algorithm: k.Algorithm, Phase: string(k.State), Withdrawn: k.State == helpdesk.DKIMWithdrawn}
		if k.State == helpdesk.DKIMNew && !signs {
			key.Phase = "first"
		}
		list = append(list, key)
	}
	return list, nil
}

// checkForPage is check in the words of the web.
func (d *domains) checkForPage(ctx context.Context, domain string) []ui.DomainPart {
	found, err := d.check(ctx, domain)
	if err != nil {
		if ctx.Err() == nil { // else whoever asked has gone, or the server stops
			d.signing.Log.ErrorContext(ctx, "check a domain", "domain", domain, "error", err)
		}
		return []ui.DomainPart{{Kind: "dkim", State: string(auth.SetupUnknown), Detail: err.Error()}}
	}
	var parts []ui.DomainPart
	for _, p := range found {
		parts = append(parts, ui.DomainPart{Kind: p.Kind, Key: p.Key, Phase: p.Phase, State: string(p.State), Bad: p.Bad(),
			Found: p.Found, Name: p.Name, Type: p.Type, Value: p.Value, Detail: p.Detail})
	}
	return parts
}

// servePolicy answers for mta-sts.DOMAIN, where DOMAIN is one that mail leaves
// from (RFC 8461, section 3.2).
func (d *domains) servePolicy(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	domain, named := strings.CutPrefix(host, "mta-sts.")
	policy, served := d.policy()
	if !named || !served {
		answerText(w, http.StatusNotFound, "no policy")
		return
	}
	list, err := d.desk.SendingDomains(r.Context())
	switch {
	case err != nil:
		d.signing.Log.ErrorContext(r.Context(), "serve the MTA-STS policy", "error", err)
		answerText(w, http.StatusServiceUnavailable, "not now")
	case !slices.Contains(list, domain):
		answerText(w, http.StatusNotFound, "no policy")
	default:
		w.Header().Set("Content-Type", "text/plain; charset=us-ascii")
		w.Header().Set("Cache-Control", "max-age=300")
		w.Write([]byte(policy.String()))
	}
}

// domainInfo is a domain with its records, as it crosses the control socket and
// as --json prints it. Fields may be added, never renamed.
type domainInfo struct {
	Domain string `json:"domain"`
	// Server is the name of this server, as the records have it.
	Server  string       `json:"server"`
	Records []recordInfo `json:"records"`
}

type recordInfo struct {
	Kind   string   `json:"kind"`
	Key    string   `json:"key,omitempty"`
	Phase  string   `json:"phase,omitempty"`
	State  string   `json:"state"`
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Value  string   `json:"value"`
	Found  []string `json:"found"`
	Detail string   `json:"detail,omitempty"`
}

// describe checks a domain, or all for "".
func (d *domains) describe(ctx context.Context, domain string) ([]domainInfo, error) {
	list := []string{strings.ToLower(strings.TrimSuffix(strings.TrimSpace(domain), "."))}
	if domain == "" {
		var err error
		if list, err = d.desk.SendingDomains(ctx); err != nil {
			return nil, err
		}
	} else if !looksLikeAddress("postmaster@"+list[0]) || !strings.Contains(list[0], ".") {
		return nil, &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: "domain", Message: "\"" + domain + "\" is not a domain; write it like example.com"}
	}
	out := make([]domainInfo, 0, len(list))
	for _, name := range list {
		parts, err := d.check(ctx, name)
		if err != nil {
			return nil, err
		}
		info := domainInfo{Domain: name, Server: d.config().hostname()}
		for _, p := range parts {
			info.Records = append(info.Records, recordInfo{Kind: p.Kind, Key: p.Key, Phase: p.Phase, State: string(p.State),
				Name: p.Name, Type: p.Type, Value: p.Value, Found: slices.Concat([]string{}, p.Found), Detail: p.Detail})
		}
		out = append(out, info)
	}
	return out, nil
}

// Domains asks the DNS about a domain, or about all that mail leaves from for
// "". A domain that is named gets keys where it has none.
func (l *local) Domains(ctx context.Context, domain string) ([]domainInfo, error) {
	d, err := l.openDomains(ctx)
	if err != nil {
		return nil, err
	}
	return d.describe(ctx, domain)
}

// RotateKeys makes new DKIM keys for a domain, and says what to publish.
func (l *local) RotateKeys(ctx context.Context, domain string) ([]domainInfo, error) {
	d, err := l.openDomains(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.rotate(ctx, l.actor, domain); err != nil {
		return nil, err
	}
	return d.describe(ctx, domain)
}

// openDomains is for a command without a server; a running server has its own.
func (l *local) openDomains(ctx context.Context) (*domains, error) {
	if l.domains != nil {
		return l.domains, nil
	}
	return newDomains(ctx, func() *config { return &l.config }, l.desk, slog.New(slog.DiscardHandler))
}

// rotate makes new keys for a domain whose keys are not those of files.
func (d *domains) rotate(ctx context.Context, a helpdesk.Actor, domain string) error {
	if len(d.signing.Files[strings.ToLower(domain)]) == 0 {
		return d.desk.RotateDKIM(ctx, a, domain)
	}
	return &helpdesk.Error{Code: helpdesk.CodeConflict, Key: "error.dkim_in_file", Args: []any{domain},
		Message: "the keys of " + domain + " are those of [[dkim]] in the configuration file: change them there, or take the tables out to have the program make and change keys"}
}

// reverseName is the name that the DNS has for an address, or "".
func (d *domains) reverseName(ctx context.Context, address string) string {
	names, err := auth.NewResolver(d.config().DNS.Resolver).LookupAddr(ctx, address)
	if err != nil || len(names) == 0 {
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}
