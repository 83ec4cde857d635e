package mail

import (
	"bytes"
	"strings"
)

// rawField is a header field as received: the value unfolded, in whatever
// character set it came.
type rawField struct {
	headerName
	value []byte
	// owned says that value is a copy; otherwise it is a piece of the mail
	// itself, never to be written to.
	owned bool
}

// headerName is the name of a field.
type headerName struct {
	written, lower string
}

func nameOf(name []byte) headerName {
	if usual, ok := usualNames[string(name)]; ok {
		return usual
	}
	return headerName{string(name), strings.ToLower(string(name))}
}

// lowerName is strings.ToLower for the name of a field.
func lowerName(name string) string {
	if usual, ok := usualNames[name]; ok {
		return usual.lower
	}
	return strings.ToLower(name)
}

// usualNames are what nearly every mail and part has, as nearly every program
// spells it: these names are never copied.
var usualNames = func() map[string]headerName {
	names := map[string]headerName{}
	for _, name := range []string{
		"Received", "From", "To", "Cc", "Subject", "Date", "Message-ID", "Message-Id", "In-Reply-To", "References", "Reply-To", "Return-Path",
		"Delivered-To", "MIME-Version", "Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID",
		"Content-Language", "User-Agent", "X-Mailer", "DKIM-Signature", "Authentication-Results", "Received-SPF",
	} {
		names[name] = headerName{name, strings.ToLower(name)}
	}
	return names
}()

// headerReader splits a header block off a mail or a part. Where net/mail and
// go-message refuse a block for one bad line, it reads on.
type headerReader struct {
	data []byte
	// stop says that a line belongs to the enclosing multipart; may be nil.
	stop func(line []byte) bool
	// defect receives what was malformed.
	defect func(format string, args ...any)
	// bound is what may still be kept; of a mail, however many headers it has.
	bound *headerBound

	fields []rawField
	// skipping says that the field being read is beyond the bound.
	skipping bool
	// lastKnown is where the last well-known field of the block begins, -1 for
	// none: a bad line before it is damage, after it is the body. It is looked
	// for once, at the first bad line.
	lastKnown   int
	lookedAhead bool
}

// readHeader reads the block that begins at pos, and returns where the body
// begins. A block without one well-known field is no header but already body.
func (h *headerReader) readHeader(pos int) (fields []rawField, body int) {
	const usual = 8 // fields of a part, and half of a mail's
	h.fields, h.lastKnown, h.lookedAhead, h.skipping = make([]rawField, 0, usual), -1, false, false
	start := pos
	for pos < len(h.data) {
		line, next := nextLine(h.data, pos)
		if h.stop != nil && h.stop(line) {
			return h.settle(start, pos)
		}
		switch {
		case len(line) == 0:
			return h.settle(start, next)
		case line[0] == ' ' || line[0] == '\t':
			if isBlank(line) && !h.continues(next) {
				h.defect("blank line of spaces ends the header")
				return h.settle(start, next)
			}
			h.fold(line)
		default:
			name, value, ok := cutField(line)
			if ok {
				h.add(name, value)
				break
			}
			if pos == start && isMboxFrom(line) {
				break
			}
			if h.unfinished() {
				h.defect("continuation line without its blank: %s", quoteForDefect(string(line)))
				h.fold(line)
				break
			}
			if pos > h.lastKnownField(pos) {
				h.defect("no blank line after the header: the body begins at %s", quoteForDefect(string(line)))
				return h.settle(start, pos)
			}
			h.defect("malformed header line %s: ignored", quoteForDefect(string(line)))
		}
		pos = next
	}
	return h.settle(start, pos)
}

// add keeps a field, as far as the bound allows.
func (h *headerReader) add(name, value []byte) {
	if value, h.skipping = h.bound.field(len(name), value); !h.skipping {
		h.fields = append(h.fields, rawField{headerName: nameOf(name), value: value})
	}
}

// settle decides whether what was read is a header at all.
func (h *headerReader) settle(start, body int) ([]rawField, int) {
	if h.bound.reached {
		return h.fields, body // a part behind the bound may have none
	}
	for _, f := range h.fields {
		if isKnownField(f.headerName) {
			return h.fields, body
		}
	}
	if len(h.fields) > 0 && body < len(h.data) && h.onlyFieldLines(start, body) {
		return h.fields, body // unusual fields, but nothing else
	}
	if body > start && !isBlank(bytes.Trim(h.data[start:body], "\r\n")) {
		h.defect("no header: everything is read as body")
		return nil, start
	}
	return h.fields, body
}

// onlyFieldLines says that the block ends in a blank line and every name in it
// could be that of a field, not a word before a colon in prose.
func (h *headerReader) onlyFieldLines(start, body int) bool {
	for _, f := range h.fields {
		if !strings.Contains(f.written, "-") {
			return false
		}
	}
	return bytes.HasSuffix(h.data[start:body], []byte("\n"))
}

// fold joins a continuation line to the field before it, with one space for the
// line end and its indentation.
func (h *headerReader) fold(line []byte) {
	if h.skipping {
		return
	}
	if len(h.fields) == 0 {
		h.defect("continuation line before any field: ignored")
		return
	}
	f := &h.fields[len(h.fields)-1]
	text := bytes.TrimLeft(line, " \t")
	if text = h.bound.more(len(f.value), text); len(text) == 0 {
		return
	}
	if !f.owned {
		f.value = append(make([]byte, 0, 2*(len(f.value)+len(text))), f.value...)
		f.owned = true
	}
	if len(f.value) > 0 {
		f.value = append(f.value, ' ')
	}
	f.value = append(f.value, text...)
}

// unfinished says that the field before ends where a parameter must follow, so
// that a line that is no field must be one that lost its indentation.
func (h *headerReader) unfinished() bool {
	if len(h.fields) == 0 {
		return false
	}
	f := h.fields[len(h.fields)-1]
	_, content := cutPrefixFold(f.written, "content-")
	return content && bytes.HasSuffix(f.value, []byte(";"))
}

// continues says whether the line at pos goes on with a header.
func (h *headerReader) continues(pos int) bool {
	line, _ := nextLine(h.data, pos)
	if len(line) == 0 {
		return false
	}
	name, _, ok := cutField(line)
	return ok && isKnownField(nameOf(name))
}

// lastKnownField returns where the last well-known field before the next blank
// line begins, looking ahead from pos once.
func (h *headerReader) lastKnownField(pos int) int {
	if h.lookedAhead {
		return h.lastKnown
	}
	h.lookedAhead = true
	for pos < len(h.data) {
		line, next := nextLine(h.data, pos)
		if len(line) == 0 || h.stop != nil && h.stop(line) {
			break
		}
		if name, _, ok := cutField(line); ok && isKnownField(nameOf(name)) {
			h.lastKnown = pos
		}
		pos = next
	}
	return h.lastKnown
}

// cutField splits "Name: value" (RFC 5322 section 2.2); spaces before the colon
// are obsolete but met.
func cutField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || colon > 256 {
		return nil, nil, false
	}
	name = bytes.TrimRight(line[:colon], " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7F {
			return nil, nil, false
		}
	}
	return name, bytes.Trim(line[colon+1:], " \t\r"), len(name) > 0
}

// isMboxFrom recognises the separator line of mbox files, quoted or not.
func isMboxFrom(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// knownFields are names that tell a header block from prose. Names that begin
// with one of knownPrefixes count as well.
var knownFields = map[string]bool{
	"from": true, "to": true, "cc": true, "bcc": true, "subject": true, "date": true, "sender": true,
	"reply-to": true, "message-id": true, "in-reply-to": true, "references": true, "received": true,
	"return-path": true, "mime-version": true, "delivered-to": true, "auto-submitted": true,
	"precedence": true, "importance": true, "priority": true, "user-agent": true, "errors-to": true,
	"dkim-signature": true, "authentication-results": true, "received-spf": true, "organization": true,
	"thread-index": true, "thread-topic": true, "accept-language": true, "comments": true, "keywords": true,
	"envelope-to": true, "original-recipient": true, "disposition-notification-to": true,
}

var knownPrefixes = []string{"content-", "x-", "list-", "resent-", "arc-"}

func isKnownField(name headerName) bool {
	if len(name.written) > 64 {
		return false
	}
	if knownFields[name.lower] {
		return true
	}
	for _, prefix := range knownPrefixes {
		if strings.HasPrefix(name.lower, prefix) {
			return true
		}
	}
	return false
}

// quoteForDefect shows a piece of the mail in a defect line, cut to a
// reasonable length.
func quoteForDefect(s string) string {
	const limit = 60
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return `"` + oneLine(s) + `"`
}
