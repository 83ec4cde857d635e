package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
)

const (
	// maxGroupUpdates and maxGroupBytes close a batch: they bound its memory and
	// how long its first member waits for the last. One update may pass the
	// second limit by itself.
	maxGroupUpdates = 1024
	maxGroupBytes   = 16 << 20
)

// Group is an Engine that lets concurrent updates share commits of the engine
// beneath. Updates queue; one committer takes all that has queued while the last
// commit ran, so nobody waits for a timer and a lone update commits at once.
//
// Each update runs on its own write set and sees what the members before it
// wrote. One that returns an error or panics is dropped alone. Every Update
// returns only after the commit did; if that fails, all its members get the error
// and nothing of the batch is there.
//
// An update runs on the goroutine of its caller, while the committer waits for it.
type Group struct {
	engine Engine

	mu         sync.Mutex
	queue      []*member
	committing bool          // a committer runs
	closed     bool          // no new members
	idle       chan struct{} // made by Close, closed when no committer runs any more
}

// NewGroup returns a Group over e and takes e over: Close closes it.
func NewGroup(e Engine) *Group {
	return &Group{engine: e}
}

// member is one call of Update. Its caller owns it until it joins a batch; from
// then on the committer does, except while the function runs.
type member struct {
	fn      func(Tx) error
	turn    chan *overlay // the committer lends a transaction
	ran     chan struct{} // the caller gives it back
	outcome chan error    // the end

	err  error // what fn returned
	gone bool  // fn panicked or ended its goroutine: nobody waits for the outcome
}

// View implements Engine.
func (g *Group) View(ctx context.Context, fn func(Reader) error) error {
	return g.engine.View(ctx, fn)
}

// Update implements Engine. A context that ends while the call is queued takes it
// out of the queue; once it has joined a batch the call waits for the outcome.
func (g *Group) Update(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := &member{
		fn:      fn,
		turn:    make(chan *overlay),
		ran:     make(chan struct{}, 1),
		outcome: make(chan error, 1),
	}
	if err := g.join(m); err != nil {
		return err
	}
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-m.turn:
			m.run(tx)
		case err := <-m.outcome:
			return err
		case <-cancelled:
			if g.leave(m) {
				return ctx.Err()
			}
			cancelled = nil
		}
	}
}

func (m *member) run(tx *overlay) {
	m.gone = true
	defer func() { // also when fn panics, and then the panic goes on in its caller
		tx.over = true
		m.ran <- struct{}{}
	}()
	m.err = m.fn(tx)
	m.gone = false
}

// join queues m and sees to it that a committer runs.
func (g *Group) join(m *member) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.queue = append(g.queue, m)
	if !g.committing {
		g.committing = true
		go g.commitQueue()
	}
	return nil
}

// leave takes m out of the queue; false means that it has joined a batch.
func (g *Group) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.Index(g.queue, m)
	if at < 0 {
		return false
	}
	g.queue = slices.Delete(g.queue, at, at+1)
	return true
}

// next takes the first member out of the queue, nil when it is empty.
func (g *Group) next() *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		return nil
	}
	m := g.queue[0]
	g.queue[0] = nil
	g.queue = g.queue[1:]
	return m
}

// commitQueue is the committer. It ends when the queue is empty.
func (g *Group) commitQueue() {
	for {
		g.commitBatch()
		g.mu.Lock()
		if len(g.queue) == 0 {
			g.committing = false
			g.queue = nil
			if g.idle != nil {
				close(g.idle)
			}
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
	}
}

// commitBatch runs one transaction of the engine and tells its members.
func (g *Group) commitBatch() {
	b := &batch{group: g}
	err := b.commit()
	if err != nil && len(b.members) == 0 { // the engine never began: whoever waits first hears of it
		if m := g.next(); m != nil {
			b.members = append(b.members, m)
		}
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		err = fmt.Errorf("group commit of %d updates: %w", len(b.members), err)
	}
	for _, m := range b.members {
		switch {
		case m.gone:
		case err != nil: // also for one that failed: what it failed on may never have been
			m.outcome <- err
		default:
			m.outcome <- m.err
		}
	}
}

// batch is the members of one commit.
type batch struct {
	group   *Group
	members []*member
	sealed  bool // no more join: the engine runs the batch again
}

// commit runs the batch in one update of the engine. A panic of the engine, as
// bbolt does over a damaged page, is an error of this batch alone.
func (b *batch) commit() (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%w: the engine panicked: %v\n%s", ErrCorrupt, broken, debug.Stack())
		}
	}()
	return b.group.engine.Update(context.Background(), b.run)
}

// run performs all members, one after the other, on tx.
func (b *batch) run(tx Tx) error {
	writes := newWriteSet()
	for i := 0; ; i++ {
		if i == len(b.members) && !b.grow(writes) {
			break
		}
		m := b.members[i]
		if m.gone {
			continue
		}
		own := &overlay{beneath: tx, writes: writes.clone()}
		m.turn <- own
		<-m.ran
		if m.err == nil && !m.gone {
			writes = own.writes
		}
	}
	b.sealed = true
	if engine, ok := tx.(*overlay); ok && engine.writes.changes.Len() == 0 {
		engine.writes = writes // spares sorting the same changes twice
		return nil
	}
	return writes.apply(tx.Put, tx.Delete)
}

// grow lets the next in the queue join; false when the batch is complete.
func (b *batch) grow(writes *writeSet) bool {
	if b.sealed || len(b.members) >= maxGroupUpdates || writes.bytes >= maxGroupBytes {
		return false
	}
	m := b.group.next()
	if m == nil {
		return false
	}
	b.members = append(b.members, m)
	return true
}

// Snapshot implements Snapshotter, with errors.ErrUnsupported where the engine
// beneath does not.
func (g *Group) Snapshot(ctx context.Context, w io.Writer) (int64, error) {
	s, ok := g.engine.(Snapshotter)
	if !ok {
		return 0, fmt.Errorf("snapshot of a %T: %w", g.engine, errors.ErrUnsupported)
	}
	return s.Snapshot(ctx, w)
}

// Close implements Engine: what is queued is committed first.
func (g *Group) Close() error {
	g.mu.Lock()
	g.closed = true
	if g.committing && g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	if idle != nil {
		<-idle
	}
	return g.engine.Close()
}
