package ui

import (
	"html/template"
	"regexp"
	"strings"
	"unicode/utf8"
)

// address finds web addresses in text. Japanese punctuation ends one, and so
// does any character that does not belong into an address (RFC 3986).
var webAddress = regexp.MustCompile(`https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+`)

// linked escapes a text and makes links of the web addresses in it. Line
// breaks stay: the style sheet keeps them.
func linked(text string) template.HTML {
	var b strings.Builder
	rest := text
	for _, span := range webAddress.FindAllStringIndex(text, -1) {
		start, end := span[0], trimAddress(text, span[0], span[1])
		before := text[len(text)-len(rest) : start]
		b.WriteString(template.HTMLEscapeString(before))
		address := template.HTMLEscapeString(text[start:end])
		b.WriteString(`<a href="` + address + `" target="_blank" rel="noopener noreferrer nofollow">` + address + `</a>`)
		rest = text[end:]
	}
	b.WriteString(template.HTMLEscapeString(rest))
	return template.HTML(b.String())
}

// trimAddress leaves out what ends the sentence rather than the address.
func trimAddress(text string, start, end int) int {
	for end > start {
		last := text[end-1]
		switch {
		case strings.IndexByte(".,;:!?'", last) >= 0:
			end--
		case last == ')' && !strings.Contains(text[start:end], "("), last == ']' && !strings.Contains(text[start:end], "["):
			end--
		default:
			return end
		}
	}
	return end
}

// textPart is a run of a mail's text; folded ones wait for a click.
type textPart struct {
	Kind  SegmentKind
	Text  template.HTML
	Lines int
}

// textParts prepares a mail's text for reading: folded, linked, without empty
// lines at its ends.
func textParts(segments []Segment) []textPart {
	var parts []textPart
	for _, segment := range segments {
		text := strings.Trim(strings.ReplaceAll(segment.Text, "\r\n", "\n"), "\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		parts = append(parts, textPart{segment.Kind, linked(text), strings.Count(text, "\n") + 1})
	}
	return parts
}
