package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSignatureLines bounds a signature after the delimiter "-- ".
	maxSignatureLines = 40
	// maxShortSignature bounds a signature after a delimiter that may be a ruler.
	maxShortSignature = 5
	// maxContactLines bounds a signature known only by its look.
	maxContactLines = 16
)

// cutSignatures returns for every block where its signature begins, which is
// its end where it has none.
func cutSignatures(lines []textLine, blocks []textBlock) []int {
	cuts := make([]int, len(blocks))
	written := false
	for n, b := range blocks {
		cuts[n] = b.end
		if b.kind != blockText {
			continue
		}
		// Between two hand-made quotes only words of the answer stand.
		if n+1 < len(blocks) && blocks[n+1].kind == blockQuoted && !blocks[n+1].attributed {
			written = written || hasText(lines[b.start:b.end])
			continue
		}
		quoteAbove := n > 0 && blocks[n-1].kind == blockQuoted
		cuts[n] = b.start + signatureStart(lines[b.start:b.end], written, quoteAbove)
		written = written || hasText(lines[b.start:cuts[n]])
	}
	return cuts
}

// signatureStart returns where in text the signature begins. Only lines that a
// program wrote are a signature where no new words stand before.
func signatureStart(text []textLine, written, quoteAbove bool) int {
	peeled := peelFooters(text, hintedSignature(text))
	end := peeled
	if start := delimited(text[:end]); start < end && (written || quoteAbove || hasText(text[:start])) {
		end = start
	}
	if start := contactBlock(text[:end], quoteAbove); start < end && (written || quoteAbove || hasText(text[:start])) {
		end = start
	}
	if start := dashedName(text[:end]); start < end && (written || hasText(text[:start])) {
		end = start
	}
	if end == peeled {
		return end // nothing more to peel
	}
	return peelFooters(text, end)
}

// hintedSignature returns where the lines begin that the HTML called a
// signature, if nothing stands after them.
func hintedSignature(text []textLine) int {
	end := len(text)
	for end > 0 && (text[end-1].hint == hintSignature || text[end-1].blank()) {
		end--
	}
	for end < len(text) && text[end].hint != hintSignature {
		end++
	}
	return end
}

// delimited finds the line "-- " (RFC 3676 section 4.3) or its usual variants:
// the first that has at most maxSignatureLines below it.
func delimited(text []textLine) int {
	result := len(text)
	for i, count := len(text)-1, 0; i >= 0 && count <= maxSignatureLines; i-- {
		switch text[i].text {
		case "":
			continue
		case "--", "—", "――", "ᐧ":
			if !text[i].code {
				result = i
			}
		case "__", "___", "____", "——", "———", "————":
			// As short as these are typed, they are rulers to others.
			if !text[i].code && count > 0 && count <= maxShortSignature {
				result = i
			}
		}
		count++
	}
	return result
}

func countText(lines []textLine) int {
	n := 0
	for i := range lines {
		if !lines[i].blank() {
			n++
		}
	}
	return n
}

// contactBlock finds a signature without delimiter: lines under a ruler, or
// under a quote, that tell how to reach somebody and say nothing else.
func contactBlock(text []textLine, quoteAbove bool) int {
	result, count := len(text), 0
	for i := len(text) - 1; i >= 0 && count <= maxContactLines; i-- {
		if text[i].blank() {
			continue
		}
		count++
		if text[i].code {
			break
		}
		if isRuler(text[i].text, true) && isContact(text[i+1:], quoteAbove && !hasText(text[:i])) {
			result = i
		}
	}
	if result == len(text) && quoteAbove && countText(text) <= maxContactLines && isContact(text, false) {
		for result = 0; result < len(text) && text[result].blank(); {
			result++
		}
	}
	return result
}

// isContact reports whether lines are a signature by their look. Any sentence
// or any field that is no contact detail (an order number, a form's answer)
// says that they are not. Where lenient, a few lines without contact details
// are enough.
func isContact(lines []textLine, lenient bool) bool {
	details, links, count := 0, 0, 0
	for i := range lines {
		l := &lines[i]
		if l.blank() || isRuler(l.text, true) {
			continue
		}
		count++
		lower := l.lower
		switch {
		case isLink(lower):
			links++
		case isContactDetail(lower), isFooter(lower):
			details++
		case lenient && count <= 4:
		case isSentence(l.text), isForeignField(l.text), utf8.RuneCountInString(l.text) > 70:
			return false
		}
	}
	if lenient && count > 0 && count <= 4 {
		return true
	}
	return details > 0 || links > 0 && links < count
}

// isLink reports whether a lower-case line is a link and nothing else.
func isLink(s string) bool {
	return (strings.HasPrefix(s, "http") || strings.HasPrefix(s, "www.")) && !strings.Contains(s, " ")
}

// isContactDetail reports whether a lower-case line holds an address, a number,
// a site or a company.
func isContactDetail(s string) bool {
	for _, w := range contactWords {
		if strings.Contains(s, w) {
			return true
		}
	}
	digits, others := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case strings.ContainsRune("+-() ./〒", r):
		default:
			others++
		}
	}
	return digits >= 9 && others <= 8
}

// isSentence reports whether a line reads like speech rather than an address.
func isSentence(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	if strings.ContainsRune("。？?！!", r) || strings.HasSuffix(s, "です") || strings.HasSuffix(s, "ます") || strings.HasSuffix(s, "ません") || strings.HasSuffix(s, "ください") {
		return true
	}
	return r == '.' && strings.Count(s, " ") >= 4
}

// isForeignField reports whether a line is "name: value" with a name that is no
// contact detail.
func isForeignField(s string) bool {
	name, value, found := strings.Cut(s, ":")
	return found && strings.TrimSpace(value) != "" && utf8.RuneCountInString(name) <= 20 && !strings.Contains(s, "://")
}

// dashedName finds a last line such as "-Taro Yamada".
func dashedName(text []textLine) int {
	i := len(text) - 1
	for i >= 0 && text[i].blank() {
		i--
	}
	if i < 1 || text[i].code || !text[i-1].blank() {
		return len(text)
	}
	name, found := strings.CutPrefix(text[i].text, "-")
	words := strings.Fields(name)
	if !found || len(words) == 0 || len(words) > 4 || strings.HasPrefix(name, " ") || strings.HasPrefix(name, "-") {
		return len(text)
	}
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); !unicode.IsUpper(r) && !strings.Contains(" de van von der da di la ", " "+w+" ") {
			return len(text)
		}
	}
	return i
}

// isClosing reports whether lines are only a closing formula, with a name at most.
func isClosing(lines []textLine) bool {
	if countText(lines) > 5 {
		return false
	}
	for i := range lines {
		if lines[i].blank() {
			continue
		}
		lower := lines[i].lower
		if utf8.RuneCountInString(lower) > 40 {
			return false
		}
		for _, p := range closings {
			if strings.HasPrefix(lower, p) {
				return true
			}
		}
		return false
	}
	return false
}
