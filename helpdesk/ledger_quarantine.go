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

// purgedMails are the times at which those came that were deleted from quarantine,
// to the quarter of an hour: nothing else of them is kept.
func purgedMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		l, err := readLedger(r)
		if err != nil {
			yield(time.Time{}, err)
			return
		}
		if from.Before(l.Through) {
			for range l.Purged {
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
			for i, n := range h.Purged {
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

// purged counts the mails that were deleted from quarantine.
func purged(r store.Reader) (n int, err error) {
	for _, err := range purgedMails(r, always[0], always[1]) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// accountPurged counts a mail that came at a time as deleted from quarantine.
func (c *command) accountPurged(at time.Time) error {
	l, err := readLedger(c)
	if err != nil {
		return err
	}
	if at.Before(l.Through) {
		l.Purged++
		return ledgers.Put(c, &l)
	}
	h, err := hourOf(c, at)
	if err != nil {
		return err
	}
	h.Purged = h.Purged.add(at, 1)
	return ledgerHours.Put(c, h)
}
