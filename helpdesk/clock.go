package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// clock knows how far the time has been. Clocks jump: a machine wakes with a wrong one, and
// has it set right under the running program.
type clock struct {
	milliseconds atomic.Uint64 // of the newest id

	mu      sync.Mutex
	newest  time.Time     // the latest that was seen; at the start that of the newest event
	doubted time.Time     // until then what the clock says may be wrong; zero where it is trusted
	ahead   time.Duration // by how much it went ahead, until that is told
}

const (
	// farAhead is what a clock goes ahead by only when it is wrong, or when nothing ran for as
	// long.
	farAhead = 7 * 24 * time.Hour
	// doubtFor is how long such a clock is doubted: until then the network's time has set it
	// right. Where it was right, what waited for longer than a week waits for this.
	doubtFor = time.Hour
)

// forward returns the time for an id, which never goes back.
func (k *clock) forward(ms uint64) uint64 {
	for {
		before := k.milliseconds.Load()
		if ms <= before {
			return before
		}
		if k.milliseconds.CompareAndSwap(before, ms) {
			return ms
		}
	}
}

// setBack reports by how much the clock was set back since the last look.
func (k *clock) setBack(now time.Time) time.Duration {
	const adjusted = 30 * time.Second // is no jump
	k.mu.Lock()
	defer k.mu.Unlock()
	back := k.newest.Sub(now)
	if back <= adjusted {
		k.wentOn(now)
		return 0
	}
	k.newest, k.doubted = now, time.Time{}
	return back
}

// wentOn takes in what a clock says that was not set back.
func (k *clock) wentOn(now time.Time) {
	if ahead := now.Sub(k.newest); ahead > farAhead && !k.newest.IsZero() {
		k.doubted, k.ahead = now.Add(doubtFor), ahead
	}
	if now.After(k.newest) {
		k.newest = now
	}
}

// wentAhead reports, once, by how much the clock went far ahead.
func (k *clock) wentAhead() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	ahead := k.ahead
	k.ahead = 0
	return ahead
}

// ClockDoubted returns until when what is due at a set time has to wait, since the clock went
// ahead by more than a week and may be wrong. Where it is trusted that time is over, or zero.
func (d *Desk) ClockDoubted() time.Time {
	d.clock.mu.Lock()
	defer d.clock.mu.Unlock()
	d.clock.wentOn(d.now())
	return d.clock.doubted
}

// trustedSince returns since when a timer of the kind must have been set to be worked on: while
// the clock is doubted, what follows from another clock's time waits. What somebody does by
// the clock that they see does not. Zero where all are worked on.
func (d *Desk) trustedSince(kind TimerKind) time.Time {
	if doubted := d.ClockDoubted(); kind.byTheClock() && doubted.After(d.now()) {
		return doubted.Add(-doubtFor)
	}
	return time.Time{}
}

// relativeTimers are due some time after they were set, whatever the clock says. Those of the other
// kinds are due at a time that somebody chose, or that follows from one.
var relativeTimers = []TimerKind{TimerDeliver, TimerCopy, TimerRelay, TimerAcknowledge, TimerAnalyse, TimerMatch, TimerTrial, TimerReanalyse, TimerPush, TimerNotice,
	TimerDueTimes, TimerBulk, TimerBulkReply, TimerWebhook, TimerWebhookOnce, TimerDomain, TimerSelfTest, TimerIntake, TimerGreylist, TimerTopics, TimerTLSReport}

// byTheClock reports whether what a timer of this kind does cannot be taken back, and would be
// done too early by a clock that is ahead: it sends, deletes, marks or tells. One that was set
// before waits while the clock is doubted.
func (k TimerKind) byTheClock() bool {
	switch k {
	case TimerSend, TimerAutoReply, TimerWake, TimerOverdue, TimerReturn, TimerToken, TimerSecondFactor, TimerPurge, TimerDraft,
		TimerGreylist, TimerIntake, TimerTLSReport:
		return true
	}
	return false
}

// TendClock looks at the clock, and returns by how much it was set back, or went ahead by more
// than a week. Where it was set back, what was to be done some time after the old clock's time
// is done that time after now: a reply must not wait for a year because the clock was a year
// ahead when it was written. Where it went ahead, it is doubted: ClockDoubted.
func (d *Desk) TendClock(ctx context.Context) (back, ahead time.Duration, err error) {
	back, ahead = d.clock.setBack(d.now()), d.clock.wentAhead()
	if back == 0 {
		return 0, ahead, nil
	}
	for _, kind := range relativeTimers {
		for more := true; more; {
			if more, err = d.resetTimers(ctx, kind); err != nil {
				return back, ahead, fmt.Errorf("set timers anew after the clock was set back: %w", err)
			}
		}
	}
	return back, ahead, nil
}

// resetTimers sets some timers anew that were set after now, and tells whether there may be more.
func (d *Desk) resetTimers(ctx context.Context, kind TimerKind) (more bool, err error) {
	const atOnce = 500
	err = d.update(ctx, System("clock"), func(c *command) error {
		more = false
		var ahead []*Timer
		for t, err := range readable(c, timers.ScanIndex(c, "due", store.Prefix(key(string(kind))).Reversed())) {
			if err != nil {
				return err
			}
			if !t.Due.After(c.now) {
				break
			}
			if t.Set.After(c.now) {
				ahead = append(ahead, t)
			}
			if more = len(ahead) == atOnce; more {
				break
			}
		}
		for _, t := range ahead {
			t.Due, t.Set = c.now.Add(max(t.Due.Sub(t.Set), 0)), c.now
			if err := errors.Join(timers.Put(c, t), c.queuedNow(t)); err != nil {
				return err
			}
		}
		c.timers = c.timers || len(ahead) > 0
		return nil
	})
	return more, err
}

// queuedNow begins the days in which the delivery of a timer is tried now, where they would
// begin in the future: it would be tried for years, and its author never told.
func (c *command) queuedNow(t *Timer) error {
	if t.Kind != TimerDeliver {
		return nil
	}
	delivery, err := optional(deliveries.Get(c, key(t.ID)))
	if err != nil || delivery == nil || !delivery.CreatedAt.After(c.now) {
		return err
	}
	delivery.CreatedAt = c.now
	return deliveries.Put(c, delivery)
}
