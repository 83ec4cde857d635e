package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/acme"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/check"
	"github.com/madoguchi/madoguchi/ui"
)

// finding is one line of a check-up, as it crosses the control socket and as
// --json prints it. Fields may be added, never renamed.
type finding struct {
	Area    string   `json:"area"`
	Subject string   `json:"subject"`
	State   string   `json:"state"`
	Key     string   `json:"key"`
	Args    []string `json:"args"`
	Fix     string   `json:"fix"`
	Text    string   `json:"text,omitempty"` // the sentence, where it is printed
}

// checkup looks at everything around a server that has to be in order.
type checkup struct {
	config  config
	domains *domains
	// smtp is where the running server listens; empty without one.
	smtp string
	// model says how the model is; nil without a running server.
	model func(context.Context) ui.AnalysisStatus
	// obtained says how the certificates of ACME are; nil without a running server.
	obtained func() []acme.State
	roots    *x509.CertPool // the system's where nil
}

// checkPatience bounds a check-up; what has not answered is not known.
const checkPatience = 40 * time.Second

// run looks at everything at once, and returns what was found in a fixed order.
// The error is a panic of any of them, or that of the store.
func (c *checkup) run(ctx context.Context) (all []finding, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("check up: %v", reason)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	names, err := c.domains.desk.SendingDomains(ctx)
	if err != nil {
		return nil, err
	}
	parts := []func(context.Context) []finding{c.name, c.nameServers}
	for _, domain := range names {
		parts = append(parts, func(ctx context.Context) []finding { return c.records(ctx, domain) }, func(ctx context.Context) []finding { return c.policy(ctx, domain) })
	}
	parts = append(parts, c.listeners, c.ports, c.blocklists, c.senderLists, c.contentFilter, c.clock,
		func(context.Context) []finding { return found(check.Disk(c.config.Server.Data)) }, c.backups, c.reading)
	results := make([][]finding, len(parts))
	together(len(parts), func(i int) { results[i] = parts[i](ctx) })
	list := []finding{}
	for _, result := range results {
		list = append(list, result...)
	}
	return list, nil
}

// together does n pieces of work at once. A panic of one goes on in the caller when all
// have ended: what they read is what others publish, and in a goroutine of its own it
// would end the server.
func together(n int, work func(i int)) {
	broken := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			defer func() {
				if reason := recover(); reason != nil {
					broken[i] = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
				}
			}()
			work(i)
		})
	}
	group.Wait()
	if err := errors.Join(broken...); err != nil {
		panic(err)
	}
}

func found(list ...check.Finding) (out []finding) {
	for _, f := range list {
		out = append(out, finding{Area: f.Area, Subject: f.Subject, State: string(f.State), Key: f.Key, Args: append([]string{}, f.Args...), Fix: f.Fix})
	}
	return out
}

func (c *checkup) name(context.Context) []finding {
	name := c.config.hostname()
	if strings.Contains(name, ".") {
		return nil // whether it leads here is among the records
	}
	return found(check.Finding{Area: "records", Subject: name, State: check.Wrong, Key: "short_name", Args: []string{name}, Fix: `server.hostname = "mail.example.com"`})
}

// nameServers says which of the name servers that are asked is silent: the lines about
// records say only what is not known for that.
func (c *checkup) nameServers(ctx context.Context) []finding {
	return found(check.NameServers(ctx, c.config.DNS.servers())...)
}

// records are the DNS records of a domain that are not in order, or one line
// where all are.
func (c *checkup) records(ctx context.Context, domain string) (list []finding) {
	parts, err := c.domains.check(ctx, domain)
	if err != nil {
		return found(check.Finding{Area: "records", Subject: domain, State: check.Unknown, Key: "record_unknown", Args: []string{domain, err.Error()}})
	}
	for _, p := range parts {
		f := check.Finding{Area: "records", Subject: p.Name, State: check.Warning, Key: "record_" + string(p.State), Args: []string{strings.TrimSpace(recordNames[p.Kind] + " " + p.Key), p.Name, p.Kind, p.Key},
			Fix: "madoguchi dns " + domain}
		switch {
		case p.State == auth.SetupFine:
			continue
		case p.Bad():
			f.State = check.Wrong
		case p.State == auth.SetupUnknown:
			f.State, f.Fix = check.Unknown, ""
		}
		if f.Subject == "" {
			f.Subject, f.Args[1] = domain, domain
		}
		list = append(list, found(f)...)
	}
	if len(list) == 0 {
		return found(check.Finding{Area: "records", Subject: domain, State: check.Fine, Key: "records_fine", Args: []string{domain}})
	}
	return list
}

// policy fetches the MTA-STS policy of a domain as others do.
func (c *checkup) policy(ctx context.Context, domain string) []finding {
	policy, served := c.domains.policy()
	host := "mta-sts." + domain
	if !served {
		return nil
	}
	if _, err := c.domains.signing.Resolver.LookupIPAddr(ctx, host+"."); err != nil {
		return nil // the missing record is said already
	}
	f := check.Finding{Area: "certificate", Subject: host, State: check.Warning, Key: "policy_unreachable", Args: []string{host, ""}, Fix: "curl -v https://" + host + "/.well-known/mta-sts.txt"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return nil
	}
	response, err := c.client().Do(request)
	if err != nil {
		f.Args[1] = err.Error()
		return found(f)
	}
	defer response.Body.Close()
	const longest = 64 << 10 // RFC 8461, section 3.3
	text, err := io.ReadAll(io.LimitReader(response.Body, longest))
	switch {
	case err != nil:
		f.Args[1] = err.Error()
	case response.StatusCode != http.StatusOK:
		f.Args[1] = response.Status
	case strings.ReplaceAll(string(text), "\r\n", "\n") != strings.ReplaceAll(policy.String(), "\r\n", "\n"):
		f.Key = "policy_other"
	default:
		f.State, f.Key, f.Fix = check.Fine, "policy_fine", ""
	}
	return found(f)
}

// listeners looks at the certificates of the running server.
func (c *checkup) listeners(ctx context.Context) (list []finding) {
	if c.smtp == "" {
		return found(check.Finding{Area: "port", State: check.Warning, Key: "not_running", Fix: "madoguchi serve"})
	}
	list = found(check.MailCertificate(ctx, c.smtp, c.config.hostname(), c.roots, time.Now()))
	if u, err := url.Parse(c.config.Web.URL); err == nil && u.Scheme == "https" {
		port := u.Port()
		if port == "" {
			port = "443"
		}
		list = append(list, found(check.WebCertificate(ctx, net.JoinHostPort(u.Hostname(), port), u.Hostname(), c.roots, time.Now()))...)
	}
	states := c.obtained()
	list = slices.DeleteFunc(list, func(f finding) bool { // why there is nothing better stands beside it
		return f.Key == "self_signed" && slices.ContainsFunc(states, func(s acme.State) bool { return strings.EqualFold(s.Name, f.Subject) })
	})
	return append(list, obtainedFindings(states, time.Now())...)
}

func (c *checkup) ports(ctx context.Context) (list []finding) {
	dialer := net.Dialer{Resolver: auth.NewResolver(c.config.DNS.Resolver)}
	if c.smtp != "" && strings.Contains(c.config.hostname(), ".") {
		list = append(list, found(check.Incoming(ctx, dialer.DialContext, c.config.hostname(), 25))...)
	}
	if c.config.Outbound.Smarthost == "" && c.config.Check.Outgoing != "" {
		list = append(list, found(check.Outgoing(ctx, c.domains.signing.Resolver, dialer.DialContext, c.config.Check.Outgoing, c.config.Outbound.Port))...)
	}
	return list
}

// blocklists asks about each address that mail leaves from.
func (c *checkup) blocklists(ctx context.Context) (list []finding) {
	if c.config.Outbound.Smarthost != "" {
		return nil // whose addresses are not ours
	}
	addresses, err := c.domains.signing.Resolver.LookupIPAddr(ctx, c.config.hostname()+".")
	if err != nil {
		return nil // said among the records
	}
	for _, address := range addresses {
		ip, ok := netip.AddrFromSlice(address.IP)
		if !ok || ip.IsLoopback() || ip.IsPrivate() {
			continue
		}
		for _, name := range c.config.Check.Blocklists {
			list = append(list, found(check.Blocklist(ctx, c.domains.signing.Resolver, name, ip))...)
		}
	}
	return list
}

func (c *checkup) clock(ctx context.Context) []finding {
	if c.config.Check.Clock == "" {
		return nil
	}
	return found(check.Clock(ctx, c.client(), c.config.Check.Clock, time.Now))
}

// client asks the web servers that the configuration and our own domains name.
func (c *checkup) client() *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, Resolver: auth.NewResolver(c.config.DNS.Resolver)}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: 5 * time.Second}
	return &http.Client{Transport: transport, Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reading says how the model is.
func (c *checkup) reading(ctx context.Context) []finding {
	if c.model == nil {
		return nil
	}
	status := c.model(ctx)
	f := check.Finding{Area: "model", Subject: status.Model, State: check.Fine, Key: "model_fine", Args: []string{status.Model, status.Address}}
	switch {
	case !status.Enabled:
		f.Key = "model_off"
	case status.Problem == "model_missing" || status.Reachable && !status.ModelPresent:
		f.State, f.Key, f.Fix = check.Warning, "model_missing", "ollama pull "+status.Model
	case status.Problem != "" || !status.Reachable:
		f.State, f.Key, f.Fix = check.Warning, "model_silent", "ollama serve"
	}
	return found(f)
}

// Check looks at everything around the server.
func (l *local) Check(ctx context.Context) ([]finding, error) {
	if l.checkup != nil {
		return l.checkup().run(ctx)
	}
	d, err := l.openDomains(ctx)
	if err != nil {
		return nil, err
	}
	return (&checkup{config: l.config, domains: d}).run(ctx)
}

// checkForPage is a check-up in the words of the web.
func (c *checkup) checkForPage(ctx context.Context) ([]ui.Finding, error) {
	list, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]ui.Finding, 0, len(list))
	for _, f := range list {
		out = append(out, ui.Finding{Area: f.Area, Subject: f.Subject, State: f.State, Key: f.Key, Args: f.Args, Fix: f.Fix})
	}
	return out, nil
}
