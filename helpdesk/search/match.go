package search

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// out is the stage of a ticket that is not found whatever else it fulfils.
const out = -1

// wordHits are the documents in which the words of a clause stand.
type wordHits struct {
	clause *clause
	terms  [][]fieldLists // by segment, of each token; none where one of them is missing
	size   int            // of the lists that have to be read at least, in bytes

	hits   *[]hit // of the index's spare ones
	parts  []fieldHits
	named  []uint32 // tickets whose contact has the words, and no text of theirs
	rarity float64
}

// fieldLists are the postings of a token in a segment, by field: one list of each term.
type fieldLists [fieldCount][][]byte

// fieldHits are the hits in one field of one segment: a part of a clause's, in order.
type fieldHits struct {
	segment  int
	field    field
	from, to int
}

// evaluate brings the tickets that fulfil all clauses to a stage and returns that, as soon as
// it is clear which they are. Filters come first and then the rarest words, so that
// little is looked at and kept of the common ones.
func (s *searching) evaluate(ctx context.Context) (fulfilled int8, err error) {
	s.stage = make([]int8, len(s.snapshot.updated))
	for ticket, updated := range s.snapshot.updated {
		if updated == 0 {
			s.stage[ticket] = out
		}
	}
	for i := range s.clauses {
		if c := &s.clauses[i]; c.dated || len(c.facts) > 0 {
			err = s.filter(c, &fulfilled)
		} else {
			err = s.gather(c)
		}
		if err != nil {
			return 0, err
		}
	}
	for _, w := range slices.SortedStableFunc(slices.Values(s.words), compareSize) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if !slices.Contains(s.stage, fulfilled) {
			return fulfilled, nil
		}
		if err := s.match(w, &fulfilled); err != nil {
			return 0, err
		}
	}
	return fulfilled, nil
}

func compareSize(a, b *wordHits) int { return cmp.Compare(a.size, b.size) }

// mark counts a fulfilled clause for a ticket, once, where it fulfils those before.
func (s *searching) mark(c *clause, ticket uint32, before int8) {
	switch stage := &s.stage[ticket]; {
	case *stage < before:
	case c.not:
		*stage = out
	default:
		*stage = before + 1
	}
}

// filter evaluates a clause that is not of words.
func (s *searching) filter(c *clause, fulfilled *int8) error {
	if c.dated {
		s.filterDates(c, *fulfilled)
	} else if err := s.filterFacts(c, *fulfilled); err != nil {
		return err
	}
	if !c.not {
		*fulfilled++
	}
	return nil
}

func (s *searching) filterDates(c *clause, fulfilled int8) {
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
				s.mark(c, segment.tickets[ordinal], fulfilled)
			}
		}
	}
}

func (s *searching) filterFacts(c *clause, fulfilled int8) error {
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
						s.mark(c, segment.tickets[documents.ordinal], fulfilled)
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

// gather looks up the postings of a clause's words.
func (s *searching) gather(c *clause) error {
	w := &wordHits{clause: c, hits: s.spare.take(), terms: make([][]fieldLists, len(s.snapshot.segments))}
	s.words = append(s.words, w)
	if len(c.tokens) == 0 {
		return nil
	}
	for i, segment := range s.snapshot.segments {
		terms, least := make([]fieldLists, 0, len(c.tokens)), math.MaxInt
		for _, t := range c.tokens {
			lists, err := s.postings(segment, t, c.fields)
			if err != nil {
				return err
			}
			terms, least = append(terms, lists), min(least, lists.size())
			if least == 0 {
				break // nothing stands beside what is not there
			}
		}
		if least > 0 {
			w.terms[i], w.size = terms, w.size+least
		}
	}
	return nil
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
	err = termsWith(s.reader, segment.epoch, segment.id, segment.packed, prefix, func(term, postings []byte) {
		if f := field(term[len(term)-1]); f < fieldCount && slices.Contains(fields, f) {
			lists[f] = append(lists[f], postings)
		}
	})
	return lists, err
}

// match finds the living documents that hold the tokens of a clause side by side.
func (s *searching) match(w *wordHits, fulfilled *int8) error {
	t := &tally{stage: s.stage, before: *fulfilled, not: w.clause.not, hits: *w.hits}
	words, documents := w.clause.digest(), 0
	for i, segment := range s.snapshot.segments {
		if w.terms[i] == nil {
			continue
		}
		dead := s.snapshot.manifest.Segments[i].Dead
		known, counted := segment.counts.get(words, dead)
		t.counting, t.documents = !counted && !w.clause.not, 0
		if err := s.matchSegment(w, t, i); err != nil {
			return err
		}
		if t.counting {
			segment.counts.put(words, dead, t.documents)
			known = t.documents
		}
		documents += known
	}
	*w.hits = t.hits
	s.markNamed(w, *fulfilled)
	if n := w.clause.number; n > 0 && n < uint64(len(s.stage)) {
		s.mark(w.clause, uint32(n), *fulfilled)
	}
	if !w.clause.not {
		w.rarity = math.Log1p(float64(s.snapshot.living) / (float64(documents) + 0.5))
		*fulfilled++
	}
	return nil
}

// matchSegment adds the hits of one segment.
func (s *searching) matchSegment(w *wordHits, t *tally, i int) error {
	for _, f := range w.clause.fields {
		m := &matching{tally: t, segment: s.snapshot.segments[i], dead: s.snapshot.dead[i]}
		for n := range w.terms[i] {
			m.lists = append(m.lists, w.terms[i][n][f])
			m.distances = append(m.distances, w.clause.tokens[n].offset-w.clause.tokens[0].offset)
		}
		from := len(t.hits)
		if err := m.match(); err != nil {
			return err
		}
		if len(t.hits) > from {
			w.parts = append(w.parts, fieldHits{segment: i, field: f, from: from, to: len(t.hits)})
		}
	}
	return nil
}
