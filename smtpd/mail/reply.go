package mail

import (
	"slices"
	"strings"
)

// SegmentKind says what a stretch of a mail's text is to its reader.
type SegmentKind uint8

const (
	// SegmentNew is what the writer wrote for this mail.
	SegmentNew SegmentKind = iota
	// SegmentQuote is text of earlier mails, with the lines that introduce it.
	SegmentQuote
	// SegmentSignature is the writer's signature and whatever programs append:
	// disclaimers, list footers, "sent from my phone".
	SegmentSignature
)

// String returns the kind's name as the JSON and the style sheets use it.
func (k SegmentKind) String() string {
	switch k {
	case SegmentQuote:
		return "quote"
	case SegmentSignature:
		return "signature"
	default:
		return "new"
	}
}

// Segment is a stretch of whole lines of one kind, line ends included; the lines that
// introduce a quote may begin behind new words in the same line.
type Segment struct {
	Kind SegmentKind
	Text string
}

// Reply is the text of a mail, divided. Every line of the mail's text is in one
// of the three; each is trimmed of blank lines around it.
type Reply struct {
	New       string
	Quote     string
	Signature string
}

// SplitReply separates the new words of a mail from the quoted ones and from
// the signature. A mail that merely forwards another has the forwarded text as
// its new words; a mail of nothing but quotes has none.
//
// Where the text was made from HTML, the marks that mail programs leave in it
// (Gmail, Outlook, Thunderbird, Yahoo! and others) are used too.
func SplitReply(m *Message) Reply {
	segments := []Segment(nil)
	if m.TextFromHTML {
		segments = foldMarked(m.HTML)
	}
	if segments == nil {
		segments = FoldText(m.Text)
	}
	return replyOf(segments)
}

// foldMarked folds the text of an HTML mail by the marks that mail programs left in it;
// nil where there are none.
func foldMarked(html string) []Segment {
	text, hints := hintedText(html)
	if hints == nil {
		return nil
	}
	return fold(text, hints)
}

func replyOf(segments []Segment) Reply {
	var texts [3]lineJoiner
	for _, s := range segments {
		texts[s.Kind].add(s.Text)
	}
	return Reply{
		New:       trimBlankLines(texts[SegmentNew].String()),
		Quote:     trimBlankLines(texts[SegmentQuote].String()),
		Signature: trimBlankLines(texts[SegmentSignature].String()),
	}
}

// FoldText divides text into segments, in order, whose concatenation is exactly
// text. Quotes are folded only where no new words stand among them: in an
// answer written between the quoted lines the quotes stay part of what is read.
// It runs in time linear in the length of text.
func FoldText(text string) []Segment { return fold(text, nil) }

// FoldMail is FoldText for a mail that has HTML too, and whose new words SplitReply
// found to be newWords: where text alone does not tell these, and was made from the
// HTML, the marks in that are used.
func FoldMail(text, html, newWords string) []Segment {
	segments := FoldText(text)
	if html == "" || newWords == "" || replyOf(segments).New == newWords {
		return segments
	}
	marked := foldMarked(html)
	var whole strings.Builder
	for _, s := range marked {
		whole.WriteString(s.Text)
	}
	// Marks are paragraphs of their own, so that white space may differ.
	if !slices.Equal(strings.Fields(whole.String()), strings.Fields(text)) {
		return segments
	}
	return marked
}

// fold is FoldText with what the HTML said of each line; hints is nil or has an
// element for every line.
func fold(text string, hints []hint) []Segment {
	if text == "" {
		return nil
	}
	folded := text[:endOfLines(text, maxFolded)]
	lines := splitLines(folded, hints)
	blocks := findBlocks(lines)
	kinds := decide(lines, blocks)
	var segments []Segment
	for i, l := range lines {
		if n := len(segments); n > 0 && segments[n-1].Kind == kinds[i] {
			segments[n-1].Text = text[l.offset-len(segments[n-1].Text) : l.offset+len(l.raw)]
			continue
		}
		segments = append(segments, Segment{kinds[i], l.raw})
	}
	last := &segments[len(segments)-1]
	last.Text = text[len(folded)-len(last.Text):]
	return segments
}

// maxFolded is how many lines are looked at. What is known of each takes more memory
// than a short line does, and nobody writes that many: what follows is of a kind with
// the last.
const maxFolded = 200_000

// endOfLines returns where the first n lines of text end.
func endOfLines(text string, n int) (end int) {
	for line := range strings.Lines(text) {
		if n--; n < 0 {
			break
		}
		end += len(line)
	}
	return end
}

// trimBlankLines removes blank lines at both ends and white space at the very
// end, but keeps the indentation of the first line.
func trimBlankLines(s string) string {
	s = strings.TrimRight(s, " \t\r\n\u00a0\u3000\u200b\ufeff")
	for {
		first, rest, found := strings.Cut(s, "\n")
		if !found || cleanLine(first) != "" {
			return s
		}
		s = rest
	}
}
