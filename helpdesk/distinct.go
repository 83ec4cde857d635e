package helpdesk

import (
	"context"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// distinct says that two tickets which look like one matter are two.
type distinct struct {
	Low, High uint64 // their numbers
	By        string // user id
	At        time.Time
}

var distincts = store.NewTable(store.Spec[distinct]{Name: "distinct", Version: 1,
	Key: func(d *distinct) []byte { return key(d.Low, d.High) },
	Indexes: []store.Index[distinct]{
		{Name: "ticket", Keys: func(d *distinct) [][]byte { return [][]byte{key(d.Low, d.High), key(d.High, d.Low)} }},
	}})

// Distinguish says that two tickets are not the same matter, so that neither is
// offered for merging on the other any more. Saying it again changes nothing.
func (d *Desk) Distinguish(ctx context.Context, a Actor, number, other uint64) error {
	if err := a.may("tell tickets apart", PermitMerge); err != nil {
		return err
	}
	if number == other {
		return invalid("other", "distinct_itself", "ticket %d cannot be told apart from itself; give another number", number)
	}
	return d.update(ctx, a, func(c *command) error {
		for _, n := range []uint64{number, other} {
			if _, err := workable(c, n); err != nil {
				return err
			}
		}
		record := &distinct{Low: min(number, other), High: max(number, other), By: a.UserID, At: c.now}
		if has, err := distincts.Has(c, key(record.Low, record.High)); err != nil || has {
			return err
		}
		if err := distincts.Put(c, record); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventTicketDistinct, Ticket: number, Data: map[string]string{"ticket": strconv.FormatUint(number, 10), "to_ticket": strconv.FormatUint(other, 10)}})
		return err
	})
}

// DistinctFrom returns the numbers of the tickets that somebody told apart from
// this one.
func (d *Desk) DistinctFrom(ctx context.Context, number uint64) (numbers []uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		numbers = nil
		for pair, err := range distincts.ScanIndex(r, "ticket", store.Prefix(key(number))) {
			if err != nil {
				return err
			}
			numbers = append(numbers, pair.Low+pair.High-number)
		}
		return nil
	})
	return numbers, err
}

// verifyDistinct follows each pair to its tickets.
func verifyDistinct(_ context.Context, r store.Reader) (problems []string, err error) {
	for pair, err := range readable(r, distincts.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		for _, n := range []uint64{pair.Low, pair.High} {
			if has, err := tickets.Has(r, key(n)); err != nil || !has {
				problems = append(problems, "tickets "+formatNumber(pair.Low)+" and "+formatNumber(pair.High)+" are told apart, and ticket "+formatNumber(n)+" does not exist")
			}
		}
	}
	return problems, nil
}
