package main

import (
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// tlsReporter sends the reports on encryption, and has the sender count for them
// where they are asked for.
func (s *server) tlsReporter(sender *outbound.Sender) *run.TLSReporter {
	if s.config.Outbound.TLSReports {
		sender.Watch = func(ctx context.Context, session outbound.TLSSession) {
			err := s.desk.CountTLS(ctx, helpdesk.TLSResult{Domain: session.Domain, Policy: session.Policy, Text: session.Text, MX: session.MX,
				Host: session.Host, Address: session.Address, Sender: session.Sender, Result: session.Result, Reason: session.Reason})
			if err != nil {
				s.log.ErrorContext(ctx, "count a connection for the TLS reports", "domain", session.Domain, "error", err)
			}
		}
	}
	resolver := auth.NewResolver(s.config.DNS.Resolver)
	return &run.TLSReporter{Desk: s.desk, Resolver: resolver, Client: fetch.Network{Dial: fetch.DialPublic(resolver), Timeout: time.Minute}.Client(4),
		Domain: s.signedDomain, Hostname: s.config.hostname(), Now: time.Now, Log: s.log}
}

// signedDomain is the first of our domains whose mail is signed, "" for none.
func (s *server) signedDomain(ctx context.Context) (string, error) {
	names, err := s.desk.SendingDomains(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		keys, err := s.domains.keys(ctx, name)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(keys, func(k auth.SetupKey) bool { return k.Phase == string(helpdesk.DKIMUsed) }) {
			return name, nil
		}
	}
	return "", nil
}
