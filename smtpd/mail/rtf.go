package mail

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxRTFDepth bounds groups within groups; deeper ones are read as one.
const maxRTFDepth = 200

// readRTF gives the words of an RTF text. RTF made from HTML gives that HTML
// back (MS-OXRTFEX), any other its text.
func readRTF(rtf []byte) content {
	r := rtfReader{data: rtf, page: "windows-1252", fonts: map[int]string{}, unicodeSkip: 1}
	r.fromHTML = bytes.Contains(rtf[:min(len(rtf), 1024)], []byte(`\fromhtml`))
	r.read()
	if r.fromHTML {
		return content{html: cleanText(r.out.String())}
	}
	return content{text: strings.TrimRight(cleanText(r.out.String()), "\n")}
}

// rtfState is what a group restores at its end.
type rtfState struct {
	skip     bool // a destination that holds no words
	fontList bool // the table of fonts
	htmlTag  bool // HTML that was kept verbatim
	htmlRTF  bool // RTF in place of HTML that is kept elsewhere
	font     int
}

// rtfReader turns RTF into text or HTML in one pass.
type rtfReader struct {
	data     []byte
	pos      int
	fromHTML bool

	state       rtfState
	stack       []rtfState
	dropped     int // groups beyond maxRTFDepth
	starred     bool
	page        string         // of the document
	fonts       map[int]string // code page of a font, where it has its own
	unicodeSkip int            // characters that stand in for one of \u
	toSkip      int
	high        rune   // first half of a surrogate pair
	bytes       []byte // of the current code page, not yet decoded
	out         strings.Builder
}

func (r *rtfReader) read() {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		r.pos++
		switch c {
		case '{':
			r.open()
		case '}':
			r.close()
		case '\\':
			r.control()
		case '\r', '\n', 0:
		default:
			r.char(c)
		}
	}
	r.flush()
}

func (r *rtfReader) open() {
	r.flush()
	if len(r.stack) >= maxRTFDepth {
		r.dropped++
		return
	}
	r.stack = append(r.stack, r.state)
}

func (r *rtfReader) close() {
	r.flush()
	switch {
	case r.dropped > 0:
		r.dropped--
	case len(r.stack) > 0:
		r.state = r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
	}
	r.toSkip, r.starred = 0, false
}

// shown says whether words here reach the reader.
func (r *rtfReader) shown() bool {
	return !r.state.skip && !r.state.fontList && (!r.state.htmlRTF || r.state.htmlTag)
}

// char takes one byte of the current code page.
func (r *rtfReader) char(c byte) {
	if r.toSkip > 0 {
		r.toSkip--
		return
	}
	if r.shown() {
		r.bytes = append(r.bytes, c)
	}
}

// flush decodes the bytes collected: a character of two bytes may be written as
// an escape and a letter, so they are decoded together.
func (r *rtfReader) flush() {
	if len(r.bytes) == 0 {
		return
	}
	page := r.page
	if own := r.fonts[r.state.font]; own != "" {
		page = own
	}
	enc, ok := lookupCharset(page)
	if !ok {
		enc, _ = lookupCharset("windows-1252")
	}
	r.write(enc.decode(r.bytes))
	r.bytes = r.bytes[:0]
}

// write puts out decoded text; between the kept tags it becomes HTML.
func (r *rtfReader) write(s string) {
	if r.fromHTML && !r.state.htmlTag {
		s = html.EscapeString(s)
	}
	r.out.WriteString(s)
}

// symbol puts out a character that a control word stands for.
func (r *rtfReader) symbol(s string) {
	if r.toSkip > 0 {
		r.toSkip--
		return
	}
	if r.shown() {
		r.flush()
		r.write(s)
	}
}

// control reads what follows a backslash: a symbol, an escaped byte or a word
// with an optional number.
func (r *rtfReader) control() {
	if r.pos >= len(r.data) {
		return
	}
	c := r.data[r.pos]
	if c|0x20 < 'a' || c|0x20 > 'z' {
		r.pos++
		r.controlSymbol(c)
		return
	}
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos]|0x20 >= 'a' && r.data[r.pos]|0x20 <= 'z' {
		r.pos++
	}
	word := string(r.data[start:min(r.pos, start+32)])
	start = r.pos
	if r.pos < len(r.data) && r.data[r.pos] == '-' {
		r.pos++
	}
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	number, err := strconv.Atoi(string(r.data[start:min(r.pos, start+12)]))
	if r.pos < len(r.data) && r.data[r.pos] == ' ' {
		r.pos++
	}
	r.word(word, number, err == nil)
}

func (r *rtfReader) controlSymbol(c byte) {
	switch c {
	case '\'':
		if r.pos+2 <= len(r.data) {
			if v, ok := hexByte(r.data[r.pos:]); ok {
				r.pos += 2
				r.char(v)
			}
		}
	case '*':
		r.starred = true
	case '~':
		r.symbol("\u00A0")
	case '_':
		r.symbol("\u2011")
	case '-':
	case '\r', '\n':
		r.symbol("\n")
	case '\\', '{', '}':
		r.char(c)
	}
}

// rtfSymbols are the control words that stand for a character.
var rtfSymbols = map[string]string{
	"par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "tab": "\t", "cell": "\t",
	"lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
	"endash": "–", "emdash": "—", "emspace": "\u2003", "enspace": "\u2002",
}

// rtfSilent are the destinations that hold no words.
var rtfSilent = map[string]bool{
	"colortbl": true, "stylesheet": true, "info": true, "pict": true, "object": true, "header": true, "footer": true,
	"headerl": true, "headerr": true, "footerl": true, "footerr": true, "listtable": true, "listoverridetable": true,
	"generator": true, "filetbl": true, "revtbl": true, "themedata": true, "datastore": true, "xmlnstbl": true,
	"fldinst": true,
}

func (r *rtfReader) word(word string, number int, numbered bool) {
	starred := r.starred
	r.starred = false
	if s, ok := rtfSymbols[word]; ok {
		if r.fromHTML && (word == "par" || word == "line") && !r.state.htmlTag {
			s = "\r\n"
		}
		r.symbol(s)
		return
	}
	r.flush()
	switch word {
	case "ansicpg":
		if number > 0 {
			r.page = codePageName(uint32(number))
		}
	case "mac":
		r.page = "macintosh"
	case "fonttbl":
		r.state.fontList = true
	case "f":
		r.state.font = number
	case "fcharset":
		if r.state.fontList && len(r.fonts) < 1000 {
			r.fonts[r.state.font] = fontPages[number]
		}
	case "plain":
		r.state.font = 0
	case "htmltag":
		r.state.htmlTag, r.state.skip = true, false
	case "mhtmltag":
		r.state.skip = true
	case "htmlrtf":
		r.state.htmlRTF = !numbered || number != 0
	case "uc":
		r.unicodeSkip = max(0, min(number, 8))
	case "u":
		r.unicode(number)
	case "bin":
		r.pos += max(0, min(number, len(r.data)-r.pos))
	default:
		if rtfSilent[word] || starred {
			r.state.skip = true
		}
	}
}

// unicode takes a UTF-16 unit, and skips the characters that stand in for it.
func (r *rtfReader) unicode(number int) {
	unit := rune(uint16(number))
	r.toSkip = 0
	if utf16.IsSurrogate(unit) && unit < 0xDC00 {
		r.high = unit
	} else {
		if r.high != 0 {
			unit, r.high = utf16.DecodeRune(r.high, unit), 0
		}
		r.symbol(string(unit))
	}
	r.toSkip = r.unicodeSkip
}

// fontPages gives the code page of a font's character set.
var fontPages = map[int]string{
	77: "macintosh", 128: "shift_jis", 129: "euc-kr", 134: "gb18030", 136: "big5", 161: "windows-1253",
	162: "windows-1254", 163: "windows-1258", 177: "windows-1255", 178: "windows-1256", 186: "windows-1257",
	204: "windows-1251", 222: "windows-874", 238: "windows-1250",
}
