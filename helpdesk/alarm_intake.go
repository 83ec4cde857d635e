package helpdesk

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// When mail that was accepted and that nobody has seen yet is an alarm.
const (
	intakeWatched    = time.Hour // how often it is looked at
	quarantineUsual  = 28        // days before the last one that say how much is usual
	quarantineMany   = 50        // mails set aside within a day that are no alarm yet
	quarantineGrowth = 10        // times as many as usual
	heldTooLong      = 3 * 24 * time.Hour
)

// intakeTimer is the one TimerIntake.
const intakeTimer = "house"

// ScheduleIntakeWatch begins to look after mail that waits for people.
func (d *Desk) ScheduleIntakeWatch(ctx context.Context) error {
	return d.update(ctx, System("intake"), func(c *command) error {
		if has, err := timers.Has(c, key(string(TimerIntake), intakeTimer)); err != nil || has {
			return err
		}
		return c.setTimer(TimerIntake, intakeTimer, c.now.Add(intakeWatched))
	})
}

// WatchIntake raises an alarm where far more mail than usual is set aside in
// quarantine, and where mail waits in confirmation strips for days; it ends those
// that are over. It is the work of TimerIntake.
func (d *Desk) WatchIntake(ctx context.Context, id string) error {
	now := d.now()
	var today, before, held int
	err := d.view(ctx, func(r store.Reader) (err error) {
		lastDay := now.Add(-24 * time.Hour)
		if today, err = countTimes(arrivalsOf(quarantined, r, lastDay, always[1])); err != nil {
			return err
		}
		if before, err = countTimes(arrivalsOf(quarantined, r, lastDay.AddDate(0, 0, -quarantineUsual), lastDay)); err != nil {
			return err
		}
		held, err = countTimes(messagesIn(MessageHeld)(r, always[0], now.Add(-heldTooLong)))
		return err
	})
	if err != nil {
		return err
	}
	grown := today >= quarantineMany && today*quarantineUsual > quarantineGrowth*before
	return errors.Join(
		d.alarmIf(ctx, grown, AlarmQuarantine, Found("quarantine_grown", "%d mails were set aside within a day; %s a day are usual", today, strconv.FormatFloat(float64(before)/quarantineUsual, 'f', 1, 64))),
		d.alarmIf(ctx, held > 0, AlarmHeld, Found("held_long", "%d mails have waited for more than %d days", held, int(heldTooLong/(24*time.Hour)))),
		d.update(ctx, System("intake"), func(c *command) error { return c.setTimer(TimerIntake, id, c.now.Add(intakeWatched)) }))
}

// alarmIf raises an alarm or ends it.
func (d *Desk) alarmIf(ctx context.Context, stands bool, kind AlarmKind, detail AlarmDetail) error {
	if !stands {
		return d.EndAlarm(ctx, System("intake"), kind, d.options.Hostname)
	}
	return d.RaiseAlarm(ctx, System("intake"), kind, d.options.Hostname, detail)
}

func countTimes(times iter.Seq2[time.Time, error]) (n int, err error) {
	for _, err := range times {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
