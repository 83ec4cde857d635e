package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Event is one line of the append-only log: what changed, when, by whom. It is
// written in the transaction of the change itself.
type Event struct {
	Seq     uint64 // 1, 2, 3…, without gaps
	At      time.Time
	Kind    EventKind
	Actor   Actor
	Ticket  uint64            `cbor:",omitempty"`
	Message string            `cbor:",omitempty"`
	Data    map[string]string `cbor:",omitempty"`
}

// record appends e to the log; Seq, At and Actor are filled in.
func (c *command) record(e Event) (uint64, error) {
	if c.last == 0 {
		last, err := lastSeq(c)
		if err != nil {
			return 0, err
		}
		c.last = last
	}
	e.Seq, e.At = c.last+1, c.now
	if e.Actor.Kind == "" {
		e.Actor = c.actor
	}
	if err := events.Replace(c, nil, &e); err != nil {
		return 0, fmt.Errorf("append event %s: %w", e.Kind, err)
	}
	c.last = e.Seq
	c.events = append(c.events, e)
	c.trace.event(&e)
	return e.Seq, nil
}

func lastSeq(r store.Reader) (uint64, error) {
	last, err := lastNumber(events.FirstKey(r, store.Range{Reverse: true}))
	if err != nil {
		return 0, fmt.Errorf("read the end of the event log: %w", err)
	}
	return last, nil
}

// lastNumber is what a key that was found says, 0 where there is none.
func lastNumber(key []byte, err error) (uint64, error) {
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	d := store.Decode(key)
	last := d.Uint64()
	return last, d.End()
}

// Ready tells whether the store takes updates, by one that writes nothing. Its
// error is that of the store.
func (d *Desk) Ready(ctx context.Context) error {
	return d.db.Update(ctx, func(store.Tx) error { return nil })
}

// LastSeq returns the number of the newest durable event, 0 where there is none.
func (d *Desk) LastSeq(ctx context.Context) (last uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		last, err = lastSeq(r)
		return err
	})
	return last, err
}

// Events returns up to limit events with a Seq greater than after, oldest
// first. Nobody may write to their Data, which others read.
func (d *Desk) Events(ctx context.Context, a Actor, after uint64, limit int) ([]Event, error) {
	if err := a.mayRead("events"); err != nil {
		return nil, err
	}
	list, whole := d.recent.after(after, limit)
	if !whole {
		list = nil
		err := d.view(ctx, func(r store.Reader) error {
			for e, err := range events.Scan(r, store.Range{Start: key(after + 1)}) {
				if err != nil {
					return err
				}
				if len(list) == limit {
					return nil
				}
				list = append(list, *e)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if !a.May(PermitAudit) {
		for i := range list {
			if list[i].audited() {
				list[i].hide()
			}
		}
	}
	return list, nil
}

// hide takes out what only readers of the audit log may see: an event without
// details still tells that something changed, and when.
func (e *Event) hide() {
	e.Actor = Actor{Kind: e.Actor.Kind}
	e.Data = nil
}

// Wait returns as soon as an event with a Seq greater than after is durable,
// with the newest Seq, or when ctx ends, with its error.
func (d *Desk) Wait(ctx context.Context, after uint64) (uint64, error) {
	return d.wake.wait(ctx, after)
}

// Cursor returns how far the named subscriber has followed the log: the Seq of
// the last event it has dealt with.
func (d *Desk) Cursor(ctx context.Context, name string) (seq uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		cursor, err := cursors.Get(r, key(name))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			seq = cursor.Seq
		}
		return err
	})
	return seq, err
}

// SaveCursor records that the named subscriber has dealt with everything up to
// seq.
func (d *Desk) SaveCursor(ctx context.Context, name string, seq uint64) error {
	return d.update(ctx, System(name), func(c *command) error {
		return cursors.Put(c, &cursor{Name: name, Seq: seq})
	})
}

type cursor struct {
	Name string
	Seq  uint64
}

// wakeups tell waiting goroutines that something new is durable. They are only
// hints: whoever is woken reads the store.
type wakeups struct {
	mu     sync.Mutex
	last   uint64
	events chan struct{} // closed at the next event
	timers chan struct{} // holds one hint
}

func newWakeups() *wakeups {
	return &wakeups{events: make(chan struct{}), timers: make(chan struct{}, 1)}
}

func (w *wakeups) event(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq <= w.last {
		return
	}
	w.last = seq
	close(w.events)
	w.events = make(chan struct{})
}

func (w *wakeups) wait(ctx context.Context, after uint64) (uint64, error) {
	for {
		w.mu.Lock()
		last, next := w.last, w.events
		w.mu.Unlock()
		if last > after {
			return last, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return last, ctx.Err()
		}
	}
}

func (w *wakeups) timer() {
	select {
	case w.timers <- struct{}{}:
	default:
	}
}
