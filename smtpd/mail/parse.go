package mail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse decodes a mail as it came over the wire. It never fails: what is
// malformed is read as it was most likely meant and named in Defects; where the
// character set is not the declared one, CharsetNotes says so. Time and memory
// grow linearly with raw. Attachments may share memory with raw, which the
// caller must not change afterwards.
func Parse(raw []byte) *Message { return (&parsing{message: &Message{}}).parse(raw) }

func (p *parsing) parse(raw []byte) *Message {
	root := p.splitMail(p.normalise(raw))
	p.hint = firstTextCharset(root)
	if p.hint == "" {
		p.hint = guessTextCharset(root)
	}
	if p.forced != nil {
		p.hint = p.forced.name
	}
	p.readHeader(root)
	p.readBody(root)
	p.message.CharsetNotes, p.message.Defects = p.notes.list(), p.defects.list()
	return p.message
}

// parsing is the state of one Parse.
type parsing struct {
	message *Message
	parts   int
	// named is the first text that is an attachment only because it has a
	// name; it is read where a mail has no other words.
	named content
	// enclosed is the words inside a winmail.dat, read where there are no others.
	enclosed content
	opened   int // signed parts being read, one within the other
	uuFiles  int // uuencoded files taken out
	// hint is the character set of the text, which raw bytes in the header
	// are usually of too.
	hint    string
	forced  *charset // the character set asked for; nil where it is found out
	bound   headerBound
	notes   findings
	defects findings
}

// findings is a list of distinct lines, bounded since a hostile mail can have a
// defect in every line.
type findings struct {
	lines []string
	seen  map[string]bool
	more  int
}

const maxFindings = 100

func (f *findings) add(line string) {
	if f.seen[line] {
		return
	}
	if len(f.lines) >= maxFindings {
		f.more++
		return
	}
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	f.seen[line] = true
	f.lines = append(f.lines, line)
}

func (f *findings) list() []string {
	if f.more > 0 {
		return append(slices.Clip(f.lines), fmt.Sprintf("and %d more", f.more))
	}
	return f.lines
}

func (p *parsing) defect(format string, args ...any) {
	p.defects.add(fmt.Sprintf(format, args...))
}

// normalise undoes what befell the mail as a whole: UTF-16, lone CR line ends,
// blank lines and marks before the header.
func (p *parsing) normalise(raw []byte) []byte {
	if name, body, ok := cutByteOrderMark(raw); ok {
		if enc, _ := lookupCharset(name); enc.wide {
			p.defect("the whole mail is %s: decoded", name)
			body = []byte(enc.decode(body))
		}
		raw = body
	}
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		p.defect("lines end in CR alone")
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	return bytes.TrimLeft(raw, "\r\n\x00")
}

// firstTextCharset finds the charset label of the first text part that has one.
func firstTextCharset(e *entity) string {
	if strings.HasPrefix(e.contentType, "text/") && e.parameters["charset"] != "" {
		return e.parameters["charset"]
	}
	for _, child := range e.children {
		if label := firstTextCharset(child); label != "" {
			return label
		}
	}
	return ""
}

// guessTextCharset guesses the character set of the first text without a label,
// where it is written in raw bytes; empty where nothing is sure.
func guessTextCharset(e *entity) string {
	for _, child := range e.children {
		if name := guessTextCharset(child); name != "" {
			return name
		}
	}
	const enough = 8 << 10
	data := e.body[:min(len(e.body), enough)]
	if !strings.HasPrefix(e.contentType, "text/") || isSevenBit(data) {
		return ""
	}
	if name, sure := guessCharset(data); sure {
		return name
	}
	return ""
}

// text decodes bytes under a label and notes any deviation; where names the place.
func (p *parsing) text(data []byte, label, where string) string {
	d := decodeCharset(data, label)
	if d.deviates {
		p.noteCharset(label, d.used, where)
	}
	return d.text
}

func (p *parsing) noteCharset(label, used, where string) {
	if label == "" {
		label = "nothing"
	}
	p.notes.add(fmt.Sprintf("declared %s, used %s, in %s", cleanName(decodeUTF8([]byte(label))), used, where))
}

// rawText decodes a header value, where nothing is declared: UTF-8 is legal
// (RFC 6532), all else is a guess led by the character set of the text.
func (p *parsing) rawText(value []byte, where string) string {
	if isSevenBit(value) && !hasJapaneseEscape(value) {
		return string(value)
	}
	if countUTF8(value).valid() {
		return string(value)
	}
	label := ""
	if enc, ok := lookupCharset(p.hint); ok && enc.name != "utf-8" {
		label = p.hint
	}
	d := decodeCharset(value, label)
	p.noteCharset("", d.used, where)
	return d.text
}

// words decodes the encoded words of a header value, those that were encoded
// twice as well: nobody means to show one.
func (p *parsing) words(s, where string) string {
	once := p.wordsOnce(s, where)
	if once == s || !strings.Contains(once, "=?") {
		return once
	}
	return p.wordsOnce(once, where)
}

func (p *parsing) wordsOnce(s, where string) string {
	return decodeWords(s, func(data []byte, charset string) (string, bool) {
		d := decodeCharset(data, charset)
		if !plausibleWord(d) {
			p.defect("encoded word in %s cannot be decoded: left as written", where)
			return "", false
		}
		if d.deviates {
			p.noteCharset(charset, d.used, where)
		}
		return d.text, true
	})
}

// plausibleWord refuses garbage: a word is better shown as it was written than
// as a row of replacement characters.
func plausibleWord(d decoded) bool {
	bad := d.errors
	for _, r := range d.text {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' && r != 0 {
			bad++
		}
	}
	return bad == 0 || bad*4 < utf8.RuneCountInString(d.text)
}
