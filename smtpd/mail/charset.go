package mail

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// decoded is text with the character set that was really used.
type decoded struct {
	text string
	used string // canonical name
	// deviates says that used is not what the label declared.
	deviates bool
	// errors counts characters that could not be read.
	errors int
}

// decodeCharset decodes data under its declared label, which may be missing,
// unknown or wrong: what the bytes plainly are wins over what they are called.
func decodeCharset(data []byte, label string) decoded {
	declared, known := lookupCharset(label)
	if name, body, ok := cutByteOrderMark(data); ok {
		enc, _ := lookupCharset(name)
		return finish(enc, body, known && sameFamily(declared.name, name))
	}
	if known && declared.wide {
		if bytes.IndexByte(data, 0) >= 0 || !isSevenBit(data) {
			if declared.name == "utf-16" && looksLittleEndian(data) {
				declared, _ = lookupCharset("utf-16le")
			}
			return finish(declared, data, true)
		}
		return decoded{text: string(data), used: "us-ascii", deviates: len(data) > 0}
	}
	if isSevenBit(data) {
		return decodeSevenBit(data, declared, known)
	}
	return decodeEightBit(data, declared, known)
}

// finish decodes data as enc; declared says whether the label asked for it.
func finish(enc charset, data []byte, declared bool) decoded {
	text := enc.decode(data)
	return decoded{text: text, used: enc.name, deviates: !declared, errors: countErrors(text)}
}

func decodeSevenBit(data []byte, declared charset, known bool) decoded {
	switch {
	case known && declared.name == "iso-2022-jp":
		return finish(declared, restoreEscapes(data), true)
	case known && declared.name == "utf-7":
		if text, ok := mendUTF7(data); ok {
			return decoded{text: text, used: "utf-7 of iso-8859-1 taken for utf-8", deviates: true}
		}
		return finish(declared, data, true)
	case known && declared.shifting:
		return finish(declared, data, true)
	case hasJapaneseEscape(data):
		enc, _ := lookupCharset("iso-2022-jp")
		return finish(enc, data, false)
	case known && !declared.ascii:
		return finish(declared, data, true)
	}
	// Plain ASCII reads the same under every label, known or not.
	return decoded{text: string(data), used: "us-ascii"}
}

func decodeEightBit(data []byte, declared charset, known bool) decoded {
	if known && declared.name == "utf-8" && utf8.Valid(data) {
		text := string(data)
		return decoded{text: text, used: declared.name, errors: countErrors(text)}
	}
	utf := countUTF8(data)
	if known && declared.name == "utf-8" {
		return decodeDamagedUTF8(data, declared, utf)
	}
	unlabelled := !known || declared.name == "us-ascii"
	if utf.valid() && (unlabelled || utf.betterThan(declared)) {
		enc, _ := lookupCharset("utf-8")
		return finish(enc, data, false)
	}
	if unlabelled {
		name, _ := guessCharset(data)
		enc, _ := lookupCharset(name)
		return finish(enc, data, false)
	}
	if declared.name == "iso-2022-jp" && !hasJapaneseEscape(data) {
		if name, sure := guessCharset(data); sure {
			enc, _ := lookupCharset(name)
			return finish(enc, data, false)
		}
	}
	if declared.western {
		if name, ok := looksJapanese(data); ok {
			enc, _ := lookupCharset(name)
			return finish(enc, data, false)
		}
	}
	asDeclared := finish(declared, data, true)
	if asDeclared.errors == 0 {
		return asDeclared
	}
	if name, sure := guessCharset(data); sure && name != declared.name {
		enc, _ := lookupCharset(name)
		if guessed := finish(enc, data, false); guessed.errors < asDeclared.errors {
			return guessed
		}
	}
	return asDeclared
}

// decodeDamagedUTF8 keeps the UTF-8 label when most sequences are whole (a cut
// or a few stray bytes), and guesses otherwise.
func decodeDamagedUTF8(data []byte, enc charset, utf utf8Count) decoded {
	if utf.valid() || utf.sequences() >= 2*utf.invalid {
		return finish(enc, data, true)
	}
	if name, sure := guessCharset(data); sure && name != "utf-8" {
		other, _ := lookupCharset(name)
		if guessed := finish(other, data, false); guessed.errors < utf.invalid {
			return guessed
		}
	}
	return finish(enc, data, true)
}

// utf8Count counts the multi-byte sequences of data by length.
type utf8Count struct {
	two, long int // sequences of two bytes, of three and four
	invalid   int // bytes that begin no valid sequence
}

func countUTF8(data []byte) utf8Count {
	var c utf8Count
	for i := 0; i < len(data); {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			// A character cut off by the end of the data is not evidence against.
			if !utf8.FullRune(data[i:]) {
				return c
			}
			c.invalid++
		case size == 2:
			c.two++
		default:
			c.long++
		}
		i += size
	}
	return c
}

func (c utf8Count) sequences() int { return c.two + c.long }

func (c utf8Count) valid() bool { return c.invalid == 0 && c.sequences() > 0 }

// betterThan says whether valid UTF-8 is likelier than the declared set. In a
// single-byte set a letter followed by a symbol, again and again, is implausible.
// Two bytes of a double-byte set are sometimes valid UTF-8 by chance, three in
// step hardly ever.
func (c utf8Count) betterThan(declared charset) bool {
	if !declared.multibyte {
		return true
	}
	return c.long > 0 || c.two >= 6
}

// countErrors counts replacement and C1 control characters: neither is ever
// meant in mail.
func countErrors(s string) int {
	n := strings.Count(s, string(utf8.RuneError))
	for {
		i := strings.IndexByte(s, 0xC2) // leads U+0080 to U+00BF
		if i < 0 || i+1 >= len(s) {
			return n
		}
		if s[i+1] < 0xA0 && s[i+1] != 0x85 {
			n++
		}
		s = s[i+2:]
	}
}

func isSevenBit(data []byte) bool {
	const high = 0x8080808080808080 // the first bit of eight bytes
	for ; len(data) >= 8; data = data[8:] {
		if binary.NativeEndian.Uint64(data)&high != 0 {
			return false
		}
	}
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func cutByteOrderMark(data []byte) (name string, body []byte, ok bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")):
		if utf8.Valid(data) {
			return "utf-8", data[3:], true
		}
	case bytes.HasPrefix(data, []byte("\xFF\xFE\x00\x00")) && len(data)%4 == 0:
		return "utf-32le", data[4:], true
	case bytes.HasPrefix(data, []byte("\x00\x00\xFE\xFF")) && len(data)%4 == 0:
		return "utf-32be", data[4:], true
	case bytes.HasPrefix(data, []byte("\xFF\xFE")):
		return "utf-16le", data[2:], true
	case bytes.HasPrefix(data, []byte("\xFE\xFF")):
		return "utf-16be", data[2:], true
	}
	return "", data, false
}

// looksLittleEndian says that UTF-16 without a byte order mark is in the order of
// Windows, not in the one RFC 2781 section 4.3 asks for: more of its units are of
// the blocks that mail is written in.
func looksLittleEndian(data []byte) bool {
	usual := func(high byte) bool {
		return high < 0x06 || high == 0x20 || high == 0x30 || high >= 0x4E && high <= 0x9F || high >= 0xAC && high <= 0xD7 || high == 0xFF
	}
	little, big := 0, 0
	for i := 0; i+1 < len(data) && i < 4096; i += 2 {
		if usual(data[i]) {
			big++
		}
		if usual(data[i+1]) {
			little++
		}
	}
	return little > big
}

// sameFamily says that a byte order mark only refines the declared name.
func sameFamily(declared, marked string) bool {
	family := func(s string) string { return strings.TrimRight(s, "bel") }
	return family(declared) == family(marked)
}

// cleanText makes text fit for a Message: valid UTF-8, LF line ends, no control
// characters but tab and line feed.
func cleanText(s string) string {
	s = strings.TrimPrefix(s, "\uFEFF")
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				b.WriteByte('\n')
			}
		case isControl(r):
		default:
			b.WriteRune(r) // an invalid byte becomes U+FFFD
		}
		i += size
	}
	return b.String()
}

// isClean reports whether cleanText would leave s, LF alone at the ends of its lines,
// as it is. It looks at bytes, not characters: every text of every mail passes here.
func isClean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if unclean[s[i]] && (s[i] != leadsControls || s[i+1] < 0xA0) {
			return false
		}
	}
	return true
}

// leadsControls is the byte that U+0080 to U+00BF begin with, the first half of
// which are control characters.
const leadsControls = 0xC2

// unclean are the bytes that are a control character, or may begin one.
var unclean = func() (table [256]bool) {
	for c := range rune(utf8.RuneSelf) {
		table[c] = isControl(c)
	}
	table[leadsControls] = true
	return table
}()

func isControl(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' || r >= 0x7F && r < 0xA0
}
