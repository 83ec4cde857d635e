package search

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a unit of the index: a word, a pair of adjacent characters of a script
// without spaces, or the last character of a run of such. A word takes one position. A run
// of n characters takes n and leaves one free, so that a pair two positions after another
// is of the same run, and the one between need not be looked at.
type token struct {
	text       string
	position   uint32
	start, end int  // bytes of the original text
	first      int  // where the first of a pair of characters ends, or end
	single     bool // one character of a script without spaces
}

// isPair tells whether the token is two characters of a script without spaces.
func (t token) isPair() bool { return t.first < t.end }

const (
	// maxWordBytes is where words are cut: what is longer is no word of a language.
	maxWordBytes = 64
	// breakDistance parts texts that do not belong together, so that no phrase
	// reaches from one into the other.
	breakDistance = 8
)

// unspaced are the scripts that write words without spaces.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
	unicode.Yi, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

type class int

const (
	classOther class = iota
	classSpace
	classLine
	classWord
	classCharacter
)

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return classWord
		case r == '\n':
			return classLine
		case r == ' ' || r == '\t' || r == '\r':
			return classSpace
		}
		return classOther
	case 0x3041 <= r && r <= 0x3096 || 0x4e00 <= r && r <= 0x9fff || r == 'ー':
		return classCharacter
	case 0x3001 <= r && r <= 0x3003 || 0x3008 <= r && r <= 0x3011: // 、。〃 and brackets
		return classOther
	case unicode.In(r, unspaced...):
		return classCharacter
	case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
		return classWord
	case unicode.IsSpace(r):
		return classSpace
	}
	return classOther
}

// tokens yields the tokens of s. Mails are wrapped in the middle of Japanese
// words, and names are written with a space or without: so a line's end or spaces
// between two characters of scripts without spaces do not part them, nor does the
// middle dot of foreign names in kana; an empty line does.
func tokens(s string) iter.Seq[token] {
	return func(yield func(token) bool) {
		tokenize(s, func(text []byte, t token) bool {
			t.text = string(text)
			return yield(t)
		})
	}
}

// tokenize yields tokens without their text, and beside it the text, which is valid
// until the next one.
func tokenize(s string, yield func(text []byte, t token) bool) {
	t := tokenizer{yield: yield}
	fold(s, t.take)
	t.flush()
}

type tokenizer struct {
	yield    func(text []byte, t token) bool
	text     []byte // memory for characters
	position uint32
	over     bool
	lines    int // line ends since the last character

	word               []byte
	wordStart, wordEnd int

	character      rune // the last one of a run, 0 outside of one
	characterStart int
	characterEnd   int
}

func (t *tokenizer) take(c folded) bool {
	switch classOf(c.r) {
	case classWord:
		t.endRun()
		t.extendWord(c)
	case classCharacter:
		t.endWord()
		t.extendRun(c)
	case classSpace:
		t.endWord()
	case classOther:
		if c.r == '・' && t.lines == 0 && 0x3041 <= t.character && t.character <= 'ー' {
			break // between the parts of a foreign name, which others write together
		}
		t.flush()
	case classLine:
		t.endWord()
		if t.lines++; t.lines > 1 {
			t.endRun()
		}
	}
	return !t.over
}

func (t *tokenizer) extendWord(c folded) {
	t.lines = 0
	if len(t.word) == 0 {
		t.wordStart = c.start
	}
	t.wordEnd = c.end
	if len(t.word)+utf8.RuneLen(c.r) <= maxWordBytes {
		t.word = utf8.AppendRune(t.word, c.r)
	}
}

func (t *tokenizer) extendRun(c folded) {
	t.lines = 0
	if t.character != 0 {
		t.text = utf8.AppendRune(utf8.AppendRune(t.text[:0], t.character), c.r)
		t.emit(t.text, token{start: t.characterStart, end: c.end, first: t.characterEnd})
	}
	t.character, t.characterStart, t.characterEnd = c.r, c.start, c.end
}

func (t *tokenizer) flush() {
	t.endWord()
	t.endRun()
}

func (t *tokenizer) endWord() {
	if len(t.word) > 0 {
		t.emit(t.word, token{start: t.wordStart, end: t.wordEnd, first: t.wordEnd})
		t.word = t.word[:0]
	}
}

func (t *tokenizer) endRun() {
	if t.character != 0 {
		t.text = utf8.AppendRune(t.text[:0], t.character)
		t.emit(t.text, token{start: t.characterStart, end: t.characterEnd, first: t.characterEnd, single: true})
		t.position++
		t.character = 0
	}
}

func (t *tokenizer) emit(text []byte, next token) {
	next.position = t.position
	t.position++
	if !t.over {
		t.over = !t.yield(text, next)
	}
}

// foldText is s as texts are compared as a whole: tags, addresses.
func foldText(s string) string {
	var out strings.Builder
	fold(strings.TrimSpace(s), func(c folded) bool {
		out.WriteRune(c.r)
		return true
	})
	return out.String()
}

// bound cuts s at limit bytes, at the beginning of a character.
func bound(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
