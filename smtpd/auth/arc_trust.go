package auth

import (
	"fmt"
	"slices"
	"strings"
)

// vouch returns the trusted forwarder that says that DMARC passed for the From
// domain when the mail came to it, or "" (RFC 8617, sections 5.2 and 7.2.1). Every
// seal since has to be a trusted forwarder's, too: whoever seals can claim what
// they like of those before.
func (c arcChain) vouch(trusted []string, from string) string {
	if c.state != string(Pass) || from == "" {
		return ""
	}
	for _, set := range slices.Backward(c.sets) {
		tags, err := parseTags(set.seal.value())
		if err != nil {
			return ""
		}
		sealer, ok := asciiDomain(withoutSpace(tags["d"]))
		if !ok || !slices.ContainsFunc(trusted, func(t string) bool { return isWithin(sealer, t) }) {
			return ""
		}
		if set.passedDMARC(from) {
			return sealer
		}
	}
	return ""
}

// isWithin says whether a domain is another, or below it.
func isWithin(domain, other string) bool {
	other, ok := asciiDomain(other)
	return ok && (domain == other || strings.HasSuffix(domain, "."+other))
}

// passedDMARC reads an ARC-Authentication-Results field, whose contents are those
// of Authentication-Results (RFC 8601, section 2.2) after the instance. Only a
// single result that names the From domain counts.
func (s arcSet) passedDMARC(from string) bool {
	passed := false
	for result := range strings.SplitSeq(plainResults(s.results.value()), ";") {
		words := strings.Fields(result)
		if len(words) == 0 || !strings.HasPrefix(strings.ToLower(words[0]), "dmarc=") {
			continue
		}
		if passed || !strings.EqualFold(words[0], "dmarc=pass") {
			return false
		}
		passed = slices.ContainsFunc(words[1:], func(word string) bool {
			name, value, _ := strings.Cut(word, "=")
			domain, ok := asciiDomain(strings.Trim(value, `"`))
			return strings.EqualFold(name, "header.from") && ok && domain == from
		})
		if !passed {
			return false
		}
	}
	return passed
}

// plainResults leaves out comments (RFC 5322, section 3.2.2), and what would mean
// something inside of quoted strings: a sender chooses the words of some, such as
// the local part of its envelope address.
func plainResults(s string) string {
	var b strings.Builder
	depth, quoted, escaped := 0, false, false
	for _, r := range s {
		literal := escaped
		escaped = !escaped && r == '\\' && (quoted || depth > 0)
		switch {
		case escaped || depth > 0 && literal:
		case depth > 0 && r == '(' || depth == 0 && !quoted && r == '(':
			depth++
		case depth > 0 && r == ')':
			depth--
		case depth > 0:
		case r == '"' && !literal:
			quoted = !quoted
			b.WriteRune(r)
		case quoted && strings.ContainsRune("; =\t", r):
			b.WriteByte('_')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// believe makes a failed verdict a pass where a trusted forwarder vouches for it
// (RFC 7489, section 6.6.2 leaves such to the receiver's own policy).
func (v *Verdict) believe(forwarder string) {
	if forwarder == "" || v.DMARC.Result != Fail {
		return
	}
	v.Forwarder = forwarder
	v.DMARC.Result, v.DMARC.AlignedBy = Pass, "arc"
	v.DMARC.Reason = clean(fmt.Sprintf("by ARC: %s, trusted to forward, found that it passed; here %s", forwarder, v.DMARC.Reason))
}
