package helpdesk

import (
	netmail "net/mail"
	"strings"
	"unicode"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// loweredAddress writes an address as records keep it: in lower case, its local
// part quoted only where it needs it.
func loweredAddress(address string) string { return mail.PlainAddress(strings.ToLower(address)) }

// checkAddress refuses what cannot be an address to send to or to receive at.
// It is kinder than RFC 5322: real people have addresses with dots in a row.
func checkAddress(field, address string) error {
	if !isAddress(address) {
		return invalid(field, "address_invalid", "%q is not a mail address; write it like support@example.com", address)
	}
	return nil
}

func isAddress(address string) bool {
	const unquoted = " \t\r\n<>,;\"\x00"
	local, domain, found := cutLast(address, "@")
	if !found || local == "" || domain == "" || len(address) > 254 || strings.ContainsAny(domain, unquoted) ||
		strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || strings.Contains(domain, "..") {
		return false
	}
	return mail.IsQuotedLocal(local) || !strings.ContainsAny(local, unquoted+"@")
}

// ParseAddress reads one recipient as people type it, with or without a name,
// which may hold what RFC 5322 wants in quotes. It is false for what mail cannot
// be sent to.
func ParseAddress(typed string) (Address, bool) {
	typed = strings.TrimSpace(typed)
	a := Address{Email: typed}
	if parsed, err := netmail.ParseAddress(typed); err == nil {
		local, domain, _ := cutLast(parsed.Address, "@") // without its quotes
		a = Address{Name: parsed.Name, Email: mail.QuoteLocal(local) + "@" + domain}
	} else if i := strings.IndexByte(typed, '<'); i >= 0 && strings.HasSuffix(typed, ">") {
		a = Address{Name: strings.Trim(strings.TrimSpace(typed[:i]), `"`), Email: strings.TrimSpace(typed[i+1 : len(typed)-1])}
	}
	a.Email = mail.PlainAddress(a.Email)
	return a, isAddress(a.Email) && !strings.ContainsFunc(a.Email, unicode.IsControl) && !strings.ContainsAny(a.Email, "＠")
}
