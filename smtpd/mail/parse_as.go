package mail

import (
	"fmt"
	"strings"
)

// Charsets lists the character sets to offer a reader whose mail was decoded
// wrongly, by their canonical names: Japanese ones first, then by region.
// ParseAs knows many more.
func Charsets() []string {
	return []string{
		"utf-8", "iso-2022-jp", "shift_jis", "euc-jp",
		"gb18030", "big5", "euc-kr", "iso-2022-kr", "hz-gb-2312",
		"windows-1252", "iso-8859-15", "windows-1250", "iso-8859-2",
		"windows-1251", "koi8-r", "koi8-u", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
		"windows-1257", "windows-1258", "windows-874", "macintosh",
		"utf-16le", "utf-16be", "utf-7",
	}
}

// ParseAs decodes a mail like Parse, except that its texts are read in the
// given character set, whatever they declare and look like; raw bytes in the
// header are read in it too unless they are UTF-8. The empty name is Parse. The
// error names a character set that is not known, and some that are.
func ParseAs(raw []byte, charset string) (*Message, error) {
	p := &parsing{message: &Message{}}
	if charset != "" {
		forced, known := lookupCharset(charset)
		if !known {
			return nil, fmt.Errorf("character set %q is not known; known are %s and others", charset, strings.Join(Charsets()[:10], ", "))
		}
		p.forced = &forced
	}
	return p.parse(raw), nil
}

// bodyText decodes the bytes of a text to read: in the character set that was
// asked for, or else as text does.
func (p *parsing) bodyText(data []byte, label, where string) string {
	if p.forced == nil {
		return p.text(data, label, where)
	}
	if p.forced.name == "iso-2022-jp" {
		data = restoreEscapes(data)
	}
	if declared, known := lookupCharset(label); !known || declared.name != p.forced.name {
		p.noteCharset(label, p.forced.name+" as asked", where)
	}
	return p.forced.decode(data)
}
