package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// batch is the members of one commit.
type batch struct {
	group   *Group
	leader  *member // the first member, if its caller commits
	members []*member
	leading bool // the leader's function runs
}

// commit runs the batch in one update of the engine. A panic of the engine, as
// bbolt does over a damaged page, is an error of this batch alone. One of the
// leader's function is its own.
func (b *batch) commit() (err error) {
	defer func() {
		if b.leading {
			return
		}
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%w: the engine panicked: %v\n%s", ErrCorrupt, broken, debug.Stack())
		}
	}()
	return b.group.engine.Update(context.Background(), b.run)
}

// run performs all members, one after the other, on tx. If the engine runs it
// again, they all start again from nothing, and more may join.
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
		own := newOverlay(&overlay{beneath: tx, layer: layer{writes, everything}, settled: true})
		b.perform(m, own)
		if m.err == nil && !m.gone {
			for c := range own.all() {
				writes.set(c)
			}
		}
	}
	if engine, ok := tx.(*overlay); ok && engine.writes.count == 0 {
		engine.writes = writes // spares sorting the same changes twice
		return nil
	}
	return layer{writes, everything}.apply(tx.Put, tx.Delete)
}

// perform runs one member's function on the goroutine of its caller.
func (b *batch) perform(m *member, tx *overlay) {
	if m != b.leader {
		m.turn <- tx
		<-m.ran
		return
	}
	b.leading = true
	defer func() { tx.over = true }()
	m.err = m.fn(tx)
	b.leading = false
}

// grow lets the next in the queue join; false when the batch is complete.
func (b *batch) grow(writes *writeSet) bool {
	if len(b.members) >= maxGroupUpdates || writes.bytes >= maxGroupBytes {
		return false
	}
	m := b.group.next()
	if m == nil {
		return false
	}
	b.members = append(b.members, m)
	return true
}

// tell gives every member its outcome and returns that of the leader. If the
// commit failed, then also a member that had failed by itself hears of that:
// what it failed on may never have been.
func (b *batch) tell(err error) (leaders error) {
	if err != nil && len(b.members) == 0 { // the engine never began: whoever waits first hears of it
		if m := b.group.next(); m != nil {
			b.members = append(b.members, m)
		}
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		err = fmt.Errorf("group commit of %d updates: %w", len(b.members), err)
	}
	for _, m := range b.members {
		outcome := err
		if err == nil {
			outcome = m.err
		}
		switch {
		case m == b.leader:
			leaders = outcome
		case !m.gone:
			m.outcome <- outcome
		}
	}
	return leaders
}
