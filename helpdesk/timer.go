package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TimerKind names what is to be done when a timer is due.
type TimerKind string

// The timer kinds, and what their id is.
const (
	TimerDeliver     TimerKind = "deliver"     // a delivery
	TimerCopy        TimerKind = "copy"        // an inbound message, to be copied to the assignee
	TimerRelay       TimerKind = "relay"       // an agent's own mail, to be sent as a reply
	TimerAcknowledge TimerKind = "acknowledge" // an inbound message that opened a ticket
	TimerAnalyse     TimerKind = "analyse"     // an inbound message
	TimerMatch       TimerKind = "match"       // the number of a ticket whose mail is to be matched with templates
	TimerAutoReply   TimerKind = "auto_reply"  // the number of a ticket that is to be answered by itself
	TimerTrial       TimerKind = "trial"       // a service whose dry run goes on
	TimerReanalyse   TimerKind = "reanalyse"   // a reanalysis
	TimerPush        TimerKind = "push"        // a notice and a browser's subscription
	TimerNotice      TimerKind = "notice"      // a notice that may go by mail
	TimerWake        TimerKind = "wake"        // the number of a ticket that rests
	TimerReturn      TimerKind = "return"      // a user whose absence ends
	TimerOverdue     TimerKind = "overdue"     // a ticket, at the moment it becomes overdue
	TimerDueTimes    TimerKind = "due_times"   // "tickets": every due time is to be computed anew
	TimerDraft       TimerKind = "draft"       // a draft with uploaded files, to be cleared away
	TimerSend        TimerKind = "send"        // a scheduled draft, to be sent
	TimerBulk        TimerKind = "bulk"        // a bulk change
	TimerTLSReport   TimerKind = "tls_report"  // "day": reports on encryption to domains that ask
	TimerBulkReply   TimerKind = "bulk_reply"  // a bulk reply that is being posted or taken back
	TimerDomain      TimerKind = "domain"      // a domain that mail leaves from: its keys are looked after
	TimerGreylist    TimerKind = "greylist"    // "sweep": what is greylisted no longer is to be forgotten
	TimerErase       TimerKind = "erase"       // an erasure of a person's data
	TimerPurge       TimerKind = "purge"       // a rejected mail in quarantine, to be deleted
	TimerWebhook     TimerKind = "webhook"     // a webhook that there may be something for
	TimerWebhookOnce TimerKind = "hook_once"   // a delivery to a webhook that is tried once
	TimerToken       TimerKind = "token"       // an API token, by its hash, that ends soon or has ended
	TimerIntake      TimerKind = "intake"      // "house": mail that waits for people is looked after
	TimerSelfTest    TimerKind = "self_test"   // "house": the server sends itself a mail
	// TimerSecondFactor: a role whose users need a second factor from then on.
	TimerSecondFactor TimerKind = "second_factor"
	TimerTopics       TimerKind = "topics" // "week": what the week's mails are about
)

// Timer is something to be done later: one key in the store, set in the
// transaction that caused it.
type Timer struct {
	Kind TimerKind
	ID   string
	Due  time.Time
	// Set is when Due was decided, so that a clock that is set back since can be told.
	Set time.Time
	// Claimed is when whoever works on it took it; zero when nobody does.
	Claimed time.Time
	// Claims counts how often the timer was claimed without being finished or
	// put off by the rules of its work; the loop backs off with it.
	Claims int
	// Problem is what the newest failed claim said.
	Problem string
	// Parked timers are no longer tried until somebody retries them.
	Parked bool
}

// ParkedSince is when a parked timer was given up: nothing sets it from then on.
func (t *Timer) ParkedSince() time.Time { return t.Set }

// Tries is how often the work of a parked timer was tried: the claim after them gave it up.
func (t *Timer) Tries() int { return t.Claims - 1 }

// parkAfter is how many claims in a row may end without the work being done
// or put off by its own rules.
const parkAfter = 20

func (c *command) setTimer(kind TimerKind, id string, due time.Time) error {
	c.timers = true
	c.trace.timer(kind, due)
	return timers.Put(c, &Timer{Kind: kind, ID: id, Due: due, Set: c.now})
}

func (c *command) clearTimer(kind TimerKind, id string) error {
	return timers.Delete(c, key(string(kind), id))
}

// ClaimDue claims up to limit due timers of the given kind by moving them
// forward by lease, and returns them with the time at which the next one of
// that kind is due (zero when there is none). A claimed timer whose work is
// not finished within its lease is due again.
func (d *Desk) ClaimDue(ctx context.Context, kind TimerKind, limit int, lease time.Duration) (claimed []Timer, next time.Time, err error) {
	trusted := d.trustedSince(kind)
	err = d.view(ctx, func(r store.Reader) error {
		next, err = nextDue(r, kind, trusted)
		return err
	})
	if err != nil || next.IsZero() || next.After(d.now()) {
		return nil, next, err
	}
	err = d.update(ctx, System("timers"), func(c *command) error {
		claimed, next = nil, time.Time{}
		due, err := dueTimers(c, kind, trusted, c.now, limit)
		if err != nil {
			return err
		}
		for _, t := range due {
			t.Claims++
			t.Due, t.Claimed, t.Set = c.now.Add(lease), c.now, c.now
			if t.Claims > parkAfter {
				if err := c.park(t); err != nil {
					return err
				}
			} else {
				claimed = append(claimed, *t)
			}
			if err := timers.Put(c, t); err != nil {
				return err
			}
		}
		next, err = nextDue(c, kind, trusted)
		return err
	})
	return claimed, next, err
}

// dueTimers returns timers that are due, of those that were set since trusted.
func dueTimers(r store.Reader, kind TimerKind, trusted, now time.Time, limit int) ([]*Timer, error) {
	var due []*Timer
	for t, err := range readable(r, timers.ScanIndex(r, "due", store.Prefix(key(string(kind))))) {
		if err != nil {
			return nil, fmt.Errorf("read due timers: %w", err)
		}
		if t.Due.After(now) || len(due) == limit {
			break
		}
		if !t.Set.Before(trusted) {
			due = append(due, t)
		}
	}
	return due, nil
}

// nextDue is when the first timer is due, of those that were set since trusted; zero for none.
func nextDue(r store.Reader, kind TimerKind, trusted time.Time) (time.Time, error) {
	for t, err := range readable(r, timers.ScanIndex(r, "due", store.Prefix(key(string(kind))))) {
		if err != nil {
			return time.Time{}, fmt.Errorf("read the next timer: %w", err)
		}
		if !t.Set.Before(trusted) {
			return t.Due, nil
		}
	}
	return time.Time{}, nil
}

// PutOff gives a claimed timer back, due at a later time, and remembers why.
// Claims that failed are counted, so that work that never ends is parked. A timer that
// was set anew since the claim stays as set, unless the work failed: whoever set it knew
// more, such as that mail to a paused destination goes on.
func (d *Desk) PutOff(ctx context.Context, t Timer, due time.Time, problem string, failed bool) error {
	return d.update(ctx, System("timers"), func(c *command) error {
		current, err := timers.Get(c, key(string(t.Kind), t.ID))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !failed && !current.Claimed.Equal(t.Claimed) {
			return nil
		}
		current.Due, current.Claimed, current.Problem, current.Set = due.UTC(), time.Time{}, problem, c.now
		if !failed {
			current.Claims = 0
		}
		c.timers = true
		return timers.Put(c, current)
	})
}

// ReleaseClaims makes every claimed timer due at once. The one owner of a
// store calls it at start: whoever held the claims is gone.
func (d *Desk) ReleaseClaims(ctx context.Context) error {
	return d.update(ctx, System("timers"), func(c *command) error {
		var claimed []*Timer
		for t, err := range readable(c, timers.ScanIndex(c, "claimed", store.Range{})) {
			if err != nil {
				return err
			}
			claimed = append(claimed, t)
		}
		for _, t := range claimed {
			t.Due, t.Claimed = c.now, time.Time{}
			if err := timers.Put(c, t); err != nil {
				return err
			}
		}
		c.timers = true
		return nil
	})
}

// TimersSet delivers a hint when a timer may be due earlier than known. It is
// for one receiver.
func (d *Desk) TimersSet() <-chan struct{} { return d.wake.timers }

// Timers returns up to limit timers, parked ones first, for those who watch
// the machinery.
func (d *Desk) Timers(ctx context.Context, a Actor, limit int) (list []Timer, err error) {
	if err := a.may("watch the timers", PermitSupervise); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		for t, err := range timers.ScanIndex(r, "parked", store.Range{}) {
			if err != nil || len(list) == limit {
				return err
			}
			list = append(list, *t)
		}
		return nil
	})
	return list, err
}
