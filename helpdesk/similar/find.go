package similar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Basis says what was compared.
type Basis string

// What tickets are found by.
const (
	ByMeaning Basis = "meaning" // vectors
	ByWords   Basis = "words"   // rare words in common
)

// Found are tickets that are about the same as another, the most alike first.
type Found struct {
	By      Basis
	Tickets []Match
}

// Numbers are the tickets alone.
func (f Found) Numbers() []uint64 {
	numbers := make([]uint64, 0, len(f.Tickets))
	for _, m := range f.Tickets {
		numbers = append(numbers, m.Ticket)
	}
	return numbers
}

// Match is a ticket that was found.
type Match struct {
	Ticket uint64
	// Score is the cosine of the nearest messages, 0 to 1; 0 by words.
	Score float64
}

// Words finds tickets that share rare words with a text, the most alike first.
type Words interface {
	Similar(ctx context.Context, a helpdesk.Actor, text string, except uint64, limit int) ([]uint64, error)
}

// Finder finds what is about the same as a ticket. It is safe for use by many
// goroutines.
type Finder struct {
	index *Index
	desk  *helpdesk.Desk
	words Words

	mu    sync.Mutex
	known map[uint64]remembered
}

// NewFinder returns a finder over the index, and over words where it has no
// vector.
func NewFinder(index *Index, desk *helpdesk.Desk, words Words) *Finder {
	return &Finder{index: index, desk: desk, words: words, known: map[uint64]remembered{}}
}

// Who goes through a list comes back to tickets; what was found stays a while.
const (
	rememberFor  = 2 * time.Minute
	rememberMost = 256
)

type remembered struct {
	customer uint64 // the newest customer message then
	at       time.Time
	found    Found
}

// MaxSimilar is how many tickets are found at most.
const MaxSimilar = 20

// Similar returns up to limit tickets that are about the same as the one with the
// given number. Spam and merged tickets are not among them.
func (f *Finder) Similar(ctx context.Context, a helpdesk.Actor, number uint64, limit int) (Found, error) {
	limit = max(0, min(limit, MaxSimilar))
	row, err := f.desk.TicketRow(ctx, a, number)
	if err != nil {
		return Found{}, err
	}
	found, err := f.find(ctx, a, &row.Ticket)
	if err != nil {
		return Found{}, fmt.Errorf("find what is similar to ticket %d: %w", number, err)
	}
	found.Tickets = found.Tickets[:min(len(found.Tickets), limit)]
	return found, nil
}

func (f *Finder) find(ctx context.Context, a helpdesk.Actor, t *helpdesk.Ticket) (Found, error) {
	now := f.desk.Now()
	f.mu.Lock()
	before, ok := f.known[t.Number]
	f.mu.Unlock()
	if ok && before.customer == t.CustomerSeq && now.Sub(before.at) < rememberFor {
		return before.found, nil
	}
	words, err := f.desk.TicketWords(ctx, t.Number)
	if err != nil || len(words) == 0 {
		return Found{By: ByWords}, err
	}
	found, ok, err := f.index.similar(ctx, t.Number, words)
	if err != nil {
		return found, err
	}
	if !ok {
		return f.byWords(ctx, a, t, words)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= rememberMost {
		clear(f.known)
	}
	f.known[t.Number] = remembered{t.CustomerSeq, now, found}
	return found, nil
}

// maxWordsText is how much of the newest message rare words are taken from, in
// characters.
const maxWordsText = 600

func (f *Finder) byWords(ctx context.Context, a helpdesk.Actor, t *helpdesk.Ticket, words []helpdesk.CustomerWords) (Found, error) {
	text := []rune(words[len(words)-1].Text)
	numbers, err := f.words.Similar(ctx, a, t.Subject+"\n"+string(text[:min(len(text), maxWordsText)]), t.Number, MaxSimilar)
	found := Found{By: ByWords}
	for _, n := range numbers {
		found.Tickets = append(found.Tickets, Match{Ticket: n})
	}
	return found, err
}

// How many of the nearest messages are looked at: first, and at most, where many
// are spam or of a few tickets.
const (
	keepFirst = 64
	keepMost  = 4096
)

// similar finds by vectors; false where the ticket has none yet.
func (ix *Index) similar(ctx context.Context, number uint64, words []helpdesk.CustomerWords) (Found, bool, error) {
	s, queries, err := ix.queries(ctx, words)
	if err != nil || len(queries) == 0 {
		return Found{}, false, err
	}
	for keep := keepFirst; ; keep *= 4 {
		hits, all, err := ix.nearest(ctx, s, queries, keep)
		if err != nil {
			return Found{}, false, err
		}
		enough := all.enough()
		near := slices.IndexFunc(hits, func(h hit) bool { return h.score < enough })
		last := near >= 0 || len(hits) == 0 || keep >= min(all.n, keepMost)
		if near >= 0 {
			hits = hits[:near]
		}
		matches, err := ix.tickets(ctx, hits, number)
		if err != nil {
			return Found{}, false, err
		}
		if last || len(matches) >= MaxSimilar {
			return Found{ByMeaning, matches[:min(len(matches), MaxSimilar)]}, true, nil
		}
	}
}

// queries are the vectors of what a ticket is about: its first message, and the
// newest one that says more than thanks.
func (ix *Index) queries(ctx context.Context, words []helpdesk.CustomerWords) (in *space, queries []vector, err error) {
	const more = 20 // characters
	ids := []string{words[0].Message}
	for _, w := range slices.Backward(words[1:]) {
		if len([]rune(strings.TrimSpace(w.Text))) >= more {
			ids = append(ids, w.Message)
			break
		}
	}
	err = ix.db.View(ctx, func(r store.Reader) error {
		in, queries = nil, nil
		list, err := answering(r)
		if err != nil {
			return err
		}
		for _, s := range list {
			for _, id := range ids {
				v, found, err := vectorOf(r, s, id)
				if errors.Is(err, store.ErrCorrupt) {
					return nil // verify tells of it; words are compared meanwhile
				}
				if err != nil {
					return err
				}
				if found {
					in, queries = s, append(queries, v)
				}
			}
			if len(queries) > 0 {
				return nil
			}
		}
		return nil
	})
	return in, queries, err
}

// tickets are where the messages are now, each ticket once, without one.
func (ix *Index) tickets(ctx context.Context, hits []hit, except uint64) ([]Match, error) {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.message
	}
	where, err := ix.desk.LocateMessages(ctx, ids)
	if err != nil {
		return nil, err
	}
	var matches []Match
	taken := map[uint64]bool{0: true, except: true}
	for i, number := range where {
		if !taken[number] {
			taken[number] = true
			matches = append(matches, Match{number, float64(hits[i].score)})
		}
	}
	return matches, nil
}
