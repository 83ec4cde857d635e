package main

import (
	"context"
	"net"
	"strings"
	"sync/atomic"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/check"
	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
	"github.com/madoguchi/madoguchi/smtpd/rspamd"
	"github.com/madoguchi/madoguchi/ui"
)

// guard is what the file has stand between the listener and the internet.
func (s *server) guard(c *config) smtpd.Guard {
	g := smtpd.Guard{Limits: c.Incoming.limits()}
	if filter := c.rspamd(); filter.URL != "" {
		g.Filter = filter
	}
	if len(c.Incoming.DNSBL) > 0 {
		options := c.blocklists()
		options.Log = s.log
		options.Failed = func(string) { s.metrics.incident(smtpd.IncidentListSilent) }
		g.Blocklists = dnsbl.New(options)
	}
	return g
}

// changingVerifier authenticates senders as the file says that is in force.
type changingVerifier struct{ atomic.Pointer[auth.Verifier] }

// Verify implements smtpd.Verifier.
func (v *changingVerifier) Verify(ctx context.Context, r auth.Request) auth.Verdict {
	return v.Load().Verify(ctx, r)
}

// trust has forwarders trusted from now on, and keeps what the DNS said.
func (v *changingVerifier) trust(forwarders []string) {
	changed := *v.Load()
	changed.Forwarders = forwarders
	v.Store(&changed)
}

// blocklists are those of the file, and whom to ask for them.
func (c *config) blocklists() dnsbl.Options {
	o := dnsbl.Options{Timeout: c.Incoming.DNSBLTimeout.Duration, Servers: dnsbl.Servers()}
	if c.DNS.Resolver != "" {
		o.Servers = []string{c.DNS.Resolver}
		if _, _, err := net.SplitHostPort(c.DNS.Resolver); err != nil {
			o.Servers = []string{net.JoinHostPort(strings.Trim(c.DNS.Resolver, "[]"), "53")}
		}
	}
	for _, list := range c.Incoming.DNSBL {
		o.Lists = append(o.Lists, dnsbl.List{Zone: strings.TrimSuffix(list.Zone, "."), Refuse: list.Action == dnsblRefuse, Answers: networksOf(list.Answers), Lookup: list.Lookup})
	}
	return o
}

// contentFilter asks whether the file's rspamd is there.
func (c *checkup) contentFilter(ctx context.Context) []finding {
	filter := c.config.rspamd()
	if filter.URL == "" {
		return nil
	}
	f := check.Finding{Area: "port", Subject: filter.URL, State: check.Fine, Key: "rspamd_fine", Args: []string{filter.URL}}
	if err := filter.Ping(ctx); err != nil {
		f.State, f.Key, f.Args, f.Fix = check.Wrong, "rspamd_silent", append(f.Args, err.Error()), "systemctl status rspamd"
	}
	return found(f)
}

// rspamd is the content filter of the file; without a URL there is none.
func (c *config) rspamd() *rspamd.Client {
	return &rspamd.Client{URL: c.Incoming.Rspamd.URL, Timeout: c.Incoming.Rspamd.Timeout.Duration, Hostname: c.hostname()}
}

func (c greylistConfig) greylisting() helpdesk.Greylisting {
	return helpdesk.Greylisting{Delay: c.Delay.Duration, Within: c.Within.Duration, Keep: c.Keep.Duration}
}

// senderLists asks each blocklist of the file for its test entries.
func (c *checkup) senderLists(ctx context.Context) []finding {
	options := c.config.blocklists()
	checker := dnsbl.New(options)
	list := make([]check.Finding, len(options.Lists))
	together(len(list), func(i int) {
		l := options.Lists[i]
		state, err := checker.Test(ctx, l)
		f := check.Finding{Area: "blocklist", Subject: l.Zone, State: check.Wrong, Key: "dnsbl_" + string(state), Args: []string{l.Zone}}
		if err != nil {
			f.Args = append(f.Args, err.Error())
		}
		switch state {
		case dnsbl.Fine:
			f.State = check.Fine
		case dnsbl.Silent:
			f.State = check.Warning
		case dnsbl.Refused, dnsbl.Nonsense:
			f.Fix = `dns.resolver = "127.0.0.1:53"`
		}
		list[i] = f
	})
	return found(list...)
}

// turnedAway is what the web shows of whom the listener refused something.
func (s *server) turnedAway() (list []ui.TurnedAway) {
	for _, t := range s.smtp.TurnedAway() {
		host := t.Host.String()
		if t.Host.IsSingleIP() {
			host = t.Host.Addr().String()
		}
		one := ui.TurnedAway{Host: host, Counts: map[helpdesk.RefusalReason]int{}, Last: t.Last, Slowed: t.Slowed, Shut: t.Shut, Full: t.Full}
		for reason, n := range t.Counts {
			one.Counts[helpdesk.RefusalReason(reason)] = n
		}
		list = append(list, one)
	}
	return list
}
