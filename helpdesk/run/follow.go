package run

import (
	"context"
	"log/slog"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// LogDesk is what a follower needs of the helpdesk.
type LogDesk interface {
	Cursor(ctx context.Context, name string) (uint64, error)
	Events(ctx context.Context, a helpdesk.Actor, after uint64, limit int) ([]helpdesk.Event, error)
	Wait(ctx context.Context, after uint64) (uint64, error)
}

// Follower follows the event log from its durable cursor.
type Follower struct {
	Name string
	// Cursor returns the number of the last event dealt with, for a follower
	// that keeps its cursor with what it writes; the desk keeps it where nil.
	Cursor func(ctx context.Context) (uint64, error)
	// Handle deals with events, in order, and saves the cursor behind the last
	// one in the same transaction as what it writes. The same events come again
	// when it fails.
	Handle func(ctx context.Context, events []helpdesk.Event) error
	// Gather lets events come together before they are handled; at once where nil.
	Gather *Gather
}

// Gather is how long a follower waits for more events, since many at once cost it less:
// until the log has rested, and not longer than Most.
type Gather struct {
	Rest, Most time.Duration
	Events     int // that are handled at once, and are not waited for any longer
	// Hurry ends the waiting: somebody wants what the follower makes.
	Hurry <-chan struct{}
}

// followBatch is how many events are handled at once by a follower that gathers none.
const followBatch = 500

// Follow runs f until ctx ends. A failing batch is tried again, later each
// time; nothing is skipped.
func Follow(ctx context.Context, desk LogDesk, f Follower, log *slog.Logger) {
	failures := 0
	for ctx.Err() == nil {
		err := protect(func() error { return followOnce(ctx, desk, f) })
		if err == nil || ctx.Err() != nil {
			failures = 0
			continue
		}
		failures++
		log.Error("follow the event log", "follower", f.Name, "failures", failures, "error", err)
		select {
		case <-time.After(min(time.Second<<min(failures, 6), time.Minute)):
		case <-ctx.Done():
		}
	}
}

func followOnce(ctx context.Context, desk LogDesk, f Follower) error {
	cursor := f.Cursor
	if cursor == nil {
		cursor = func(ctx context.Context) (uint64, error) { return desk.Cursor(ctx, f.Name) }
	}
	seq, err := cursor(ctx)
	if err != nil {
		return err
	}
	last, err := desk.Wait(ctx, seq)
	if err != nil {
		return err
	}
	batch := followBatch
	if f.Gather != nil {
		batch = f.Gather.Events
	}
	if f.Gather != nil && last-seq < uint64(batch) {
		if err := f.Gather.wait(ctx, desk, last); err != nil {
			return err
		}
	}
	events, err := desk.Events(ctx, helpdesk.System(f.Name), seq, batch)
	if err != nil {
		return err
	}
	return f.Handle(ctx, events)
}

// wait returns when no event came after last for a while, or it is time anyway. It looks
// now and then, so that a busy log does not wake it with every event.
func (g *Gather) wait(ctx context.Context, desk LogDesk, last uint64) error {
	latest := time.NewTimer(g.Most)
	defer latest.Stop()
	looks := time.NewTicker(g.Rest)
	defer looks.Stop()
	for {
		select {
		case <-looks.C:
			now, err := desk.Wait(ctx, 0) // the log is not empty: it returns at once
			if err != nil || now == last {
				return err
			}
			last = now
		case <-latest.C:
			return nil
		case <-g.Hurry:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
