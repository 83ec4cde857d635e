package auth

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// message is a mail split as DKIM sees it: whole fields and a body, with CRLF.
type message struct {
	// raw always has CRLF line endings and an empty line after the header.
	raw    []byte
	fields []field
	body   []byte
	// tooLarge says that the header is beyond what is looked at: fields is empty then,
	// since half of them could prove what the others refute.
	tooLarge bool

	simple, relaxed bodySum // of the body, by how it is made canonical
}

// field is a header field: its name in lower case, and its bytes with folding
// and the last CRLF.
type field struct{ name, raw string }

func (f field) value() string {
	_, value, _ := strings.Cut(f.raw, ":")
	return value
}

// Limits of a header that is looked at, in bytes and fields: no less than smtpd/mail reads,
// and several times what other servers take.
const (
	maxHeader = 4 << 20
	maxFields = 200_000
)

// parseMessage splits a mail. It never fails: a mail without an empty line is
// all header, and gets one.
func parseMessage(raw []byte) *message {
	m := &message{raw: withCRLF(raw)}
	length := headerLength(m.raw)
	if length < 0 {
		missing := "\r\n\r\n"
		if bytes.HasSuffix(m.raw, crlf) {
			missing = "\r\n"
		}
		m.raw = append(bytes.Clone(m.raw), missing...)
		length = len(m.raw) - len(crlf)
	}
	m.body = m.raw[length+len(crlf):]
	if length > maxHeader {
		m.tooLarge = true
		return m
	}
	header := string(m.raw[:length])
	start := 0
	for at := 0; at < len(header); {
		if len(m.fields) >= maxFields {
			m.fields, m.tooLarge = nil, true
			return m
		}
		if folded := at > start && (header[at] == ' ' || header[at] == '\t'); !folded && at > start {
			m.addField(header[start:at])
			start = at
		}
		at += strings.Index(header[at:], "\r\n") + len(crlf)
	}
	if start < len(header) {
		m.addField(header[start:])
	}
	return m
}

// headerLength is the number of bytes before the empty line, -1 where there is none.
func headerLength(raw []byte) int {
	if bytes.HasPrefix(raw, crlf) {
		return 0
	}
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return -1
	}
	return end + len(crlf)
}

func (m *message) addField(raw string) {
	name, _, _ := strings.Cut(raw, ":")
	m.fields = append(m.fields, field{name: strings.ToLower(strings.TrimSpace(name)), raw: raw})
}

var crlf = []byte("\r\n")

// withCRLF returns raw with every LF made CRLF; raw itself where it already is so.
func withCRLF(raw []byte) []byte {
	bare := 0
	for at := bytes.IndexByte(raw, '\n'); at >= 0; {
		if at == 0 || raw[at-1] != '\r' {
			bare++
		}
		next := bytes.IndexByte(raw[at+1:], '\n')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if bare == 0 {
		return raw
	}
	out := make([]byte, 0, len(raw)+bare)
	for i, c := range raw {
		if c == '\n' && (i == 0 || raw[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// named returns the fields of one name (lower case), top to bottom.
func (m *message) named(name string) []field {
	var found []field
	for _, f := range m.fields {
		if f.name == name {
			found = append(found, f)
		}
	}
	return found
}

// has says whether there is a field of one of the names (lower case).
func (m *message) has(names ...string) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool { return slices.Contains(names, f.name) })
}

// singleFields are the fields that RFC 5322 section 3.6 allows once, and that
// decide what a reader sees, whom an answer reaches and which thread it joins.
var singleFields = []string{
	"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id",
	"in-reply-to", "references", "content-type", "content-transfer-encoding",
}

// uncovered names the first field of which the mail holds more than a signature
// over the names in signed covers, "" where there is none. A signature picks
// fields from the bottom, readers take the top one: a second From or Subject
// set above a signed one leaves the signature valid (RFC 6376 section 8.15).
func (m *message) uncovered(signed []string) string {
	for _, name := range singleFields {
		present := 0
		for _, f := range m.fields {
			if f.name == name {
				present++
			}
		}
		if present < 2 {
			continue
		}
		covers := 0
		for _, s := range signed {
			if strings.EqualFold(s, name) {
				covers++
			}
		}
		if covers > 0 && covers < present {
			return name
		}
	}
	return ""
}

// fromDomain is the domain DMARC is about, or why there is none.
type fromDomain struct{ domain, problem string }

// maxFrom bounds, in bytes, a From field that is worth reading.
const maxFrom = 64 << 10

// fromDomain reads the one domain of the From field (RFC 7489 section 6.6.1).
func (m *message) fromDomain() fromDomain {
	fields := m.named("from")
	switch {
	case m.tooLarge:
		return fromDomain{problem: fmt.Sprintf("the header has more than %d bytes or %d fields and was not examined", maxHeader, maxFields)}
	case len(fields) == 0:
		return fromDomain{problem: "the mail has no From field"}
	case len(fields) > 1:
		return fromDomain{problem: "the mail has several From fields"}
	}
	value := fields[0].value()
	if len(value) > maxFrom {
		return fromDomain{problem: fmt.Sprintf("the From field is longer than %d bytes", maxFrom)}
	}
	var domain string
	for _, address := range addresses(value) {
		address = strings.Trim(address, "'") // which some put around it, and no domain ends with
		at := strings.LastIndexByte(address, '@')
		ascii, ok := asciiDomain(address[at+1:])
		switch {
		case !ok:
			return fromDomain{problem: "the From address has no valid domain"}
		case domain != "" && domain != ascii:
			return fromDomain{problem: "the From field names several domains"}
		}
		domain = ascii
	}
	if domain == "" {
		return fromDomain{problem: "no address can be read from the From field"}
	}
	return fromDomain{domain: domain}
}

var (
	angleAddress = regexp.MustCompile(`<([^<>]*@[^<>]*)>`)
	bareAddress  = regexp.MustCompile(`[^\s<>,;:"()]+@[^\s<>,;:"()]+`)
)

// addresses reads the addresses of a From value. Where the grammar is broken it
// takes the one in angle brackets, as every reader does, or else all that look
// like an address.
func addresses(value string) []string {
	value = strings.TrimSpace(value)
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		// Only the address matters, so any charset of a display name will do.
		CharsetReader: func(_ string, input io.Reader) (io.Reader, error) { return input, nil },
	}}
	if list, err := parser.ParseList(value); err == nil {
		found := make([]string, 0, len(list))
		for _, a := range list {
			found = append(found, a.Address)
		}
		return found
	}
	if angles := angleAddress.FindAllStringSubmatch(value, 2); len(angles) == 1 {
		return []string{strings.TrimSpace(angles[0][1])}
	}
	return bareAddress.FindAllString(value, -1)
}

// maxText bounds, in bytes, every string of a Verdict that a sender can shape.
const maxText = 300

// clean makes foreign text fit for a Verdict: valid UTF-8, no control
// characters, bounded.
func clean(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = legible(s)
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// legible is foreign text in one line: valid UTF-8 without control characters.
func legible(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.Join(strings.Fields(s), " ")
}
