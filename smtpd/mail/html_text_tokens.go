package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// maxToken is how many bytes of HTML are held at once. A tokenizer keeps a token whole,
// and copies it some times over: one text of many megabytes would take ten times as much.
const maxToken = 4 << 20

// htmlTokens reads HTML token by token in bounded memory: a longer text comes in
// pieces, a longer tag without its attributes, and a longer comment not at all.
type htmlTokens struct {
	source    string
	at        int  // where the next token begins
	parted    bool // the last token is a piece of a longer text
	tokenizer *html.Tokenizer
}

func newHTMLTokens(source string) *htmlTokens {
	t := &htmlTokens{source: source}
	t.goOn(0)
	return t
}

// goOn reads on from a place between two tokens.
func (t *htmlTokens) goOn(at int) {
	t.at = at
	t.tokenizer = html.NewTokenizer(strings.NewReader(t.source[at:]))
	t.tokenizer.SetMaxBuf(maxToken)
}

// next returns the next token, an html.ErrorToken at the end.
func (t *htmlTokens) next() html.Token {
	for {
		kind := t.tokenizer.Next()
		start, length := t.at, len(t.tokenizer.Raw())
		t.at += length
		t.parted = length >= maxToken && kind == html.TextToken
		if length < maxToken {
			return t.tokenizer.Token()
		}
		if token := t.long(kind, t.source[start:]); token.Type != html.CommentToken {
			return token
		}
	}
}

// long takes the token at the start of rest, which is too long to be held.
func (t *htmlTokens) long(kind html.TokenType, rest string) html.Token {
	if kind == html.TextToken {
		n := textPiece(rest)
		t.goOn(len(t.source) - len(rest) + n)
		return html.Token{Type: kind, Data: html.UnescapeString(rest[:n])}
	}
	n := longMarkup(rest)
	t.goOn(len(t.source) - len(rest) + n)
	switch {
	case strings.HasPrefix(rest, "<!"), strings.HasPrefix(rest, "<?"):
		return html.Token{Type: html.CommentToken}
	case strings.HasPrefix(rest, "</"):
		return html.Token{Type: html.EndTagToken, Data: tagName(rest[len("</"):])}
	}
	return html.Token{Type: html.StartTagToken, Data: tagName(rest[len("<"):])}
}

// skipTo leaves out all before the end tag of an element whose text nobody reads.
func (t *htmlTokens) skipTo(element string) {
	for at := t.at; ; at += len("</") {
		found := strings.Index(t.source[at:], "</")
		if found < 0 {
			t.goOn(len(t.source))
			return
		}
		at += found
		if strings.EqualFold(tagName(t.source[at+len("</"):]), element) {
			t.goOn(at)
			return
		}
	}
}

// textPiece is how many bytes at the start of a long text are read at once: neither a
// character nor what may be the beginning of an entity or a tag is parted.
func textPiece(text string) int {
	const longest = 40 // of an entity
	n := min(len(text), maxToken)
	for n > 1 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	if mark := strings.LastIndexAny(text[n-longest:n], "<&"); mark >= 0 {
		n += mark - longest
	}
	return n
}

// longMarkup is the length of the tag or comment at the start of source.
func longMarkup(source string) int {
	if strings.HasPrefix(source, "<!--") {
		if end := strings.Index(source, "-->"); end >= 0 {
			return end + len("-->")
		}
		return len(source)
	}
	for i := 0; i < len(source); i++ {
		switch c := source[i]; c {
		case '>':
			return i + 1
		case '"', '\'':
			if i == 0 || source[i-1] != '=' {
				continue
			}
			end := strings.IndexByte(source[i+1:], c)
			if end < 0 {
				return len(source)
			}
			i += 1 + end
		}
	}
	return len(source)
}

// tagName is the name at the start of s, in lower case.
func tagName(s string) string {
	const longest = 64
	s = s[:min(len(s), longest)]
	if end := strings.IndexAny(s, " \t\n\f\r/>"); end >= 0 {
		s = s[:end]
	}
	return strings.ToLower(s)
}
