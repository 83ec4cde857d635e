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
	quoted bool   // begins with a quote mark
	code   bool   // inside a fenced code block: never classified
	hint   hint
}

func (l *textLine) blank() bool { return l.text == "" }

func splitLines(text string, hints []hint) []textLine {
	lines := make([]textLine, 0, strings.Count(text, "\n")+1)
	offset, fence := 0, -1
	for raw := range strings.Lines(text) {
		l := textLine{offset: offset, raw: raw, text: cleanLine(raw)}
		if i := len(lines); i < len(hints) {
			l.hint = hints[i]
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
	return lines
}

// cleanLine prepares a line for classification: no invisible characters, plain
// spaces, no white space around, full-width ASCII made narrow.
func cleanLine(s string) string {
	if len(s) > maxClassified {
		cut := maxClassified
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		s = strings.Map(func(r rune) rune {
			switch {
			case unicode.Is(unicode.Cf, r):
				return -1 // zero-width and direction marks, byte order marks
			case unicode.IsSpace(r):
				return ' '
			}
			return r
		}, width.Fold.String(s))
	}
	return strings.TrimSpace(s)
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
		} else if lead < 0 {
			lead = marks
		}
	}
	if marks == total {
		return total >= 3
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	return framed && lead >= 4 && marks >= 8 && isDecoration(last)
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

// undecorated returns a cleaned line without the rulers and emphasis around its
// words, and how many decoration marks stood before them.
func undecorated(s string) (words string, before int) {
	trimmed := strings.TrimLeftFunc(s, func(r rune) bool { return r == ' ' || r == '<' || r == '[' || r == '(' || isDecoration(r) })
	before = utf8.RuneCountInString(s) - utf8.RuneCountInString(trimmed)
	return strings.TrimRightFunc(trimmed, func(r rune) bool { return r == ' ' || r == '>' || r == ']' || r == ')' || isDecoration(r) }), before
}
