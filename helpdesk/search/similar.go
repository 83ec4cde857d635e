package search

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Limits of a search for similar tickets.
const (
	similarLooked = 32 // words of a text whose rarity is looked up
	similarTerms  = 10 // of these, how many count: the rarest
	similarEach   = 20 // tickets taken of each
	// A word that is in more tickets than commonFrom, and in one of commonShare, tells
	// nothing of a matter.
	commonFrom, commonShare = 20, 10
)

// rareWord is a word of a text with the tickets that have it.
type rareWord struct {
	rarity  float64 // the logarithm of how many tickets there are for one that has it
	tickets []uint64
}

// Similar returns the numbers of tickets that share rare words with text, the
// most alike first and at most limit, without the ticket except. Greetings and
// closings do not count, and the more tickets have a word the less it does.
func (ix *Index) Similar(ctx context.Context, a helpdesk.Actor, text string, except uint64, limit int) ([]uint64, error) {
	all, err := ix.tickets(ctx)
	if err != nil {
		return nil, err
	}
	var words []rareWord
	for _, term := range characteristic(matter(text), similarLooked) {
		found, err := ix.Search(ctx, a, Query{Text: `"` + term + `"`, Limit: similarEach})
		if helpdesk.CodeOf(err) == helpdesk.CodeInvalid {
			continue
		}
		if err != nil {
			return nil, err
		}
		if found.Total > commonFrom && found.Total > all/commonShare {
			continue
		}
		word := rareWord{rarity: math.Log1p(float64(all) / float64(found.Total+1))}
		for _, hit := range found.Hits {
			if number := hit.Row.Ticket.Number; number != except {
				word.tickets = append(word.tickets, number)
			}
		}
		if len(word.tickets) > 0 {
			words = append(words, word)
		}
	}
	slices.SortStableFunc(words, func(x, y rareWord) int { return cmp.Compare(y.rarity, x.rarity) })
	weights := map[uint64]float64{}
	for _, word := range words[:min(len(words), similarTerms)] {
		for _, number := range word.tickets {
			weights[number] += word.rarity
		}
	}
	numbers := slices.SortedFunc(maps.Keys(weights), func(x, y uint64) int {
		return cmp.Or(cmp.Compare(weights[y], weights[x]), cmp.Compare(y, x))
	})
	return numbers[:min(len(numbers), limit)], nil
}

// tickets is how many tickets the index knows.
func (ix *Index) tickets(ctx context.Context) (n int, err error) {
	err = ix.db.View(ctx, func(r store.Reader) error {
		state, err := ix.snapshot(r)
		if state == nil || err != nil {
			return err
		}
		n = 0
		for _, updated := range state.updated {
			if updated != 0 {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count the tickets of the search index: %w", err)
	}
	return n, nil
}

// characteristic returns the words of a text that are most likely to tell what
// it is about, without a dictionary: long runs of one script, where hiragana is
// grammar and digits make a product's name. A run of kanji is several words: the
// pairs at its ends are looked for too.
func characteristic(text string, limit int) []string {
	var terms []string
	add := func(term string) {
		if !slices.Contains(terms, term) {
			terms = append(terms, term)
		}
	}
	for _, run := range runsOfScript(text) {
		add(run)
		if runes := []rune(run); len(runes) > 2 && scriptOf(runes[0]) == kanji {
			add(string(runes[:2]))
			add(string(runes[len(runes)-2:]))
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

const kanji = 1

// scriptOf tells kanji and katakana from letters and digits; 0 is all that
// parts words.
func scriptOf(r rune) int {
	switch {
	case unicode.Is(unicode.Han, r) || r == '々':
		return kanji
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
