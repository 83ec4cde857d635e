package search

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Sort is an order of results.
type Sort string

// The orders. Relevance weighs where words stand (subject and sender before text,
// new words before quotes), how rare they are, and how recently a ticket
// changed. A query without words is always sorted by Newest.
const (
	Relevance Sort = "relevance"
	Newest    Sort = "newest" // the ticket changed last comes first
)

// Query asks for tickets.
type Query struct {
	// Text is what somebody typed: words, of which all must occur somewhere in
	// the ticket; "phrases"; -without; and filters such as from:tamura or
	// is:open.
	Text string
	Sort Sort // Relevance where empty
	// Within narrows to a list of the inbox: its View (every ticket that is not
	// spam where empty), Filter, Only and Contact count, of the filter all but Unread.
	Within helpdesk.TicketQuery
	// Zone is where the days of before: and after: begin; UTC where nil.
	Zone  *time.Location
	Limit int // 50 when zero, at most 200
	After string
}

// Results are a page of the tickets found.
type Results struct {
	Hits  []Hit
	Total int    // on all pages
	Next  string // Query.After of the next page, "" at the end
	// Known of Events events are in the index: fewer where it is being made anew for
	// another version's format, or mail comes faster than it follows. What the rest changed is not found yet.
	Known, Events uint64
}

// Catching reports whether so much is not in the index yet that people should know.
func (r Results) Catching() bool { return r.Events > r.Known+maxLag }

// Hit is one ticket found.
type Hit struct {
	Row     helpdesk.TicketRow
	Subject []Run
	// Snippet is from the message or note that fits best, or what a list shows.
	Snippet []Run
	Message string // id of the message it is from, or ""
	Note    string // id of the note, or ""
}

// Run is a stretch of plain text; Match says that it was searched for.
type Run struct {
	Text  string
	Match bool
}

// Search finds tickets. It waits a moment for the index to know of everything
// that was durable at the call. CodeInvalid explains what is wrong with a query.
func (ix *Index) Search(ctx context.Context, a helpdesk.Actor, q Query) (Results, error) {
	users, err := ix.desk.Users(ctx, a) // also checks that a may read
	if err != nil {
		return Results{}, err
	}
	lists, err := ix.lists(ctx, a, q.Within)
	if err != nil {
		return Results{}, err
	}
	fields, err := ix.desk.Fields(ctx, a)
	if err != nil {
		return Results{}, err
	}
	s, err := ix.prepare(q, people{actor: a, users: users, fields: fields}, lists)
	if err != nil {
		return Results{}, err
	}
	if err := ix.catchUp(ctx); err != nil {
		return Results{}, fmt.Errorf("search: %w", err)
	}
	if err := s.findNamed(ctx, ix.desk, a); err != nil {
		return Results{}, fmt.Errorf("search: %w", err)
	}
	defer func() { ix.spare.giveBack(s.words) }()
	var known uint64
	err = ix.db.View(ctx, func(r store.Reader) error {
		state, err := ix.snapshot(r)
		if state == nil || err != nil {
			return err
		}
		known = state.manifest.Cursor
		s.reader, s.snapshot = r, state
		return s.run(ctx)
	})
	if err != nil {
		return Results{}, fmt.Errorf("search: %w", err)
	}
	results, err := ix.show(ctx, a, s)
	if err != nil {
		return Results{}, err
	}
	results.Known = known
	if results.Events, err = ix.desk.LastSeq(ctx); err != nil {
		return Results{}, fmt.Errorf("search: %w", err)
	}
	return results, nil
}

func (ix *Index) prepare(q Query, p people, l lists) (*searching, error) {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	clauses, err := parseQuery(q.Text, zone, p)
	if err != nil {
		return nil, err
	}
	within, err := withinClauses(q.Within, p.actor, l)
	if err != nil {
		return nil, err
	}
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	s := &searching{index: ix, clauses: clauses, limit: q.Limit, order: q.Sort, now: ix.desk.Now().Unix()}
	switch {
	case q.Sort != "" && q.Sort != Relevance && q.Sort != Newest:
		return nil, &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: "sort", Key: "error.sort_unknown", Args: []any{q.Sort}, Message: fmt.Sprintf("sort %q is not one of %s, %s", q.Sort, Relevance, Newest)}
	case !slices.ContainsFunc(clauses, func(c clause) bool { return c.isWords() && !c.not }):
		s.order = Newest
	case q.Sort == "":
		s.order = Relevance
	}
	s.clauses = append(s.clauses, within...)
	if q.Within.View == "" && !slices.ContainsFunc(clauses, func(c clause) bool { return slices.Contains(c.facts, factSpam) }) {
		s.clauses = append(s.clauses, clause{not: true, facts: []string{factSpam}})
	}
	return s, s.resume(q.After)
}

// searching is one search under way.
type searching struct {
	index    *Index
	clauses  []clause
	limit    int
	order    Sort
	now      int64 // Unix seconds that recency counts from; the same on every page
	after    *ranked
	reader   store.Reader
	snapshot *snapshot

	found ticketSet   // that fulfil the clauses evaluated so far
	words []*wordHits // of the clauses that have some, as they were typed

	total int
	page  []ranked
	more  bool
	best  map[uint32]string // by ticket: the piece to show
}

// position is where a page ends, as Results.Next holds it.
type position struct {
	ranked
	Order Sort
	Now   int64
}

func (s *searching) resume(after string) error {
	if after == "" {
		return nil
	}
	var p position
	data, err := base64.RawURLEncoding.DecodeString(after)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Order != s.order {
		return &helpdesk.Error{Code: helpdesk.CodeInvalid, Field: "after", Key: "error.after_invalid", Args: []any{after},
			Message: fmt.Sprintf("after=%q is not from this list; leave it out to start at the beginning", after)}
	}
	s.after, s.now = &p.ranked, p.Now
	return nil
}

func (s *searching) next() (string, error) {
	if !s.more {
		return "", nil
	}
	data, err := json.Marshal(position{s.page[len(s.page)-1], s.order, s.now})
	return base64.RawURLEncoding.EncodeToString(data), err
}

func (s *searching) run(ctx context.Context) error {
	if err := s.evaluate(ctx); err != nil {
		return err
	}
	s.rank()
	return s.choosePieces()
}

// spareHits keeps the memory of hits between searches: those of a common word take
// some MiB.
type spareHits struct{ pool sync.Pool }

func (s *spareHits) take() *[]hit {
	if kept, ok := s.pool.Get().(*[]hit); ok {
		*kept = (*kept)[:0]
		return kept
	}
	return new([]hit)
}

func (s *spareHits) giveBack(found []*wordHits) {
	for _, w := range found {
		for _, kept := range w.kept {
			s.pool.Put(kept)
		}
	}
}
