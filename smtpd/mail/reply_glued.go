package mail

import (
	"regexp"
	"strings"
)

// gluedOpening finds where an attribution may begin behind the words of the reply: the
// opening word and date of the commonest forms. The capital tells "Thanks. On Monday …"
// from "Taro on Monday …", and the end of a sentence a date from one that is told of.
var gluedOpening = regexp.MustCompile(`[^\s-][ \t\x{3000}]*(?:[ \t](-*[ \t]*(?:On|Am|Le|El|Il giorno|Em|Op|Den)[ \t]+(?:\p{L}{2,9}[.,]*[ \t]+){0,2}\d)|(-{2,}[ \t]*(?:On|Am|Le|El|Em|Op|Den)[ \t]+(?:\p{L}{2,9}[.,]*[ \t]+){0,2}\d)|[。！？!?][ \t\x{3000}]*(\d{4}年\d{1,2}月\d{1,2}日))`)

// gluedAttribution returns where in raw an attribution begins that stands in the same
// line behind new words, 0 where none does: some programs on phones put no line end before
// it. cleaned is raw as it is classified, and rest what follows it in the text. What makes
// it sure is an address, or a quoted line behind it.
func gluedAttribution(raw, cleaned, rest string) int {
	if len(raw) > maxClassified || len(cleaned) < 24 {
		return 0
	}
	// Cheap questions first: this is asked of every line.
	end := strings.TrimRight(cleaned, "-> ")
	whole := strings.HasSuffix(end, ":") || strings.HasSuffix(end, "wrote") && strings.HasSuffix(cleaned, "---")
	if !whole && len(cleaned) < 60 || !strings.ContainsAny(cleaned, "0123456789") || isQuoted(cleaned) {
		return 0
	}
	next, after, _ := strings.Cut(rest, "\n")
	wrapped := !whole
	if wrapped { // the end of one that was wrapped is in the next line
		if next = strings.TrimSpace(next); !strings.HasSuffix(next, ":") && !strings.HasSuffix(next, "：") || len(next) > maxClassified {
			return 0
		}
		if next = cleanLine(next); isQuoted(next) {
			return 0
		}
	}
	at := gluedOpening.FindStringSubmatchIndex(raw)
	if at == nil {
		return 0
	}
	start := max(at[2], at[4], at[6]) // of the form that fits
	if strings.ContainsAny(raw[:start], "@<") {
		return 0 // the attribution itself: "Taro <taro@…> …"
	}
	attribution := cleanLine(raw[start:])
	if wrapped {
		attribution += " " + next
	} else {
		after = rest
	}
	quoted := func() bool { return isQuoted(cleanLine(firstFilledLine(after))) }
	sure := strings.Contains(attribution, "@") && (start != at[6] || strings.Contains(attribution, "<"))
	if !sure && !quoted() && !isAttribution(cleaned, quoted) || !isAttribution(attribution, quoted) {
		return 0
	}
	return start
}

// firstFilledLine returns the first line of text that is not blank, of its first three.
func firstFilledLine(text string) string {
	for range 3 {
		line, rest, _ := strings.Cut(text, "\n")
		if strings.TrimSpace(line) != "" {
			return line
		}
		text = rest
	}
	return ""
}
