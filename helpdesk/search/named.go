package search

import (
	"context"
	"math"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// findNamed looks up the tickets whose contact, or whose contact's company, has the words
// asked for. What people of the house write on contacts and companies is in no mail, and
// one change of it would be one of thousands of pieces: so it is asked for, not indexed.
func (s *searching) findNamed(ctx context.Context, desk *helpdesk.Desk, a helpdesk.Actor) error {
	for i := range s.clauses {
		if err := s.clauses[i].findNamed(ctx, desk, a); err != nil {
			return err
		}
	}
	return nil
}

func (c *clause) findNamed(ctx context.Context, desk *helpdesk.Desk, a helpdesk.Actor) (err error) {
	if c.naming != "" {
		if c.named, err = desk.TicketsNaming(ctx, a, c.naming, c.phrase); err != nil {
			return err
		}
	}
	for i := range c.or {
		if err := c.or[i].findNamed(ctx, desk, a); err != nil {
			return err
		}
	}
	return nil
}

// addNamed adds the tickets whose contact has the words of a clause, and the one whose
// number was typed.
func (s *searching) addNamed(w *wordHits, fulfilled ticketSet) {
	for _, number := range w.clause.named {
		if ticket := uint32(number); number < uint64(len(s.snapshot.updated)) && s.found.has(ticket) && !fulfilled.has(ticket) {
			fulfilled.add(ticket)
			w.named = append(w.named, ticket)
		}
	}
	if n := w.clause.number; n < uint64(len(s.snapshot.updated)) { // 0 is no ticket's
		fulfilled.add(uint32(n))
	}
}

// scoreNamed weighs the words in the contacts of the tickets that were marked for them.
func (s *searching) scoreNamed(w *wordHits, scores []float32) {
	rarity := math.Log1p(float64(s.snapshot.living) / (float64(len(w.clause.named)) + 0.5))
	for _, ticket := range w.named {
		scores[ticket] += float32(namedWeight * rarity)
	}
}
