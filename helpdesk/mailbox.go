package helpdesk

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// mailboxOf writes an address as servers name the mailbox: in lower case, its local
// part quoted only where it needs it, an internationalised domain in its ASCII form (RFC 5891), however it was typed.
func mailboxOf(address string) string {
	address = loweredAddress(strings.TrimSpace(address))
	local, domain, found := cutLast(address, "@")
	if !found || !strings.ContainsFunc(domain, func(r rune) bool { return r >= 0x80 }) {
		return address
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return address
	}
	return local + "@" + ascii
}

// hasMailbox reports whether an address is in a list, in whatever form its domain is
// written.
func hasMailbox(list []string, email string) bool {
	if slices.Contains(list, email) {
		return true
	}
	mailbox := mailboxOf(email)
	return slices.ContainsFunc(list, func(other string) bool { return mailboxOf(other) == mailbox })
}
