package search

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much of a text a snippet shows, in characters.
const (
	snippetLength = 160
	snippetBefore = 40 // of it, ahead of the first match
)

// span is a stretch of a text that was searched for, in bytes.
type span struct{ start, end int }

// spans finds the words of the positive clauses in a text of field f, in order
// and without overlap.
func (s *searching) spans(text string, f field) []span {
	var words []clause
	for _, c := range s.clauses {
		words = append(append(words, c), c.or...)
	}
	words = slices.DeleteFunc(words, func(c clause) bool {
		return c.not || len(c.tokens) == 0 || !slices.Contains(c.fields, f)
	})
	if len(words) == 0 {
		return nil
	}
	var found []span
	all := tokensFor(words, text)
	for _, c := range words {
		for i := range all {
			if at, ok := c.at(all, i); ok {
				found = append(found, at)
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
	var merged []span
	for _, next := range found {
		if n := len(merged); n > 0 && next.start <= merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, next.end)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

// tokensFor are those tokens of a text that words ask for.
func tokensFor(words []clause, text string) (all []token) {
	tokenize(text, func(text []byte, t token) bool {
		for i := range words {
			for _, wanted := range words[i].tokens {
				if string(text) == wanted.text {
					t.text = wanted.text
				} else if wanted.prefix && bytes.HasPrefix(text, []byte(wanted.text)) {
					t.text = string(text)
				} else {
					continue
				}
				all = append(all, t)
				return true
			}
		}
		return true
	})
	return all
}

// at tells whether the tokens of c stand at all[i:], and where that is.
func (c *clause) at(all []token, i int) (span, bool) {
	found := span{start: all[i].start}
	j := i
	for _, wanted := range c.tokens {
		position := all[i].position + wanted.offset - c.tokens[0].offset
		for j < len(all) && all[j].position < position {
			j++
		}
		if j == len(all) || all[j].position != position || all[j].text != wanted.text && (!wanted.prefix || !strings.HasPrefix(all[j].text, wanted.text)) {
			return span{}, false
		}
		found.end = all[j].end
		if utf8.RuneCountInString(wanted.text) == 1 {
			found.end = all[j].first
		}
	}
	return found, true
}

// highlight marks what was searched for in the whole of a short text.
func (s *searching) highlight(text string, f field) []Run {
	return runs(text, s.spans(text, f), 0, len(text))
}

// cut marks what was searched for in the surroundings of its first occurrence;
// nil where there is none.
func (s *searching) cut(text string, f field) []Run {
	found := s.spans(text, f)
	if len(found) == 0 {
		return nil
	}
	start := found[0].start
	for range snippetBefore {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	end := start
	for range snippetLength {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	return runs(text, found, start, max(end, found[0].end))
}

// runs cuts text[start:end] at the spans. White space becomes single spaces.
func runs(text string, found []span, start, end int) (list []Run) {
	add := func(from, to int, match bool) {
		if part := oneLine(text[from:to]); part != "" {
			list = append(list, Run{part, match})
		}
	}
	at := start
	for _, f := range found {
		if f.end <= at || f.start >= end {
			continue
		}
		add(at, max(f.start, at), false)
		add(max(f.start, at), min(f.end, end), true)
		at = min(f.end, end)
	}
	add(at, end, false)
	if start > 0 {
		list = slices.Insert(list, 0, Run{Text: "…"})
	}
	if end < len(text) {
		list = append(list, Run{Text: "…"})
	}
	return join(list)
}

// oneLine makes every stretch of white space one space, also at the ends.
func oneLine(s string) string {
	var out strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			if !space {
				out.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		out.WriteRune(r)
	}
	return out.String()
}

// join makes neighbours of a kind one run, and trims the ends of the whole.
func join(list []Run) (joined []Run) {
	for _, r := range list {
		if n := len(joined); n > 0 && joined[n-1].Match == r.Match {
			joined[n-1].Text += r.Text
			continue
		}
		joined = append(joined, r)
	}
	if n := len(joined); n > 0 {
		joined[0].Text = strings.TrimLeft(joined[0].Text, " ")
		joined[n-1].Text = strings.TrimRight(joined[n-1].Text, " ")
	}
	return slices.DeleteFunc(joined, func(r Run) bool { return r.Text == "" })
}
