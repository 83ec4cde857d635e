package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// dmarcRecord holds the tags of a DMARC record that decide a verdict.
type dmarcRecord struct {
	policy, subdomainPolicy string
	strictDKIM, strictSPF   bool
	percent                 int // 0 to 100
	testing                 bool
}

// policyLookup is what discovery found: a record and the name it stood at, or
// nothing, or trouble.
type policyLookup struct {
	record *dmarcRecord
	domain string // where the record was found
	// problem says why there is no record; permanent that it is the publisher's fault.
	problem   string
	permanent bool
	err       error // no answer
}

// discoverPolicy finds the record for a From domain (RFC 7489 section 6.6.3):
// at the domain, then at its organisational domain.
func discoverPolicy(ctx context.Context, dns lookups, domain string) policyLookup {
	if domain == "" {
		return policyLookup{}
	}
	places := []string{domain}
	if organisation := organisationalDomain(domain); organisation != domain {
		places = append(places, organisation)
	}
	for _, place := range places {
		records, err := dns.LookupTXT(ctx, "_dmarc."+place)
		if err != nil && !isNotFound(err) {
			return policyLookup{err: err}
		}
		var ours []string
		for _, record := range records {
			if isDMARC(record) {
				ours = append(ours, record)
			}
		}
		if len(ours) > 1 {
			return policyLookup{problem: place + " publishes several DMARC records"}
		}
		if len(ours) == 1 {
			record, err := parseDMARC(ours[0])
			if err != nil {
				return policyLookup{problem: fmt.Sprintf("the DMARC record of %s is invalid: %v", place, err), permanent: true}
			}
			return policyLookup{record: record, domain: place}
		}
	}
	return policyLookup{problem: domain + " publishes no DMARC record"}
}

// isDMARC says whether a TXT record begins with the version tag of DMARC.
func isDMARC(record string) bool {
	first, _, _ := strings.Cut(record, ";")
	name, value, _ := strings.Cut(first, "=")
	return strings.TrimSpace(name) == "v" && strings.TrimSpace(value) == "DMARC1"
}

// parseDMARC reads a record leniently, as RFC 7489 section 6.3 asks: a bad
// optional tag stands for its default. (go-msgauth's parser refuses the whole
// record for a bad fo=, ri= or pct=.) Without a valid p= the policy is none
// where reports are asked for, and the record void otherwise.
func parseDMARC(record string) (*dmarcRecord, error) {
	tags := make(map[string]string)
	for part := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := tags[name]; !twice {
			tags[name] = strings.ToLower(strings.TrimSpace(value))
		}
	}
	r := &dmarcRecord{
		policy:     tags["p"],
		strictDKIM: tags["adkim"] == "s",
		strictSPF:  tags["aspf"] == "s",
		percent:    100,
		testing:    tags["t"] == "y",
	}
	r.subdomainPolicy = r.policy
	sp, hasSP := tags["sp"]
	if hasSP {
		r.subdomainPolicy = sp
	}
	if !isPolicy(r.policy) || !isPolicy(r.subdomainPolicy) {
		if !strings.Contains(tags["rua"], "mailto:") {
			return nil, errors.New("p= or sp= is none of none, quarantine, reject")
		}
		r.policy, r.subdomainPolicy = "none", "none"
	}
	if percent, err := strconv.Atoi(tags["pct"]); err == nil && percent >= 0 && percent <= 100 {
		r.percent = percent
	}
	return r, nil
}

func isPolicy(s string) bool { return s == "none" || s == "quarantine" || s == "reject" }

// evaluate decides DMARC from what SPF and DKIM found.
func evaluate(from fromDomain, found policyLookup, spf SPF, signatures []DKIM, raw []byte) DMARC {
	d := DMARC{Domain: from.domain}
	switch {
	case from.problem != "":
		d.Result, d.Reason = PermError, from.problem
	case found.err != nil:
		d.Result, d.Reason = TempError, clean(found.err.Error())
	case found.record == nil && found.permanent:
		d.Result, d.Reason = PermError, clean(found.problem)
	case found.record == nil:
		d.Result, d.Reason = None, clean(found.problem)
		d.AlignedBy = align(from.domain, &dmarcRecord{}, spf, signatures).by
	default:
		d.Policy, d.Reason = found.record.policyFor(from.domain, found.domain, raw)
		d.align(found.record, spf, signatures)
	}
	return d
}

// policyFor returns the policy for this mail, and the note that sampling
// lowered it, if so.
func (r *dmarcRecord) policyFor(domain, recordDomain string, raw []byte) (policy, note string) {
	policy = r.policy
	if domain != recordDomain {
		policy = r.subdomainPolicy
	}
	if policy == "none" || !r.testing && (r.percent == 100 || sample(raw) < r.percent) {
		return policy, ""
	}
	lower := map[string]string{"reject": "quarantine", "quarantine": "none"}[policy]
	if r.testing {
		return lower, fmt.Sprintf("%s lowered to %s by t=y", policy, lower)
	}
	return lower, fmt.Sprintf("%s lowered to %s by pct=%d", policy, lower, r.percent)
}

// sample returns a number from 0 to 99 that is always the same for one mail.
func sample(raw []byte) int {
	sum := sha256.Sum256(raw)
	return int(binary.BigEndian.Uint32(sum[:]) % 100)
}

// align looks for a passing identifier in line with the From domain (RFC 7489
// section 3.1). One that could not be checked for now makes a temperror.
func (d *DMARC) align(r *dmarcRecord, spf SPF, signatures []DKIM) {
	found := align(d.Domain, r, spf, signatures)
	if found.by != "" {
		d.Result, d.AlignedBy = Pass, found.by
		return
	}
	d.Result = Fail
	reason := "neither DKIM nor SPF passed for " + d.Domain + found.unaligned
	if found.pending {
		d.Result = TempError
		reason = "DKIM or SPF of " + d.Domain + " could not be checked for now"
	}
	if d.Reason != "" {
		reason += "; " + d.Reason
	}
	d.Reason = clean(reason)
}

// alignment is what proves the From domain, if anything does.
type alignment struct {
	by        string // "dkim", "spf" or ""
	pending   bool   // something in line could not be checked for now
	unaligned string // says who else signed
}

func align(from string, r *dmarcRecord, spf SPF, signatures []DKIM) alignment {
	found := alignment{pending: spf.Result == TempError && aligned(spf.Domain, from, r.strictSPF)}
	for _, s := range signatures {
		if !aligned(s.Domain, from, r.strictDKIM) {
			if s.Result == Pass {
				found.unaligned = ", though signed by " + s.Domain
			}
			continue
		}
		if s.Result == Pass {
			found.by = "dkim"
			return found
		}
		found.pending = found.pending || s.Result == TempError
	}
	if spf.Result == Pass && aligned(spf.Domain, from, r.strictSPF) {
		found.by = "spf"
	}
	return found
}

func aligned(domain, from string, strict bool) bool {
	if domain == "" || from == "" {
		return false
	}
	if strict || domain == from {
		return domain == from
	}
	return organisationalDomain(domain) == organisationalDomain(from)
}

// organisationalDomain is the registered domain (RFC 7489 section 3.2) by the
// public suffix list; a public suffix is its own.
func organisationalDomain(domain string) string {
	organisation, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return organisation
}
