package search

import (
	"context"
	"math"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// findNamed looks up the tickets whose contact, or whose contact's company, has the words
// asked for. What people of the house write on contacts and companies is in no mail, and
// one change of it would be one of thousands of pieces: so it is asked for, not indexed.
func (s *searching) findNamed(ctx context.Context, desk *helpdesk.Desk, a helpdesk.Actor) (err error) {
	for i := range s.clauses {
		c := &s.clauses[i]
		if c.naming == "" {
			continue
		}
		if c.named, err = desk.TicketsNaming(ctx, a, c.naming, c.phrase); err != nil {
			return err
		}
	}
	return nil
}

// markNamed marks the tickets whose contact has the words of c, where no text of theirs
// has them.
func (s *searching) markNamed(c *clause, wanted uint8) {
	rarity := math.Log1p(float64(s.snapshot.living) / (float64(len(c.named)) + 0.5))
	for _, number := range c.named {
		if number < uint64(len(s.stage)) && (c.not || s.stage[number] == wanted) {
			s.mark(c, uint32(number), wanted, float32(namedWeight*rarity))
		}
	}
}
