package helpdesk

import (
	"context"
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

	mu     sync.Mutex
	newest time.Time // the latest that was seen; at the start that of the newest event
}

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

// setBack reports by how much the clock was set back since the last call.
func (k *clock) setBack(now time.Time) time.Duration {
	const adjusted = 30 * time.Second // is no jump
	k.mu.Lock()
	defer k.mu.Unlock()
	back := k.newest.Sub(now)
	if back < 0 || back > adjusted {
		k.newest = now
	}
	if back > adjusted {
		return back
	}
	return 0
}

// relativeTimers are due some time after they were set, whatever the clock says. Those of the other
// kinds are due at a time that somebody chose, or that follows from one.
var relativeTimers = []TimerKind{TimerDeliver, TimerCopy, TimerRelay, TimerAcknowledge, TimerAnalyse, TimerMatch, TimerTrial, TimerReanalyse, TimerPush, TimerNotice,
	TimerDueTimes, TimerBulk, TimerBulkReply, TimerWebhook, TimerWebhookOnce}

// TendClock looks whether the clock was set back, and by how much. Then what was to be done
// some time after the old clock's time is done that time after now: a reply must not wait
// for a year because the clock was a year ahead when it was written.
func (d *Desk) TendClock(ctx context.Context) (back time.Duration, err error) {
	if back = d.clock.setBack(d.now()); back == 0 {
		return 0, nil
	}
	for _, kind := range relativeTimers {
		for more := true; more; {
			if more, err = d.resetTimers(ctx, kind); err != nil {
				return back, fmt.Errorf("set timers anew after the clock was set back: %w", err)
			}
		}
	}
	return back, nil
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
			if err := timers.Put(c, t); err != nil {
				return err
			}
		}
		c.timers = c.timers || len(ahead) > 0
		return nil
	})
	return more, err
}
