package smtpd

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

var (
	errAddressSyntax = errors.New("not an address that mail can be sent to")
	errAddressUTF8   = errors.New("the address is not ASCII, and SMTPUTF8 was not announced for this mail")
)

// mailbox puts an address that go-smtp took apart back into the form of RFC
// 5321 section 4.1.2. go-smtp removes the quotes of a local part, so that
// "a@b"@c comes as a@b@c, and lets pass control characters, and UTF-8 that was
// not announced.
func mailbox(address string, smtputf8 bool) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || !utf8.ValidString(address) || strings.ContainsFunc(address, isControlRune) {
		return "", errAddressSyntax
	}
	if !smtputf8 && strings.ContainsFunc(address, isNotASCII) {
		return "", errAddressUTF8
	}
	local, domain := address[:at], address[at+1:]
	if !isDomain(domain) {
		return "", errAddressSyntax
	}
	return mail.QuoteLocal(local) + "@" + domain, nil
}

// isDomain accepts domains and address literals. Underscores are not legal but
// exist; letters beyond ASCII have been judged before.
func isDomain(domain string) bool {
	if len(domain) > 255 {
		return false
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		inner, closed := strings.CutSuffix(literal, "]")
		return closed && inner != "" && !strings.ContainsFunc(inner, func(r rune) bool {
			return !isHostRune(r) && r != ':'
		})
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool { return !isHostRune(r) || r == '.' }) {
			return false
		}
	}
	return true
}

func isHostRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r == '-' || r == '_' || r == '.' || r >= utf8.RuneSelf
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }

// isControlRune includes DEL and the control characters of Latin-1.
func isControlRune(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }
