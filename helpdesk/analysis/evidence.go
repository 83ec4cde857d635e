package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Limits of a quotation: shorter ones show nothing, longer ones are no sentence.
const (
	minQuote = 2   // characters, not counting space
	maxQuote = 600 // bytes of the mail
)

// source is a mail's text made comparable: NFKC, lower case, without space. A
// model copies words, but not line ends and widths.
type source struct {
	text   string
	folded string
	// starts and ends say for each byte of folded from which bytes of text it is.
	starts, ends []int
}

func newSource(text string) *source {
	s := &source{text: text}
	var b strings.Builder
	var pieces norm.Iter
	pieces.InitString(norm.NFKC, text)
	for !pieces.Done() {
		start := pieces.Pos()
		piece := pieces.Next()
		end := pieces.Pos()
		for _, r := range string(piece) {
			if unicode.IsSpace(r) {
				continue
			}
			size, _ := b.WriteRune(unicode.ToLower(r))
			for range size {
				s.starts, s.ends = append(s.starts, start), append(s.ends, end)
			}
		}
	}
	s.folded = b.String()
	return s
}

// passage returns the words of the text that a quotation means, as they stand
// there; false where they do not.
func (s *source) passage(quote string) (string, bool) {
	for _, q := range []string{quote, strings.Trim(quote, " \t\r\n\"'“”‘’「」『』….")} {
		folded := newSource(q).folded
		if utf8.RuneCountInString(folded) < minQuote {
			continue
		}
		i := strings.Index(s.folded, folded)
		if i < 0 {
			continue
		}
		found := strings.TrimSpace(s.text[s.starts[i]:s.ends[i+len(folded)-1]])
		if len(found) <= maxQuote {
			return found, true
		}
	}
	return "", false
}

// proven keeps of the model's quotations those that are in the mail, in the
// mail's own words. What is not there is dropped: it proves nothing.
func proven(in *helpdesk.AnalysisInput, quotes map[helpdesk.Finding][]string) map[helpdesk.Finding][]string {
	body, subject := newSource(in.Text), newSource(in.Subject)
	kept := map[helpdesk.Finding][]string{}
	for finding, list := range quotes {
		passages := make([]string, len(list))
		found := false
		for i, quote := range list {
			p, ok := body.passage(quote)
			if !ok {
				p, ok = subject.passage(quote)
			}
			passages[i], found = p, found || ok
		}
		if found {
			kept[finding] = passages
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
