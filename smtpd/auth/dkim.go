package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxSignatures is how many DKIM signatures of one mail are verified, counted from the
// top.
const maxSignatures = 5

// signature is a DKIM-Signature field as far as it can be read beforehand.
type signature struct {
	field                      field
	tags                       map[string]string
	problem                    error // why tags are not all there
	domain, selector, identity string
	signed                     []string // h=
}

func readSignature(f field) signature {
	tags, err := parseTags(f.value())
	return signature{
		field: f, tags: tags, problem: err,
		domain:   withoutSpace(tags["d"]),
		selector: withoutSpace(tags["s"]),
		identity: withoutSpace(tags["i"]),
		signed:   parseList(tags["h"]),
	}
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

// checkDKIM verifies the signatures, side by side since each may wait for its key. The
// result is empty where there are none.
func checkDKIM(ctx context.Context, keys *publishedKeys, m *message, now time.Time) []DKIM {
	signatures, beyond := m.signatures()
	outcomes := make([]outcome[DKIM], len(signatures))
	var group sync.WaitGroup
	for i, s := range signatures {
		check := func() { outcomes[i] = attempt(func() DKIM { return m.checkSignature(ctx, keys, s, now) }) }
		if i == len(signatures)-1 {
			check()
			continue
		}
		group.Go(check)
	}
	group.Wait()
	results := make([]DKIM, 0, len(signatures)+len(beyond))
	for _, o := range outcomes {
		results = append(results, o.get())
	}
	return append(results, beyond...)
}

// checkSignature verifies one signature, and judges what it covers.
func (m *message) checkSignature(ctx context.Context, keys *publishedKeys, s signature, now time.Time) DKIM {
	key, err := s.verify(keys, m, now)
	if failed, ok := err.(*signatureError); ok {
		if failed.result == TempError && ctx.Err() != nil {
			return s.result(TempError, context.Cause(ctx).Error())
		}
		return s.result(failed.result, failed.reason)
	}
	// RFC 6376 section 3.6.1, flag s: no subdomain in i=.
	if slices.Contains(key.flags, "s") && s.identity != "" && !strings.EqualFold(afterAt(s.identity), s.domain) {
		return s.result(PermError, "the key forbids an identity in a subdomain")
	}
	if name := m.uncovered(s.signed); name != "" {
		return s.result(Policy, fmt.Sprintf("the mail has more %s fields than the signature covers", name))
	}
	if slices.Contains(key.flags, "y") {
		return s.result(Pass, "the domain is testing its key (t=y)")
	}
	return s.result(Pass, "")
}

func afterAt(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
