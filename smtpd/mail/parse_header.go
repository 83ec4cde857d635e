package mail

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// readHeader fills the Message from the top-level header.
func (p *parsing) readHeader(root *entity) {
	m := p.message
	m.contentType, m.parameters = root.contentType, root.parameters
	m.Header = slices.Grow(m.Header, len(root.fields))
	var sender, returnPath []Address
	var hasSubject, hasDate bool
	for _, f := range root.fields {
		raw := p.rawText(f.value, f.written)
		words := func(s string) string { return p.words(s, f.written) }
		value := oneLine(words(raw))
		m.Header = append(m.Header, Field{Name: f.written, Value: value})
		switch f.lower {
		case "subject":
			if !hasSubject || m.Subject == "" {
				m.Subject, hasSubject = strings.TrimSpace(stripBidirectional(p.rawUTF7(value, f.written))), true
			}
		case "from":
			if len(m.Froms) > 0 {
				p.defect("several From fields")
			}
			m.Froms = p.addresses(m.Froms, f.written, raw, words)
		case "sender":
			sender = p.addresses(sender, f.written, raw, words)
		case "return-path":
			returnPath = p.addresses(returnPath, f.written, raw, words)
		case "reply-to":
			m.ReplyTo = p.addresses(m.ReplyTo, f.written, raw, words)
		case "to":
			m.To = p.addresses(m.To, f.written, raw, words)
		case "cc":
			m.Cc = p.addresses(m.Cc, f.written, raw, words)
		case "date":
			if !hasDate {
				m.Date = parseDate(raw)
				hasDate = !m.Date.IsZero()
			}
		case "message-id":
			if m.MessageID == "" {
				m.MessageID = parseIdentifier(raw)
			}
		case "in-reply-to":
			m.InReplyTo = p.identifiers(m.InReplyTo, f.written, raw)
		case "references":
			m.References = p.identifiers(m.References, f.written, raw)
		}
	}
	m.From = firstAuthor(m.Froms, sender, returnPath)
	p.nameBounds()
	if _, declared := root.field("Date"); declared && !hasDate {
		p.defect("the Date cannot be read")
	}
}

// rawUTF7 decodes UTF-7 that stands in a subject without being declared, where
// the text is UTF-7 and the runs hold nothing but letters. Fields with addresses
// stay as they are: sender checks must see what everybody else does.
func (p *parsing) rawUTF7(value, where string) string {
	enc, known := lookupCharset(p.hint)
	if !known || enc.name != "utf-7" {
		return value
	}
	text := utf7Run.ReplaceAllStringFunc(value, func(run string) string {
		letters := decodeUTF7([]byte(run))
		if strings.ContainsFunc(letters, func(r rune) bool { return !unicode.IsLetter(r) }) {
			return run
		}
		return letters
	})
	if text != value {
		p.noteCharset("", enc.name, where)
	}
	return text
}

var utf7Run = regexp.MustCompile(`\+[A-Za-z0-9+/]+-`)

// firstAuthor takes the first address that can be written to, else the first
// there is, of From, then Sender, then Return-Path.
func firstAuthor(fields ...[]Address) Address {
	for _, addresses := range fields {
		for _, a := range addresses {
			if strings.Contains(a.Address, "@") {
				return a
			}
		}
		if len(addresses) > 0 {
			return addresses[0]
		}
	}
	return Address{}
}

// oneLine makes a field value one clean line.
func oneLine(s string) string {
	return strings.ReplaceAll(cleanText(s), "\n", " ")
}

// stripBidirectional removes the controls that turn the text around them, which
// a subject never needs and a fraud does.
func stripBidirectional(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}
