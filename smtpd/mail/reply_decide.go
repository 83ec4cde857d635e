package mail

// maxQuoteKept is how many quoted lines between new words stay with them: a
// quote of this size above an answer is what the answer is about, a longer one
// is a whole mail that a program put there.
const maxQuoteKept = 15

// decide gives each line its kind.
//
// The rules, in the order they are tried at each block that is not text:
//   - after new words, a divider, a header block or a bare attribution begins
//     the earlier mail, which goes on to the end;
//   - before any new words, the same lines only introduce text that nobody
//     wrote here but that the reader needs: a forwarded mail. They are folded
//     alone;
//   - an element that holds the earlier mail is folded, and what is written after
//     it is not;
//   - a quote with nothing new after it is folded, if it was made by a program
//     or stands after new words;
//   - a quote with new words after it is kept where the writer answers below
//     it, and folded where it is a whole mail with the answer at the bottom.
func decide(lines []textLine, blocks []textBlock) []SegmentKind {
	kinds := make([]SegmentKind, len(lines))
	paint := func(b textBlock, kind SegmentKind) {
		for i := b.start; i < b.end; i++ {
			kinds[i] = kind
		}
	}
	signatures := cutSignatures(lines, blocks)
	after := newWordsAfter(lines, blocks, signatures)
	written := false // new words stand above
	for n, b := range blocks {
		switch b.kind {
		case blockText:
			written = written || hasText(lines[b.start:signatures[n]])
			paint(textBlock{start: signatures[n], end: b.end}, SegmentSignature)
		case blockHeaders, blockBare:
			paint(b, SegmentQuote)
			if written {
				paint(textBlock{start: b.start, end: len(lines)}, SegmentQuote)
				return closeEdges(lines, kinds)
			}
		case blockAttribution, blockEnclosed:
			paint(b, SegmentQuote)
		case blockQuoted:
			if !keepQuote(lines, b, written, after[n]) {
				paint(b, SegmentQuote)
			}
		}
	}
	return closeEdges(lines, kinds)
}

// below is what stands under a quoted block.
type below struct {
	words       bool // new words other than a closing formula
	closing     bool // a closing formula
	quotes      bool // more quotes
	interleaved bool // new words, and quotes under them
}

// keepQuote decides whether a quoted block stays among the new words.
func keepQuote(lines []textLine, b textBlock, written bool, under below) bool {
	count := 0
	for i := b.start; i < b.end; i++ {
		if !lines[i].blank() {
			count++
		}
	}
	switch {
	case under.interleaved:
		return true // answers between the lines
	case under.words && !b.attributed:
		return !written || count <= 2*maxQuoteKept // quoted by hand
	case under.words:
		return written && count <= maxQuoteKept
	case under.closing:
		return !b.attributed && !written
	default:
		return !b.attributed && !written // a mail that is nothing but a quote
	}
}

// newWordsAfter tells for every block what stands under it, up to the first
// block that ends the new words.
func newWordsAfter(lines []textLine, blocks []textBlock, signatures []int) []below {
	result := make([]below, len(blocks))
	var under below
	for n := len(blocks) - 1; n >= 0; n-- {
		result[n] = under
		b := blocks[n]
		switch b.kind {
		case blockText:
			switch text := lines[b.start:signatures[n]]; {
			case !hasText(text):
			case isClosing(text):
				under.closing = true
			default:
				under.words = true
				under.interleaved = under.interleaved || under.quotes
			}
		case blockQuoted:
			under.quotes = true
		case blockHeaders, blockBare:
			under = below{}
		}
	}
	return result
}

// closeEdges gives blank lines and rulers at the edges of new words to what they
// border, so that no empty ends remain.
func closeEdges(lines []textLine, kinds []SegmentKind) []SegmentKind {
	for i := len(lines) - 1; i > 0; i-- {
		if kinds[i] == SegmentQuote && kinds[i-1] == SegmentNew && (lines[i-1].blank() || isQuoteBorder(lines, i)) {
			kinds[i-1] = SegmentQuote
		}
		if kinds[i] == SegmentSignature && kinds[i-1] == SegmentNew && lines[i-1].blank() {
			kinds[i-1] = SegmentSignature
		}
	}
	return kinds
}

// isQuoteBorder reports whether lines[i-1] is a ruler right above a quote.
func isQuoteBorder(lines []textLine, i int) bool {
	return !lines[i-1].code && !lines[i-1].quoted && isRuler(lines[i-1].text, false)
}
