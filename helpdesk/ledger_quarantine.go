package helpdesk

import (
	"iter"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// quarantinedMails are the times at which the mails in quarantine came, in order.
func quarantinedMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return arrivalsOf(quarantined, r, from, to)
}

// arrivalsOf reads the times of a table's index of arrivals.
func arrivalsOf[T any](table *store.Table[T], r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		for entry, err := range table.ScanIndexKeys(r, "arrival", store.Range{Start: key(from), End: key(to)}) {
			if err != nil {
				yield(time.Time{}, err)
				return
			}
			d := store.Decode(entry.Index)
			if at := d.Time(); !yield(at, d.Err()) {
				return
			}
		}
	}
}

// purgedMails are the times at which those came that were deleted from quarantine.
func purgedMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return goneMails(r, from, to, (*ledger).purged, (*ledgerHour).purged)
}

// erasedMails are the times at which those came that were erased with a person's data.
func erasedMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return goneMails(r, from, to, (*ledger).erased, (*ledgerHour).erased)
}

func (l *ledger) purged() *int          { return &l.Purged }
func (l *ledger) erased() *int          { return &l.Erased }
func (h *ledgerHour) purged() *quarters { return &h.Purged }
func (h *ledgerHour) erased() *quarters { return &h.Erased }

// goneMails are the times at which mails came that are there no more, to the quarter of
// an hour: nothing else of them is kept.
func goneMails(r store.Reader, from, to time.Time, before func(*ledger) *int, within func(*ledgerHour) *quarters) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		l, err := readLedger(r)
		if err != nil {
			yield(time.Time{}, err)
			return
		}
		if from.Before(l.Through) {
			for range *before(&l) {
				if !yield(l.Through.Add(-quarter), nil) {
					return
				}
			}
		}
		for h, err := range ledgerHours.Scan(r, store.Range{Start: key(from.UTC().Truncate(time.Hour)), End: key(to.UTC())}) {
			if err != nil {
				yield(time.Time{}, err)
				return
			}
			for i, n := range *within(h) {
				at := h.Hour.Add(time.Duration(i) * quarter)
				for range n {
					if !at.Before(from) && at.Before(to) && !yield(at, nil) {
						return
					}
				}
			}
		}
	}
}

// countMails counts what a place of the ledger has.
func countMails(mails iter.Seq2[time.Time, error]) (n int, err error) {
	for _, err := range mails {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// accountPurged counts a mail that came at a time as deleted from quarantine.
func (c *command) accountPurged(at time.Time) error {
	return c.accountGone(at, (*ledger).purged, (*ledgerHour).purged)
}

// accountErased counts a mail that came at a time as erased with a person's data.
func (c *command) accountErased(at time.Time) error {
	return c.accountGone(at, (*ledger).erased, (*ledgerHour).erased)
}

func (c *command) accountGone(at time.Time, before func(*ledger) *int, within func(*ledgerHour) *quarters) error {
	l, err := readLedger(c)
	if err != nil {
		return err
	}
	if at.Before(l.Through) {
		*before(&l)++
		return ledgers.Put(c, &l)
	}
	h, err := hourOf(c, at)
	if err != nil {
		return err
	}
	gone := within(h)
	*gone = gone.add(at, 1)
	return ledgerHours.Put(c, h)
}
