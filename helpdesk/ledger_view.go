package helpdesk

import (
	"context"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
	"github.com/madoguchi/madoguchi/store"
)

// LedgerQuery asks for some days of the ledger.
type LedgerQuery struct {
	Days int            // up to today; 30 where 0, at most 400
	Day  string         // only this one, 2006-01-02, and in more detail; "" for Days
	Zone *time.Location // whose days; UTC where nil
}

// Ledger says what became of mails, day by day.
type Ledger struct {
	Days  []LedgerDay // the newest first
	Total LedgerDay   // of everything ever, with Refused as far as it is counted
	// Missing are mails of the unbalanced days that the log knows and that are nowhere.
	// Where there are many days and many mails it may know too few: Verify finds all.
	Missing []MissingMail
}

// LedgerDay is one day's mails. It balances where Accepted is the sum of Places.
type LedgerDay struct {
	Day        string // 2006-01-02; "" for a total
	Accepted   int    // answered 250, further arrivals of the same mail not counted again
	Places     map[MailPlace]int
	Duplicates int
	Refused    map[RefusalReason]int // mails or recipients that were not taken
	// Kinds are the posted ones by what they are, and Spam how many of them are on tickets
	// that are spam; only where a single day was asked for.
	Kinds map[MessageKind]int
	Spam  int
}

// Difference is how many mails were accepted and are nowhere; negative where more are
// there than were accepted.
func (d LedgerDay) Difference() int {
	n := d.Accepted
	for _, there := range d.Places {
		n -= there
	}
	return n
}

// Balanced reports whether every accepted mail is somewhere, today and ever.
func (l *Ledger) Balanced() bool {
	return l.Total.Difference() == 0 && !slices.ContainsFunc(l.Days, func(d LedgerDay) bool { return d.Difference() != 0 })
}

// RefusedSum is how many mails or recipients were not taken.
func (d LedgerDay) RefusedSum() (n int) {
	for _, count := range d.Refused {
		n += count
	}
	return n
}

// Bounds of an answer, whatever the store's size.
const (
	maxDetailedMails = 50_000
	maxMissingLooks  = 200_000
	maxMissing       = 50
)

// Ledger balances the mails that were accepted with those that are there.
func (d *Desk) Ledger(ctx context.Context, a Actor, q LedgerQuery) (*Ledger, error) {
	if err := a.may("read the ledger", PermitSystem); err != nil {
		return nil, err
	}
	from, to, err := q.within(d.now())
	if err != nil {
		return nil, err
	}
	var l *Ledger
	err = d.view(ctx, func(r store.Reader) error {
		l = &Ledger{}
		days := ledgerDaysBetween(from, to)
		if err := days.count(r, from, to); err != nil {
			return err
		}
		for _, day := range slices.Backward(days.list) {
			l.Days = append(l.Days, *day)
		}
		if err := l.total(r); err != nil {
			return err
		}
		if q.Day != "" {
			if err := l.Days[0].detail(r, from, to); err != nil {
				return err
			}
		}
		return l.findMissing(r, from.Location())
	})
	d.addUnwritten(l, from, to)
	return l, err
}

func (q LedgerQuery) within(now time.Time) (from, to time.Time, err error) {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	if q.Day != "" {
		day, err := time.Parse(dayLayout, q.Day)
		if err != nil {
			return from, to, invalid("day", "insight_day", "%q is no day; write it like 2026-11-21", q.Day)
		}
		return midnight(zone, day, 0), midnight(zone, day, 1), nil
	}
	days := q.Days
	if days <= 0 {
		days = 30
	}
	days = min(days, ledgerDays)
	now = now.In(zone)
	return midnight(zone, now, 1-days), midnight(zone, now, 1), nil
}

// midnight begins the day that is some days after that of t.
func midnight(zone *time.Location, t time.Time, days int) time.Time {
	return hours.Midnight(zone, t.Year(), t.Month(), t.Day()+days)
}

// dayTable is days that are being counted.
type dayTable struct {
	zone  *time.Location
	list  []*LedgerDay
	named map[string]*LedgerDay
}

func ledgerDaysBetween(from, to time.Time) *dayTable {
	t := &dayTable{zone: from.Location(), named: map[string]*LedgerDay{}}
	for day := from; day.Before(to); day = midnight(t.zone, day, 1) {
		d := &LedgerDay{Day: day.Format(dayLayout), Places: map[MailPlace]int{}, Refused: map[RefusalReason]int{}}
		t.list = append(t.list, d)
		t.named[d.Day] = d
	}
	return t
}

// each calls add for the quarters of an hour that are on one of the days.
func (t *dayTable) each(hour time.Time, q quarters, add func(d *LedgerDay, n int)) {
	for i, n := range q {
		at := hour.Add(time.Duration(i) * quarter)
		if d := t.named[at.In(t.zone).Format(dayLayout)]; d != nil && n != 0 {
			add(d, n)
		}
	}
}

// count fills in the days.
func (t *dayTable) count(r store.Reader, from, to time.Time) error {
	within := store.Range{Start: key(from.UTC().Truncate(time.Hour)), End: key(to.UTC())}
	for h, err := range ledgerHours.Scan(r, within) {
		if err != nil {
			return err
		}
		t.each(h.Hour, h.Accepted, func(d *LedgerDay, n int) { d.Accepted += n })
		t.each(h.Hour, h.Duplicates, func(d *LedgerDay, n int) { d.Duplicates += n })
		for reason, q := range h.Refused {
			t.each(h.Hour, q, func(d *LedgerDay, n int) { d.Refused[reason] += n })
		}
	}
	for _, p := range mailPlaces {
		var day *LedgerDay
		var end time.Time
		for at, err := range p.mails(r, from, to) {
			if err != nil {
				return err
			}
			if day == nil || !at.Before(end) { // mails come in order: a day is looked up once
				local := at.In(t.zone)
				day = t.named[local.Format(dayLayout)]
				end = midnight(t.zone, local, 1)
			}
			day.Places[p.place]++
		}
	}
	return nil
}

// total counts everything ever.
func (l *Ledger) total(r store.Reader) error {
	before, err := readLedger(r)
	if err != nil {
		return err
	}
	l.Total = LedgerDay{Places: map[MailPlace]int{}, Refused: map[RefusalReason]int{}}
	maps.Copy(l.Total.Refused, before.Refused)
	l.Total.Accepted, l.Total.Duplicates = before.Accepted, before.Duplicates
	for h, err := range ledgerHours.Scan(r, store.Range{}) {
		if err != nil {
			return err
		}
		l.Total.Accepted += h.Accepted.sum()
		l.Total.Duplicates += h.Duplicates.sum()
		for reason, q := range h.Refused {
			l.Total.Refused[reason] += q.sum()
		}
	}
	for _, p := range mailPlaces {
		for _, err := range p.mails(r, always[0], always[1]) {
			if err != nil {
				return err
			}
			l.Total.Places[p.place]++
		}
	}
	return nil
}

// detail says what the posted mails of a day are.
func (d *LedgerDay) detail(r store.Reader, from, to time.Time) error {
	d.Kinds = map[MessageKind]int{}
	looked := 0
	spam := map[uint64]bool{}
	for m, err := range messages.ScanIndex(r, "mail", store.Range{Start: key(string(MessagePosted), from), End: key(string(MessagePosted), to)}) {
		if err != nil {
			continue // Verify names it
		}
		d.Kinds[m.Kind]++
		known, ok := spam[m.Ticket]
		if !ok {
			t, err := tickets.Get(r, key(m.Ticket))
			known = err == nil && t.Spam != nil
			spam[m.Ticket] = known
		}
		if known {
			d.Spam++
		}
		if looked++; looked == maxDetailedMails {
			break
		}
	}
	return nil
}

// findMissing names mails of the days that do not balance: the log is read from the first
// of those days on.
func (l *Ledger) findMissing(r store.Reader, zone *time.Location) error {
	var first time.Time
	for _, d := range l.Days { // the oldest is the last
		if d.Difference() > 0 {
			day, _ := time.Parse(dayLayout, d.Day) // made by us
			first = midnight(zone, day, 0)
		}
	}
	if first.IsZero() {
		return nil
	}
	last, err := lastSeq(r)
	if err != nil {
		return err
	}
	begin := sort.Search(int(last), func(i int) bool {
		e, err := events.Get(r, key(uint64(i+1)))
		return err == nil && !e.At.Before(first.Add(-time.Hour)) // clocks may have been set
	})
	looked := 0
	for e, err := range events.Scan(r, store.Range{Start: key(uint64(begin + 1))}) {
		if err != nil {
			continue // Verify names it
		}
		missing, err := missingMail(r, e)
		if err != nil {
			return err
		}
		if missing != nil {
			l.Missing = append(l.Missing, *missing)
		}
		if looked++; looked == maxMissingLooks || len(l.Missing) == maxMissing {
			break
		}
	}
	return nil
}

// addUnwritten adds refusals that are counted in memory.
func (d *Desk) addUnwritten(l *Ledger, from, to time.Time) {
	if l == nil {
		return
	}
	d.refusals.mu.Lock()
	defer d.refusals.mu.Unlock()
	for at, reasons := range d.refusals.counts {
		day := at.In(from.Location()).Format(dayLayout)
		i := slices.IndexFunc(l.Days, func(d LedgerDay) bool { return d.Day == day })
		for reason, n := range reasons {
			l.Total.Refused[reason] += n
			if i >= 0 {
				l.Days[i].Refused[reason] += n
			}
		}
	}
}
