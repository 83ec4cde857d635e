package mail

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var mediaTypePattern = regexp.MustCompile(`^[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}$`)

// attachmentPart is a file as a part of a mail, the one with this number.
func attachmentPart(a Attachment, number int) (composedPart, error) {
	mediaType, _, _ := strings.Cut(a.ContentType, ";") // of what a program gave with it only the type is sure
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	if !mediaTypePattern.MatchString(mediaType) || strings.HasPrefix(mediaType, "multipart/") {
		mediaType = "application/octet-stream"
	}
	name := fileName(a.Filename)
	if name == "" {
		name = madeUpName(mediaType, number)
	}
	encoding, body := "base64", []byte(nil)
	if strings.HasPrefix(mediaType, "message/") {
		// These must not be encoded (RFC 2046, section 5.2.1): one that cannot go as it is goes as a file.
		if encoding, body = "7bit", a.Data; !fitsSevenBit(a.Data) {
			mediaType, encoding = "application/octet-stream", "base64"
		}
	}
	if encoding == "base64" {
		body = encodeBase64(a.Data)
	}
	disposition := "attachment"
	if a.Inline {
		disposition = "inline"
	}
	parameters := []string{mediaType + ";"}
	if charset := fileCharset(mediaType, a.Data); charset != "" {
		parameters = append(parameters, "charset="+charset+";")
	}
	var h headerWriter
	h.tokens("Content-Type", append(parameters, nameParameter(name)...)...)
	h.tokens("Content-Disposition", append([]string{disposition + ";"}, fileNameParameter(name)...)...)
	if a.ContentID != "" {
		h.tokens("Content-ID", "<"+a.ContentID+">")
	}
	h.tokens("Content-Transfer-Encoding", encoding)
	if h.err != nil {
		return composedPart{}, fmt.Errorf("attachment %q: %w", name, h.err)
	}
	return composedPart{fields: h.fields, body: body}, nil
}

// fileCharset is the character set of a text file that is more than ASCII: mail
// programs that show it in the mail read it as ASCII where none is said (RFC 2046,
// section 4.1.2). "" says none, where it is not sure.
func fileCharset(mediaType string, data []byte) string {
	const looked = 64 << 10 // bytes; enough to tell Japanese by
	switch {
	case !strings.HasPrefix(mediaType, "text/"):
		return ""
	case hasJapaneseEscape(data[:min(len(data), looked)]):
		return "iso-2022-jp"
	case utf8.Valid(data):
		if bytes.ContainsFunc(data, func(c rune) bool { return c > unicode.MaxASCII }) {
			return "utf-8"
		}
		return ""
	}
	name, _ := looksJapanese(data[:min(len(data), looked)])
	return name
}

// fitsSevenBit reports ASCII lines of at most 998 bytes ended by CR LF, without NUL.
func fitsSevenBit(data []byte) bool {
	for line := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > maxLineLength || bytes.ContainsFunc(line, func(c rune) bool { return c >= 0x7F || c == 0 || c == '\r' || c == '\n' }) {
			return false
		}
	}
	return true
}

const maxFileName = 150 // characters

// fileName makes a name that no receiving system reads as a path, and that does
// not show another extension than it has; "" where nothing is left of it.
func fileName(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case c == '/' || c == '\\':
			return '_'
		case unicode.Is(unicode.Cf, c) && c != '\u200D': // bidirectional overrides among them
			return -1
		}
		return c
	}, headerText(name))
	name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
	if characters := []rune(name); len(characters) > maxFileName {
		extension := []rune(path.Ext(name))
		if len(extension) > 20 {
			extension = nil
		}
		name = string(characters[:maxFileName-len(extension)]) + string(extension)
	}
	return name
}

func isPlainName(name string) bool {
	return isASCII(name) && len(name) <= foldWidth-20 && !strings.Contains(name, "=?")
}

// nameParameter is the name of Content-Type, which older Japanese programs read;
// encoded-words are forbidden there and understood by all of them.
func nameParameter(name string) []string {
	if isPlainName(name) {
		return []string{"name=" + quote(name)}
	}
	words := encodedWords(name, foldWidth-10)
	words[0] = `name="` + words[0]
	words[len(words)-1] += `"`
	return words
}

// fileNameParameter is the filename of Content-Disposition (RFC 2231), in
// sections of whole characters where it is long.
func fileNameParameter(name string) []string {
	if isPlainName(name) {
		return []string{"filename=" + quote(name)}
	}
	const room = foldWidth - 18
	var sections []string
	section := "UTF-8''"
	for _, c := range name {
		encoded := percentEncode(string(c))
		if len(section)+len(encoded) > room {
			sections = append(sections, section)
			section = ""
		}
		section += encoded
	}
	if sections = append(sections, section); len(sections) == 1 {
		return []string{"filename*=" + section}
	}
	for i := range sections {
		sections[i] = fmt.Sprintf("filename*%d*=%s", i, sections[i])
		if i < len(sections)-1 {
			sections[i] += ";"
		}
	}
	return sections
}

func percentEncode(text string) string {
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; isLetter(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
