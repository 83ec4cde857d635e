package store

import (
	"context"
	"runtime"
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

// Group is what a [Journal] is measured against: an Engine that lets concurrent
// updates share commits of the engine beneath. An update that finds no other commits at once, on its own goroutine;
// those that come meanwhile queue, and the next commit takes all of them. So
// nobody waits for a timer.
//
// Each update runs on its own write set and sees what the members of its batch
// before it wrote. One that returns an error or panics is dropped alone. Every
// Update returns only after the commit did; if that fails, all members get the
// error and nothing of the batch is there.
//
// An update always runs on the goroutine of its caller; the committer waits for it.
type Group struct {
	engine Engine

	mu         sync.Mutex
	queue      []*member
	committing bool          // somebody commits: a caller or commitQueue
	closed     bool          // no new members
	idle       chan struct{} // made by Close, closed when nobody commits any more
}

// NewGroup returns a Group over e and takes e over: Close closes it.
func NewGroup(e Engine) *Group {
	return &Group{engine: e}
}

// member is one call of Update. Its caller owns it until it joins a batch; from
// then on the committer does, except while the function runs.
type member struct {
	fn   func(Tx) error
	err  error // what fn returned
	gone bool  // fn panicked or ended its goroutine: nobody waits for the outcome

	// Of one that queued:
	turn    chan *overlay // the committer lends a transaction
	ran     chan struct{} // the caller gives it back
	outcome chan error    // the end
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
	m := &member{fn: fn}
	leads, err := g.join(m)
	switch {
	case err != nil:
		return err
	case leads:
		return g.lead(m)
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

// join lets m lead a batch when nobody commits, and otherwise queues it.
func (g *Group) join(m *member) (leads bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return false, ErrClosed
	case !g.committing:
		g.committing = true
		return true, nil
	}
	m.turn = make(chan *overlay)
	m.ran = make(chan struct{}, 1)
	m.outcome = make(chan error, 1)
	g.queue = append(g.queue, m)
	return false, nil
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

// lead commits a batch on the goroutine of its first member.
func (g *Group) lead(m *member) error {
	b := &batch{group: g, leader: m, members: []*member{m}}
	returned := false
	defer func() {
		if !returned { // m panicked, and its transaction with it
			g.putBack(b.members[1:])
		}
		if g.more() {
			go g.commitQueue()
		}
	}()
	err := b.commit()
	returned = true
	return b.tell(err)
}

// commitQueue commits batch after batch until the queue is empty.
func (g *Group) commitQueue() {
	for {
		b := &batch{group: g}
		_ = b.tell(b.commit()) // it has no leader to return the error to
		runtime.Gosched()      // lets those who were told queue again, to be in one batch
		if !g.more() {
			return
		}
	}
}

// more tells whether there is more to commit; if not, nobody commits any more.
func (g *Group) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) > 0 {
		return true
	}
	g.committing = false
	g.queue = nil
	if g.idle != nil {
		close(g.idle)
	}
	return false
}

// putBack queues members again, ahead of all others.
func (g *Group) putBack(members []*member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := slices.DeleteFunc(members, func(m *member) bool { return m.gone })
	g.queue = append(waiting, g.queue...)
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
