package outbound

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// envelope is a mail as the protocol needs it.
type envelope struct {
	mail     Mail
	from, to string // domains in ASCII
	domain   string // of the recipient
	size     int    // bytes on the wire before dot-stuffing
	utf8     bool   // SMTPUTF8 is needed (RFC 6531)
	eightBit bool   // the body is not ASCII
}

// newEnvelope checks the addresses, which go into commands as they are, and
// what the mail asks of a server.
func newEnvelope(m Mail) (*envelope, *Error) {
	e := &envelope{mail: m}
	var fault string
	if e.to, e.domain, fault = wireAddress(m.To); fault != "" {
		return nil, permanent("5.1.3", "the recipient %s", fault)
	}
	if m.From != "" {
		if e.from, _, fault = wireAddress(m.From); fault != "" {
			return nil, permanent("5.1.7", "the sender %s", fault)
		}
	}
	e.size = len(m.Raw)
	for i, c := range m.Raw {
		if c == '\n' && (i == 0 || m.Raw[i-1] != '\r') {
			e.size++ // sent as CRLF
		}
		// Servers disagree about where a line ends then: what is one mail here
		// could be two there.
		if c == '\r' && (i+1 == len(m.Raw) || m.Raw[i+1] != '\n') {
			return nil, permanent("5.6.0", "the mail holds a CR without LF at byte %d", i)
		}
	}
	header, body := splitMail(m.Raw)
	e.utf8 = !isASCII([]byte(e.from)) || !isASCII([]byte(e.to)) || !isASCII(header)
	e.eightBit = e.utf8 || !isASCII(body)
	return e, nil
}

// wireAddress returns an address with its domain in ASCII, and the domain; or
// says what is wrong with it.
func wireAddress(address string) (wire, domain, fault string) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return "", "", "must be local@domain"
	}
	local, domain := address[:at], strings.TrimSuffix(address[at+1:], ".")
	for _, c := range []byte(address) {
		if c < ' ' || c == 0x7f {
			return "", "", "address holds a control character"
		}
	}
	if !utf8.ValidString(address) {
		return "", "", "address is not UTF-8"
	}
	if !mail.IsQuotedLocal(local) && strings.ContainsAny(local, ` <>"`) || strings.ContainsAny(domain, ` <>"`) {
		return "", "", "address holds a space, a quote or an angle bracket"
	}
	if !isASCII([]byte(domain)) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return "", "", "domain is not valid: " + cleanReply(err.Error())
		}
		domain = ascii
	}
	return local + "@" + domain, strings.ToLower(domain), ""
}

func splitMail(raw []byte) (header, body []byte) {
	for _, separator := range []string{"\r\n\r\n", "\n\n"} {
		if header, body, ok := bytes.Cut(raw, []byte(separator)); ok {
			return header, body
		}
	}
	return raw, nil
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
