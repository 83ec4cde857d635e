package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dane"
	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// newSender delivers as configured. It keeps no log of its own: the loop writes a
// line for each attempt.
func (s *server) newSender() (*outbound.Sender, error) {
	c := s.config.Outbound
	resolver := auth.NewResolver(s.config.DNS.Resolver)
	sender := &outbound.Sender{
		Resolver: auth.NewNamedResolver(s.config.DNS.Resolver),
		Hostname: s.config.hostname(),
		Port:     c.Port,
		Timeout:  c.Timeout.Duration,
		Idle:     c.Idle.Duration,
		Accounts: map[string]*outbound.Smarthost{},
		Policies: &mtasts.Finder{Resolver: resolver, Client: fetch.Network{Dial: fetch.DialPublic(resolver), Timeout: time.Minute}.Client(4), Memory: policyMemory{s.desk}, Now: time.Now},
	}
	if address := s.config.DNS.secure(); address != "" {
		sender.Keys = &dane.Resolver{Address: address, Timeout: s.config.DNS.Timeout.Duration}
	}
	var err error
	if c.Smarthost != "" {
		if sender.Smarthost, err = c.account().smarthost("outbound."); err != nil {
			return nil, err
		}
	}
	for i, account := range c.Accounts {
		smarthost, err := account.smarthost(fmt.Sprintf("outbound.account[%d].", i))
		if err != nil {
			return nil, err
		}
		for _, domain := range account.Domains {
			sender.Accounts[strings.ToLower(domain)] = smarthost
		}
	}
	return sender, nil
}

// account is the login of the smarthost for all domains.
func (c outboundConfig) account() accountConfig {
	return accountConfig{Smarthost: c.Smarthost, Username: c.Username, Password: c.Password, PasswordFile: c.PasswordFile, TLS: c.TLS}
}

// smarthost reads the password; at is where the configuration says it.
func (c accountConfig) smarthost(at string) (*outbound.Smarthost, error) {
	password := c.Password
	if c.PasswordFile != "" {
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("%spassword_file: %w", at, err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	smarthost := &outbound.Smarthost{Address: c.Smarthost, Username: c.Username, Password: password, TLS: c.TLS}
	if err := smarthost.Validate(); err != nil {
		return nil, fmt.Errorf("%ssmarthost: %w", at, err)
	}
	return smarthost, nil
}

// secure is the name server whose word on DNSSEC is believed: one on this
// machine, or one that the configuration trusts; "" for none.
func (c dnsConfig) secure() string {
	servers := c.servers()
	if len(servers) == 0 || !c.Trusted && !dane.Trusted(servers[0]) {
		return ""
	}
	return servers[0]
}

// servers are the name servers that are asked, host:port each, the first one first.
func (c dnsConfig) servers() []string {
	if c.Resolver == "" {
		return dnsbl.Servers()
	}
	if _, _, err := net.SplitHostPort(c.Resolver); err != nil {
		return []string{net.JoinHostPort(strings.Trim(c.Resolver, "[]"), "53")}
	}
	return []string{c.Resolver}
}

// via is the smarthost that takes the mail of a sender's domain, "" for none.
func (c outboundConfig) via(domain string) string {
	for _, account := range c.Accounts {
		if slices.ContainsFunc(account.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return account.Smarthost
		}
	}
	return c.Smarthost
}

// policyMemory keeps the MTA-STS policies of others in the desk's store.
type policyMemory struct{ desk *helpdesk.Desk }

func (m policyMemory) PolicyOf(ctx context.Context, domain string) (mtasts.Kept, bool, error) {
	p, err := m.desk.TLSPolicyOf(ctx, domain)
	if err != nil || p == nil {
		return mtasts.Kept{}, false, err
	}
	return mtasts.Kept{ID: p.ID, Policy: p.Text, At: p.At}, true, nil
}

func (m policyMemory) KeepPolicy(ctx context.Context, domain string, k mtasts.Kept) error {
	return m.desk.KeepTLSPolicy(ctx, helpdesk.TLSPolicy{Domain: domain, ID: k.ID, Text: k.Policy, At: k.At})
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
