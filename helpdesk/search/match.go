package search

import (
	"math"
	"slices"
)

// hit is a document that holds the words of a clause in one field, and how often.
type hit struct {
	ordinal uint32
	count   uint32
}

// fieldHits are the hits in one field of one segment: a part of a clause's, in order.
type fieldHits struct {
	segment  int
	field    field
	from, to int
}

// clauseHits are the hits of a clause, by segment and field.
type clauseHits struct {
	hits   *[]hit // of the index's spare ones
	parts  []fieldHits
	rarity float64
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
	// namedWeight is that of a word that the contact has and no mail of the ticket: as in
	// the names of senders.
	namedWeight = 3
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
	s.found = append(s.found, found)
	if err != nil {
		return err
	}
	found.rarity = math.Log1p(float64(s.snapshot.living) / (float64(len(*found.hits)) + 0.5))
	for _, part := range found.parts {
		segment := s.snapshot.segments[part.segment]
		for _, h := range (*found.hits)[part.from:part.to] {
			if ticket := segment.tickets[h.ordinal]; c.not || s.open(ticket, wanted) {
				s.mark(c, ticket, wanted, s.weight(found, part, h))
			}
		}
	}
	s.markNamed(c, wanted)
	if c.number > 0 && c.number < uint64(len(s.snapshot.updated)) {
		s.mark(c, uint32(c.number), wanted, numberScore)
	}
	if c.not {
		found.parts = nil // they show nothing
	}
	return nil
}

// open tells whether a ticket has fulfilled all clauses before, so that this one matters.
func (s *searching) open(ticket uint32, wanted uint8) bool {
	return int(ticket) < len(s.stage) && s.stage[ticket] >= wanted
}

// weight is what a hit adds to the score of its ticket.
func (s *searching) weight(found *clauseHits, part fieldHits, h hit) float32 {
	relative := float64(s.snapshot.segments[part.segment].lengths[h.ordinal]) / s.snapshot.length
	count := float64(h.count)
	return weights[part.field] * float32(found.rarity*count*(saturation+1)/(count+saturation*(1-lengthEffect+lengthEffect*relative)))
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
			lists, err := s.postings(segment, queryToken{text: bound(fact, 1024)}, []field{fieldFact})
			if err != nil {
				return err
			}
			for _, list := range lists[fieldFact] {
				documents := readPostings(list, len(segment.tickets))
				for documents.next() {
					if !s.snapshot.dead[i].has(documents.ordinal) {
						s.mark(c, segment.tickets[documents.ordinal], wanted, 0)
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

// words finds the living documents that hold the tokens of c side by side.
func (s *searching) words(c *clause) (*clauseHits, error) {
	found := &clauseHits{hits: s.spare.take()}
	if len(c.tokens) == 0 {
		return found, nil
	}
	for i, segment := range s.snapshot.segments {
		lists := make([][fieldCount][][]byte, 0, len(c.tokens))
		for _, t := range c.tokens {
			list, err := s.postings(segment, t, c.fields)
			if err != nil {
				return found, err
			}
			lists = append(lists, list)
			if !slices.ContainsFunc(c.fields, func(f field) bool { return len(list[f]) > 0 }) {
				break // nothing stands beside what is not there
			}
		}
		if len(lists) < len(c.tokens) {
			continue
		}
		for _, f := range c.fields {
			m := &matching{hits: *found.hits, dead: s.snapshot.dead[i], documents: len(segment.tickets)}
			from := len(m.hits)
			for n := range c.tokens {
				m.lists = append(m.lists, lists[n][f])
				m.distances = append(m.distances, c.tokens[n].offset-c.tokens[0].offset)
			}
			err := m.match()
			*found.hits = m.hits
			if err != nil {
				return found, err
			}
			if len(m.hits) > from {
				found.parts = append(found.parts, fieldHits{segment: i, field: f, from: from, to: len(m.hits)})
			}
		}
	}
	return found, nil
}

// postings are the lists of a token in a segment, by field: one of each term. They
// are valid as long as the transaction.
func (s *searching) postings(segment *segment, t queryToken, fields []field) (lists [fieldCount][][]byte, err error) {
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

// choosePieces picks, for each ticket on the page, the message or note in which
// the words weigh most.
func (s *searching) choosePieces() error {
	type candidate struct {
		segment int
		ordinal uint32
	}
	page := map[uint32]map[candidate]float32{}
	shown := make([]bool, len(s.stage))
	for _, r := range s.page {
		page[r.Ticket] = map[candidate]float32{}
		shown[r.Ticket] = true
	}
	for _, found := range s.found {
		for _, part := range found.parts {
			segment := s.snapshot.segments[part.segment]
			for _, h := range (*found.hits)[part.from:part.to] {
				if ticket := segment.tickets[h.ordinal]; int(ticket) < len(shown) && shown[ticket] && segment.kinds[h.ordinal] != pieceHead {
					page[ticket][candidate{part.segment, h.ordinal}] += s.weight(found, part, h)
				}
			}
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
func (s *searching) older(segmentA int, a uint32, segmentB int, b uint32) bool {
	if segmentA != segmentB {
		return segmentA < segmentB
	}
	return a < b
}
