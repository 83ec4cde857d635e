package mail

import (
	"strings"
)

// statusOf returns the status that words carry: an enhanced code, the meaning
// of a phrase within the class of an SMTP reply, or the class alone; "" where
// they carry none.
func statusOf(words string) string {
	class := findFailure(words)
	if class != "" && !strings.HasSuffix(class, ".0.0") {
		return class
	}
	if class == "" {
		class = findReply(words)
	}
	status := phraseStatus(words)
	switch {
	case class != "" && status != "":
		return class[:1] + status[1:]
	case class != "":
		return class[:1] + ".0.0"
	}
	return status
}

// findStatus returns the first enhanced status code in s (RFC 3463 section 2).
func findStatus(s string) string { return findClass(s, "245") }

// findFailure is findStatus without the codes of success that a transcript of
// an SMTP session is full of.
func findFailure(s string) string { return findClass(s, "45") }

// findClass returns the first status of the given classes in s that is no part
// of an IP address or a version.
func findClass(s, classes string) string {
	for i := 0; i+4 < len(s); i++ {
		if s[i+1] != '.' || strings.IndexByte(classes, s[i]) < 0 {
			continue
		}
		if i > 0 && (isDecimal(s[i-1]) || s[i-1] == '.' || isLatin(s[i-1])) {
			continue
		}
		subject := digits(s, i+2)
		if subject == 0 || subject > 3 || i+2+subject >= len(s) || s[i+2+subject] != '.' {
			continue
		}
		start := i + 3 + subject
		detail := digits(s, start)
		end := start + detail
		if detail == 0 || detail > 3 || end+1 < len(s) && s[end] == '.' && isDecimal(s[end+1]) || end < len(s) && isLatin(s[end]) {
			continue
		}
		return s[i:end]
	}
	return ""
}

// findReply returns the class of the first SMTP reply code in s as a status
// ("5.0.0" for 550), "" where there is none. A code stands alone and is followed
// by a space, a hyphen or a mark; ports and counts are not.
func findReply(s string) string {
	for i := 0; i+2 < len(s); i++ {
		if s[i] != '4' && s[i] != '5' || digits(s, i) != 3 || s[i+1] > '5' {
			continue
		}
		if i > 0 && strings.IndexByte(" \t\n:;([<'\"=-#", s[i-1]) < 0 {
			i += 2
			continue
		}
		if i+3 < len(s) && strings.IndexByte(" \t\n:;-,.)>]'\"#", s[i+3]) < 0 {
			i += 2
			continue
		}
		return s[i:i+1] + ".0.0"
	}
	return ""
}

// phraseStatus returns the status that belongs to the words, "" where they are
// not known.
func phraseStatus(words string) string {
	lower := strings.ToLower(words)
	for _, p := range failurePhrases {
		if p.status != "" && strings.Contains(lower, p.words) {
			return p.status
		}
	}
	return ""
}

// digits counts the decimal digits of s from i on, at most 4.
func digits(s string, i int) int {
	n := 0
	for i+n < len(s) && n < 4 && isDecimal(s[i+n]) {
		n++
	}
	return n
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }

func isLatin(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
