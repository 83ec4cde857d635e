package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	foldWidth     = 76  // RFC 2047, section 2, for lines with encoded-words
	maxLineLength = 998 // RFC 5322, section 2.1.1
)

// headerWriter collects header fields, folded and ended by CR LF. It keeps the
// first error and goes on.
type headerWriter struct {
	fields []string
	err    error
}

func (h *headerWriter) fail(field string, err error) {
	if h.err == nil {
		h.err = fmt.Errorf("%s: %w", field, err)
	}
}

// tokens writes a field whose tokens may stand on lines of their own.
func (h *headerWriter) tokens(name string, tokens ...string) {
	var out strings.Builder
	out.WriteString(name + ":")
	width := out.Len()
	for _, token := range tokens {
		if len(token) > maxLineLength-len(name)-3 {
			h.fail(name, fmt.Errorf("%.40q… has %d bytes without a space; a line holds %d", token, len(token), maxLineLength))
			return
		}
		if width+1+len(token) > foldWidth && width > len(name)+1 {
			out.WriteString("\r\n")
			width = 0
		}
		out.WriteString(" " + token)
		width += 1 + len(token)
	}
	out.WriteString("\r\n")
	h.fields = append(h.fields, out.String())
}

func (h *headerWriter) ids(name string, ids ...string) {
	var tokens []string
	for _, id := range ids {
		if IsID(id) {
			tokens = append(tokens, "<"+id+">")
		}
	}
	if len(tokens) > 0 {
		h.tokens(name, tokens...)
	}
}

// unstructured writes human text: as it is where it is short ASCII, else as encoded-words.
func (h *headerWriter) unstructured(name, text string) {
	words := strings.Fields(headerText(text))
	plain := isASCII(text) && !strings.Contains(text, "=?")
	for _, word := range words {
		plain = plain && len(word) <= foldWidth-1
	}
	if !plain {
		words = encodedWords(strings.Join(words, " "), foldWidth-len(name)-2)
	}
	h.tokens(name, words...)
}

var fieldName = regexp.MustCompile(`^[!-9;-~]{1,70}$`)

// further writes a field of the caller's: not one of Compose's own, and without
// line ends.
func (h *headerWriter) further(field Field) {
	switch {
	case !fieldName.MatchString(field.Name):
		h.fail(fmt.Sprintf("%.70q", field.Name), errors.New("this is not a field name"))
	case ownFields.MatchString(field.Name):
		h.fail(field.Name, errors.New("this field is written from the draft and cannot be given again"))
	case strings.ContainsFunc(field.Value, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
		h.fail(field.Name, errors.New("the value contains a line end or another control character"))
	case isASCII(field.Value):
		h.tokens(field.Name, strings.Fields(field.Value)...)
	default:
		h.unstructured(field.Name, field.Value)
	}
}

func (h *headerWriter) addresses(name string, addresses ...Address) {
	var tokens []string
	for i, address := range addresses {
		bare, err := formatAddress(address.Address)
		if err != nil {
			h.fail(name, err)
			return
		}
		phrase := phraseWords(address.Name, foldWidth-len(name)-2)
		if len(phrase) > 0 {
			bare = "<" + bare + ">"
		}
		if i < len(addresses)-1 {
			bare += ","
		}
		tokens = append(append(tokens, phrase...), bare)
	}
	if len(tokens) > 0 {
		h.tokens(name, tokens...)
	}
}

var (
	atomWords     = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$")
	dotAtom       = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010FFFF-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010FFFF-]+)*$")
	asciiDomain   = regexp.MustCompile(`^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$`)
	domainLiteral = regexp.MustCompile(`^\[[A-Za-z0-9:.]+\]$`)
)

// formatAddress writes a bare address: the domain as A-labels, a local part that
// is no dot-atom quoted, as the addresses with ".." of Japanese carriers need.
func formatAddress(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 || len(address) > 320 || !utf8.ValidString(address) {
		return "", fmt.Errorf("%.80q is not an address; write it as name@example.com", address)
	}
	local, domain := address[:at], strings.TrimSuffix(address[at+1:], ".")
	if strings.ContainsFunc(address, unicode.IsControl) {
		return "", fmt.Errorf("address %q contains a line end or another control character", address)
	}
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return "", fmt.Errorf("domain of address %q: %w", address, err)
		}
		domain = ascii
	}
	if !asciiDomain.MatchString(domain) && !domainLiteral.MatchString(domain) {
		return "", fmt.Errorf("address %q: %q is not a domain", address, domain)
	}
	if !dotAtom.MatchString(local) && !IsQuotedLocal(local) {
		local = quote(local)
	}
	return local + "@" + domain, nil
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// phraseWords writes a display name as atoms, a quoted string or encoded-words,
// whichever is plainest (RFC 5322, section 3.2.5; RFC 2047, section 5).
func phraseWords(name string, room int) []string {
	name = strings.Join(strings.Fields(headerText(name)), " ")
	switch {
	case name == "":
		return nil
	case !isASCII(name) || strings.Contains(name, "=?") || len(name) > foldWidth-12:
		return encodedWords(name, room)
	case atomWords.MatchString(name):
		return strings.Fields(name)
	}
	return []string{quote(name)}
}

// encodedWords writes text as encoded-words (RFC 2047) of at most 75 bytes, the
// first of at most room, in the shorter of the two encodings. A character is
// never divided.
func encodedWords(text string, room int) []string {
	b := chunkWords(text, room, "=?UTF-8?B?", func(chunk string) int { return base64.StdEncoding.EncodedLen(len(chunk)) }, base64Word)
	q := chunkWords(text, room, "=?UTF-8?Q?", func(chunk string) int { return len(quotedWord(chunk)) }, quotedWord)
	if len(strings.Join(q, " ")) < len(strings.Join(b, " ")) {
		return q
	}
	return b
}

func base64Word(chunk string) string { return base64.StdEncoding.EncodeToString([]byte(chunk)) }

// quotedWord is the "Q" encoding in the alphabet that is allowed everywhere, in
// display names too (RFC 2047, section 5, rule 3).
func quotedWord(chunk string) string {
	var out strings.Builder
	for i := range len(chunk) {
		switch c := chunk[i]; {
		case c == ' ':
			out.WriteByte('_')
		case isLetter(c) || isDigit(c) || strings.IndexByte("!*+-/", c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "=%02X", c)
		}
	}
	return out.String()
}

func chunkWords(text string, room int, prefix string, size func(string) int, encode func(string) string) []string {
	const suffix = "?="
	if room = min(room, 75); room < 30 { // better a line of its own
		room = 75
	}
	var words []string
	for text != "" {
		// The runes of a word are few, so measuring it anew for each is cheap.
		end := 0
		for end < len(text) {
			_, width := utf8.DecodeRuneInString(text[end:])
			if end > 0 && size(text[:end+width])+len(prefix)+len(suffix) > room {
				break
			}
			end += width
		}
		words = append(words, prefix+encode(text[:end])+suffix)
		text, room = text[end:], 75
	}
	return words
}

// headerText makes text fit for a header field: valid UTF-8 without control characters.
func headerText(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
