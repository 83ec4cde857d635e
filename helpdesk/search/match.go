package search

import (
	"math"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// match is a document that holds the words of a clause in one field.
type match struct {
	segment uint16
	field   field
	count   uint16 // of occurrences
	ordinal uint32
	weight  float32
}

// weights say how much a word counts by where it stands.
var weights = [fieldCount]float32{fieldSubject: 4, fieldBody: 1.5, fieldRest: 0.4, fieldFrom: 3, fieldTo: 1, fieldParty: 2,
	fieldAttachment: 2, fieldNote: 1.2, fieldTag: 3}

// The constants of BM25: how fast more occurrences stop to matter, and how much a
// long text needs more of them.
const (
	saturation   = 1.2
	lengthEffect = 0.6
	numberScore  = 50 // of the ticket whose number was typed
)

// evaluate marks the tickets that fulfil c: those that fulfilled all wanted
// positive clauses before it, or, where it is negative, the excluded ones.
func (s *searching) evaluate(c *clause, wanted uint8) error {
	switch {
	case c.dated:
		s.evaluateDates(c, wanted)
		return nil
	case len(c.facts) > 0:
		return s.evaluateFacts(c, wanted)
	}
	found, err := s.words(c)
	if err != nil {
		return err
	}
	rarity := math.Log1p(float64(s.snapshot.living) / (float64(len(found)) + 0.5))
	for i := range found {
		m := &found[i]
		segment := s.snapshot.segments[m.segment]
		relative := float64(segment.lengths[m.ordinal]) / s.snapshot.length
		count := float64(m.count)
		score := rarity * count * (saturation + 1) / (count + saturation*(1-lengthEffect+lengthEffect*relative))
		m.weight = weights[m.field] * float32(score)
		s.mark(c, segment.tickets[m.ordinal], wanted, m.weight)
	}
	if c.number > 0 && c.number < uint64(len(s.snapshot.updated)) {
		s.mark(c, uint32(c.number), wanted, numberScore)
	}
	if !c.not {
		s.matches = append(s.matches, found...)
	}
	return nil
}

// mark counts a fulfilled clause for a ticket, once, and adds to its score.
func (s *searching) mark(c *clause, ticket uint32, wanted uint8, score float32) {
	if int(ticket) >= len(s.stage) {
		return // its head is not indexed yet
	}
	if c.not {
		s.excluded[ticket] = true
		return
	}
	if s.stage[ticket] == wanted {
		s.stage[ticket]++
	}
	if s.stage[ticket] == wanted+1 {
		s.scores[ticket] += score
	}
}

func (s *searching) evaluateDates(c *clause, wanted uint8) {
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
				s.mark(c, segment.tickets[ordinal], wanted, 0)
			}
		}
	}
}

func (s *searching) evaluateFacts(c *clause, wanted uint8) error {
	for i, segment := range s.snapshot.segments {
		for _, fact := range c.facts {
			lists, err := s.occurrences(segment, queryToken{text: bound(fact, 1024)}, []field{fieldFact})
			if err != nil {
				return err
			}
			for _, p := range lists[fieldFact] {
				if !s.snapshot.dead[i].has(p.ordinal()) {
					s.mark(c, segment.tickets[p.ordinal()], wanted, 0)
				}
			}
		}
	}
	return nil
}

// words finds the living documents that hold the tokens of c side by side.
func (s *searching) words(c *clause) (found []match, err error) {
	if len(c.tokens) == 0 {
		return nil, nil
	}
	for i, segment := range s.snapshot.segments {
		lists, err := s.occurrences(segment, c.tokens[0], c.fields)
		if err != nil {
			return nil, err
		}
		for _, t := range c.tokens[1:] {
			if !slices.ContainsFunc(c.fields, func(f field) bool { return len(lists[f]) > 0 }) {
				break
			}
			more, err := s.occurrences(segment, t, c.fields)
			if err != nil {
				return nil, err
			}
			for _, f := range c.fields {
				lists[f] = adjacent(lists[f], more[f], posting(t.offset-c.tokens[0].offset))
			}
		}
		for _, f := range c.fields {
			found = s.collect(found, i, f, lists[f])
		}
	}
	return found, nil
}

func (s *searching) collect(found []match, segment int, f field, list []posting) []match {
	dead := s.snapshot.dead[segment]
	for i := 0; i < len(list); {
		m := match{segment: uint16(segment), field: f, ordinal: list[i].ordinal()}
		for ; i < len(list) && list[i].ordinal() == m.ordinal; i++ {
			m.count = min(m.count+1, math.MaxUint16-1)
		}
		if !dead.has(m.ordinal) {
			found = append(found, m)
		}
	}
	return found
}

// adjacent keeps the occurrences in a that have one in b at a distance. It
// reuses the memory of a.
func adjacent(a, b []posting, distance posting) []posting {
	kept := a[:0]
	j := 0
	for _, p := range a {
		for j < len(b) && b[j] < p+distance {
			j++
		}
		if j == len(b) {
			break
		}
		if b[j] == p+distance {
			kept = append(kept, p)
		}
	}
	return kept
}

// occurrences reads where a token stands in a segment, by field.
func (s *searching) occurrences(segment *segment, t queryToken, fields []field) (lists [fieldCount][]posting, err error) {
	prefix := t.text
	if !t.prefix {
		prefix += "\x00"
	}
	var terms [fieldCount]int
	for entry, err := range s.reader.Scan(store.Prefix(postingsKey(segment.epoch, segment.id, prefix))) {
		if err != nil {
			return lists, err
		}
		f := field(entry.Key[len(entry.Key)-1])
		if f >= fieldCount || !slices.Contains(fields, f) {
			continue
		}
		if lists[f], err = decodePostings(lists[f], entry.Value); err != nil {
			return lists, err
		}
		terms[f]++
	}
	for f := range lists {
		if terms[f] > 1 {
			slices.Sort(lists[f])
		}
		if n := len(lists[f]); n > 0 && int(lists[f][n-1].ordinal()) >= len(segment.tickets) {
			return lists, errPostings
		}
	}
	return lists, nil
}

// choosePieces picks, for each ticket on the page, the message or note in which
// the words weigh most.
func (s *searching) choosePieces() error {
	type candidate struct {
		segment uint16
		ordinal uint32
	}
	page := map[uint32]map[candidate]float32{}
	for _, r := range s.page {
		page[r.Ticket] = map[candidate]float32{}
	}
	for _, m := range s.matches {
		segment := s.snapshot.segments[m.segment]
		if pieces, ok := page[segment.tickets[m.ordinal]]; ok && segment.kinds[m.ordinal] != pieceHead {
			pieces[candidate{m.segment, m.ordinal}] += m.weight
		}
	}
	s.best = map[uint32]string{}
	for ticket, pieces := range page {
		var chosen candidate
		highest := float32(-1)
		for piece, weight := range pieces {
			if weight > highest || weight == highest && s.older(piece.segment, piece.ordinal, chosen.segment, chosen.ordinal) {
				chosen, highest = piece, weight
			}
		}
		if highest < 0 {
			continue
		}
		record, err := s.snapshot.segments[chosen.segment].record(s.reader, chosen.ordinal)
		if err != nil {
			return err
		}
		s.best[ticket] = record.piece
	}
	return nil
}

// older compares generations, so that the choice among equals is always the same.
func (s *searching) older(segmentA uint16, a uint32, segmentB uint16, b uint32) bool {
	if segmentA != segmentB {
		return segmentA < segmentB
	}
	return a < b
}
