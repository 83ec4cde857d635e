package search

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
)

// aloneBytes of postings are matched by one goroutine, in less time than others would
// help to save.
const aloneBytes = 64 << 10

// wordHits are the documents in which the words of a clause stand.
type wordHits struct {
	clause *clause
	// or are of the words that do as well; alternative says that these are such.
	or          []*wordHits
	alternative bool
	terms       [][]tokenLists // by segment, of the tokens to look at; none where a token is missing
	size        int            // of the shortest lists, in bytes
	bytes       int            // of the lists of all tokens to look at

	kept   []*[]hit    // memory of the index's spare ones, which the parts are in
	parts  []fieldHits // by segment
	named  []uint32    // tickets whose contact has the words, and perhaps no text of theirs
	rarity float64
}

// tokenLists are the postings of a token in a segment.
type tokenLists struct {
	offset uint32 // of the token
	fields fieldLists
}

// fieldLists are the postings of a token in a segment, by field: one list of each term.
type fieldLists [fieldCount][][]byte

// fieldHits are the hits in one field of one segment: a part of a clause's, in order.
type fieldHits struct {
	segment  int
	field    field
	kept     *[]hit
	from, to int
}

func (p fieldHits) hits() []hit { return (*p.kept)[p.from:p.to] }

// evaluate leaves the tickets that fulfil all clauses. Filters come first and then the rarest
// words, so that little is looked at and kept of the common ones.
func (s *searching) evaluate(ctx context.Context) error {
	s.found = newTicketSet(len(s.snapshot.updated))
	for ticket, updated := range s.snapshot.updated {
		if updated != 0 {
			s.found.add(uint32(ticket))
		}
	}
	for i := range s.clauses {
		var err error
		if c := &s.clauses[i]; c.dated || len(c.facts) > 0 {
			err = s.filter(c)
		} else {
			err = s.gather(c)
		}
		if err != nil {
			return err
		}
	}
	asked := slices.DeleteFunc(slices.Clone(s.words), func(w *wordHits) bool { return w.alternative })
	slices.SortStableFunc(asked, compareSize)
	for _, w := range asked {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.found.empty() {
			return nil
		}
		if err := s.match(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func compareSize(a, b *wordHits) int { return cmp.Compare(a.size, b.size) }

// filter evaluates a clause that is not of words.
func (s *searching) filter(c *clause) error {
	fulfilled := newTicketSet(len(s.snapshot.updated))
	if c.dated {
		s.filterDates(c, fulfilled)
	} else if err := s.filterFacts(c, fulfilled); err != nil {
		return err
	}
	s.found.keep(fulfilled, c.not)
	return nil
}

func (s *searching) filterDates(c *clause, fulfilled ticketSet) {
	from, before := uint32(0), uint32(math.MaxUint32)
	if !c.from.IsZero() {
		from = seconds(c.from.Unix())
	}
	if !c.before.IsZero() {
		before = seconds(c.before.Unix())
	}
	for i, segment := range s.snapshot.segments {
		for ordinal, at := range segment.at {
			if segment.kinds[ordinal] != pieceHead && from <= at && at < before && !s.snapshot.dead[i].has(uint32(ordinal)) {
				fulfilled.add(segment.tickets[ordinal])
			}
		}
	}
}

func (s *searching) filterFacts(c *clause, fulfilled ticketSet) error {
	for i, segment := range s.snapshot.segments {
		for _, fact := range c.facts {
			lists, err := s.postings(segment, queryToken{text: bound(fact, 1024)}, []field{fieldFact})
			if err != nil {
				return err
			}
			for _, list := range lists[fieldFact] {
				documents := readPostings(list, len(segment.tickets))
				for documents.next() {
					if !s.snapshot.dead[i].has(documents.ordinal) {
						fulfilled.add(segment.tickets[documents.ordinal])
					}
				}
				if documents.err != nil {
					return documents.err
				}
			}
		}
	}
	return nil
}

// gather looks up the postings of a clause's words, and of those that do as well.
func (s *searching) gather(c *clause) error {
	w, err := s.lookUp(c)
	if err != nil {
		return err
	}
	for i := range c.or {
		o, err := s.lookUp(&c.or[i])
		if err != nil {
			return err
		}
		o.alternative = true
		w.or = append(w.or, o)
		w.size += o.size
	}
	return nil
}

func (s *searching) lookUp(c *clause) (*wordHits, error) {
	w := &wordHits{clause: c, terms: make([][]tokenLists, len(s.snapshot.segments))}
	s.words = append(s.words, w)
	if len(c.tokens) == 0 {
		return w, nil
	}
	terms, sizes := make([]tokenLists, len(c.tokens)), make([]int, len(c.tokens))
	for i, segment := range s.snapshot.segments {
		missing := false
		for n := 0; n < len(c.tokens) && !missing; n++ {
			lists, err := s.postings(segment, c.tokens[n], c.fields)
			if err != nil {
				return nil, err
			}
			terms[n], sizes[n] = tokenLists{c.tokens[n].offset, lists}, lists.size()
			missing = sizes[n] == 0
		}
		if missing {
			continue // nothing stands beside what is not there
		}
		for _, n := range cover(c.tokens, sizes) {
			w.terms[i] = append(w.terms[i], terms[n])
			w.bytes += sizes[n]
		}
		w.size += slices.Min(sizes)
	}
	return w, nil
}

// size is how many bytes the lists have together.
func (l *fieldLists) size() (n int) {
	for _, terms := range l {
		for _, list := range terms {
			n += len(list)
		}
	}
	return n
}

// postings are the lists of a token in a segment. They are valid as long as the transaction.
func (s *searching) postings(segment *segment, t queryToken, fields []field) (lists fieldLists, err error) {
	prefix := t.text
	if !t.prefix {
		prefix += "\x00"
	}
	err = termsWith(s.reader, segment.epoch, segment.id, prefix, func(term, postings []byte) {
		if f := field(term[len(term)-1]); f < fieldCount && slices.Contains(fields, f) {
			lists[f] = append(lists[f], postings)
		}
	})
	return lists, err
}

// match keeps the tickets that fulfil a clause, with the words of any of its alternatives.
func (s *searching) match(ctx context.Context, w *wordHits) error {
	fulfilled := newTicketSet(len(s.snapshot.updated))
	for _, either := range append([]*wordHits{w}, w.or...) {
		if err := s.matchWords(ctx, either, fulfilled); err != nil {
			return err
		}
	}
	s.found.keep(fulfilled, w.clause.not)
	return nil
}

// matchWords adds the tickets of which a living document has the tokens of a clause side by side.
func (s *searching) matchWords(ctx context.Context, w *wordHits, fulfilled ticketSet) error {
	var segments []int
	for i, terms := range w.terms {
		if terms != nil {
			segments = append(segments, i)
		}
	}
	documents := 0
	var together sync.Mutex
	work := func(units iter.Seq[int]) error {
		t := s.newTally(w)
		for unit := range units {
			if err := s.matchSegment(t, segments[unit]); err != nil {
				return err
			}
		}
		together.Lock()
		defer together.Unlock()
		fulfilled.addAll(t.fulfilled)
		documents += t.documents
		w.parts = append(w.parts, t.parts...)
		*t.kept, w.kept = t.hits, append(w.kept, t.kept)
		return nil
	}
	goroutines := len(segments)
	if w.bytes <= s.index.alone {
		goroutines = 1
	}
	if err := s.index.processors.share(ctx, len(segments), goroutines, work); err != nil {
		return fmt.Errorf("match words: %w", err)
	}
	slices.SortStableFunc(w.parts, func(a, b fieldHits) int { return cmp.Compare(a.segment, b.segment) })
	s.addNamed(w, fulfilled)
	w.rarity = math.Log1p(float64(s.snapshot.living) / (float64(documents) + 0.5))
	return nil
}

// newTally begins to match a clause in some of the segments.
func (s *searching) newTally(w *wordHits) *tally {
	kept := s.index.spare.take()
	return &tally{words: w, digest: w.clause.digest(), not: w.clause.not, found: s.found,
		fulfilled: newTicketSet(len(s.snapshot.updated)), hits: *kept, kept: kept}
}

// matchSegment adds the hits of one segment.
func (s *searching) matchSegment(t *tally, i int) error {
	segment, dead, before := s.snapshot.segments[i], s.snapshot.manifest.Segments[i].Dead, t.documents
	known, counted := segment.counts.get(t.digest, dead)
	t.counting = !counted && !t.not
	for _, f := range t.words.clause.fields {
		m := &matching{tally: t, segment: segment, dead: s.snapshot.dead[i]}
		first := t.words.terms[i][0].offset
		for _, lists := range t.words.terms[i] {
			m.lists = append(m.lists, lists.fields[f])
			m.distances = append(m.distances, lists.offset-first)
		}
		from := len(t.hits)
		if err := m.match(); err != nil {
			return err
		}
		if to := len(t.hits); to > from {
			t.parts = append(t.parts, fieldHits{segment: i, field: f, kept: t.kept, from: from, to: to})
		}
	}
	if counted {
		t.documents = before + known
	} else if t.counting {
		segment.counts.put(t.digest, dead, t.documents-before)
	}
	return nil
}
