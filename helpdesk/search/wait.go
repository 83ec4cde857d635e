package search

import (
	"context"
	"sync"
	"time"
)

const (
	// patience is how long a search waits for the newest events to be indexed.
	patience = 300 * time.Millisecond
	// maxLag is how many events the index may be behind for waiting to have a
	// point.
	maxLag = 500
)

// changes wakes those who wait for the index to change.
type changes struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next change
}

func (c *changes) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.next)
	c.next = make(chan struct{})
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// Wanted has a value when a search waits for events that are not indexed yet: whoever
// calls Handle should do so now.
func (ix *Index) Wanted() <-chan struct{} { return ix.wanted }

// catchUp lets a search find what was durable when it was asked for: it waits
// until the index has followed so far. Where that takes long, an answer without
// the newest is better than none.
func (ix *Index) catchUp(ctx context.Context) error {
	last, err := ix.desk.LastSeq(ctx)
	if err != nil {
		return err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		changed := ix.changes.wait()
		cursor, err := ix.Cursor(ctx)
		if err != nil || cursor >= last {
			return err
		}
		select {
		case ix.wanted <- struct{}{}:
		default:
		}
		if cursor+maxLag < last {
			return nil
		}
		select {
		case <-changed:
		case <-late.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
