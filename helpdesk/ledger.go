package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// The ledger counts mails as they are accepted, independently of where they go: what it
// counted must be found again in one of the mailPlaces. It counts by quarters of an hour,
// since the days of every time zone can be added up from those.

// ledger is what was counted before its hours were, or so long ago that nobody asks for
// the day any more.
type ledger struct {
	Accepted   int
	Duplicates int
	Refused    map[RefusalReason]int
	// Hours: what came after Through is in a ledgerHour.
	Hours   bool
	Through time.Time
	Purged  int `cbor:",omitempty"`
	Erased  int `cbor:",omitempty"`
}

func (l *ledger) clone() *ledger {
	copied := *l
	copied.Refused = maps.Clone(l.Refused)
	return &copied
}

// ledgerHour is one hour, by its quarters.
type ledgerHour struct {
	Hour       time.Time
	Accepted   quarters
	Duplicates quarters
	Refused    map[RefusalReason]quarters
	Purged     quarters // accepted in this hour, and deleted from quarantine since
	Erased     quarters `cbor:",omitempty"` // accepted in this hour, and erased with a person's data since
}

// quarters are counts of the four quarters of an hour; the last ones may be left out.
type quarters []int

const (
	quarter = 15 * time.Minute
	// ledgerDays is how long days can be told apart.
	ledgerDays = 400
)

var (
	ledgers = store.NewTable(store.Spec[ledger]{Name: "ledger", Version: 1,
		Key: func(*ledger) []byte { return key("ledger") }, Clone: (*ledger).clone})
	ledgerHours = store.NewTable(store.Spec[ledgerHour]{Name: "ledgerhour", Version: 1,
		Key: func(h *ledgerHour) []byte { return key(h.Hour) }, Rewritten: true})
)

// add counts n at a time within the hour.
func (q quarters) add(at time.Time, n int) quarters {
	i := at.Minute() / 15
	for len(q) <= i {
		q = append(q, 0)
	}
	q[i] += n
	return q
}

func (q quarters) sum() (n int) {
	for _, count := range q {
		n += count
	}
	return n
}

// MailPlace is one of the places where an accepted mail can be.
type MailPlace string

// The places.
const (
	PlaceTickets MailPlace = "tickets" // on a ticket, spam and bounces among them
	PlaceHeld    MailPlace = "held"    // in a confirmation strip
	PlaceRelayed MailPlace = "relayed" // an agent's own mail, sent on as a reply
	PlaceRefused MailPlace = "refused" // by an agent, or an agent's absence notice
	// PlaceQuarantine is set aside, waiting or rejected, and PlacePurged deleted after a
	// rejection.
	PlaceQuarantine MailPlace = "quarantine"
	PlacePurged     MailPlace = "purged"
	PlaceErased     MailPlace = "erased"  // with a person's data
	PlaceReports    MailPlace = "reports" // reports on our domains, which are no mail to anybody
)

// mailPlaces say where accepted mails are, and when those came. Whoever keeps accepted
// mails anywhere else adds a line here, and the ledger balances again.
var mailPlaces = []struct {
	place MailPlace
	mails func(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error]
}{
	{PlaceTickets, messagesIn(MessagePosted)},
	{PlaceHeld, messagesIn(MessageHeld)},
	{PlaceRelayed, messagesIn(MessageRelayed)},
	{PlaceRefused, messagesIn(MessageRefused)},
	{PlaceQuarantine, quarantinedMails},
	{PlacePurged, purgedMails},
	{PlaceErased, erasedMails},
	{PlaceReports, reportMails},
}

// MailPlaces lists the places in the order in which they are shown.
func MailPlaces() (list []MailPlace) {
	for _, p := range mailPlaces {
		list = append(list, p.place)
	}
	return list
}

// messagesIn yields when the messages of a state came, within from ≤ at < to.
func messagesIn(state MessageState) func(store.Reader, time.Time, time.Time) iter.Seq2[time.Time, error] {
	return func(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
		return func(yield func(time.Time, error) bool) {
			within := store.Range{Start: key(string(state), from), End: key(string(state), to)}
			for entry, err := range messages.ScanIndexKeys(r, "mail", within) {
				if err != nil {
					yield(time.Time{}, err)
					return
				}
				d := store.Decode(entry.Index)
				d.Text()
				at := d.Time()
				if !yield(at, d.Err()) {
					return
				}
			}
		}
	}
}

// always is a range of time that holds every mail.
var always = [2]time.Time{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}

func readLedger(r store.Reader) (ledger, error) {
	l, err := ledgers.Get(r, key("ledger"))
	if errors.Is(err, store.ErrNotFound) {
		return ledger{Hours: true}, nil
	}
	if err != nil {
		return ledger{}, err
	}
	return *l, nil
}

// sumLedger adds up everything that was counted.
func sumLedger(r store.Reader) (accepted, duplicates int, err error) {
	l, err := readLedger(r)
	if err != nil {
		return 0, 0, err
	}
	accepted, duplicates = l.Accepted, l.Duplicates
	for h, err := range ledgerHours.Scan(r, store.Range{}) {
		if err != nil {
			return 0, 0, err
		}
		accepted += h.Accepted.sum()
		duplicates += h.Duplicates.sum()
	}
	return accepted, duplicates, nil
}

// account counts mails that came at a time.
func (c *command) account(at time.Time, accepted, duplicates int) error {
	l, err := readLedger(c)
	if err != nil {
		return err
	}
	if at.Before(l.Through) {
		l.Accepted += accepted
		l.Duplicates += duplicates
		return ledgers.Put(c, &l)
	}
	h, err := hourOf(c, at)
	if err != nil {
		return err
	}
	if accepted != 0 {
		h.Accepted = h.Accepted.add(at, accepted)
	}
	if duplicates != 0 {
		h.Duplicates = h.Duplicates.add(at, duplicates)
	}
	return ledgerHours.Put(c, h)
}

func hourOf(r store.Reader, at time.Time) (*ledgerHour, error) {
	hour := at.UTC().Truncate(time.Hour)
	h, err := optional(ledgerHours.Get(r, key(hour)))
	if err == nil && h == nil {
		h = &ledgerHour{Hour: hour}
	}
	return h, err
}

// upgradeLedger gives the mails of a version that had no hours theirs. What that version's
// count and its mails differ by stays where it was, to be found by Verify.
func (d *Desk) upgradeLedger(ctx context.Context) error {
	var before ledger
	err := d.view(ctx, func(r store.Reader) (err error) {
		before, err = readLedger(r)
		return err
	})
	if err != nil || before.Hours {
		return err
	}
	return d.db.Update(ctx, func(tx store.Tx) error {
		l, err := readLedger(tx)
		if err != nil {
			return err
		}
		l.Hours, l.Through = true, d.now().AddDate(0, 0, -ledgerDays).Truncate(time.Hour)
		hours, err := recountHours(tx, l.Through, always[1])
		if err != nil {
			return err
		}
		for _, h := range hours {
			l.Accepted -= h.Accepted.sum()
			if err := ledgerHours.Put(tx, h); err != nil {
				return err
			}
		}
		return ledgers.Put(tx, &l)
	})
}

// recountHours counts the mails that are there, by the hours in which they came.
func recountHours(r store.Reader, from, to time.Time) (map[time.Time]*ledgerHour, error) {
	hours := map[time.Time]*ledgerHour{}
	for _, p := range mailPlaces {
		for at, err := range p.mails(r, from, to) {
			if err != nil {
				return nil, fmt.Errorf("count the mails that are %s: %w", p.place, err)
			}
			hour := at.Truncate(time.Hour)
			if hours[hour] == nil {
				hours[hour] = &ledgerHour{Hour: hour}
			}
			hours[hour].Accepted = hours[hour].Accepted.add(at, 1)
		}
	}
	return hours, nil
}

// foldLedger adds hours that are too old to be told apart to what was before. It is
// called now and then, within the transaction that writes refusals.
func foldLedger(tx store.Tx, now time.Time) error {
	l, err := readLedger(tx)
	if err != nil {
		return err
	}
	through := now.AddDate(0, 0, -ledgerDays).Truncate(24 * time.Hour)
	if !through.After(l.Through) {
		return nil
	}
	var old []*ledgerHour
	for h, err := range ledgerHours.Scan(tx, store.Range{End: key(through)}) {
		if err != nil {
			return err
		}
		old = append(old, h)
	}
	l.Through = through
	for _, h := range old {
		l.Accepted += h.Accepted.sum()
		l.Duplicates += h.Duplicates.sum()
		l.Purged += h.Purged.sum()
		l.Erased += h.Erased.sum()
		for _, reason := range slices.Sorted(maps.Keys(h.Refused)) {
			if l.Refused == nil {
				l.Refused = map[RefusalReason]int{}
			}
			l.Refused[reason] += h.Refused[reason].sum()
		}
		if err := ledgerHours.Delete(tx, key(h.Hour)); err != nil {
			return err
		}
	}
	return ledgers.Put(tx, &l)
}
