package auth

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// spfLookups are the lookups of an SPF check. The library reads a record term by
// term and may be done before it meets a mistake, but one anywhere in a record
// makes the whole of it a permanent error (RFC 7208 section 4.6).
type spfLookups struct{ lookups }

// LookupTXT returns the texts of name, or what is wrong with the SPF record
// among them.
func (l spfLookups) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, err := l.lookups.LookupTXT(ctx, name)
	for _, text := range texts {
		if wrong := spfMistake(text); wrong != "" {
			return nil, fmt.Errorf("the SPF record of %s is malformed at %q (RFC 7208 section 4.6)", strings.TrimSuffix(name, "."), wrong)
		}
	}
	return texts, err
}

// The grammar of what follows a term's name in RFC 7208 section 12. A macro may
// end a domain, else a label that is not a number does; the letters c, r and t
// have a meaning in explanations only.
const (
	spfMacro      = `(?:%\{[slodiphv](?:[1-9][0-9]*)?r?[.\-+,/_=]*\}|%[%_-])`
	spfString     = `(?:` + spfMacro + `|[\x21-\x24\x26-\x7e])*?`
	spfTopLabel   = `(?:[0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])`
	spfDomainSpec = spfString + `(?:\.` + spfTopLabel + `\.?|` + spfMacro + `)`
)

var (
	spfDomain   = regexp.MustCompile(`(?i)^` + spfDomainSpec + `$`)
	spfHosts    = regexp.MustCompile(`(?i)^(?::` + spfDomainSpec + `)?(?:/([0-9]+))?(?://([0-9]+))?$`)
	spfName     = regexp.MustCompile(`(?i)^[a-z][a-z0-9_.-]*$`)
	spfAnything = regexp.MustCompile(`(?i)^` + spfString + `$`)
)

// spfMistake returns the first term of an SPF record that its grammar does not
// allow; nothing for any other text.
func spfMistake(text string) string {
	version, terms, _ := strings.Cut(text, " ")
	if !strings.EqualFold(version, "v=spf1") {
		return ""
	}
	once := map[string]bool{} // modifiers that may come once (section 6)
	for term := range strings.SplitSeq(terms, " ") {
		if term == "" || isSPFMechanism(term) {
			continue
		}
		name, value, isModifier := strings.Cut(term, "=")
		name = strings.ToLower(name)
		switch {
		case !isModifier || !spfName.MatchString(name):
			return term
		case name != "redirect" && name != "exp":
			if !spfAnything.MatchString(value) {
				return term
			}
		case once[name] || !spfDomain.MatchString(value):
			return term
		}
		once[name] = true
	}
	return ""
}

// isSPFMechanism reports whether term is a mechanism as it may be written.
func isSPFMechanism(term string) bool {
	if strings.IndexByte("+-?~", term[0]) >= 0 {
		term = term[1:]
	}
	end := strings.IndexAny(term, ":/=")
	if end < 0 {
		end = len(term)
	}
	rest := term[end:]
	switch strings.ToLower(term[:end]) {
	case "all":
		return rest == ""
	case "include", "exists":
		return strings.HasPrefix(rest, ":") && spfDomain.MatchString(rest[1:])
	case "ptr":
		return rest == "" || strings.HasPrefix(rest, ":") && spfDomain.MatchString(rest[1:])
	case "a", "mx":
		found := spfHosts.FindStringSubmatch(rest)
		return found != nil && isPrefixLength(found[1], 32) && isPrefixLength(found[2], 128)
	case "ip4":
		address, length, ok := spfNetwork(rest)
		return ok && address.Is4() && isPrefixLength(length, 32)
	case "ip6":
		address, length, ok := spfNetwork(rest)
		return ok && address.Is6() && address.Zone() == "" && isPrefixLength(length, 128)
	}
	return false
}

// spfNetwork reads ":ADDRESS" or ":ADDRESS/LENGTH".
func spfNetwork(rest string) (address netip.Addr, length string, ok bool) {
	text, length, hasLength := strings.Cut(strings.TrimPrefix(rest, ":"), "/")
	address, err := netip.ParseAddr(text)
	return address, length, strings.HasPrefix(rest, ":") && err == nil && (length != "") == hasLength
}

// isPrefixLength reports whether the length of a prefix fits, where one is given:
// digits without a zero before them.
func isPrefixLength(length string, most int) bool {
	if length == "" {
		return true
	}
	n, err := strconv.Atoi(length)
	return err == nil && n <= most && strconv.Itoa(n) == length
}
