package mail

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
)

// undoHiddenTransfer decodes a text whose transfer encoding is missing, wrong or
// applied twice: where the whole of it is plainly base64 or quoted-printable and
// gives readable text, nobody meant it to be read encoded.
func (p *parsing) undoHiddenTransfer(e *entity, data []byte) []byte {
	for range 2 {
		switch {
		case looksQuotedPrintable(data):
			data = decodeQuotedPrintable(data)
			p.defect("%s: its text is quoted-printable once more than declared: decoded", e.contentType)
		default:
			text, ok := wholeBase64(data)
			if !ok {
				return data
			}
			data = text
			p.defect("%s: its text is base64 once more than declared: decoded", e.contentType)
		}
	}
	return data
}

// looksQuotedPrintable says that text is quoted-printable through and through:
// every equals sign begins an escape or ends a line, and many escapes are of
// bytes that would not have survived without. A few escapes in a text are words
// about an encoding, unless lines are broken by it too.
func looksQuotedPrintable(data []byte) bool {
	const enough = 6
	if bytes.Count(data, []byte("=")) < enough {
		return false
	}
	high, broken := 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c >= utf8.RuneSelf {
			return false
		}
		if c != '=' {
			continue
		}
		if next := at(data, i+1); next == '\n' || next == '\r' || i+1 == len(data) {
			broken = true
			continue
		}
		v, ok := hexByte(data[i+1:])
		if !ok || data[i+1] >= 'a' || data[i+2] >= 'a' {
			return false
		}
		if v >= utf8.RuneSelf || v == escape {
			high++
		}
		i += 2
	}
	return high >= enough && (broken || high*3*2 >= len(data) || bytes.Contains(data, []byte("=1B$")))
}

// wholeBase64 decodes a text that is nothing but lines of base64, as encoders
// break them, if words come out of it.
func wholeBase64(data []byte) ([]byte, bool) {
	const shortest = 60 // a key or a token alone on a line is not a text
	data = bytes.TrimSpace(data)
	if len(data) < shortest || len(data) > 1<<24 {
		return nil, false
	}
	width := 0
	for pos := 0; pos < len(data); {
		line, next := nextLine(data, pos)
		for _, c := range line {
			if base64Value(c) == 64 && c != '=' {
				return nil, false
			}
		}
		switch {
		case width == 0:
			width = len(line)
		case len(line) > width, len(line) < width && next < len(data):
			return nil, false
		}
		pos = next
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(out, data)
	if err != nil || !looksLikeText(out[:n]) {
		return nil, false
	}
	return out[:n], true
}

// looksLikeText says that data is text in some character set: no control
// characters, and blanks or characters beyond ASCII as words have them.
func looksLikeText(data []byte) bool {
	words := false
	for _, c := range data {
		switch {
		case c == ' ' || c == '\n' || c == escape:
			words = true
		case c < ' ' && c != '\t' && c != '\r', c == 0x7F:
			return false
		}
	}
	if isSevenBit(data) {
		return words
	}
	_, sure := guessCharset(data)
	return sure
}
