package main

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/check"
	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
)

// openBlocklists is what the listener asks about clients.
func (s *server) openBlocklists() {
	if len(s.config.Incoming.DNSBL) == 0 {
		return
	}
	options := s.config.blocklists()
	options.Log = s.log
	options.Failed = func(string) { s.metrics.incident(smtpd.IncidentListSilent) }
	s.blocklists = dnsbl.New(options)
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

// filterResults puts what the filters said of a mail into the desk's words.
func filterResults(m *smtpd.Mail) (list []helpdesk.FilterResult) {
	for _, l := range m.Listings {
		list = append(list, helpdesk.FilterResult{Filter: l.Zone, Effect: helpdesk.EffectSpam, Detail: strings.TrimSpace(l.Answer.String() + " " + l.Reason)})
	}
	return list
}

// senderLists asks each blocklist of the file for its test entries.
func (c *checkup) senderLists(ctx context.Context) []finding {
	options := c.config.blocklists()
	checker := dnsbl.New(options)
	list := make([]check.Finding, len(options.Lists))
	var group sync.WaitGroup
	for i, l := range options.Lists {
		group.Go(func() {
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
	}
	group.Wait()
	return found(list...)
}
