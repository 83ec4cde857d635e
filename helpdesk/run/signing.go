package run

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// SigningDesk is what Signing needs of the helpdesk.
type SigningDesk interface {
	EnsureDKIM(ctx context.Context, domain string) error
	SigningKeys(ctx context.Context, domain string) ([]helpdesk.DKIMKey, error)
	DKIMKeys(ctx context.Context, a helpdesk.Actor, domain string) ([]helpdesk.DKIMKey, error)
	ObserveDKIM(ctx context.Context, domain string, published map[string]bool) error
	ForgetDomain(ctx context.Context, domain string) (bool, error)
}

// Signing looks after the DKIM keys of the sending domains, and signs with them.
type Signing struct {
	Desk     SigningDesk
	Resolver auth.Resolver
	// Files are the signers whose keys the configuration names, by domain in lower
	// case. A domain that is here has no keys of the program's own.
	Files map[string][]Signer
	Log   *slog.Logger
}

// dnsPatience bounds the questions about one domain's keys.
const dnsPatience = 10 * time.Second

// Tend is the work of a domain's timer: first keys are made, and new ones are
// used once their records are published.
func (s *Signing) Tend(ctx context.Context, domain string) error {
	if forgotten, err := s.Desk.ForgetDomain(ctx, domain); err != nil || forgotten {
		return err
	}
	return s.Look(ctx, domain)
}

// Look makes the first keys of a domain where it has none, asks the DNS for
// their records, and acts on what it says.
func (s *Signing) Look(ctx context.Context, domain string) error {
	if len(s.Files[domain]) == 0 {
		if err := s.Desk.EnsureDKIM(ctx, domain); err != nil {
			return fmt.Errorf("make keys for %s: %w", domain, err)
		}
	}
	keys, err := s.Desk.DKIMKeys(ctx, helpdesk.System("signing"), domain)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, dnsPatience)
	defer cancel()
	published := map[string]bool{}
	for _, k := range keys {
		record, err := auth.PublicRecord(k.Public)
		if err != nil {
			return fmt.Errorf("key %s of %s: %w", k.Selector, domain, err)
		}
		there, err := auth.KeyPublished(asking, s.Resolver, domain, k.Selector, record)
		if err != nil {
			s.Log.DebugContext(ctx, "DKIM record not looked up", "domain", domain, "selector", k.Selector, "error", err)
			continue
		}
		published[k.Selector] = there
	}
	return s.Desk.ObserveDKIM(ctx, domain, published)
}

// Sign returns the mail with every signature that its domain has: one of each
// algorithm, RSA on top, for verifiers that look at one alone.
func (s *Signing) Sign(ctx context.Context, domain string, raw []byte) ([]byte, error) {
	domain = strings.ToLower(domain)
	signers := s.Files[domain]
	if len(signers) == 0 {
		keys, err := s.Desk.SigningKeys(ctx, domain)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			private, err := auth.ParseKey(k.Private)
			if err != nil {
				return nil, fmt.Errorf("key %s of %s: %w", k.Selector, domain, err)
			}
			signer := auth.NewSigner(domain, k.Selector, private)
			if k.Algorithm == "rsa" {
				signers = append(signers, signer)
			} else {
				signers = append([]Signer{signer}, signers...)
			}
		}
	}
	var err error
	for _, signer := range signers {
		if raw, err = signer.Sign(raw); err != nil {
			return nil, err
		}
	}
	return raw, nil
}
