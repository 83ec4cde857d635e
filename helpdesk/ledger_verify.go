package helpdesk

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// MissingMail is one that was accepted and is nowhere.
type MissingMail struct {
	ID     string
	Ticket uint64 // on which it was
	From   string
	At     time.Time // when the log says it came
	Seq    uint64    // of the event that says so
}

func (m MissingMail) String() string {
	return fmt.Sprintf("mail %s from %q, accepted at %s for ticket %d (event %d), is nowhere", m.ID, m.From, m.At.Format(time.RFC3339), m.Ticket, m.Seq)
}

// arrived reports whether e is the event of a mail's first arrival.
func (e *Event) arrived() bool {
	if e.Data[erasedBy] != "" {
		return false
	}
	switch e.Kind {
	case EventMessageReceived, EventMessageHeld, EventMessageRelayed:
		return e.Message != ""
	case EventMessageRefused: // an agent's refusal of a held one gives no reason
		return e.Message != "" && e.Data["reason"] != ""
	}
	return false
}

// missingMail is the mail whose arrival e is, where it is not there any more.
func missingMail(r store.Reader, e *Event) (*MissingMail, error) {
	if !e.arrived() {
		return nil, nil
	}
	has, err := messages.Has(r, key(e.Message))
	if err != nil || has {
		return nil, err
	}
	return &MissingMail{ID: e.Message, Ticket: e.Ticket, From: e.Data["from"], At: e.At, Seq: e.Seq}, nil
}

// verifyArrivals finds every mail that the log says was accepted.
func verifyArrivals(ctx context.Context, r store.Reader) (problems []string, err error) {
	for e, err := range readable(r, events.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		missing, err := missingMail(r, e)
		if err != nil {
			return problems, err
		}
		if missing != nil {
			problems = append(problems, missing.String())
		}
	}
	return problems, nil
}

// verifyLedger counts all mails anew, hour by hour, and looks for mails that are there
// twice.
func verifyLedger(_ context.Context, r store.Reader) (problems []string, err error) {
	l, err := readLedger(r)
	if err != nil {
		return nil, err
	}
	found, err := recountHours(r, always[0], always[1])
	if err != nil {
		return nil, err
	}
	before := 0
	for hour, h := range found {
		if hour.Before(l.Through) {
			before += h.Accepted.sum()
			delete(found, hour)
		}
	}
	if l.Accepted != before {
		problems = append(problems, fmt.Sprintf("ledger: before %s %d mails were accepted, %d are accounted for", l.Through.Format(time.RFC3339), l.Accepted, before))
	}
	differ := func(hour time.Time, accepted, there int) {
		if accepted != there {
			problems = append(problems, fmt.Sprintf("ledger: in the hour from %s %d mails were accepted, %d are accounted for", hour.Format(time.RFC3339), accepted, there))
		}
	}
	for h, err := range readable(r, ledgerHours.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		there := 0
		if found[h.Hour] != nil {
			there = found[h.Hour].Accepted.sum()
		}
		differ(h.Hour, h.Accepted.sum(), there)
		delete(found, h.Hour)
	}
	for hour, h := range found {
		differ(hour, 0, h.Accepted.sum())
	}
	sort.Strings(problems)
	twice, err := verifyIdentities(r)
	return append(problems, twice...), err
}

// verifyIdentities looks for a mail that was stored twice.
func verifyIdentities(r store.Reader) (problems []string, err error) {
	var before store.IndexEntry
	for entry, err := range messages.ScanIndexKeys(r, "identity", store.Range{}) {
		if err != nil {
			return problems, err
		}
		if string(entry.Index) == string(before.Index) {
			first, second := store.Decode(before.Primary), store.Decode(entry.Primary)
			problems = append(problems, fmt.Sprintf("messages %s and %s are the same mail, stored twice", first.Text(), second.Text()))
		}
		before = store.IndexEntry{Index: append([]byte(nil), entry.Index...), Primary: append([]byte(nil), entry.Primary...)}
	}
	return problems, nil
}
