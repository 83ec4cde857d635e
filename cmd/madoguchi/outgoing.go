package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"log/slog"
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

// fileSigners reads the DKIM keys that the configuration names, by domain in
// lower case, and logs the record that each has to publish.
func fileSigners(ctx context.Context, keys []dkimConfig, log *slog.Logger) (map[string][]run.Signer, error) {
	signers := map[string][]run.Signer{}
	for i, c := range keys {
		key, err := readKey(c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("dkim[%d].key_file: %w", i, err)
		}
		domain := strings.ToLower(c.Domain)
		signers[domain] = append(signers[domain], auth.NewSigner(domain, c.Selector, key))
		log.InfoContext(ctx, "signing outgoing mail; publish this TXT record", "name", c.Selector+"._domainkey."+domain, "value", auth.DNSRecord(key))
	}
	return signers, nil
}

func readKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := auth.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// algorithmOf is the k= tag of a key's record (RFC 6376, section 3.6.1).
func algorithmOf(key crypto.Signer) string {
	if _, long := key.Public().(*rsa.PublicKey); long {
		return "rsa"
	}
	return "ed25519"
}
