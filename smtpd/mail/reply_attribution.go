package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAttributionLines is how many lines an attribution may be wrapped over.
const maxAttributionLines = 4

// attributionAt returns the line after the attribution that begins at lines[i],
// or i where none does. An attribution is the sentence that introduces a quote,
// such as "On 21 Nov 2026 at 10:00, Taro wrote:", in any of the languages of
// attributionVerbs, wrapped or not.
func attributionAt(lines []textLine, i int) int {
	if !startsAttribution(lines[i].lower) {
		return i
	}
	var joined strings.Builder
	open := 0 // unclosed "<": the next line may then begin with the ">" that closes it
	for j, n := i, 0; j < len(lines) && n < maxAttributionLines; j++ {
		l := &lines[j]
		if l.code {
			break
		}
		if l.blank() {
			// Only a wrapped address may stand after a blank line.
			if next := j + 1; next < len(lines) && j > i && strings.HasPrefix(lines[next].text, "<") {
				continue
			}
			break
		}
		if j > i && l.quoted && open <= 0 {
			break
		}
		open += strings.Count(l.text, "<") - strings.Count(l.text, ">")
		if n > 0 {
			joined.WriteByte(' ')
		}
		joined.WriteString(l.text)
		n++
		if open > 0 || !isAttribution(joined.String(), func() bool { return quoteFollows(lines, j+1) }) {
			continue
		}
		if j > i && laterStart(lines, i, j) {
			return i
		}
		return j + 1
	}
	return i
}

// laterStart reports whether lines[i] is not part of the attribution that ends at
// lines[j]: it is a line of the reply, and the attribution begins after it.
func laterStart(lines []textLine, i, j int) bool {
	first, lower := lines[i].text, lines[i].lower
	last, _ := utf8.DecodeLastRuneInString(first)
	sure := opensWithDate(lower) || strings.Contains(lower, "<") && findVerb(lower) >= 0
	if sure && !strings.ContainsRune(":?!。", last) {
		return false
	}
	for s := i + 1; s <= j; s++ {
		if !opensWithDate(lines[s].lower) && !strings.Contains(lines[s].text, "@") {
			continue
		}
		var b strings.Builder
		for k := s; k <= j; k++ {
			b.WriteString(lines[k].text)
			b.WriteByte(' ')
		}
		if isAttribution(strings.TrimSpace(b.String()), func() bool { return quoteFollows(lines, j+1) }) {
			return true
		}
	}
	return false
}

// quoteFollows reports whether the next line that is not blank is quoted, by
// ">" or by "|".
func quoteFollows(lines []textLine, i int) bool {
	for ; i < len(lines); i++ {
		if !lines[i].blank() {
			return lines[i].quoted || strings.HasPrefix(lines[i].text, "|")
		}
	}
	return false
}

// startsAttribution reports whether a line in lower case may be the first of an attribution:
// it begins with an opening word and has a digit, begins with a date, or names
// an address or a verb.
func startsAttribution(s string) bool {
	if s == "" {
		return false
	}
	s = strings.TrimLeft(s, "-*_ (")
	if r, _ := utf8.DecodeRuneInString(s); unicode.IsDigit(r) || strings.IndexByte(s, '<') >= 0 || strings.IndexByte(s, '@') >= 0 {
		return true
	}
	first, _, _ := strings.Cut(s, " ")
	if quotingWords[first] || (attributionOpeners[first] || opensWithDay(s)) && strings.ContainsFunc(s, unicode.IsDigit) {
		return true
	}
	return findVerb(s) >= 0
}

// isAttribution judges a whole sentence, its lines joined by spaces.
func isAttribution(s string, quoteFollows func() bool) bool {
	ruled := strings.HasPrefix(s, "--") && strings.HasSuffix(s, "--")
	s = strings.ToLower(strings.Trim(s, "-*_ "))
	colon := strings.HasSuffix(s, ":") || strings.HasSuffix(s, ":>") || strings.HasSuffix(s, ": >")
	s = strings.TrimRight(s, ":> ") // a quote mark of the next level may cling to it
	if s == "" {
		return false
	}
	date, address := hasDate(s), strings.Contains(s, "@")
	verb := findVerb(s)
	if verb >= 0 {
		atEnd := utf8.RuneCountInString(s[verb:]) <= 24
		if nounVerb := strings.HasSuffix(s, "のメール") || strings.HasSuffix(s, "のメッセージ"); nounVerb && !address && !quoteFollows() {
			return false // a person may title a pasted text like this
		}
		switch {
		case colon && atEnd && (date || address):
			return true
		case colon && date && (address || opensWithDate(s)):
			return true // "Taro <taro@…> schrieb am 21. Nov. um 10:00:", "Op 21 nov schreef Taro:"
		case ruled && date:
			return true // Zoho closes the sentence with hyphens
		case (colon || date) && atEnd && quoteFollows(), colon && date && quoteFollows():
			return true
		}
		return false
	}
	if first, _, _ := strings.Cut(s, " "); quotingWords[first] {
		return colon && (address || quoteFollows()) // "Quoting Taro <taro@…>:"
	}
	if !opensWithDate(s) {
		return colon && date && address && quoteFollows()
	}
	switch {
	case colon && date && (address || strings.Contains(s, "<")):
		return true // Gmail in Japanese and older Gmail name no verb
	case date && address && quoteFollows():
		return true
	case colon && date && quoteFollows() && utf8.RuneCountInString(s) <= 80:
		return true
	}
	return isZonedDateLine(s)
}

// quotingWords open the attributions of Horde and its relatives, which name
// neither a date nor a verb.
var quotingWords = map[string]bool{"quoting": true, "zitat": true, "citando": true, "citeren": true}

// isZonedDateLine reports whether s is "2016-03-03 17:21 GMT+01:00 Some Name",
// which no person types.
func isZonedDateLine(s string) bool {
	if len(s) > 100 || len(s) < 20 {
		return false
	}
	if r := s[0]; r < '0' || r > '9' {
		return false
	}
	for _, zone := range []string{" gmt+", " gmt-", " utc+", " utc-"} {
		if i := strings.Index(s, zone); i > 0 && i <= 20 && hasDate(s[:i]) {
			return true
		}
	}
	return false
}

// opensWithDate reports whether a lower-case sentence begins with an opening
// word, a weekday, a month or a digit.
func opensWithDate(s string) bool {
	s = strings.TrimLeft(s, "(\"' ")
	if r, _ := utf8.DecodeRuneInString(s); unicode.IsDigit(r) {
		return true
	}
	first, _, _ := strings.Cut(s, " ")
	if attributionOpeners[strings.TrimRight(first, ",.:")] {
		return true
	}
	return opensWithDay(s)
}

// opensWithDay reports whether a lower-case sentence begins with a weekday or a month.
func opensWithDay(s string) bool {
	return s != "" && hasAnyPrefix(s, daysByFirstByte[s[0]])
}

// daysByFirstByte are the dayAndMonthPrefixes by the byte they begin with.
var daysByFirstByte = func() (groups [256][]string) {
	for _, p := range dayAndMonthPrefixes {
		groups[p[0]] = append(groups[p[0]], p)
	}
	return groups
}()

// findVerb returns where the last attribution verb stands in s as a word of its
// own, or -1. It runs for every line of every mail, so it looks only where a
// verb may begin.
func findVerb(s string) int {
	best := -1
	var before rune
	for i, r := range s {
		inWord := r < utf8.RuneSelf && before < utf8.RuneSelf && isLatin(byte(before))
		if !inWord && len(verbsByLastByte[uint8(r)]) > 0 && verbAt(s[i:], r, before) {
			best = i
		}
		before = r
	}
	return best
}

// verbAt reports whether s, which begins with the character r after another,
// begins with an attribution verb as a word of its own.
func verbAt(s string, r, before rune) bool {
	for _, v := range verbsByLastByte[uint8(r)] {
		if v.first != r || !strings.HasPrefix(s, v.word) {
			continue
		}
		if !spacedScript(r) {
			return true
		}
		after, _ := utf8.DecodeRuneInString(s[len(v.word):])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
	}
	return false
}

// verb is an attribution verb and the character it begins with.
type verb struct {
	first rune
	word  string
}

// verbsByLastByte are the attributionVerbs by the last byte of the number of the character
// they begin with.
var verbsByLastByte = func() (groups [256][]verb) {
	for _, v := range attributionVerbs {
		first, _ := utf8.DecodeRuneInString(v)
		groups[uint8(first)] = append(groups[uint8(first)], verb{first, v})
	}
	return groups
}()

// spacedScript reports whether r is of a script that puts spaces between words.
func spacedScript(r rune) bool {
	return r < 0x0e00 || !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// hasDate reports whether s has a date or a time of day, in whatever order and
// script: a year with two other numbers, or a time with another number, or
// three numbers joined by date marks.
func hasDate(s string) bool {
	groups, years, times, joins := 0, 0, 0, 0
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		start := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		n := i - start
		if n > 4 {
			continue
		}
		groups++
		if n == 4 && (s[start:start+2] == "19" || s[start:start+2] == "20") {
			years++
		}
		if i+1 < len(s) {
			switch rest := s[i:]; {
			case n <= 2 && (rest[0] == ':' || rest[0] == '.') && rest[1] >= '0' && rest[1] <= '5', strings.HasPrefix(rest, "時"), strings.HasPrefix(rest, "시"):
				times++
			case rest[0] == '/', rest[0] == '-', rest[0] == '.', strings.HasPrefix(rest, "年"), strings.HasPrefix(rest, "月"), strings.HasPrefix(rest, "년"), strings.HasPrefix(rest, "월"):
				joins++
			}
		}
	}
	return years > 0 && groups >= 2 || times > 0 && groups >= 3 || joins >= 2
}
