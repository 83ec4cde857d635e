package ui

import (
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// spfShapes are what package auth, and the library that reads SPF records, say of a result.
var spfShapes = shapes("quarantine.spf.", [][2]string{
	{"off", `authentication is switched off`},
	{"lmtp", `received over LMTP: the mail server in front knows the sender`},
	{"no_name", `no fully qualified domain name to check`},
	{"no_ip", `the peer has no IP address`},
	{"no_record", `the domain publishes no SPF record`},
	{"no_match", `(\S+): no mechanism matched`},
	{"all", `(\S+): matched all`},
	{"matched", `(\S+): matched (?:a|ip|mx|ptr|exists)`},
	{"malformed", `\S+: the SPF record of (\S+) is malformed at "(.+)" \(RFC 7208 section 4\.6\)`},
	{"several", `\S+: multiple matching DNS records`},
	{"lookups", `\S+: (?:void )?lookup limit reached`},
})

// dkimShapes are what it says of a signature.
var dkimShapes = shapes("quarantine.dkim.", [][2]string{
	{"body", `body hash did not verify`},
	{"header", `signature did not verify: .+`},
	{"expired", `signature has expired`},
	{"revoked", `key revoked`},
	{"no_key", `no key for signature: .+|no valid key found`},
	{"unavailable", `key unavailable: .+`},
	{"short", `key is too short: want (\d+) bits, has (\d+) bits`},
	{"sha1", `hash algorithm too weak: sha1`},
	{"identity", `domain mismatch`},
	{"subdomain", `the key forbids an identity in a subdomain`},
	{"from", `From field not signed`},
	{"uncovered", `the mail has more (\S+) fields than the signature covers`},
	{"part", `the signature covers only part of the body \(l=\)`},
	{"beyond", `the signature covers more of the body than there is \(l=\)`},
	{"testing", `the domain is testing its key \(t=y\)`},
	{"many", `(\d+) more signatures were not checked: the limit is (\d+)`},
})

// dmarcShapes are what it says of the domain in From.
var dmarcShapes = shapes("quarantine.dmarc.", [][2]string{
	{"off", `authentication is switched off`},
	{"lmtp", `received over LMTP: the mail server in front knows the sender`},
	{"signed_by", `neither DKIM nor SPF passed for (\S+), though signed by (\S+)`},
	{"neither", `neither DKIM nor SPF passed for (\S+)`},
	{"pending", `DKIM or SPF of (\S+) could not be checked for now`},
	{"testing", `\w+ lowered to \w+ by t=y`},
	{"sampled", `\w+ lowered to \w+ by pct=(\d+)`},
	{"no_record", `(\S+) publishes no DMARC record`},
	{"several", `(\S+) publishes several DMARC records`},
	{"invalid", `the DMARC record of (\S+) is invalid: (.+)`},
	{"no_from", `the mail has no From field`},
	{"two_from", `the mail has several From fields`},
	{"domains", `the From field names several domains`},
	{"no_domain", `the From address has no valid domain`},
	{"unreadable", `no address can be read from the From field|the From field is longer than \d+ bytes`},
	{"header", `the header has more than \d+ bytes or \d+ fields and was not examined`},
	{"ambiguous", `the From field can be read as an address at (\S+) and at (\S+)`},
})

// describeDMARC says in the reader's language why DMARC came out as it did; what no sentence is known for, as it is.
func describeDMARC(p locale.Printer, reason string) string {
	if by, here, found := strings.Cut(strings.TrimPrefix(reason, "by ARC: "), ", trusted to forward, found that it passed; here "); found {
		return p.T("quarantine.dmarc.both", p.T("quarantine.dmarc.arc", by), describeDMARC(p, here))
	}
	if why, note, found := strings.Cut(reason, "; "); found {
		return p.T("quarantine.dmarc.both", describeShape(p, dmarcShapes, why), describeShape(p, dmarcShapes, note))
	}
	return describeShape(p, dmarcShapes, reason)
}

// verdicts are what each check of a mail's sender found, with its reason in the reader's language.
func verdicts(p locale.Printer, a helpdesk.Authentication) (lines []evidenceLine) {
	if a.SPF.Result != "" {
		lines = append(lines, evidenceLine{"SPF", a.SPF.Result + " " + a.SPF.Domain, describeShape(p, spfShapes, a.SPF.Reason), toneOf(a.SPF.Result)})
	}
	for _, d := range a.DKIM {
		lines = append(lines, evidenceLine{"DKIM", d.Result + " " + d.Domain, describeShape(p, dkimShapes, d.Reason), toneOf(d.Result)})
	}
	if len(a.DKIM) == 0 {
		lines = append(lines, evidenceLine{"DKIM", p.T("quarantine.unsigned"), "", "plain"})
	}
	if a.DMARC.Result != "" {
		lines = append(lines, evidenceLine{"DMARC", a.DMARC.Result + " " + a.DMARC.Domain, describeDMARC(p, a.DMARC.Reason), toneOf(a.DMARC.Result)})
	}
	return lines
}

// toneOf is the tone of a result of RFC 8601, section 2.7.
func toneOf(result string) string {
	switch result {
	case "pass":
		return "good"
	case "", "none", "neutral":
		return "plain"
	}
	return "bad"
}
