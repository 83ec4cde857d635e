package mail

import (
	"regexp"
	"strings"
)

// quotedLocal is a local part in quotes (RFC 5321, section 4.1.2), with UTF-8
// (RFC 6531) and without control characters.
var quotedLocal = regexp.MustCompile(`^"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"$`)

var quotedPair = regexp.MustCompile(`\\(.)`)

// IsQuotedLocal reports whether a local part is a well-formed quoted string,
// which may hold anything, an "@" and blanks too.
func IsQuotedLocal(local string) bool { return len(local) > 2 && quotedLocal.MatchString(local) }

// QuoteLocal quotes the plain text of a local part if it needs it. Dots at its
// ends or side by side do not count: foo..bar@ and foo.@ are real addresses of
// Japanese mobile providers, written with and without quotes.
func QuoteLocal(local string) string {
	if local != "" && !strings.ContainsFunc(local, needsQuotes) {
		return local
	}
	return quote(local)
}

// needsQuotes says whether r is neither atext (RFC 5322 section 3.2.3, RFC 6531
// section 3.3) nor a dot.
func needsQuotes(r rune) bool {
	return r <= ' ' || strings.ContainsRune(`()<>[]:;@\,"`, r)
}

// PlainAddress writes the quotes of an address's local part in one way, and only
// where it needs them: "a.b"@example.com and a.b@example.com are one mailbox
// (RFC 5321, section 4.1.2). All else stays as it is.
func PlainAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || !IsQuotedLocal(address[:at]) {
		return address
	}
	return QuoteLocal(quotedPair.ReplaceAllString(address[1:at-1], "$1")) + address[at:]
}
