package helpdesk

import (
	"context"
	"errors"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// Statistics are the ledger and the queues. The ledger balances: Accepted =
// Posted + Relayed + Held + Refused.
type Statistics struct {
	Accepted int // mails that were answered 250, duplicates not counted again
	Posted   int // on tickets
	Relayed  int // agents' own mails, sent on as replies
	Held     int // in confirmation strips
	Refused  int // by an agent, or an agent's absence notice

	Duplicates         int // further arrivals of a mail that was there
	DeliveriesWaiting  int
	DeliveriesDeferred int
	DeliveriesFailed   int
	AnalysesWaiting    int
	AnalysesFailed     int
	TimersParked       int
	Events             uint64
}

// Statistics counts the ledger and the queues.
func (d *Desk) Statistics(ctx context.Context) (s Statistics, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		s = Statistics{}
		counts := []struct {
			n      *int
			count  func(store.Reader, string, store.Range) (int, error)
			index  string
			prefix []byte
		}{
			{&s.Posted, countKeys(messages), "mail", key(string(MessagePosted))},
			{&s.Relayed, countKeys(messages), "mail", key(string(MessageRelayed))},
			{&s.Held, countKeys(messages), "mail", key(string(MessageHeld))},
			{&s.Refused, countKeys(messages), "mail", key(string(MessageRefused))},
			{&s.DeliveriesWaiting, countKeys(deliveries), "state", key(string(DeliveryWaiting))},
			{&s.DeliveriesDeferred, countKeys(deliveries), "state", key(string(DeliveryDeferred))},
			{&s.DeliveriesFailed, countKeys(deliveries), "state", key(string(DeliveryFailed))},
			{&s.AnalysesWaiting, countKeys(timers), "due", key(string(TimerAnalyse))},
			{&s.AnalysesFailed, countKeys(analyses), "failed", nil},
			{&s.TimersParked, countKeys(timers), "parked", key(false)},
		}
		for _, c := range counts {
			if *c.n, err = c.count(r, c.index, store.Prefix(c.prefix)); err != nil {
				return err
			}
		}
		ledger, err := readLedger(r)
		s.Accepted, s.Duplicates = ledger.Accepted, ledger.Duplicates
		if err != nil {
			return err
		}
		s.Events, err = lastSeq(r)
		return err
	})
	return s, err
}

func countKeys[T any](table *store.Table[T]) func(store.Reader, string, store.Range) (int, error) {
	return func(r store.Reader, index string, rng store.Range) (n int, err error) {
		for _, err := range table.ScanIndexKeys(r, index, rng) {
			if err != nil {
				return 0, err
			}
			n++
		}
		return n, nil
	}
}

// verifier is one table's check of its indexes.
type verifier interface {
	Verify(store.Reader) ([]store.Difference, error)
}

// Verify recomputes every index, reads every raw mail, follows every reference
// between records and balances the ledger. It returns a line for each
// difference; none means that the store is whole.
func (d *Desk) Verify(ctx context.Context) (problems []string, err error) {
	tables := []verifier{events, cursors, timers, settings, users, sessions, apiTokens, aliases, pipelines,
		contacts, notes, tokens, deliveries, analyses, seens, idempotencies, bodies, messages, tickets, ledgers}
	err = d.view(ctx, func(r store.Reader) error {
		problems = nil
		for _, table := range tables {
			differences, err := table.Verify(r)
			if err != nil {
				return err
			}
			for _, difference := range differences {
				problems = append(problems, difference.String())
			}
		}
		found, err := verifyMails(ctx, r)
		problems = append(problems, found...)
		if err != nil {
			return err
		}
		found, err = verifyLog(r)
		problems = append(problems, found...)
		return err
	})
	if err != nil {
		return problems, fmt.Errorf("verify: %w", err)
	}
	s, err := d.Statistics(ctx)
	if err != nil {
		return problems, fmt.Errorf("verify: %w", err)
	}
	if sum := s.Posted + s.Relayed + s.Held + s.Refused; s.Accepted != sum {
		problems = append(problems, fmt.Sprintf("ledger: %d mails accepted, %d accounted for", s.Accepted, sum))
	}
	return problems, nil
}

// verifyMails follows each message to its ticket, body and source, and
// recounts each ticket.
func verifyMails(ctx context.Context, r store.Reader) (problems []string, err error) {
	type tally struct{ posted, held int }
	tallies := map[uint64]*tally{}
	for m, err := range messages.Scan(r, store.Range{}) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		t := tallies[m.Ticket]
		if t == nil {
			t = &tally{}
			tallies[m.Ticket] = t
		}
		switch m.State {
		case MessagePosted:
			t.posted++
		case MessageHeld:
			t.held++
		}
		if has, err := bodies.Has(r, key(m.ID)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("message %s has no body (%v)", m.ID, err))
		}
		if m.Reason == ReasonLogged {
			continue
		}
		if _, err := raws.Get(r, key(m.ID)); err != nil {
			problems = append(problems, fmt.Sprintf("the source of message %s cannot be read: %v", m.ID, err))
		}
	}
	for t, err := range tickets.Scan(r, store.Range{}) {
		if err != nil {
			return problems, err
		}
		found := tallies[t.Number]
		if found == nil {
			found = &tally{}
		}
		if found.posted != t.Messages || found.held != t.Held {
			problems = append(problems, fmt.Sprintf("ticket %d says %d messages and %d held; there are %d and %d", t.Number, t.Messages, t.Held, found.posted, found.held))
		}
		delete(tallies, t.Number)
	}
	for number := range tallies {
		problems = append(problems, fmt.Sprintf("there are messages of ticket %d, which does not exist", number))
	}
	return problems, nil
}

// verifyLog checks that the event log has no gap.
func verifyLog(r store.Reader) (problems []string, err error) {
	var before uint64
	for e, err := range events.Scan(r, store.Range{}) {
		if err != nil {
			return problems, err
		}
		if e.Seq != before+1 {
			problems = append(problems, fmt.Sprintf("the event log goes from %d to %d", before, e.Seq))
		}
		before = e.Seq
	}
	return problems, nil
}

// ledger counts what was accepted, independently of where it went.
type ledger struct {
	Accepted   int
	Duplicates int
}

func readLedger(r store.Reader) (ledger, error) {
	l, err := ledgers.Get(r, key("ledger"))
	if errors.Is(err, store.ErrNotFound) {
		return ledger{}, nil
	}
	if err != nil {
		return ledger{}, err
	}
	return *l, nil
}

func (c *command) account(accepted, duplicates int) error {
	l, err := readLedger(c)
	if err != nil {
		return err
	}
	l.Accepted += accepted
	l.Duplicates += duplicates
	return ledgers.Put(c, &l)
}
