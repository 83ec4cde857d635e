package search

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Limits of a search for similar tickets.
const (
	similarTerms = 10 // searched for
	similarEach  = 20 // tickets taken of each
)

// Similar returns the numbers of tickets that share rare words with text, the
// most alike first and at most limit, without the ticket except. Words that are
// in many tickets count little.
func (ix *Index) Similar(ctx context.Context, a helpdesk.Actor, text string, except uint64, limit int) ([]uint64, error) {
	weights := map[uint64]float64{}
	for _, term := range characteristic(text, similarTerms) {
		found, err := ix.Search(ctx, a, Query{Text: `"` + term + `"`, Limit: similarEach})
		if helpdesk.CodeOf(err) == helpdesk.CodeInvalid {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, hit := range found.Hits {
			if number := hit.Row.Ticket.Number; number != except {
				weights[number] += 1 / math.Log2(float64(found.Total)+1)
			}
		}
	}
	numbers := slices.SortedFunc(maps.Keys(weights), func(x, y uint64) int {
		return cmp.Or(cmp.Compare(weights[y], weights[x]), cmp.Compare(y, x))
	})
	return numbers[:min(len(numbers), limit)], nil
}

// characteristic returns the words of a text that are most likely to tell what
// it is about, without a dictionary: long runs of one script, where hiragana is
// grammar and digits make a product's name.
func characteristic(text string, limit int) []string {
	var terms []string
	for _, run := range runsOfScript(text) {
		if !slices.Contains(terms, run) {
			terms = append(terms, run)
		}
	}
	slices.SortStableFunc(terms, func(a, b string) int { return cmp.Compare(characters(b), characters(a)) })
	return terms[:min(len(terms), limit)]
}

// characters weighs a Latin letter as half a kanji.
func characters(term string) int {
	n := 0
	for _, r := range term {
		n += 2
		if r <= unicode.MaxLatin1 {
			n--
		}
	}
	return n
}

func runsOfScript(text string) []string {
	var runs []string
	var run strings.Builder
	kind := 0
	end := func() {
		if s := strings.Trim(run.String(), "-"); kind != 0 && (kind < 3 && utf8.RuneCountInString(s) >= 2 || utf8.RuneCountInString(s) >= 4) {
			runs = append(runs, s)
		}
		run.Reset()
	}
	for _, r := range text {
		if now := scriptOf(r); now != kind {
			end()
			kind = now
		}
		if kind != 0 {
			run.WriteRune(r)
		}
	}
	end()
	return runs
}

// scriptOf tells kanji and katakana from letters and digits; 0 is all that
// parts words.
func scriptOf(r rune) int {
	switch {
	case unicode.Is(unicode.Han, r) || r == '々':
		return 1
	case unicode.Is(unicode.Katakana, r) || r == 'ー':
		return 2
	case unicode.Is(unicode.Hiragana, r):
		return 0
	case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-':
		return 3
	}
	return 0
}

// Words returns the words of a text that tell what it is about, in their order
// and each once: long runs of one script.
func Words(text string) []string {
	var words []string
	known := map[string]bool{}
	for _, run := range runsOfScript(text) {
		if folded := Fold(run); !known[folded] {
			known[folded] = true
			words = append(words, run)
		}
	}
	return words
}

// Terms yields the terms of a text as the index has them: folded words, and
// pairs of characters of scripts without spaces.
func Terms(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for t := range tokens(text) {
			if !t.single && !yield(t.text) {
				return
			}
		}
	}
}
