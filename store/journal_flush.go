package store

import (
	"errors"
	"slices"
	"time"
)

// flush takes what is pending over into bbolt.
func (j *Journal) flush() error {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	return j.flushAll()
}

// flushAll takes over what a failed flush has left, and then all that came since.
// The caller holds flushing.
func (j *Journal) flushAll() error {
	for left := true; left; {
		left = j.state.Load().flushing.writes != nil
		p := j.beginFlush()
		if p.flushing.writes == nil {
			return nil
		}
		if err := j.apply(p.flushing, p.flushing.through); err != nil {
			return err
		}
		j.mu.Lock()
		j.state.Store(&pending{base: p.flushing.through, active: j.state.Load().active})
		j.mu.Unlock()
	}
	return nil
}

// apply commits writes to bbolt. Where nobody knows whether bbolt has them, the log must
// not go on: the next record would have the number of one that bbolt perhaps has, and
// would be passed over when the log is replayed. Nor must it where bbolt cannot take them,
// since a page is damaged: they stay in the log and in memory, can be read, and are there
// when the store is opened again.
func (j *Journal) apply(writes layer, last uint64) error {
	err := j.bolt.apply(writes, last)
	if err != nil && (errors.Is(err, ErrCorrupt) || j.bolt.refuses()) {
		j.broken.CompareAndSwap(nil, &err)
	}
	return err
}

// beginFlush writes the batch in hand and changes the log, unless the flush before
// has failed. Updates that came meanwhile stay in the head alone.
func (j *Journal) beginFlush() *pending {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.write()
	j.mu.Lock()
	defer j.mu.Unlock()
	p := *j.state.Load()
	if p.flushing.writes == nil && p.active.through > p.base {
		p.flushing, p.active = p.active, layer{newWriteSet(), p.active.through}
		for rest := j.batch.records; len(rest) > 0; {
			record := slices.Clone(rest[:recordSize(rest)]) // the batch's memory is used again
			replay(recordNumber(record), recordPayload(record), p.active.writes)
			rest = rest[len(record):]
		}
		j.logs[0], j.logs[1] = j.logs[1], j.logs[0]
		j.logs[0].rewind(p.flushing.through)
		j.state.Store(&p)
	}
	return &p
}

// run flushes in the background. An error is kept by nobody: what could not be
// written stays pending, and the update that finds too much of it gets the error.
func (j *Journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
		case <-j.stop:
			return
		}
		delay := time.NewTimer(flushDelay)
		select {
		case <-delay.C:
		case <-j.full:
			delay.Stop()
		case <-j.stop:
			return
		}
		_ = j.flush()
	}
}
