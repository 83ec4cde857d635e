package mail

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxHeaderLines bounds a header block, a long list of recipients included.
const maxHeaderLines = 64

type headerKind uint8

const (
	headerNone headerKind = iota
	headerFrom
	headerDate
	headerTo
	headerSubject
	headerOther
)

// blockKind is what a run of lines looks like, before it is decided what it is.
type blockKind uint8

const (
	blockText        blockKind = iota
	blockQuoted                // lines with quote marks, and blank lines among them
	blockAttribution           // lines that introduce the quoted block after them
	blockBare                  // an attribution without quoted lines after it: all that follows is the earlier mail
	blockHeaders               // a divider or a header block: likewise
	blockEnclosed              // an element that holds the earlier mail, and what was written after it
)

// textBlock is lines[start:end] of one kind.
type textBlock struct {
	kind       blockKind
	start, end int
	// attributed says of a quoted block that a mail program made it: an
	// attribution stands before it or is its first line.
	attributed bool
}

// findBlocks divides lines into blocks, in order and without gaps.
func findBlocks(lines []textLine) []textBlock {
	var blocks []textBlock
	add := func(kind blockKind, start, end int) {
		if n := len(blocks); n > 0 && blocks[n-1].kind == kind && (kind == blockText || kind == blockQuoted) {
			blocks[n-1].end = end
			return
		}
		blocks = append(blocks, textBlock{kind: kind, start: start, end: end})
	}
	for i := 0; i < len(lines); {
		l := &lines[i]
		switch {
		case l.hint == hintAttribution || l.hint == hintQuote:
			end := i
			for end < len(lines) && (lines[end].hint == l.hint || lines[end].blank()) {
				end++
			}
			switch {
			case l.hint == hintAttribution:
				add(attributionKind(lines, end), i, end)
			case hasText(lines[end:]):
				add(blockEnclosed, i, end)
			default:
				add(blockHeaders, i, end)
			}
			i = end
			continue
		case l.code || l.blank():
			add(blockText, i, i+1)
			i++
			continue
		}
		if end, ok := headersAt(lines, i); ok {
			add(blockHeaders, i, end)
			i = end
			continue
		}
		if end := attributionAt(lines, i); end > i && (!l.quoted || strings.HasPrefix(l.text, ">:")) {
			add(attributionKind(lines, end), i, end)
			i = end
			continue
		}
		if l.quoted || (strings.HasPrefix(l.text, "|") && afterAttribution(blocks)) {
			end := quotedRun(lines, i)
			add(blockQuoted, i, end)
			i = end
			continue
		}
		add(blockText, i, i+1)
		i++
	}
	return markAttributed(lines, blocks)
}

// attributionKind tells an attribution with quoted lines after it from a bare one.
func attributionKind(lines []textLine, end int) blockKind {
	if quoteFollows(lines, end) {
		return blockAttribution
	}
	return blockBare
}

// afterAttribution reports whether only blank lines stand between the last
// attribution and here.
func afterAttribution(blocks []textBlock) bool {
	n := len(blocks)
	if n > 0 && blocks[n-1].kind == blockText && blocks[n-1].end-blocks[n-1].start <= 3 {
		n--
	}
	return n > 0 && blocks[n-1].kind == blockAttribution
}

// quotedRun returns the end of the quoted lines that begin at lines[i]. Blank
// lines among them belong to it, as do the rests of lines that a program
// wrapped after they had been quoted.
func quotedRun(lines []textLine, i int) int {
	bar := strings.HasPrefix(lines[i].text, "|")
	marked := func(j int) bool {
		return j < len(lines) && !lines[j].code && (lines[j].quoted || bar && strings.HasPrefix(lines[j].text, "|"))
	}
	end := i
	for marked(end) {
		end++
		next := end
		for next < len(lines) && lines[next].blank() {
			next++
		}
		if marked(next) {
			end = next
		} else if marked(end+1) && isWrapRest(&lines[end-1], &lines[end]) {
			end++
		}
	}
	return end
}

// isWrapRest reports whether rest is what a hard wrap broke off the quoted line
// before it: that line is long, the rest short and no beginning of a sentence.
func isWrapRest(quoted, rest *textLine) bool {
	if len(quoted.text) < 68 || rest.blank() || utf8.RuneCountInString(rest.text) > 30 {
		return false
	}
	c := rest.text[0]
	return 'a' <= c && c <= 'z'
}

// markAttributed marks the quoted blocks that a mail program made.
func markAttributed(lines []textLine, blocks []textBlock) []textBlock {
	for n := range blocks {
		b := &blocks[n]
		if b.kind != blockQuoted {
			continue
		}
		for before := n - 1; before >= 0; before-- {
			if blocks[before].kind == blockText && !hasText(lines[blocks[before].start:blocks[before].end]) {
				continue
			}
			b.attributed = blocks[before].kind == blockAttribution
			break
		}
		b.attributed = b.attributed || quotedAttribution(lines[b.start:b.end])
	}
	return blocks
}

// quotedAttribution reports whether a quoted block begins with an attribution
// or a forwarded mail's header, themselves quoted (Apple Mail, Outlook for Mac).
func quotedAttribution(quoted []textLine) bool {
	var inner []textLine
	for i := 0; i < len(quoted) && len(inner) < maxAttributionLines; i++ {
		text := unquote(quoted[i].text)
		if text == "" && len(inner) == 0 {
			continue
		}
		inner = append(inner, textLine{text: text, lower: lowerLine(text, isPlainLine(text)), quoted: isQuoted(text)})
	}
	if len(inner) == 0 {
		return false
	}
	if attributionAt(inner, 0) > 0 {
		return true
	}
	// The quoted lines follow at once, so what only a quote can prove is proven.
	inner = append(inner[:1], textLine{text: ">", lower: ">", quoted: true})
	return attributionAt(inner, 0) > 0
}

func hasText(lines []textLine) bool {
	for i := range lines {
		if !lines[i].blank() {
			return true
		}
	}
	return false
}

// headersAt returns the end of the divider or header block that begins at
// lines[i]: a ruler or a title such as "-----Original Message-----", then field
// lines such as "From:" and "Sent:" in any language of quoteHeaderNames. A title
// in a frame may be of any language then, and a known one without decoration.
func headersAt(lines []textLine, i int) (end int, ok bool) {
	divides := isDivider(lines[i].lower)
	titles := divides || isTitle(lines[i].lower)
	at := i
	if titles || isRuler(lines[i].text, true) {
		at = i + 1
	}
	for at > i && at < len(lines) && lines[at].blank() {
		at++
	}
	if end, ok = fieldsAt(lines, at, titles); ok {
		return end, true
	}
	if divides {
		return i + 1, true
	}
	return i, false
}

// fieldsAt reads header fields from lines[i] on; ok says that they are enough
// to be the header of an earlier mail. After a divider two are enough.
func fieldsAt(lines []textLine, i int, divided bool) (end int, ok bool) {
	var kinds [headerOther + 1]int
	address, wired, continued, first := false, false, 0, i
	for j := i; j < len(lines) && j < i+maxHeaderLines; j++ {
		l := &lines[j]
		if l.code || l.quoted {
			break
		}
		if l.blank() {
			// One blank line may stand between fields, as in HTML made into text.
			if j+1 < len(lines) && lines[j+1].field != headerNone && kinds[lines[j+1].field] == 0 && j > first {
				continue
			}
			break
		}
		if l.field == headerNone {
			// A long list of recipients or a long subject goes on in the next lines.
			if continued++; j == first || continued > 3 || !moreFields(lines, j+1) {
				break
			}
			continue
		}
		continued = 0
		kinds[l.field]++
		address = address || strings.Contains(l.text, "@")
		wired = wired || l.wired
		end = j + 1
	}
	distinct := 0
	for _, n := range kinds[headerFrom : headerSubject+1] {
		if n > 0 {
			distinct++
		}
	}
	switch {
	case divided && distinct >= 2, wired && address && distinct >= 2:
		return end, true
	case kinds[headerFrom] == 0 || distinct < 3:
		return i, false
	default:
		return end, kinds[headerSubject] > 0 || address
	}
}

// wireDate is the time and zone of a Date field (RFC 5322 section 3.3), as nobody
// writes them by hand.
var wireDate = regexp.MustCompile(`\d\d:\d\d:\d\d [+-]\d{4}\b`)

// moreFields reports whether a field stands within the next two lines.
func moreFields(lines []textLine, i int) bool {
	for j := i; j < len(lines) && j < i+2 && !lines[j].blank(); j++ {
		if lines[j].field != headerNone {
			return true
		}
	}
	return false
}

// kindOfField returns the kind of a line such as "From: Taro", "*Sent:* …" or
// "送信日時 : …"; headerNone where it is none.
func kindOfField(s string) headerKind {
	s = strings.TrimLeft(s, "*_|[ ")
	name, _, found := strings.Cut(s, ":")
	if !found || len(name) > 60 {
		return headerNone
	}
	return quoteHeaderNames[strings.ToLower(strings.TrimRight(name, "*_|] "))]
}

// isDivider reports whether a line in lower case announces an earlier mail as a whole.
func isDivider(s string) bool {
	if len(s) > 200 {
		return false
	}
	words, before := cutDecoration(s)
	if before < 2 && !strings.HasSuffix(s, ":") && !hasAnyPrefix(words, replyAboveStarts) {
		return false // as most lines are
	}
	words = trimDecoration(words)
	if (before >= 2 || hasAnyPrefix(words, replyAboveStarts)) && containsAny(words, replyAbove) {
		return true
	}
	if strings.HasPrefix(words, "forwarded by ") {
		return before >= 3 // Lotus Notes: "----- Forwarded by Taro/Tokyo on … -----"
	}
	return dividers[words] && (before >= 2 || strings.HasSuffix(s, ":"))
}

// isTitle reports whether a line in lower case is a divider's words alone, which
// people write as well.
func isTitle(s string) bool {
	return len(s) <= 80 && dividers[trimDecoration(strings.TrimLeft(s, "* "))]
}
