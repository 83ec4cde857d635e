package main

import (
	"context"
	"net"
	"os"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/ui"
)

// checkDomain asks the DNS whether mail from a domain arrives and is believed,
// as this server is set up now.
func (s *server) checkDomain(ctx context.Context, domain string) []ui.DomainPart {
	c := s.config
	setup := auth.Setup{Domain: domain, Hostname: c.hostname(), Sender: c.hostname()}
	if c.Outbound.Smarthost != "" {
		setup.Sender, setup.Smarthost = c.Outbound.Smarthost, true
		if host, _, err := net.SplitHostPort(setup.Sender); err == nil {
			setup.Sender = host
		}
	}
	for _, key := range c.DKIM {
		if !strings.EqualFold(key.Domain, domain) {
			continue
		}
		// At start the file was read and understood; should it be gone by now, the
		// domain counts as one without a key.
		if text, err := os.ReadFile(key.KeyFile); err == nil {
			if signer, err := auth.ParseKey(text); err == nil {
				setup.Selector, setup.KeyRecord = key.Selector, auth.DNSRecord(signer)
			}
		}
	}
	var parts []ui.DomainPart
	for _, p := range auth.CheckSetup(ctx, auth.NewResolver(c.DNS.Resolver), setup) {
		parts = append(parts, ui.DomainPart{Kind: p.Kind, State: string(p.State), Found: p.Found, Name: p.Name, Type: p.Type, Value: p.Value, Detail: p.Detail})
	}
	return parts
}
