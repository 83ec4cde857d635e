package mail

import (
	"strings"
	"unicode"
)

// parseIdentifiers reads the message identifiers of a field (RFC 5322 section
// 3.6.4), without angle brackets: brackets missing, blanks inside, and words
// around, as old clients wrote them, are tolerated. No more than limit are read.
func parseIdentifiers(s string, limit int) []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		id = strings.Trim(id, "<> \t,;")
		if !strings.HasPrefix(id, `"`) || !strings.Contains(id, `"@`) { // a quoted left side is part of it
			id = strings.Trim(id, "\"'")
		}
		id = cleanIdentifier(id)
		if id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	rest := s
	for len(ids) < limit {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		end := strings.IndexAny(rest[open+1:], "<>")
		if end < 0 {
			add(rest[open+1:]) // cut off before its bracket
			break
		}
		add(rest[open+1 : open+1+end])
		rest = rest[open+1+end:]
		rest = strings.TrimPrefix(rest, ">")
	}
	if len(ids) > 0 {
		return ids
	}
	for token := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" \t,;", r) }) {
		if strings.Contains(token, "@") && len(ids) < limit {
			add(token)
		}
	}
	return ids
}

// parseIdentifier reads the one identifier of Message-ID, which may be any word.
func parseIdentifier(s string) string {
	if ids := parseIdentifiers(s, 1); len(ids) > 0 {
		return ids[0]
	}
	return cleanIdentifier(s)
}

// cleanIdentifier removes brackets, blanks and whatever cannot be seen.
func cleanIdentifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '<' || r == '>' || unicode.IsSpace(r) || isInvisible(r) {
			return -1
		}
		return r
	}, cleanText(s))
}
