package mail

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readMailboxes makes addresses of the pieces. A mailbox without an address is
// the first half of a name with an unquoted comma when the next has brackets.
func readMailboxes(list [][]addressPiece, words func(string) string) []Address {
	var addresses []Address
	var held []addressPiece
	for i, pieces := range list {
		if !hasAddress(pieces) && i+1 < len(list) && opensWithName(list[i+1:]) && len(held) < 20 {
			held = append(append(held, pieces...), addressPiece{pieceText, ","})
			continue
		}
		if held != nil {
			pieces = append(held, pieces...)
			held = nil
		}
		if a := readMailbox(pieces, words); a != (Address{}) {
			addresses = append(addresses, a)
		}
	}
	return addresses
}

func hasAddress(pieces []addressPiece) bool {
	for _, p := range pieces {
		if p.kind == pieceAngle || p.kind == pieceText && strings.ContainsAny(p.text, "@＠") {
			return true
		}
	}
	return false
}

// opensWithName says that the nearest mailbox with an address is a name and a
// bracketed address; bare addresses are whole by themselves.
func opensWithName(list [][]addressPiece) bool {
	for i, pieces := range list {
		if i > 3 {
			return false
		}
		if !hasAddress(pieces) {
			continue
		}
		return pieces[0].kind != pieceAngle && pieces[len(pieces)-1].kind == pieceAngle || strings.ContainsAny(pieces[0].text, "＜")
	}
	return false
}

// readMailbox makes one address of its pieces.
func readMailbox(pieces []addressPiece, words func(string) string) Address {
	pieces = splitFullWidth(pieces)
	at := addressIn(pieces)
	var name, comment strings.Builder
	for i, p := range pieces {
		if i == at {
			continue
		}
		switch p.kind {
		case pieceComment:
			comment.WriteString(" (" + unescapeQuoted(p.text) + ")")
		case pieceQuoted:
			name.WriteString(unescapeQuoted(p.text))
		case pieceAngle:
			if p.text != "" && !strings.Contains(p.text, "@") {
				name.WriteString("<" + p.text + ">")
			}
		default:
			name.WriteString(p.text)
		}
	}
	a := Address{Name: cleanName(words(trimStray(name.String())))}
	note := cleanName(words(strings.TrimSpace(comment.String())))
	switch {
	case a.Name == "":
		a.Name = strings.TrimSuffix(strings.TrimPrefix(note, "("), ")")
	case note != "":
		a.Name += " " + note
	}
	if at >= 0 {
		a.Address = cleanAddress(pieces[at].text)
	}
	if a.Address == "" && quotedWhole.MatchString(a.Name) {
		return Address{Address: cleanAddress(a.Name)}
	}
	if at >= 0 {
		return a
	}
	// No brackets and no "@": a single word is a local user, more are a name.
	if a.Name != "" && note == "" && !strings.ContainsAny(a.Name, " \u3000<>") && isSevenBit([]byte(a.Name)) && len(pieces) == 1 && pieces[0].kind == pieceText {
		return Address{Address: a.Name}
	}
	return a
}

// quotedWhole is an address that stands where a name should, for want of another:
// "info@example.jp" in quotes, with nothing or empty brackets behind it.
var quotedWhole = regexp.MustCompile(`^[\w.!#$%&'*+/=?^{|}~-]+@[\w-]+(?:\.[\w-]+)+$`)

// trimStray removes the brackets and the quote that a damaged mailbox leaves on
// its name.
func trimStray(name string) string {
	name = strings.Trim(name, " \t")
	if strings.Count(name, `"`) == 1 {
		name = strings.Trim(name, `"`)
	}
	if strings.Count(name, "<") != strings.Count(name, ">") {
		name = strings.Trim(name, "<>")
	}
	return strings.TrimSpace(name)
}

// addressIn finds the piece that holds the address: the last bracketed one with
// an "@", else a bare one, else any bracketed one. Text around a bare address is
// split off first by splitFullWidth. -1 means none.
func addressIn(pieces []addressPiece) int {
	best, bare, angle := -1, -1, -1
	for i, p := range pieces {
		switch {
		case p.kind == pieceAngle && strings.Contains(p.text, "@"):
			best = i
		case p.kind == pieceAngle:
			angle = i
		case p.kind == pieceText && strings.Contains(p.text, "@"):
			if bare < 0 {
				bare = i
			}
		}
	}
	switch {
	case best >= 0:
		return best
	case bare >= 0:
		return bare
	}
	return angle
}

// wideSigns are the full-width forms an input method leaves in an address.
var wideSigns = strings.NewReplacer("＠", "@", "＜", " <", "＞", "> ", "．", ".")

// splitFullWidth folds the full-width signs of an address to ASCII, and cuts
// bare addresses out of the text around them.
func splitFullWidth(pieces []addressPiece) []addressPiece {
	out := make([]addressPiece, 0, len(pieces)+2)
	for i, p := range pieces {
		if p.kind == pieceAngle {
			p.text = strings.ReplaceAll(p.text, "＠", "@")
		}
		if p.kind != pieceText || !strings.ContainsAny(p.text, "@＠") {
			out = append(out, p)
			continue
		}
		text := wideSigns.Replace(p.text)
		start, end := bareAddress(text)
		if i > 0 && pieces[i-1].kind == pieceQuoted && strings.HasPrefix(text, "@") {
			// A quoted local part: "with blank"@example.jp.
			out = out[:len(out)-1]
			text = `"` + pieces[i-1].text + `"` + text
			start, end = 0, len(text)
		}
		if start > 0 {
			out = append(out, addressPiece{pieceText, text[:start]})
		}
		out = append(out, addressPiece{pieceText, text[start:end]})
		if end < len(text) {
			out = append(out, addressPiece{pieceText, strings.TrimLeft(text[end:], "> ")})
		}
	}
	return out
}

// bareAddress finds the blank-separated token around the last "@" of text.
func bareAddress(text string) (start, end int) {
	at := strings.LastIndexByte(text, '@')
	if strings.Trim(text[at+1:], " \t") == "" {
		return 0, len(text)
	}
	blank := func(r rune) bool { return unicode.IsSpace(r) || r == '<' || r == '>' }
	before, after := strings.TrimRightFunc(text[:at], unicode.IsSpace), strings.TrimLeftFunc(text[at+1:], unicode.IsSpace)
	if i := strings.LastIndexFunc(before, blank); i >= 0 {
		_, size := utf8.DecodeRuneInString(before[i:])
		start = i + size
	}
	end = len(text)
	if i := strings.IndexFunc(after, blank); i >= 0 {
		end = len(text) - len(after) + i
	}
	return start, end
}
