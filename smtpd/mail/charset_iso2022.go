package mail

import (
	"bytes"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
)

// The four graphic sets an ISO-2022-JP text switches between (RFC 1468,
// RFC 2237, and JIS X 0201 katakana as CP50221 sends it).
type jisSet int

const (
	jisASCII jisSet = iota
	jisKatakana
	jisKanji         // JIS X 0208 with the NEC and IBM extensions of CP50221
	jisSupplementary // JIS X 0212
)

// jisEscapes lists the escape sequences, without ESC, longest first.
var jisEscapes = []struct {
	sequence string
	set      jisSet
}{
	{"$(D", jisSupplementary},
	{"$(B", jisKanji}, {"$(@", jisKanji},
	{"$(O", jisKanji}, {"$(Q", jisKanji}, {"$(P", jisSupplementary}, // JIS X 0213
	{"$B", jisKanji}, {"$@", jisKanji},
	{"(B", jisASCII}, {"(J", jisASCII}, {"(H", jisASCII}, {"(I", jisKatakana},
}

const escape = 0x1B

// japaneseEscape returns the set chosen by an escape sequence at the start of
// data, and its length with ESC; length 0 means none.
func japaneseEscape(data []byte) (jisSet, int) {
	if len(data) < 3 || data[0] != escape {
		return jisASCII, 0
	}
	switch { // the two that every such text is full of
	case data[1] == '$' && data[2] == 'B':
		return jisKanji, 3
	case data[1] == '(' && data[2] == 'B':
		return jisASCII, 3
	}
	for _, e := range jisEscapes {
		if len(data) > len(e.sequence) && string(data[1:1+len(e.sequence)]) == e.sequence {
			return e.set, 1 + len(e.sequence)
		}
	}
	return jisASCII, 0
}

// hasJapaneseEscape says whether data leaves ASCII by an escape of ISO-2022-JP.
func hasJapaneseEscape(data []byte) bool {
	for {
		i := bytes.IndexByte(data, escape)
		if i < 0 {
			return false
		}
		data = data[i:]
		if set, n := japaneseEscape(data); n > 0 && set != jisASCII {
			return true
		}
		data = data[1:]
	}
}

// decodeISO2022JP turns the escapes into the high bits of EUC-JP, whose decoder
// knows the extensions (①, 髙, ㈱, Ⅲ) that the plain decoder refuses.
func decodeISO2022JP(data []byte) string {
	euc := make([]byte, 0, len(data)+len(data)/4)
	set, shifted := jisASCII, false
	for i := 0; i < len(data); {
		for set == jisKanji && !shifted && i+1 < len(data) && isGraphic(data[i]) && isGraphic(data[i+1]) {
			euc = append(euc, data[i]|0x80, data[i+1]|0x80)
			i += 2
		}
		if i >= len(data) {
			break
		}
		c := data[i]
		if c == escape {
			if next, n := japaneseEscape(data[i:]); n > 0 {
				set, i = next, i+n
				continue
			}
			i++
			continue
		}
		switch {
		case c == '\n' || c == '\r':
			set, shifted = jisASCII, false // every line begins in ASCII
			euc = append(euc, c)
		case c == 0x0E || c == 0x0F:
			shifted = c == 0x0E // JIS7 katakana between SO and SI
		case c >= 0xA1 && c <= 0xDF:
			euc = append(euc, 0x8E, c) // JIS8 katakana
		case c >= 0x80:
			euc = append(euc, 0xFF)
		case c <= 0x20 || c == 0x7F:
			euc = append(euc, c)
		case shifted || set == jisKatakana:
			euc = append(euc, 0x8E, c|0x80)
		case set == jisKanji || set == jisSupplementary:
			if i+1 >= len(data) || data[i+1] <= 0x20 || data[i+1] >= 0x7F {
				euc = append(euc, 0xFF) // half a character
				break
			}
			if set == jisSupplementary {
				euc = append(euc, 0x8F)
			}
			euc = append(euc, c|0x80, data[i+1]|0x80)
			i++
		default:
			euc = append(euc, c)
		}
		i++
	}
	return decoderOf(japanese.EUCJP)(euc)
}

// isGraphic says that a byte can be half of a character of a 94 by 94 set.
func isGraphic(c byte) bool { return c > 0x20 && c < 0x7F }

// restoreEscapes puts back the ESC characters that some gateways strip from
// ISO-2022-JP: "$B...(B" with an even run of printable characters between.
func restoreEscapes(data []byte) []byte {
	if bytes.IndexByte(data, escape) >= 0 {
		return data
	}
	var out []byte
	rest := data
	for {
		start, length := strippedRun(rest)
		if start < 0 {
			break
		}
		out = append(out, rest[:start]...)
		out = append(out, escape)
		out = append(out, rest[start:start+length]...)
		out = append(out, escape)
		out = append(out, rest[start+length:start+length+2]...)
		rest = rest[start+length+2:]
	}
	if out == nil {
		return data
	}
	return append(out, rest...)
}

// strippedRun finds "$B" or "$@" and the length up to its "(B" or "(J".
func strippedRun(data []byte) (start, length int) {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '$' || data[i+1] != 'B' && data[i+1] != '@' {
			continue
		}
		j := i + 2
		for j+1 < len(data) && data[j] > 0x20 && data[j] < 0x7F && data[j+1] > 0x20 && data[j+1] < 0x7F {
			if data[j] == '(' && (data[j+1] == 'B' || data[j+1] == 'J') {
				if j > i+2 {
					return i, j - i
				}
				break
			}
			j += 2
		}
		i = j - 1
	}
	return -1, 0
}

// shiftedDecoder decodes ISO-2022-KR and ISO-2022-CN (RFC 1557, RFC 1922): the
// two bytes between SO and SI are those of the EUC form without the high bit.
func shiftedDecoder(enc encoding.Encoding) func([]byte) string {
	decode := decoderOf(enc)
	return func(data []byte) string {
		out := make([]byte, 0, len(data))
		shifted := false
		for i := 0; i < len(data); i++ {
			switch c := data[i]; {
			case c == escape:
				// The designation "ESC $ ) F" names the one set used here.
				for i+1 < len(data) && i < len(data)-1 && data[i+1] >= 0x20 && data[i+1] < 0x40 {
					i++
				}
				i++
			case c == 0x0E || c == 0x0F:
				shifted = c == 0x0E
			case shifted && c > 0x20 && c < 0x7F:
				out = append(out, c|0x80)
			default:
				out = append(out, c)
			}
		}
		return decode(out)
	}
}
