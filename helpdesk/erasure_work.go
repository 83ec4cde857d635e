package helpdesk

import (
	"context"
	"fmt"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// How much one step of an erasure looks at, and how much it changes.
const (
	erasureLooks   = 5000 // tickets or events
	erasureTickets = 5
	erasureRecords = 200
)

// EraseRecords carries an erasure out, in small transactions, until nothing but the
// indexes has anything of the person: those are the caller's, who then calls
// FinishErasure. One that was broken off goes on where it was.
func (d *Desk) EraseRecords(ctx context.Context, id string) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var e *Erasure
		if err := d.view(ctx, func(r store.Reader) (err error) {
			e, err = erasures.Get(r, key(id))
			e, err = found(e, err, "erasure", id)
			return err
		}); err != nil {
			return err
		}
		var err error
		switch e.State {
		case ErasingTickets:
			err = d.eraseNextTickets(ctx, e)
		case ErasingTraces:
			err = d.eraseNextTraces(ctx, e)
		default:
			return nil
		}
		if err != nil {
			return fmt.Errorf("erase a person's data (%s): %w", e.State, err)
		}
	}
}

// eraseNextTickets looks for the next tickets of the person, and erases them a few at a
// time. The tokens of all of them are looked for at once: there may be a million.
func (d *Desk) eraseNextTickets(ctx context.Context, e *Erasure) error {
	var numbers []uint64
	var made map[uint64][]string // tokens by ticket
	next, end := e.After, true
	if err := d.view(ctx, func(r store.Reader) (err error) {
		numbers, next, end = nil, e.After, true
		looked := 0
		for t, err := range tickets.Scan(r, store.Range{Start: key(e.After + 1)}) {
			if err != nil {
				return err
			}
			if looked++; looked > erasureLooks || len(numbers) == erasureRecords {
				end = false
				break
			}
			if next = t.Number; slices.Contains(e.Contacts, t.ContactID) && t.ErasedAt.IsZero() {
				numbers = append(numbers, t.Number)
			}
		}
		made, err = tokensOf(r, numbers)
		return err
	}); err != nil {
		return err
	}
	var err error
	for len(numbers) > erasureTickets && err == nil {
		part := numbers[:erasureTickets]
		numbers = numbers[erasureTickets:]
		e, err = d.eraseTickets(ctx, e, part, made, func(now *Erasure) { now.After = part[len(part)-1] })
	}
	if err != nil {
		return err
	}
	_, err = d.eraseTickets(ctx, e, numbers, made, func(now *Erasure) {
		if now.After = next; end {
			now.State, now.After = ErasingTraces, 0
		}
	})
	return err
}

// eraseTickets erases some tickets in one transaction, and returns the erasure as it is
// after that.
func (d *Desk) eraseTickets(ctx context.Context, e *Erasure, numbers []uint64, made map[uint64][]string, goOn func(*Erasure)) (now *Erasure, err error) {
	err = d.update(ctx, System("erasure"), func(c *command) error {
		copied := *e
		now = &copied
		now.Left = slices.Clone(e.Left)
		for _, number := range numbers {
			if err := c.eraseTicket(now, number, made[number]); err != nil {
				return fmt.Errorf("ticket %d: %w", number, err)
			}
		}
		goOn(now)
		d.recent.forget()
		return erasures.Put(c, now)
	})
	return now, err
}

// tokensOf finds the tokens that lead to messages of tickets: those in copies for agents
// are named nowhere else.
func tokensOf(r store.Reader, numbers []uint64) (map[uint64][]string, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	of := map[string]uint64{}
	for _, number := range numbers {
		list, err := messagesOf(r, number)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			of[m.ID] = number
		}
	}
	made := map[uint64][]string{}
	for t, err := range tokens.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if number := of[t.Message]; number != 0 {
			made[number] = append(made[number], t.Value)
		}
	}
	return made, nil
}

// eraseNextTraces takes the person out of a stretch of the log, and, once that is done,
// out of everything else that is kept of mails and tickets.
func (d *Desk) eraseNextTraces(ctx context.Context, e *Erasure) error {
	var named []uint64
	next, end := e.After, true
	if err := d.view(ctx, func(r store.Reader) error {
		named, next, end = nil, e.After, true
		looked := 0
		for event, err := range events.Scan(r, store.Range{Start: key(e.After + 1)}) {
			if err != nil {
				return err
			}
			if looked++; looked > erasureLooks || len(named) == erasureRecords {
				end = false
				return nil
			}
			if next = event.Seq; event.Ticket != 0 {
				continue
			}
			tells, err := event.tellsOf(r, e.Addresses)
			if err != nil {
				return err
			}
			if tells {
				named = append(named, event.Seq)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	// What else is kept is recognised by the log as it is then.
	if err := d.redactEvents(ctx, e, named); err != nil {
		return err
	}
	if end {
		for _, sweep := range []func(context.Context, *Erasure) error{d.eraseQuarantined, d.eraseNotices, d.eraseDrafts, d.eraseItems, d.eraseTrials,
			d.eraseGreylisted, d.eraseWebhookAnswers} {
			if err := sweep(ctx, e); err != nil {
				return err
			}
		}
	}
	return d.update(ctx, System("erasure"), func(c *command) error {
		now := *e
		if now.After = next; end {
			now.State, now.After = ErasingIndexes, 0
		}
		d.recent.forget()
		return erasures.Put(c, &now)
	})
}

func (d *Desk) redactEvents(ctx context.Context, e *Erasure, named []uint64) error {
	if len(named) == 0 {
		return nil
	}
	return d.update(ctx, System("erasure"), func(c *command) error {
		for _, seq := range named {
			event, err := events.Get(c, key(seq))
			if err != nil {
				return err
			}
			if err := c.redact(e, event); err != nil {
				return err
			}
		}
		return nil
	})
}

// eraseAll calls erase, in transactions of bounded size, with every record of a table for
// which concerns says so.
func eraseAll[T any](ctx context.Context, d *Desk, table *store.Table[T], concerns func(store.Reader, *T) (bool, error), erase func(*command, *T) error) error {
	var list []*T
	if err := d.view(ctx, func(r store.Reader) error {
		list = nil
		for record, err := range table.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			concerned, err := concerns(r, record)
			if err != nil {
				return err
			}
			if concerned {
				list = append(list, record)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for part := range slices.Chunk(list, erasureRecords) {
		if err := d.update(ctx, System("erasure"), func(c *command) error {
			for _, record := range part {
				if err := erase(c, record); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// ErasedTickets returns the numbers of all tickets that were erased.
func (d *Desk) ErasedTickets(ctx context.Context) (numbers []uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		numbers = nil
		for t, err := range tickets.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if !t.ErasedAt.IsZero() {
				numbers = append(numbers, t.Number)
			}
		}
		return nil
	})
	return numbers, err
}
