package helpdesk

import (
	"context"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// verifyTickets computes anew what each ticket says of its messages.
func verifyTickets(ctx context.Context, r store.Reader) (problems []string, err error) {
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		found, err := tallyOf(r, t.Number)
		if err != nil {
			return problems, err
		}
		problems = append(problems, found.differences(t)...)
		rests, err := verifySnooze(r, t)
		problems = append(problems, rests...)
		if err != nil {
			return problems, err
		}
	}
	return problems, nil
}

// verifySnooze checks that what rests until a time will be woken, and that
// nothing rests that is closed or gone.
func verifySnooze(r store.Reader, t *Ticket) (problems []string, err error) {
	if t.Snooze == nil {
		return nil, nil
	}
	if !t.Open || t.MergedInto != 0 {
		problems = append(problems, fmt.Sprintf("ticket %d is on hold though it is closed or merged", t.Number))
	}
	if t.Snooze.Until.IsZero() {
		return problems, nil
	}
	has, err := timers.Has(r, key(string(TimerWake), formatNumber(t.Number)))
	if err == nil && !has {
		problems = append(problems, fmt.Sprintf("ticket %d is on hold until %s, and no timer will wake it", t.Number, t.Snooze.Until.Format(time.RFC3339)))
	}
	return problems, err
}

// verifyMerged checks that a merged ticket is empty and leads to one that is
// there, and that notes are on tickets that can be seen.
func verifyMerged(_ context.Context, r store.Reader) (problems []string, err error) {
	merged := map[uint64]bool{}
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if t.MergedInto == 0 {
			continue
		}
		merged[t.Number] = true
		if _, err := leadsTo(r, t); err != nil {
			problems = append(problems, fmt.Sprintf("ticket %d is merged: %v", t.Number, err))
		}
		list, err := messagesOf(r, t.Number)
		if err != nil {
			return problems, err
		}
		if len(list) > 0 {
			problems = append(problems, fmt.Sprintf("ticket %d is merged into %d and has %d messages", t.Number, t.MergedInto, len(list)))
		}
	}
	for n, err := range readable(r, notes.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if has, err := tickets.Has(r, key(n.Ticket)); err != nil || !has || merged[n.Ticket] {
			problems = append(problems, fmt.Sprintf("note %s is on ticket %d, which is merged or does not exist (%v)", n.ID, n.Ticket, err))
		}
	}
	return problems, nil
}

// leadsTo follows merges to the ticket that a number stands for now.
func leadsTo(r store.Reader, t *Ticket) (*Ticket, error) {
	for seen := map[uint64]bool{}; t.MergedInto != 0; {
		if seen[t.Number] {
			return nil, fmt.Errorf("ticket %d is merged into itself by a circle", t.Number)
		}
		seen[t.Number] = true
		next, err := tickets.Get(r, key(t.MergedInto))
		if err != nil {
			return nil, err
		}
		t = next
	}
	return t, nil
}
