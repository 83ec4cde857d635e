package search

import (
	"cmp"
	"math"
	"slices"
)

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

// ranked is a ticket with what it is sorted by.
type ranked struct {
	Score  float64
	Ticket uint32
}

func (a ranked) compare(b ranked) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Ticket, a.Ticket))
}

// score weighs the words in the tickets that are found, in the order in which they were typed.
func (s *searching) score() []float32 {
	scores := make([]float32, len(s.snapshot.updated))
	for _, w := range s.words {
		for _, part := range w.parts {
			segment := s.snapshot.segments[part.segment]
			for _, h := range part.hits() {
				if ticket := segment.tickets[h.ordinal]; s.found.has(ticket) {
					scores[ticket] += s.weight(w, part, h)
				}
			}
		}
		s.scoreNamed(w, scores)
		if n := w.clause.number; n > 0 && n < uint64(len(scores)) && !w.clause.not {
			scores[n] += numberScore
		}
	}
	return scores
}

// weight is what a hit adds to the score of its ticket.
func (s *searching) weight(w *wordHits, part fieldHits, h hit) float32 {
	relative := float64(s.snapshot.segments[part.segment].lengths[h.ordinal]) / s.snapshot.length
	count := float64(h.count)
	return weights[part.field] * float32(w.rarity*count*(saturation+1)/(count+saturation*(1-lengthEffect+lengthEffect*relative)))
}

// rank counts the tickets that fulfil everything, and keeps the page's.
func (s *searching) rank() {
	var scores []float32
	if s.order == Relevance {
		scores = s.score()
	}
	for ticket := range s.found.all() {
		s.total++
		updated := s.snapshot.updated[ticket]
		r := ranked{Ticket: ticket, Score: float64(updated)}
		if s.order == Relevance {
			score := float64(scores[ticket])
			if len(s.page) > s.limit && score*maxRecency < s.page[s.limit].Score {
				continue
			}
			r.Score = score * recency(s.now-int64(updated))
		}
		if s.after != nil && r.compare(*s.after) <= 0 {
			continue
		}
		if len(s.page) > s.limit && r.compare(s.page[s.limit]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(s.page, r, ranked.compare)
		s.page = slices.Insert(s.page, at, r)
		s.page = s.page[:min(len(s.page), s.limit+1)]
	}
	if s.more = len(s.page) > s.limit; s.more {
		s.page = s.page[:s.limit]
	}
}

const maxRecency = 1.5

// recency weighs a ticket changed just now half as much again as an old one.
func recency(age int64) float64 {
	const halfLife = 60 * 24 * 3600 // seconds
	return 1 + (maxRecency-1)*math.Exp2(-float64(max(age, 0))/halfLife)
}

// choosePieces picks, for each ticket on the page, the message or note in which
// the words weigh most.
func (s *searching) choosePieces() error {
	type candidate struct {
		segment int
		ordinal uint32
	}
	page := map[uint32]map[candidate]float32{}
	shown := newTicketSet(len(s.snapshot.updated))
	for _, r := range s.page {
		page[r.Ticket] = map[candidate]float32{}
		shown.add(r.Ticket)
	}
	for _, w := range s.words {
		for _, part := range w.parts {
			segment := s.snapshot.segments[part.segment]
			for _, h := range part.hits() {
				if ticket := segment.tickets[h.ordinal]; shown.has(ticket) && segment.kinds[h.ordinal] != pieceHead {
					page[ticket][candidate{part.segment, h.ordinal}] += s.weight(w, part, h)
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
