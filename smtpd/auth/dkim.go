package auth

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	// maxSignatures is how many DKIM signatures of one mail are verified,
	// counted from the top.
	maxSignatures = 5
	// maxComparisons bounds names in h= times fields of the header, over all
	// signatures verified: finding the signed fields costs their product, and
	// both are the sender's to choose.
	maxComparisons = 10_000_000
)

// signature is a DKIM-Signature field as far as it can be read beforehand.
type signature struct {
	domain, selector, identity string
	signed                     []string // h=
	bodyLength                 bool     // l= is there
}

func readSignature(f field) signature {
	tags, _ := parseTags(f.value())
	s := signature{
		domain:   withoutSpace(tags["d"]),
		selector: withoutSpace(tags["s"]),
		identity: withoutSpace(tags["i"]),
		signed:   parseList(tags["h"]),
	}
	_, s.bodyLength = tags["l"]
	return s
}

func (s signature) result(result Result, reason string) DKIM {
	domain, ok := asciiDomain(s.domain)
	if !ok {
		domain = clean(s.domain)
	}
	return DKIM{Result: result, Domain: domain, Selector: clean(s.selector), Identity: clean(s.identity), Reason: clean(reason)}
}

// signatures returns those that are verified, and one Policy result that stands
// for those beyond the limit.
func (m *message) signatures() (checked []signature, beyond []DKIM) {
	fields := m.named("dkim-signature")
	if extra := len(fields) - maxSignatures; extra > 0 {
		fields = fields[:maxSignatures]
		beyond = []DKIM{{Result: Policy, Reason: fmt.Sprintf("%d more signatures were not checked: the limit is %d", extra, maxSignatures)}}
	}
	for _, f := range fields {
		checked = append(checked, readSignature(f))
	}
	return checked, beyond
}

// checkDKIM verifies the signatures. The result is empty where there are none.
func checkDKIM(ctx context.Context, dns lookups, m *message, now time.Time) []DKIM {
	signatures, beyond := m.signatures()
	if len(signatures) == 0 {
		return nil
	}
	results := make([]DKIM, len(signatures), len(signatures)+len(beyond))
	if m.comparisons(signatures) > maxComparisons || m.unfolding > maxUnfolding {
		for i, s := range signatures {
			results[i] = s.result(Policy, "not checked: the header is too long")
		}
		return append(results, beyond...)
	}
	keys := keyRecords{ctx: ctx, dns: dns}
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(m.raw), &dkim.VerifyOptions{
		LookupTXT: keys.lookup, MaxVerifications: maxSignatures,
	})
	for i, s := range signatures {
		if i >= len(verifications) || verifications[i] == nil {
			results[i] = s.result(PermError, fmt.Sprintf("the mail cannot be verified: %v", err))
			continue
		}
		results[i] = m.judge(s, verifications[i], keys.flags(s), now)
		if results[i].Result == TempError && ctx.Err() != nil {
			results[i].Reason = clean(context.Cause(ctx).Error())
		}
	}
	return append(results, beyond...)
}

func (m *message) comparisons(signatures []signature) int {
	names := 0
	for _, s := range signatures {
		names += len(s.signed)
	}
	return names * len(m.fields)
}

// judge turns the library's verification into a result, and adds what the
// library leaves to its callers.
func (m *message) judge(s signature, v *dkim.Verification, keyFlags []string, now time.Time) DKIM {
	switch {
	case v.Err != nil && dkim.IsTempFail(v.Err):
		return s.result(TempError, reasonOf(v.Err))
	// RFC 6376 section 8.2: what follows the signed length can be anyone's.
	case s.bodyLength && !dkim.IsPermFail(v.Err):
		return s.result(Policy, "the signature covers only part of the body (l=)")
	case v.Err != nil && dkim.IsPermFail(v.Err):
		return s.result(PermError, reasonOf(v.Err))
	case v.Err != nil:
		return s.result(Fail, reasonOf(v.Err))
	case !v.Expiration.IsZero() && now.After(v.Expiration):
		return s.result(PermError, "signature has expired")
	// RFC 6376 section 3.6.1, flag s: no subdomain in i=.
	case slices.Contains(keyFlags, "s") && !strings.EqualFold(afterAt(v.Identifier), v.Domain):
		return s.result(PermError, "the key forbids an identity in a subdomain")
	}
	if name := m.uncovered(v.HeaderKeys); name != "" {
		return s.result(Policy, fmt.Sprintf("the mail has more %s fields than the signature covers", name))
	}
	if slices.Contains(keyFlags, "y") {
		return s.result(Pass, "the domain is testing its key (t=y)")
	}
	return s.result(Pass, "")
}

func lateDKIM(ctx context.Context, m *message) []DKIM {
	signatures, beyond := m.signatures()
	var results []DKIM
	for _, s := range signatures {
		results = append(results, s.result(TempError, context.Cause(ctx).Error()))
	}
	return append(results, beyond...)
}

func reasonOf(err error) string { return strings.TrimPrefix(err.Error(), "dkim: ") }

func afterAt(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// keyRecords gives the library, whose lookups know no context, the budget's;
// and keeps the records, whose flags the library reads but does not hand out.
type keyRecords struct {
	ctx context.Context // of one Verify, which this value does not outlive
	dns lookups

	mu      sync.Mutex
	records map[string]string // by name asked
}

func (k *keyRecords) lookup(name string) ([]string, error) {
	records, err := k.dns.LookupTXT(k.ctx, name)
	if err != nil {
		return nil, err
	}
	if len(records) == 1 {
		if len(records[0]) > maxKeyRecord {
			return nil, errKeyTooLong
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.records == nil {
			k.records = make(map[string]string)
		}
		k.records[name] = records[0]
	}
	return records, nil
}

func (k *keyRecords) flags(s signature) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	tags, err := parseTags(k.records[s.selector+"._domainkey."+s.domain])
	if err != nil {
		return nil
	}
	return parseList(tags["t"])
}

var errKeyTooLong = fmt.Errorf("the key record is longer than %d bytes", maxKeyRecord)
