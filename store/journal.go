package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// flushBytes of pending writes are taken over into bbolt in the background;
	// with twice as many an update waits for that first.
	flushBytes = 16 << 20
	// flushDelay is how long fewer than that stay pending.
	flushDelay = 2 * time.Second
	// maxLogged is the largest update that is logged. One that is larger goes
	// straight into bbolt, since it would be written twice, and kept in memory.
	maxLogged = 1 << 20
)

// Journal is an Engine over a Bolt that makes updates durable by appending what they
// wrote to a log. Those that come while the log is synced are synced together by
// the next of them; there is no delay to tune. What is logged is kept in memory too,
// until it goes into bbolt, the writes of many updates in one commit. Opening replays
// what had not got there yet.
//
// A commit of bbolt is two syncs, and writes every page that it touches with its
// neighbours. This is one sync, and writes the bytes.
//
// There are two logs. While the writes of one go into bbolt, the other is written.
// bbolt's bucket knows the number of the last update it has (its sequence), in the
// same commit.
//
// An update is seen by the next update at once, and by views once it is durable.
type Journal struct {
	bolt *Bolt

	// Locks, in the order in which they are taken.
	flushing sync.Mutex    // held while writes go into bbolt
	writer   chan struct{} // holds one value while an update runs; waiting for it can be cancelled
	syncing  sync.Mutex    // held while the log is written
	mu       sync.Mutex    // for writes, batch, spare, last, lost, logs and changes of state; never held for long

	state atomic.Pointer[pending] // what views see
	batch *syncBatch              // what is not being written yet
	spare []byte                  // for the records of a batch to come
	draft *writeSet               // what the update that runs writes; of whoever holds writer
	last  uint64                  // number of the last update
	lost  int                     // how often updates were taken back since they could not be written
	logs  [2]*logFile             // the first is being written

	broken atomic.Pointer[error] // a log's sync failed: nobody knows what the disk holds
	closed atomic.Bool

	counts journalCounts

	wake chan struct{} // something is pending
	full chan struct{} // flushBytes are
	stop chan struct{}
	done chan struct{}
}

// pending is the updates that are in a log and perhaps not yet in bbolt. It never
// changes. The write set of active goes on to be written to, and has what is not durable
// yet too: the layer says up to where views see it.
type pending struct {
	base     uint64 // the last update that bbolt surely has
	flushing layer  // those after base, on their way into bbolt; without a set for none
	active   layer  // those after, or after base where none are flushing
}

// Open opens the store at path, bbolt's file and beside it the logs, or makes it.
// Errors are those of [OpenBolt]; ErrCorrupt also tells of logs that are not of
// this store.
func Open(path string, o BoltOptions) (*Journal, error) {
	bolt, err := OpenBolt(path, o)
	if err != nil {
		return nil, err
	}
	j := &Journal{bolt: bolt, writer: make(chan struct{}, 1), batch: newSyncBatch(nil), draft: newWriteSet(),
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	if err := j.recover(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), j.closeFiles())
	}
	go j.run()
	return j, nil
}

// View implements Engine.
func (j *Journal) View(ctx context.Context, fn func(Reader) error) error {
	return j.view(ctx, func() pending { return *j.state.Load() }, fn)
}

// view lays what is pending over bbolt.
func (j *Journal) view(ctx context.Context, look func() pending, fn func(Reader) error) error {
	for {
		err := j.bolt.View(ctx, func(r Reader) error {
			p := look()
			if r.(*boltReader).bucket.Sequence() < p.base {
				return errOutrun
			}
			if p.flushing.writes != nil { // where bbolt has it already, it is the same there
				r = &overlay{beneath: r, layer: p.flushing, settled: true}
			}
			if !p.active.empty() {
				r = &overlay{beneath: r, layer: p.active, settled: true}
			}
			if layer, ok := r.(*overlay); ok {
				defer func() { layer.over = true }()
			}
			return fn(r)
		})
		if err != errOutrun { // it is never wrapped
			return err
		}
	}
}

// errOutrun: between the beginning of the view and the look at what is pending,
// the latter went into bbolt and was forgotten. The next view has it.
var errOutrun = errors.New("the view began before the last flush")

// Snapshot implements Snapshotter: what it writes has all updates that returned
// before, and can be opened by Open and by OpenBolt.
func (j *Journal) Snapshot(ctx context.Context, w io.Writer) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := j.flush(); err != nil {
		return 0, fmt.Errorf("write what is pending before a snapshot: %w", err)
	}
	return j.bolt.Snapshot(ctx, w)
}

// Close implements Engine. Afterwards everything is in bbolt's file.
func (j *Journal) Close() error {
	j.writer <- struct{}{}
	again := j.closed.Swap(true)
	<-j.writer
	if again {
		return nil
	}
	close(j.stop)
	<-j.done
	err := j.flush()
	if err == nil {
		for _, l := range j.logs {
			err = errors.Join(err, l.clear())
		}
	}
	return errors.Join(err, j.closeFiles())
}

func (j *Journal) closeFiles() error {
	var errs []error
	for _, l := range j.logs {
		if l != nil {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(append(errs, j.bolt.Close())...)
}
