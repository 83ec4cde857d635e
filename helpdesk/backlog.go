package helpdesk

import (
	"context"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Backlog is the work of one kind that is due and not done.
type Backlog struct {
	Kind TimerKind
	// Due counts what nobody has begun, up to BacklogLimit.
	Due int
	// Late is how long the first of it has been due; 0 where nothing is.
	Late time.Duration
	// Parked counts what failed too often to be tried again by itself.
	Parked int
}

// BacklogLimit is where counting ends: beyond it, only that it is much matters.
const BacklogLimit = 10_000

// Backlog tells, for each kind that has any, what waits to be done.
func (d *Desk) Backlog(ctx context.Context, a Actor) ([]Backlog, error) {
	if err := a.may("watch the timers", PermitSupervise); err != nil {
		return nil, err
	}
	var order []TimerKind
	found := map[TimerKind]*Backlog{}
	of := func(kind TimerKind) *Backlog {
		if found[kind] == nil {
			found[kind] = &Backlog{Kind: kind}
			order = append(order, kind)
		}
		return found[kind]
	}
	now := d.now()
	err := d.view(ctx, func(r store.Reader) error {
		// From kind to kind: the index begins with it.
		for next := (store.Range{}); ; {
			kind, err := firstKind(r, next)
			if err != nil || kind == "" {
				if err != nil {
					return err
				}
				break
			}
			due, err := dueTimers(r, kind, time.Time{}, now, BacklogLimit)
			if err != nil {
				return err
			}
			if len(due) > 0 {
				of(kind).Due, of(kind).Late = len(due), now.Sub(due[0].Due)
			}
			next.Start = store.Prefix(key(string(kind))).End
		}
		counted := 0
		for t, err := range timers.ScanIndex(r, "parked", store.Prefix(key(false))) {
			if err != nil {
				return fmt.Errorf("count parked timers: %w", err)
			}
			if counted++; counted > BacklogLimit {
				break
			}
			of(t.Kind).Parked++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]Backlog, len(order))
	for i, kind := range order {
		list[i] = *found[kind]
	}
	return list, nil
}

// Diagnose allows to look into the running program: its profiles say much of
// what is in its memory.
func (d *Desk) Diagnose(_ context.Context, a Actor) error {
	return a.may("look into the program", PermitSystem)
}

// firstKind is the kind of the first timer within the range of the due index.
func firstKind(r store.Reader, within store.Range) (TimerKind, error) {
	for t, err := range timers.ScanIndex(r, "due", within) {
		if err != nil {
			return "", fmt.Errorf("read the kinds of timers: %w", err)
		}
		return t.Kind, nil
	}
	return "", nil
}
