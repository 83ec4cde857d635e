package mail

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// peelFooters returns the end of text without the blank lines and the lines at
// its end that programs append.
func peelFooters(text []textLine, end int) int {
	result := end
	for {
		for end > 0 && text[end-1].blank() {
			end--
		}
		if end == 0 || text[end-1].code {
			return result
		}
		switch lower := text[end-1].lower; {
		case isFooter(lower):
			end--
		case lower == "ᐧ":
			end--
		default:
			start := disclaimer(text[:end])
			if start == end {
				return result
			}
			end = start
		}
		result = end
	}
}

// disclaimer returns where the last paragraph of text begins if it is a
// confidentiality notice, and the end of text otherwise.
func disclaimer(text []textLine) int {
	start := len(text)
	for start > 0 && !text[start-1].blank() && !text[start-1].code {
		start--
	}
	if start == len(text) {
		return start
	}
	first := strings.TrimLeft(text[start].lower, "*_-=# ")
	for _, p := range noticePrefixes {
		if strings.HasPrefix(first, p) {
			return start
		}
	}
	if !slices.ContainsFunc(disclaimerPrefixes, func(p string) bool { return strings.HasPrefix(first, p) }) {
		return len(text)
	}
	for i := start; i < len(text); i++ {
		lower := text[i].lower
		if slices.ContainsFunc(disclaimerParts, func(p string) bool { return strings.Contains(lower, p) }) {
			return start
		}
	}
	return len(text)
}

// isFooter reports whether a lower-case line is one that a mail program, a
// telephone, a scanner or a list appends. A customer may begin a sentence with
// the same words, so each form must be whole.
func isFooter(s string) bool {
	if len(s) > 300 {
		return false
	}
	s = strings.Trim(s, "<([{*_~ >)]}.。!")
	link := strings.Contains(s, "http") || strings.Contains(s, "www.") || strings.Contains(s, "@")
	if footerLines[s] || containsAny(s, footerParts) || link && hasAnyPrefix(s, listPrefixes) {
		return true
	}
	words, _, _ := strings.Cut(s, "http") // addresses of applications are long
	if utf8.RuneCountInString(words) > 80 {
		return false
	}
	if hasAnyPrefix(s, sentFromMy) {
		_, clause, found := strings.Cut(words, ", ")
		count := len(strings.Fields(clause))
		return !found || containsAny(clause, excuses) || count <= 2 || count <= 4 && containsAny(clause, footerDevices)
	}
	// How it begins and ends is asked first: most lines fail there, and it is
	// quicker to tell than what stands within.
	ends := slices.ContainsFunc(footerSuffixes, func(p string) bool { return strings.HasSuffix(s, p) })
	gets, sent := hasAnyPrefix(s, getApplication), hasAnyPrefix(s, footerPrefixes)
	if !ends && !gets && !sent || !containsAny(s, footerDevices) {
		return false
	}
	if ends {
		return !strings.HasSuffix(s, "gesendet") && !strings.HasSuffix(s, "geschickt") || strings.HasPrefix(s, "von mein") || strings.HasPrefix(s, "diese nachricht")
	}
	count := len(strings.Fields(words))
	if utf8.RuneCountInString(words) > 60 || count > 7 {
		return false
	}
	if gets {
		return containsAny(s, applications) && count <= 6
	}
	// "From my iPhone I cannot log in" goes on where a footer ends.
	return sent && (count <= 5 || !strings.HasPrefix(s, "from my "))
}

func hasAnyPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
