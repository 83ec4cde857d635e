package mail

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// charset is a way to decode bytes, under one canonical lower-case name.
type charset struct {
	name      string
	decode    func([]byte) string
	multibyte bool // a character may take several bytes
	shifting  bool // seven bits, with escapes or shifts
	wide      bool // UTF-16 or UTF-32
	ascii     bool // bytes below 0x80 are ASCII
	western   bool // Latin letters in one byte
}

// labelAliases maps labels met in mail, lower case, to the canonical name, where
// the registries do not know them or name a narrower set than is sent.
var labelAliases = map[string]string{
	"ascii": "us-ascii", "us": "us-ascii", "646": "us-ascii", "ansi_x3.4-1968": "us-ascii",
	"iso646-us": "us-ascii", "iso-ir-6": "us-ascii", "7bit": "us-ascii", "8bit": "us-ascii",
	"default": "us-ascii", "unknown": "us-ascii", "unknown-8bit": "us-ascii", "x-unknown": "us-ascii",
	"_iso-2022-jp": "iso-2022-jp", "iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp",
	"iso-2022-jp-3": "iso-2022-jp", "iso-2022-jp-2004": "iso-2022-jp", "iso-2022-jp-ms": "iso-2022-jp",
	"iso2022-jp": "iso-2022-jp", "iso2022jp": "iso-2022-jp", "csiso2022jp": "iso-2022-jp", "jis": "iso-2022-jp",
	"jis7": "iso-2022-jp", "cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp", "cp50222": "iso-2022-jp",
	"iso_2022-jp": "iso-2022-jp", "iso-2022jp": "iso-2022-jp", "windows-50221": "iso-2022-jp",
	"cp932": "shift_jis", "ms932": "shift_jis", "windows-932": "shift_jis", "windows-31j": "shift_jis",
	"cswindows31j": "shift_jis", "shift-jis": "shift_jis", "shiftjis": "shift_jis", "sjis": "shift_jis",
	"sjis-win": "shift_jis", "x-sjis": "shift_jis", "ms_kanji": "shift_jis", "shift_jisx0213": "shift_jis",
	"shift_jis-2004": "shift_jis", "x-ms-cp932": "shift_jis", "932": "shift_jis",
	"cp943": "shift_jis", "cp943c": "shift_jis", "ibm943": "shift_jis", "ibm-943": "shift_jis", "x-ibm943": "shift_jis", "x-ibm943c": "shift_jis",
	"eucjp": "euc-jp", "euc_jp": "euc-jp", "ujis": "euc-jp", "eucjp-ms": "euc-jp", "euc-jp-ms": "euc-jp",
	"eucjp-win": "euc-jp", "cp51932": "euc-jp", "euc-jisx0213": "euc-jp", "x-euc": "euc-jp",
	"gb2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030",
	"ms936": "gb18030", "windows-936": "gb18030", "euc-cn": "gb18030", "euccn": "gb18030", "gb18030-2000": "gb18030",
	"gb-18030": "gb18030", "gb2312_charset": "gb18030", "chinesesimplified": "gb18030", "936": "gb18030",
	"hz": "hz-gb-2312", "cp950": "big5", "windows-950": "big5", "big-5": "big5", "big5-eten": "big5", "cn-big5": "big5",
	"ks_c_5601": "euc-kr", "ks_c_5601-1987": "euc-kr", "ksc5601": "euc-kr", "ks_c_5601-1989": "euc-kr",
	"cp949": "euc-kr", "ms949": "euc-kr", "windows-949": "euc-kr", "uhc": "euc-kr", "949": "euc-kr", "euckr": "euc-kr",
	"utf8": "utf-8", "utf_8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf-8-mac": "utf-8", "utf8mb4": "utf-8", "65001": "utf-8",
	"utf7": "utf-7", "unicode-1-1-utf-7": "utf-7", "csunicode11utf7": "utf-7", "x-unicode-2-0-utf-7": "utf-7",
	"utf16": "utf-16", "ucs-2": "utf-16", "iso-10646-ucs-2": "utf-16", "utf16le": "utf-16le", "utf16be": "utf-16be",
	"utf32": "utf-32", "ucs-4": "utf-32", "utf32le": "utf-32le", "utf32be": "utf-32be",
	"latin-1": "windows-1252", "ansi_x3.110-1983": "windows-1252", "ansi": "windows-1252", "1252": "windows-1252", "iso-8859-1-windows-3.1-latin-1": "windows-1252",
	"iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "koi8-ru": "koi8-u", "koi8": "koi8-r",
	"cp858": "ibm00858", "ibm858": "ibm00858", "cp00858": "ibm00858",
	"latin9": "iso-8859-15", "latin-9": "iso-8859-15", "l9": "iso-8859-15", "latin0": "iso-8859-15", "csunicode": "utf-16",
	"hkscs": "big5", "big5-hkscs:2004": "big5", "mac-roman": "macintosh", "mac": "macintosh", "apple-roman": "macintosh",
	"mac-cyrillic": "x-mac-cyrillic", "maccyrillic": "x-mac-cyrillic", "x-mac-ukrainian": "x-mac-cyrillic",
	"x-mac-japanese": "shift_jis", "x-mac-korean": "euc-kr", "x-mac-chinesesimp": "gb18030", "x-mac-chinesetrad": "big5",
	"mac-centraleurope": "x-mac-ce", "maccentraleurope": "x-mac-ce", "x-mac-centraleurroman": "x-mac-ce", "mac-latin2": "x-mac-ce",
	"macgreek": "x-mac-greek", "mac-greek": "x-mac-greek", "macturkish": "x-mac-turkish", "mac-turkish": "x-mac-turkish",
	"roman8": "hp-roman8", "r8": "hp-roman8", "pt154": "ptcp154", "cp154": "ptcp154", "rk1048": "kz-1048", "strk1048-2002": "kz-1048",
	"tis620": "windows-874", "tis-620": "windows-874", "macroman": "macintosh", "x-mac-roman": "macintosh",
}

// lookupCharset finds the character set a label means. A label may carry
// quotes, a language (RFC 2231), or the remains of a wrong transfer encoding.
func lookupCharset(label string) (charset, bool) {
	if strings.EqualFold(label, "utf-8") {
		return ownCharset("utf-8") // as nearly all mail is
	}
	label = strings.ToLower(strings.Trim(label, " \t\"'<>;,=."))
	label, _, _ = strings.Cut(label, "*")
	label = strings.TrimPrefix(label, "3d")
	if name, esc, ok := strings.Cut(label, "$"); ok && esc != "" {
		label = name // "_iso-2022-jp$esc", written by some Microsoft clients
	}
	if label == "" || len(label) > 64 {
		return charset{}, false
	}
	if alias, ok := labelAliases[label]; ok {
		label = alias
	}
	if c, ok := ownCharset(label); ok {
		return c, true
	}
	for _, name := range []string{label, strings.TrimPrefix(label, "x-"), dashed(label)} {
		if c, ok := upperHalf(name); ok {
			return c, true
		}
		if enc, err := htmlindex.Get(name); err == nil {
			if canonical, err := htmlindex.Name(enc); err == nil && canonical != "replacement" {
				return tableCharset(canonical, enc), true
			}
		}
		if enc, err := ianaindex.IANA.Encoding(name); err == nil && enc != nil {
			return tableCharset(name, enc), true
		}
	}
	return charset{}, false
}

// dashed gives the registered spelling of labels such as "iso8859_15" and "cp850".
func dashed(label string) string {
	label = strings.ReplaceAll(label, "_", "-")
	if rest, ok := strings.CutPrefix(label, "iso8859"); ok {
		return "iso-8859-" + strings.TrimPrefix(rest, "-")
	}
	// Windows numbers the parts of ISO 8859 as code pages 28591 to 28606.
	page, _ := strings.CutPrefix(strings.TrimPrefix(label, "windows-"), "cp")
	if number, err := strconv.Atoi(page); err == nil && number > 28590 && number <= 28606 {
		return "iso-8859-" + strconv.Itoa(number-28590)
	}
	for _, prefix := range []string{"cp-", "cp", "win-", "win", "windows", "ibm-"} {
		rest, ok := strings.CutPrefix(label, prefix)
		if !ok || rest == "" || rest[0] < '0' || rest[0] > '9' {
			continue
		}
		if strings.HasPrefix(rest, "125") || rest == "874" {
			return "windows-" + rest
		}
		return "ibm" + rest
	}
	return label
}

// ownCharset names the sets that need more than a table of the text library.
func ownCharset(name string) (charset, bool) {
	switch name {
	case "us-ascii":
		c, _ := lookupCharset("windows-1252")
		c.name = name
		return c, true
	case "utf-8":
		return charset{name: name, decode: decodeUTF8, multibyte: true, ascii: true}, true
	case "utf-7":
		return charset{name: name, decode: decodeUTF7, shifting: true, ascii: true}, true
	case "iso-2022-jp":
		return charset{name: name, decode: decodeISO2022JP, multibyte: true, shifting: true, ascii: true}, true
	case "iso-2022-kr":
		return charset{name: name, decode: shiftedDecoder(korean.EUCKR), multibyte: true, shifting: true, ascii: true}, true
	case "iso-2022-cn", "iso-2022-cn-ext":
		return charset{name: name, decode: shiftedDecoder(simplifiedchinese.GB18030), multibyte: true, shifting: true, ascii: true}, true
	case "hz-gb-2312":
		return charset{name: name, decode: decoderOf(simplifiedchinese.HZGB2312), multibyte: true, shifting: true, ascii: true}, true
	case "shift_jis":
		return charset{name: name, decode: decoderOf(japanese.ShiftJIS), multibyte: true, ascii: true}, true
	case "utf-16", "utf-16be", "utf-16le":
		endian := unicode.BigEndian
		if name == "utf-16le" {
			endian = unicode.LittleEndian
		}
		return charset{name: name, decode: decoderOf(unicode.UTF16(endian, unicode.UseBOM)), multibyte: true, wide: true}, true
	case "utf-32", "utf-32be", "utf-32le":
		endian := utf32.BigEndian
		if name == "utf-32le" {
			endian = utf32.LittleEndian
		}
		return charset{name: name, decode: decoderOf(utf32.UTF32(endian, utf32.UseBOM)), multibyte: true, wide: true}, true
	}
	return charset{}, false
}

func tableCharset(name string, enc encoding.Encoding) charset {
	c := charset{name: name, decode: decoderOf(enc)}
	switch name {
	case "gb18030", "gbk", "big5", "euc-kr", "euc-jp":
		c.multibyte = true
	case "windows-1252", "iso-8859-15", "macintosh", "windows-1250", "iso-8859-2":
		c.western = true
	}
	c.ascii = c.decode([]byte("Az09")) == "Az09" // EBCDIC is not
	return c
}

// decoderOf never fails: what cannot be decoded becomes U+FFFD.
func decoderOf(enc encoding.Encoding) func([]byte) string {
	return func(data []byte) string {
		if len(data) > maxDecodedAtOnce {
			return decodeLong(enc, data)
		}
		// Most sets take two bytes where UTF-8 takes three.
		text, _, err := transform.Append(enc.NewDecoder(), make([]byte, 0, len(data)+len(data)/2+16), data)
		if err != nil {
			return string(text) + string(utf8.RuneError)
		}
		return string(text)
	}
}

// maxDecodedAtOnce is how many bytes are decoded into a buffer that grows; with more
// its copies would stand beside each other.
const maxDecodedAtOnce = 1 << 20

// decodeLong decodes data twice, to know first how long the text will be.
func decodeLong(enc encoding.Encoding, data []byte) string {
	length := 0
	decodePieces(enc, data, func(piece []byte) { length += len(piece) })
	var text strings.Builder
	text.Grow(length)
	decodePieces(enc, data, func(piece []byte) { text.Write(piece) })
	return text.String()
}

func decodePieces(enc encoding.Encoding, data []byte, give func([]byte)) {
	decoder, piece := enc.NewDecoder(), make([]byte, 32<<10)
	for {
		written, read, err := decoder.Transform(piece, data, true)
		give(piece[:written])
		data = data[read:]
		if errors.Is(err, transform.ErrShortDst) {
			continue
		}
		if err != nil {
			give([]byte(string(utf8.RuneError)))
		}
		return
	}
}

func decodeUTF8(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	return strings.ToValidUTF8(string(data), string(utf8.RuneError))
}
