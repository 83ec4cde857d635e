package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// park lets a timer rest whose work failed time after time, and has an admin told:
// a mail that does not leave, or whatever it is, must not be waited for in silence.
func (c *command) park(t *Timer) error {
	t.Parked = true
	if _, err := c.record(Event{Kind: EventTimerParked, Data: map[string]string{"kind": string(t.Kind), "id": t.ID, "problem": t.Problem}}); err != nil {
		return err
	}
	return c.raiseAlarm(AlarmParked, string(t.Kind), Found("timer_parked", "%s", t.Problem))
}

// Parked returns the work that is no longer tried, at most limit (200 where zero), the
// longest parked first, and how much there is in all.
func (d *Desk) Parked(ctx context.Context, a Actor, limit int) (list []Timer, total int, err error) {
	if err := a.may("see stopped work", PermitSystem); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || limit > 1000 {
		limit = 200
	}
	err = d.view(ctx, func(r store.Reader) error {
		list, total = nil, 0
		for t, err := range timers.ScanIndex(r, "parked", store.Prefix(key(false))) {
			if err != nil {
				return err
			}
			if total++; total <= limit {
				list = append(list, *t)
			}
		}
		return nil
	})
	return list, total, err
}

// resumeParkedAtOnce bounds what one transaction resumes.
const resumeParkedAtOnce = 500

// ResumeParked has all work tried again that was parked, as after the cause was
// mended, and returns how much that is. The alarms of it end.
func (d *Desk) ResumeParked(ctx context.Context, a Actor) (resumed int, err error) {
	if err := a.may("resume stopped work", PermitSystem); err != nil {
		return 0, err
	}
	for more := true; more; {
		n := 0
		err := d.update(ctx, a, func(c *command) (err error) {
			n, err = c.resumeParked()
			more = n == resumeParkedAtOnce
			return err
		})
		if err != nil {
			return resumed, err
		}
		resumed += n
	}
	return resumed, nil
}

func (c *command) resumeParked() (n int, err error) {
	var parked []*Timer
	for t, err := range timers.ScanIndex(c, "parked", store.Prefix(key(false))) {
		if err != nil {
			return 0, err
		}
		if parked = append(parked, t); len(parked) == resumeParkedAtOnce {
			break
		}
	}
	counts := map[TimerKind]int{}
	var kinds []TimerKind
	for _, t := range parked {
		if err := c.setTimer(t.Kind, t.ID, c.now); err != nil {
			return 0, err
		}
		if counts[t.Kind]++; counts[t.Kind] == 1 {
			kinds = append(kinds, t.Kind)
		}
	}
	for _, kind := range kinds {
		data := map[string]string{"kind": string(kind), "count": formatNumber(uint64(counts[kind]))}
		if _, err := c.record(Event{Kind: EventTimersResumed, Data: data}); err != nil {
			return 0, err
		}
		if err := c.endAlarm(AlarmParked, string(kind)); err != nil {
			return 0, err
		}
	}
	return len(parked), nil
}
