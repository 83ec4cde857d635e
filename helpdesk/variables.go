package helpdesk

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Variables are the names that stand for something in templates, signatures and
// acknowledgements: {{customer.name}}, or {{customer.company|your company}} with
// what to write where nothing is known.
var Variables = []string{
	"customer.name", "customer.name_sama", "customer.email", "customer.company",
	"agent.name", "agent.signature",
	"ticket.number", "ticket.subject",
	"alias.name", "alias.address",
	"company", "date",
}

// agentVariables have no value where nobody writes: in what is sent by itself.
var agentVariables = []string{"agent.name", "agent.signature"}

// piece is a part of a text: words as they are, or a variable.
type piece struct {
	source   string
	variable string // "" for words
	fallback string
	// otherwise says that a fallback is written, which may be empty.
	otherwise bool
}

// pieces cuts a text at its variables. What is no variable stays words: text
// that came from elsewhere may have braces of its own.
func pieces(text string) (list []piece) {
	for text != "" {
		start := strings.Index(text, "{{")
		if start < 0 {
			return append(list, piece{source: text})
		}
		length := strings.Index(text[start:], "}}")
		if length < 0 {
			return append(list, piece{source: text})
		}
		if start > 0 {
			list = append(list, piece{source: text[:start]})
		}
		end := start + length + len("}}")
		p := piece{source: text[start:end]}
		name, fallback, found := strings.Cut(text[start+2:end-2], "|")
		p.variable, p.fallback, p.otherwise = variableName(name), strings.TrimSpace(fallback), found
		list = append(list, p)
		text = text[end:]
	}
	return list
}

func variableName(s string) string {
	return strings.TrimSpace(strings.NewReplacer("&nbsp;", " ", "\u00a0", " ").Replace(s))
}

// checkVariables refuses variables that do not exist, or are not allowed where
// the text stands, and braces that are not closed, with their place.
func checkVariables(field, text string, allowed []string) error {
	at := 0
	for _, p := range pieces(text) {
		line, column := position(text, at)
		switch {
		case p.variable == "" && strings.HasPrefix(p.source, "{{"):
			return invalid(field, "variable_empty", "line %d, column %d: {{…}} names no variable; write one of %s", line, column, inBraces(allowed))
		case p.variable != "" && !slices.Contains(allowed, p.variable) && slices.Contains(Variables, p.variable):
			return invalid(field, "variable_unfit", "line %d, column %d: {{%s}} has no value here; take it out, or write one of %s", line, column, p.variable, inBraces(allowed))
		case p.variable != "" && !slices.Contains(allowed, p.variable):
			return invalid(field, "variable_unknown", "line %d, column %d: there is no variable {{%s}}; write one of %s", line, column, clip(p.variable), inBraces(allowed))
		}
		if i := strings.Index(p.source, "{{"); p.variable == "" && i >= 0 {
			line, column = position(text, at+i)
			return invalid(field, "variable_open", "line %d, column %d: {{ is not closed; write }} behind the variable's name", line, column)
		}
		at += len(p.source)
	}
	return nil
}

func inBraces(names []string) string { return "{{" + strings.Join(names, "}}, {{") + "}}" }

// position is a byte's line and column, both from 1, the column in characters.
func position(text string, at int) (line, column int) {
	before := text[:at]
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// values are what variables stand for. One that is not there is not known; one
// that is empty is known to be nothing.
type values map[string]string

// secondHonorific is one that a text puts behind a variable, joined or with a blank between.
var secondHonorific = regexp.MustCompile(`^(?:[ \x{3000}\x{a0}]|&nbsp;)*(?:様|さま|さん|御中|殿|님)`)

// fill writes the values in their places, and returns the variables for which
// nothing is known and no fallback is written: missing writes those. In a text
// that is HTML, escape makes a value fit; the fallback is HTML already.
func (v values) fill(text string, escape, missing func(string) string) (filled string, unfilled []string) {
	var out strings.Builder
	honoured := false
	for _, p := range pieces(text) {
		value, known := v[p.variable]
		switch {
		case p.variable == "":
			words := p.source
			if honoured { // of a name written with its honorific, and of お客様 for one that is not known, it is said once
				words = secondHonorific.ReplaceAllString(words, "")
			}
			out.WriteString(words)
		case known && (value != "" || !p.otherwise):
			out.WriteString(escape(value))
		case p.otherwise:
			value = p.fallback
			out.WriteString(value)
		case slices.Contains(Variables, p.variable):
			unfilled = appendNew(unfilled, p.variable)
			value = missing(p.source)
			out.WriteString(value)
		default:
			out.WriteString(p.source)
		}
		honoured = p.variable != "" && Honoured(value)
	}
	return out.String(), unfilled
}

// fillText fills a plain text; what is not known stays to be seen.
func (v values) fillText(text string) (string, []string) {
	same := func(s string) string { return s }
	return v.fill(text, same, same)
}

// fillHTML fills an HTML text; what is not known is marked.
func (v values) fillHTML(text string) (string, []string) {
	return v.fill(text, escapeLines, func(source string) string { return `<mark class="unfilled">` + source + `</mark>` })
}

// complete fills a text that nobody reads again before it is sent: what is not
// known is left out.
func (v values) complete(l Localized) Localized {
	nothing := func(string) string { return "" }
	l.Text, _ = v.fill(l.Text, func(s string) string { return s }, nothing)
	l.HTML, _ = v.fill(l.HTML, escapeLines, nothing)
	return l
}

// escapeLines makes a value HTML, its lines with breaks between them.
func escapeLines(s string) string {
	return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>")
}

// Unfilled returns the variables that a text still has: whoever sends it is
// warned.
func Unfilled(text string) (names []string) {
	for _, p := range pieces(text) {
		if slices.Contains(Variables, p.variable) {
			names = appendNew(names, p.variable)
		}
	}
	return names
}
