package mail

import "unicode/utf8"

// Limits of what is read of the headers of one mail, its parts included. Each is
// several times what other servers take at all: Exchange refuses a header of 256 KiB
// and Exim one of 1 MiB, Postfix cuts a field at 100 KiB and looks at no more than
// 10,240 words of a list of addresses. Without them a mail of such fields takes
// twenty times its size. What lies beyond stays in the raw source, and Defects says so.
const (
	maxFields      = 50_000
	maxFieldBytes  = 1 << 20
	maxHeaderBytes = 4 << 20
	maxAddresses   = 10_000 // of one kind: To, Cc, …
	maxIdentifiers = 50_000 // of References and of In-Reply-To
)

// headerBound is what was kept so far of the headers of a mail.
type headerBound struct {
	fields, bytes int
	reached       bool // fields were left out
	cut           bool // some are not whole
}

// field says how much of the value of a new field is kept, or to skip it.
func (b *headerBound) field(name int, value []byte) (kept []byte, skip bool) {
	if b.fields >= maxFields || b.bytes >= maxHeaderBytes {
		b.reached = true
		return nil, true
	}
	b.fields++
	b.bytes += name
	return b.more(0, value), false
}

// more returns what is kept of text, which goes on with a field of which before
// bytes are kept already.
func (b *headerBound) more(before int, text []byte) []byte {
	if room := min(maxFieldBytes-before, maxHeaderBytes-b.bytes); len(text) > room {
		b.cut = true
		text = trimRune(text[:max(0, room)])
	}
	b.bytes += len(text)
	return text
}

// trimRune takes the beginning of a character off the end of a text that was cut.
func trimRune(text []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return text[:len(text)-i]
			}
			break
		}
	}
	return text
}

// addresses adds those of a field to the list of its kind.
func (p *parsing) addresses(list []Address, field, raw string, words func(string) string) []Address {
	found, whole := parseAddresses(raw, maxAddresses-len(list), words)
	if !whole {
		p.defect("more than %d addresses in %s: the rest is in the source only", maxAddresses, field)
	}
	return append(list, found...)
}

// identifiers adds those of a field to the list of its kind.
func (p *parsing) identifiers(list []string, field, raw string) []string {
	list = append(list, parseIdentifiers(raw, maxIdentifiers+1-len(list))...)
	if len(list) > maxIdentifiers {
		p.defect("more than %d identifiers in %s: the rest is in the source only", maxIdentifiers, field)
		list = list[:maxIdentifiers]
	}
	return list
}

// nameBounds says of which of its fields the mail shows less than it has.
func (p *parsing) nameBounds() {
	p.message.headerCut = p.bound.reached || p.bound.cut
	if p.bound.reached {
		p.defect("the header has more than %d fields or %d bytes: the rest is in the source only", maxFields, maxHeaderBytes)
	}
	if p.bound.cut {
		p.defect("a header field has more than %d bytes: the rest is in the source only", maxFieldBytes)
	}
}
