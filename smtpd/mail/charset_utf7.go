package mail

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeUTF7 decodes RFC 2152. Bytes above 0x7F, which have no place in it, are
// kept where they are valid UTF-8.
func decodeUTF7(data []byte) string {
	var b strings.Builder
	b.Grow(len(data))
	for i := 0; i < len(data); {
		if data[i] != '+' {
			r, size := utf8.DecodeRune(data[i:])
			b.WriteRune(r)
			i += size
			continue
		}
		i++
		if i < len(data) && data[i] == '-' {
			b.WriteByte('+')
			i++
			continue
		}
		start := i
		for i < len(data) && base64Value(data[i]) < 64 {
			i++
		}
		if i == start {
			b.WriteByte('+') // a plus that begins nothing
			continue
		}
		writeUTF7Run(&b, data[start:i])
		if i < len(data) && data[i] == '-' {
			i++
		}
	}
	return b.String()
}

// writeUTF7Run writes one run of modified base64, which holds UTF-16 big endian.
func writeUTF7Run(b *strings.Builder, run []byte) {
	var bits uint32
	var have uint
	var high rune
	for _, c := range run {
		bits = bits<<6 | uint32(base64Value(c))
		have += 6
		if have < 16 {
			continue
		}
		have -= 16
		unit := rune(bits >> have & 0xFFFF)
		switch {
		case high != 0:
			b.WriteRune(utf16.DecodeRune(high, unit))
			high = 0
		case unit >= 0xD800 && unit < 0xDC00:
			high = unit
		default:
			b.WriteRune(unit)
		}
	}
	if high != 0 {
		b.WriteRune(utf8.RuneError)
	}
}

// base64Value returns the value of a character of the standard or URL alphabet
// (RFC 4648), or 64 for any other.
func base64Value(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 64
}
