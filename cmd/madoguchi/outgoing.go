package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// newSender delivers as configured. It keeps no log of its own: the loop writes a
// line for each attempt.
func (s *server) newSender() (*outbound.Sender, error) {
	c := s.config.Outbound
	sender := &outbound.Sender{
		Resolver: auth.NewResolver(s.config.DNS.Resolver),
		Hostname: s.config.hostname(),
		Port:     c.Port,
		Timeout:  c.Timeout.Duration,
	}
	if c.Smarthost == "" {
		return sender, nil
	}
	password := c.Password
	if c.PasswordFile != "" {
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("outbound.password_file: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	sender.Smarthost = &outbound.Smarthost{Address: c.Smarthost, Username: c.Username, Password: password, TLS: c.TLS}
	if err := sender.Smarthost.Validate(); err != nil {
		return nil, fmt.Errorf("outbound.smarthost: %w", err)
	}
	return sender, nil
}

// newSigners reads the DKIM keys, by domain in lower case, and logs the record
// that each domain has to publish.
func (s *server) newSigners(ctx context.Context) (map[string]run.Signer, error) {
	signers := map[string]run.Signer{}
	for i, c := range s.config.DKIM {
		text, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("dkim[%d].key_file: %w", i, err)
		}
		key, err := auth.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("dkim[%d].key_file: %s: %w", i, c.KeyFile, err)
		}
		domain := strings.ToLower(c.Domain)
		signers[domain] = auth.NewSigner(domain, c.Selector, key)
		s.log.InfoContext(ctx, "signing outgoing mail; publish this TXT record", "name", c.Selector+"._domainkey."+domain, "value", auth.DNSRecord(key))
	}
	return signers, nil
}
