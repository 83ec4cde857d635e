package mail

import (
	"strings"
	"unicode/utf8"
)

// addressPiece is a token of an address list.
type addressPiece struct {
	kind pieceKind
	text string // without its delimiters
}

type pieceKind int

const (
	pieceText    pieceKind = iota
	pieceWord              // an encoded word, as written
	pieceQuoted            // "…"
	pieceComment           // (…)
	pieceAngle             // <…>
)

// parseAddresses reads an address list (RFC 5322 section 3.4) as it is written
// in life: names with commas, dots and brackets unquoted, local parts with dots
// where none may be (foo..bar@, foo.@), semicolons between addresses, full-width
// brackets, groups. words decodes encoded words. No more than limit are read; whole
// says that these are all.
func parseAddresses(s string, limit int, words func(string) string) (addresses []Address, whole bool) {
	list, whole := cutMailboxes(s, limit)
	addresses = readMailboxes(list, words)
	if len(addresses) > 0 && !anyUsable(addresses) && strings.Contains(s, "=?") {
		// The whole field, address and all, was encoded.
		list, wholeAgain := cutMailboxes(words(s), limit)
		if again := readMailboxes(list, words); anyUsable(again) {
			return again, wholeAgain
		}
	}
	return addresses, whole
}

func anyUsable(addresses []Address) bool {
	for _, a := range addresses {
		if strings.Contains(a.Address, "@") {
			return true
		}
	}
	return false
}

// maxPieces is how many pieces a mailbox may have on average where there are very many:
// one has two or three.
const maxPieces = 8

// cutMailboxes cuts a list into the pieces of each mailbox, of which limit are read.
func cutMailboxes(s string, limit int) (list [][]addressPiece, whole bool) {
	var pieces []addressPiece
	cut := 0   // pieces of the list
	text := -1 // where the running text began
	endText := func(i int) {
		if text >= 0 {
			pieces = append(pieces, addressPiece{pieceText, s[text:i]})
		}
		text = -1
	}
	sawAt := false // an address began since the last separator
	endMailbox := func(i int) {
		endText(i)
		sawAt = false
		if len(pieces) > 0 {
			list = append(list, pieces)
		}
		cut += len(pieces)
		pieces = nil
	}
	lastQuote, lastAngle, lastParen := strings.LastIndexByte(s, '"'), strings.LastIndexByte(s, '>'), strings.LastIndexByte(s, ')')
	lastSemicolon := strings.LastIndexByte(s, ';')
	for i := 0; i < len(s); {
		if len(list) >= limit || cut+len(pieces) >= maxPieces*limit {
			endMailbox(i)
			return list, false
		}
		kind, end := pieceText, 0
		switch c := s[i]; {
		case c == '=':
			if word, ok := readEncodedWord(s, i); ok {
				endText(i)
				pieces = append(pieces, addressPiece{pieceWord, s[i:word.end]})
				i = word.end
				continue
			}
		case c == '"' && i < lastQuote:
			if kind, end = pieceQuoted, endOfQuoted(s, i); end == 0 {
				lastQuote = -1 // and none further on: look no more
			}
		case c == '(' && i < lastParen:
			if kind, end = pieceComment, endOfComment(s, i); end == 0 {
				lastParen = -1
			}
		case c == '<' && i < lastAngle:
			kind, end = pieceAngle, endOfAngle(s, i)
		case c == ',' || c == ';':
			endMailbox(i)
			i++
			continue
		case c == '@':
			sawAt = true
		case sawAt && c >= utf8.RuneSelf && isWideSeparator(s[i:]):
			endMailbox(i)
			i += len("，")
			continue
		case c == ':' && i < lastSemicolon && isGroupName(pieces, s, text, i):
			// "Group name: a@x, b@y;": the members matter.
			text, pieces = -1, nil
			i++
			continue
		}
		if end > i {
			endText(i)
			pieces = append(pieces, addressPiece{kind, s[i+1 : end]})
			sawAt = sawAt || kind == pieceAngle
			i = end + 1
			continue
		}
		if text < 0 {
			text = i
		}
		i++
	}
	endMailbox(len(s))
	return list, true
}

// isWideSeparator says that a full-width comma or semicolon begins s. In names
// they are ordinary characters; after an address they separate.
func isWideSeparator(s string) bool {
	return strings.HasPrefix(s, "，") || strings.HasPrefix(s, "；") || strings.HasPrefix(s, "、")
}

// isGroupName says that what stands before a colon can be the name of a group.
func isGroupName(pieces []addressPiece, s string, text, colon int) bool {
	for _, p := range pieces {
		if p.kind == pieceAngle {
			return false
		}
	}
	return text < 0 || !strings.Contains(s[text:colon], "@")
}

// maxQuotedLocal bounds, in bytes, a quoted local part within brackets; mail allows 64
// (RFC 5321 section 4.5.3.1.1).
const maxQuotedLocal = 512

// endOfAngle returns the closing bracket of the address s[start:] begins with, which has
// one. A local part in quotes may hold brackets itself (RFC 5322 section 3.4.1).
func endOfAngle(s string, start int) int {
	local := start + 1
	for local < len(s) && (s[local] == ' ' || s[local] == '\t') {
		local++
	}
	if local < len(s) && s[local] == '"' {
		quoted := s[:min(len(s), local+maxQuotedLocal)]
		if end := endOfQuoted(quoted, local); end > 0 && strings.HasPrefix(strings.TrimLeft(s[end+1:], " \t"), "@") {
			if closing := strings.IndexByte(s[end:], '>'); closing > 0 {
				return end + closing
			}
		}
	}
	return start + strings.IndexByte(s[start:], '>')
}

// endOfQuoted returns the closing quote of the string s[start:] begins with, 0
// without one.
func endOfQuoted(s string, start int) int {
	for i := start + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return 0
}

// endOfComment returns the parenthesis that closes the one at start, 0 without.
func endOfComment(s string, start int) int {
	depth := 0
	for i := start; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return 0
}
