package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// maxClassified is the number of bytes of a line that classification reads;
// nothing that introduces a quote or a signature is longer.
const maxClassified = 600

// hint is what the HTML of a mail says of a line of its text.
type hint uint8

const (
	hintNone hint = iota
	hintAttribution
	hintQuote
	hintSignature
)

// textLine is one line of the text with what classification needs of it.
type textLine struct {
	offset int    // of raw in the text, bytes
	raw    string // with its line end
	text   string // cleaned: trimmed, full-width forms folded, at most maxClassified bytes
	lower  string // text in lower case
	quoted bool   // begins with a quote mark
	code   bool   // inside a fenced code block: never classified
	hint   hint
	field  headerKind // of the header of an earlier mail
	wired  bool       // its Date as programs write it
}

func (l *textLine) blank() bool { return l.text == "" }

func splitLines(text string, hints []hint) []textLine {
	lines := make([]textLine, 0, strings.Count(text, "\n")+1)
	offset, fence, number := 0, -1, 0
	for raw := range strings.Lines(text) {
		cleaned, plain := cleanedLine(raw)
		cut := 0
		if hints == nil {
			cut = gluedAttribution(raw, cleaned, text[offset+len(raw):])
		}
		for _, raw := range [2]string{raw[:cut], raw[cut:]} {
			if raw == "" {
				continue
			}
			if cut > 0 {
				cleaned, plain = cleanedLine(raw)
			}
			l := textLine{offset: offset, raw: raw, text: cleaned, lower: lowerLine(cleaned, plain), field: kindOfField(cleaned)}
			l.wired = l.field == headerDate && wireDate.MatchString(cleaned)
			if number < len(hints) {
				l.hint = hints[number]
			}
			l.quoted = isQuoted(l.text)
			if strings.HasPrefix(l.text, "```") {
				if fence >= 0 {
					for i := fence; i < len(lines); i++ {
						lines[i].code = true
					}
					l.code, fence = true, -1
				} else {
					fence = len(lines)
				}
			}
			lines = append(lines, l)
			offset += len(raw)
		}
		number++
	}
	return lines
}

// cleanLine prepares a line for classification: no invisible characters, plain
// spaces, no white space around, full-width ASCII made narrow.
func cleanLine(s string) string {
	text, _ := cleanedLine(s)
	return text
}

// cleanedLine is cleanLine, and says whether isPlainLine holds of what it returns.
func cleanedLine(s string) (text string, plain bool) {
	if len(s) > maxClassified {
		cut := maxClassified
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	s = strings.TrimSpace(s)
	if isPlainLine(s) {
		return s, true
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1 // zero-width and direction marks, byte order marks
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, width.Fold.String(s))
	return strings.TrimSpace(s), false
}

// isPlainLine reports whether nothing of a trimmed line has another form for
// classification: it is ASCII, or ASCII without tabs beside Japanese or Chinese in
// full width.
func isPlainLine(s string) bool {
	japanese, tabs := false, false
	for _, r := range s {
		switch {
		case r < ' ':
			tabs = true
		case r < utf8.RuneSelf:
		case isCaseless(r):
			japanese = true
		default:
			return false
		}
	}
	return !japanese || !tabs
}

// isCaseless tells characters of Japanese and Chinese, which have no case and, after
// the wide space that stands before them in Unicode, one form only.
func isCaseless(r rune) bool { return 0x3001 <= r && r <= 0x9fff }

// lowerLine is strings.ToLower, quick for a line that is plain: only ASCII has
// case there.
func lowerLine(s string, plain bool) string {
	if !plain {
		return strings.Map(lowerRune, s)
	}
	var b strings.Builder
	done := 0 // of s, in b
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			if done == 0 {
				b.Grow(len(s))
			}
			b.WriteString(s[done:i])
			b.WriteByte(c + 'a' - 'A')
			done = i + 1
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func lowerRune(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r < utf8.RuneSelf, isCaseless(r):
		return r
	}
	return unicode.ToLower(r)
}

// quoteEmoticons begin like a quoted line and are none.
var quoteEmoticons = []string{">_<", ">.<", ">:(", ">:-(", ">ω<", "><;"}

// isQuoted reports whether a cleaned line begins with a quote mark: ">", also
// after up to three initials ("TY> ", a habit of Usenet and old Japanese mailers).
func isQuoted(s string) bool {
	i := 0
	for i < len(s) && i < 4 && 'A' <= s[i] && s[i] <= 'Z' {
		i++
	}
	if i > 3 || i == len(s) || s[i] != '>' {
		return false
	}
	for _, e := range quoteEmoticons {
		if strings.HasPrefix(s, e) {
			return false
		}
	}
	return i == 0 || len(s) == i+1 || s[i+1] == ' ' || s[i+1] == '>'
}

// unquote removes the quote marks of every level from a cleaned line.
func unquote(s string) string {
	for isQuoted(s) {
		_, s, _ = strings.Cut(s, ">")
		s = strings.TrimSpace(s)
	}
	return s
}

// isRuler reports whether a cleaned line is only decoration, of at least three
// marks: hyphens, box drawing, stars. A title inside a long ruler is allowed
// where framed is true.
func isRuler(s string, framed bool) bool {
	total, marks, lead := 0, 0, -1
	for _, r := range s {
		if r == ' ' {
			continue
		}
		total++
		if isDecoration(r) {
			marks++
			continue
		}
		if lead < 0 {
			lead = marks
		}
		if !framed || lead < 4 {
			return false // as most lines are, at their first word
		}
	}
	if marks == total {
		return total >= 3
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	return marks >= 8 && isDecoration(last)
}

func isDecoration(r rune) bool {
	switch r {
	case '-', '_', '=', '*', '+', '~', '#', '.', '/', '\\', ':', ';', '^', '`', '\'', 'ᐧ', '°', '´', '¨', '|',
		'‐', '‑', '‒', '–', '—', '―', '…', '‥', '・', 'ー', '〜', '～', '－', '＝', '＿', '＊', '￣', '¯', '●', '○', '◎', '◇', '◆', '□', '■',
		'△', '▲', '▽', '▼', '★', '☆', '♪', '♦', '♢', '※', '✽', '✿', '❀', '❁', '＋', '＃', '┣', '┃', '║', '•', '゜', '｡', '。', '､', 'ﾟ', '･', '≡':
		return true
	}
	return r >= 0x2500 && r <= 0x257f || r >= 0x2580 && r <= 0x259f || r >= 0x2700 && r <= 0x27bf
}

// cutDecoration returns a cleaned line without the rulers and emphasis before its
// words, and how many decoration marks those were.
func cutDecoration(s string) (words string, before int) {
	words = strings.TrimLeftFunc(s, func(r rune) bool { return r == ' ' || r == '<' || r == '[' || r == '(' || isDecoration(r) })
	return words, utf8.RuneCountInString(s[:len(s)-len(words)])
}

// trimDecoration removes the rulers and emphasis after the words of a cleaned line.
func trimDecoration(s string) string {
	return strings.TrimRightFunc(s, func(r rune) bool { return r == ' ' || r == '>' || r == ']' || r == ')' || isDecoration(r) })
}
