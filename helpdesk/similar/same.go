package similar

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// SameReason says why two tickets may be one matter.
type SameReason string

// The reasons.
const (
	SameCustomer SameReason = "customer" // the same customer asks much the same
	SameText     SameReason = "text"     // the same text, from another address or to another alias
)

// Same is a ticket that may be the same matter as another.
type Same struct {
	Ticket uint64
	Why    SameReason
}

// Limits of what may be the same matter.
const (
	maxSame      = 3
	sameCustomer = 14 * 24 * time.Hour // between the beginnings of two tickets of a customer
	sameText     = 7 * 24 * time.Hour  // of different customers
	sameAlike    = 10                  // of the most alike tickets are compared word by word
	sameMeaning  = 0.85                // cosine of what one customer asks twice
)

// Same returns the tickets that may be the same matter as an open one, at most
// three. It is a hint: nothing is merged by itself. What somebody told apart is
// not among them.
func (f *Finder) Same(ctx context.Context, a helpdesk.Actor, number uint64) ([]Same, error) {
	row, err := f.desk.TicketRow(ctx, a, number)
	if err != nil {
		return nil, err
	}
	t := &row.Ticket
	if !t.Open || t.Spam != nil || t.MergedInto != 0 {
		return nil, nil
	}
	words, err := f.desk.TicketWords(ctx, number)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	c := comparison{finder: f, actor: a, ticket: t, words: words}
	if c.apart, err = f.desk.DistinctFrom(ctx, number); err != nil {
		return nil, err
	}
	if c.alike, err = f.find(ctx, a, t); err != nil {
		return nil, err
	}
	if err := c.customers(ctx); err != nil {
		return nil, fmt.Errorf("compare with the customer's other tickets: %w", err)
	}
	if err := c.texts(ctx); err != nil {
		return nil, fmt.Errorf("compare with similar tickets: %w", err)
	}
	return c.found, nil
}

// comparison looks for what is the same matter as one ticket.
type comparison struct {
	finder *Finder
	actor  helpdesk.Actor
	ticket *helpdesk.Ticket
	words  []helpdesk.CustomerWords
	apart  []uint64
	alike  Found
	found  []Same
}

// open reports whether a ticket is still to be compared with.
func (c *comparison) open(t *helpdesk.Ticket, within time.Duration) bool {
	apart := t.CreatedAt.Sub(c.ticket.CreatedAt).Abs()
	return len(c.found) < maxSame && t.Number != c.ticket.Number && t.MergedInto == 0 && t.Spam == nil && apart <= within &&
		t.Previous != c.ticket.Number && c.ticket.Previous != t.Number && !slices.Contains(c.apart, t.Number) &&
		!slices.ContainsFunc(c.found, func(s Same) bool { return s.Ticket == t.Number })
}

func (c *comparison) customers(ctx context.Context) error {
	for _, view := range []helpdesk.View{helpdesk.ViewOpen, helpdesk.ViewClosed} {
		rows, _, err := c.finder.desk.Tickets(ctx, c.actor, helpdesk.TicketQuery{View: view, Contact: c.ticket.ContactID, Limit: helpdesk.MaxContactTickets})
		if err != nil {
			return err
		}
		for i := range rows {
			if !c.open(&rows[i].Ticket, sameCustomer) {
				continue
			}
			words, err := c.finder.desk.TicketWords(ctx, rows[i].Ticket.Number)
			if err != nil {
				return err
			}
			if c.near(rows[i].Ticket.Number) || resemble(c.words, words) {
				c.found = append(c.found, Same{rows[i].Ticket.Number, SameCustomer})
			}
		}
	}
	return nil
}

// near tells whether a ticket means much the same.
func (c *comparison) near(number uint64) bool {
	return c.alike.By == ByMeaning && slices.ContainsFunc(c.alike.Tickets, func(m Match) bool { return m.Ticket == number && m.Score >= sameMeaning })
}

func (c *comparison) texts(ctx context.Context) error {
	for _, m := range c.alike.Tickets[:min(len(c.alike.Tickets), sameAlike)] {
		row, err := c.finder.desk.TicketRow(ctx, c.actor, m.Ticket)
		if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if !c.open(&row.Ticket, sameText) {
			continue
		}
		words, err := c.finder.desk.TicketWords(ctx, m.Ticket)
		if err != nil {
			return err
		}
		if len(words) > 0 && identical(c.words[0].Text, words[0].Text) {
			c.found = append(c.found, Same{m.Ticket, SameText})
		}
	}
	return nil
}

// squeeze leaves the letters and digits of a text, folded.
func squeeze(text string) []rune {
	return slices.DeleteFunc([]rune(search.Fold(text)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// identical compares texts that are long enough to be the same by no accident.
func identical(a, b string) bool {
	const long = 20 // characters
	x, y := squeeze(a), squeeze(b)
	return len(x) >= long && slices.Equal(x, y)
}

// resemble tells whether a customer asks much the same on two tickets: the first
// messages share most of their words, or some under the same subject.
func resemble(a, b []helpdesk.CustomerWords) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	const most, some = 0.5, 0.2
	alike := overlap(squeeze(Matter(a[0].Text)), squeeze(Matter(b[0].Text)))
	subject, other := subjectOf(a[0].Subject), subjectOf(b[0].Subject)
	return alike >= most || alike >= some && subject != "" && subject == other
}

// subjectOf is a subject without the marks of answers.
func subjectOf(s string) string {
	s = search.Fold(s)
	for {
		rest := s
		for _, mark := range []string{"re:", "fw:", "fwd:", "aw:"} {
			rest = strings.TrimSpace(strings.TrimPrefix(rest, mark))
		}
		if rest == s {
			return s
		}
		s = rest
	}
}

// overlap is the share of the shorter text's runs of three characters that the
// other has too, 0 to 1; 0 for what is too short to tell.
func overlap(a, b []rune) float64 {
	const run, least = 3, 12
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < least || len(b) > 8*len(a) {
		return 0
	}
	known := map[[run]rune]bool{}
	for i := range len(b) - run + 1 {
		known[[run]rune(b[i:i+run])] = true
	}
	shared := 0
	for i := range len(a) - run + 1 {
		if known[[run]rune(a[i:i+run])] {
			shared++
		}
	}
	return float64(shared) / float64(len(a)-run+1)
}
