package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanAddress makes a bare address of what stood between the brackets: without
// comments, blanks and quotes around, the domain in lower case.
func cleanAddress(s string) string {
	s = strings.TrimFunc(oneLine(s), isAddressPadding)
	if rest, ok := cutPrefixFold(s, "mailto:"); ok {
		s = rest
	}
	if strings.HasPrefix(s, "@") {
		// An obsolete route: "@relay,@relay:user@host" (RFC 5322 section 4.4).
		if _, rest, ok := strings.Cut(s, ":"); ok {
			s = rest
		}
	}
	if !strings.HasPrefix(s, `"`) {
		s = stripComments(s)
		// A bracket inside is the remains of a damaged mailbox before this one.
		s = s[strings.LastIndexByte(s, '<')+1:]
		s, _, _ = strings.Cut(s, ">")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return cleanName(s)
	}
	local, domain := strings.TrimSpace(s[:at]), s[at+1:]
	if !strings.HasPrefix(local, `"`) {
		local = removeSpace(local)
	}
	return stripInvisible(local) + "@" + strings.ToLower(stripInvisible(removeSpace(stripComments(domain))))
}

// isAddressPadding names what clients and people put around an address.
func isAddressPadding(r rune) bool {
	switch r {
	case '<', '>', '＜', '＞', '\'', '`', '「', '」', '、', '，', '；', ',', ';':
		return true
	}
	return unicode.IsSpace(r) || isInvisible(r)
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func removeSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// cleanName makes a display name fit to be shown: one line, no quotes around,
// no characters that hide or turn round the text beside them.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(cleanText(strings.ReplaceAll(s, "\x00", ""))), " ")
	s = strings.TrimSpace(stripInvisible(s))
	for len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// stripInvisible removes format and bidirectional control characters. The
// joiners stay between characters that they join.
func stripInvisible(s string) string {
	if !strings.ContainsFunc(s, isInvisible) {
		return s
	}
	var b strings.Builder
	previous := rune(0)
	for i, r := range s {
		if isInvisible(r) {
			next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			if r != zeroWidthJoiner && r != zeroWidthNonJoiner || previous < utf8.RuneSelf || next < utf8.RuneSelf || isInvisible(next) || next == utf8.RuneError {
				continue
			}
		}
		b.WriteRune(r)
		previous = r
	}
	return b.String()
}

const (
	zeroWidthNonJoiner = '\u200C'
	zeroWidthJoiner    = '\u200D'
)

// isInvisible names characters without a glyph that nobody types on purpose:
// format characters, bidirectional controls and isolates, fillers, tags.
func isInvisible(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case r == 0x034F, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x180E, r == 0x3164, r == 0xFFA0:
		return true
	}
	return unicode.Is(unicode.Cf, r) && r != 0x0600
}
