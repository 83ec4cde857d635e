package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// syncBatch is updates that are synced together. The first of them sees to it; the others
// wait until it is over, and then go on all at once: with a lock they would be woken
// one by the other, each only when a processor is free.
type syncBatch struct {
	records []byte
	done    chan struct{} // closed when it is over, under Journal.syncing
	err     error         // the outcome, before that
}

func newSyncBatch(memory []byte) *syncBatch {
	return &syncBatch{records: memory, done: make(chan struct{})}
}

func (b *syncBatch) end(err error) {
	b.err, b.records = err, nil
	close(b.done)
}

func (b *syncBatch) over() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// Update implements Engine. An update that wrote nothing costs no sync.
func (j *Journal) Update(ctx context.Context, fn func(Tx) error) error {
	for {
		batch, first, err := j.enqueue(ctx, fn)
		switch {
		case errors.Is(err, errTooLarge):
			return j.updateThrough(ctx, fn)
		case errors.Is(err, errTooMuch):
			if err := j.flush(); err != nil {
				return err
			}
			continue
		case err != nil || batch == nil:
			return err
		}
		if first {
			j.sync(batch)
		}
		<-batch.done
		return batch.err
	}
}

var (
	errTooLarge = errors.New("the update is too large for the log")
	errTooMuch  = errors.New("too much is pending")
)

// enqueue runs an update and puts it into a batch, nil where it wrote nothing, and tells
// whether it is the first of it.
func (j *Journal) enqueue(ctx context.Context, fn func(Tx) error) (batch *syncBatch, first bool, err error) {
	if err := j.begin(ctx); err != nil {
		return nil, false, err
	}
	defer func() { <-j.writer }()
	for {
		if j.headSize() >= 2*flushBytes {
			return nil, false, errTooMuch
		}
		writes, lost, err := j.perform(ctx, fn)
		switch {
		case err != nil || writes.count == 0:
			return nil, false, err
		case writes.bytes > maxLogged:
			return nil, false, errTooLarge
		}
		if batch, first := j.add(writes, lost); batch != nil {
			return batch, first, nil
		}
	}
}

// begin waits for its turn to update.
func (j *Journal) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case j.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := j.broken.Load()
	switch {
	case j.closed.Load():
		<-j.writer
		return ErrClosed
	case err != nil:
		<-j.writer
		return refusing(*err)
	}
	return nil
}

// refusing says why updates are refused, and what to do.
func refusing(why error) error {
	if errors.Is(why, ErrCorrupt) {
		return fmt.Errorf("store refuses updates, since it is damaged; see what madoguchi verify says, and %s: %w", whatToType, why)
	}
	return fmt.Errorf("store refuses updates until it is opened again, since a sync to disk failed: %w", why)
}

func (j *Journal) headSize() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.Load().active.writes.bytes
}

// perform runs fn on the newest state. lost counts what the state is not built on. The
// writes are there until the next update.
func (j *Journal) perform(ctx context.Context, fn func(Tx) error) (writes *writeSet, lost int, err error) {
	newest := func() pending {
		j.mu.Lock()
		defer j.mu.Unlock()
		p := *j.state.Load()
		p.active.through, lost = everything, j.lost
		return p
	}
	err = j.view(ctx, newest, func(r Reader) error {
		j.draft = j.draft.emptied()
		tx := overlayInto(r, j.draft)
		defer func() { tx.over = true }()
		err := fn(tx)
		writes = tx.writes
		return err
	})
	return writes, lost, err
}

// add puts what an update wrote into the batch, and tells whether it is the first there.
// There is no batch if what the update was built on is lost.
func (j *Journal) add(writes *writeSet, lost int) (batch *syncBatch, first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost != lost {
		return nil, false
	}
	j.last++
	first = len(j.batch.records) == 0
	record := encodeRecord(j.last, writes)
	j.batch.records = append(j.batch.records, record...)
	j.counts.updates.Add(1)
	replay(j.last, recordPayload(record), j.state.Load().active.writes)
	return j.batch, first
}

// sync sees to it that batch is durable, or is not: of the updates of a batch, the first
// calls it.
func (j *Journal) sync(batch *syncBatch) {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if !batch.over() { // then it is the one that nobody writes yet
		j.write()
	}
}

// write writes the batch in hand. The caller holds syncing.
func (j *Journal) write() {
	j.mu.Lock()
	batch, last := j.batch, j.last
	if len(batch.records) == 0 {
		j.mu.Unlock()
		return
	}
	j.batch = newSyncBatch(j.spare)
	j.spare = nil
	log := j.logs[0]
	j.mu.Unlock()
	began := time.Now()
	records := batch.records
	written, err := log.append(records)
	j.counts.syncs.Add(1)
	j.counts.busy.Add(int64(time.Since(began)))
	j.mu.Lock()
	defer j.mu.Unlock()
	if cap(records) <= maxLogged {
		j.spare = records[:0]
	}
	if err == nil {
		p := *j.state.Load()
		p.active.through = last
		j.state.Store(&p)
		signal(j.wake)
		if p.active.writes.bytes >= flushBytes {
			signal(j.full)
		}
		batch.end(nil)
		return
	}
	err = fmt.Errorf("write to the log: %w", err)
	if written {
		j.broken.Store(&err)
	}
	// Those that were built on it go with it.
	defer batch.end(err)
	defer j.batch.end(err)
	j.batch = newSyncBatch(nil)
	p := *j.state.Load()
	p.active.writes = p.active.copied()
	j.state.Store(&p)
	j.last = log.last
	j.lost++
}

// updateThrough commits an update to bbolt, after all that is pending.
func (j *Journal) updateThrough(ctx context.Context, fn func(Tx) error) error {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	if err := j.begin(ctx); err != nil {
		return err
	}
	defer func() { <-j.writer }()
	if err := j.flushAll(); err != nil {
		return err
	}
	writes, _, err := j.perform(ctx, fn)
	if err != nil || writes.count == 0 {
		return err
	}
	if err := j.apply(layer{writes, everything}, j.last+1); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	j.state.Store(&pending{base: j.last, active: layer{newWriteSet(), j.last}})
	j.logs[0].last = j.last
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
