package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	defaultLockTimeout = 500 * time.Millisecond

	// defaultSyncedFreePages is the longest free list that commits write to disk, at
	// 8 bytes a page. Without a written list the next start after a crash, and a
	// failed commit, read every page of the file to find the free ones: 20 seconds
	// at 8 GB of warm file. The search index frees hundreds of thousands when it is made anew. Behind
	// a Journal commits are rare, so some MiB are not much. A longer list is written once,
	// when the engine closes.
	defaultSyncedFreePages = 1 << 20

	// maxFirstFit is the longest free list, counted when the file is opened, that
	// is kept as an array. bbolt then takes the first free pages that fit, so that
	// those of a commit lie together and a lone one is about a tenth quicker than
	// with its map, which takes pages from anywhere. But an array of millions is
	// moved in memory for each page.
	maxFirstFit = 1 << 16
)

// fillPercent is how full a page is left when it splits. Nearly all keys end in a
// time or a number that grows, so that a page is written at its end and then no
// more: with bbolt's half the file was as large again.
const fillPercent = 0.95

// bucketName is the one bbolt bucket that holds the key space.
var bucketName = []byte("store")

// Bolt is the embedded engine: one file, one process, one writer at a time. Its
// methods may be called from any goroutine. A commit is two syncs to disk, so
// what has many writers goes through a [Journal].
type Bolt struct {
	db     *bbolt.DB
	ahead  *preallocator
	synced int // free pages that commits write the list of
	mapped *mapped
	writer chan struct{} // holds one value while an update runs; waiting for it can be cancelled
	broken error         // set by an update, under writer and before db.Close: see commit
	stuck  bool          // bbolt met damage in the middle of a write: it is called no more
}

// updateDamaged is db.Update while it is not known yet whether the pages are whole:
// a panic over damaged ones is ErrCorrupt. bbolt has rolled back by then.
func updateDamaged(db *bbolt.DB, do func(*bbolt.Tx) error) (err error) {
	defer func() {
		if damage := recover(); damage != nil {
			err = fmt.Errorf("%w: %v; %s", ErrCorrupt, damage, whatToType)
		}
	}()
	return db.Update(do)
}

// errNothingWritten ends a transaction without the syncs of a commit.
var errNothingWritten = errors.New("nothing written")

// View implements Engine.
func (b *Bolt) View(ctx context.Context, fn func(Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, reader, err := b.begin(false)
	if err != nil {
		return boltError("begin a view", err)
	}
	defer func() {
		reader.over = true
		b.mapped.bound(b.db, tx)
		_ = tx.Rollback() // fails only for a transaction that is over
	}()
	return fn(reader)
}

// Update implements Engine. An update that wrote nothing costs no sync. What fn
// writes reaches bbolt only after it: bbolt's cursors lose their place, and may
// stop early or never, in a transaction that has deleted.
func (b *Bolt) Update(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.writer }()
	if err := cmp.Or(b.broken, b.ahead.err()); err != nil {
		return refusing(err)
	}

	tx, reader, err := b.begin(true)
	if err != nil {
		return boltError("begin an update", err)
	}
	writer := newOverlay(reader)
	defer func() {
		reader.over, writer.over = true, true
		b.rollback(tx)
	}()
	if err := fn(writer); err != nil {
		return err
	}
	if writer.writes.count == 0 {
		return nil
	}
	return b.write(tx, reader, writer.layer, nil)
}

// begin begins a transaction.
func (b *Bolt) begin(writable bool) (tx *bbolt.Tx, reader *boltReader, err error) {
	defer func() {
		if err != nil && tx != nil {
			_ = tx.Rollback() // it has written nothing
		}
	}()
	defer contain(&err, debug.SetPanicOnFault(true))
	if tx, err = b.db.Begin(writable); err != nil {
		return nil, nil, err
	}
	if reader = newBoltReader(tx); reader == nil {
		return tx, nil, fmt.Errorf("%w: the file has no entries' bucket", ErrCorrupt)
	}
	return tx, reader, nil
}

// rollback ends a transaction. After a commit it does nothing. Nor does it where bbolt met
// damage while it wrote: it would look for free pages, perhaps in circles.
func (b *Bolt) rollback(tx *bbolt.Tx) {
	if !b.stuck {
		_ = tx.Rollback()
	}
}

// write commits writes, and what more does with the bucket. The way to each key is looked
// at first, since bbolt would trust it.
func (b *Bolt) write(tx *bbolt.Tx, reader *boltReader, writes layer, more func(*bbolt.Bucket) error) (err error) {
	finished := false
	defer func() {
		if !finished {
			b.stuck = true
			b.broken = err
		}
	}()
	defer contain(&err, debug.SetPanicOnFault(true))
	bucket := reader.bucket
	if reader.own {
		err = reader.tree.lookAhead(writes)
	}
	if err != nil {
		finished = true
		return fmt.Errorf("write to bbolt: %w", err)
	}
	bucket.FillPercent = fillPercent
	if err = writes.apply(bucket.Put, bucket.Delete); err == nil && more != nil {
		err = more(bucket)
	}
	if err != nil {
		finished = true
		return fmt.Errorf("write to bbolt: %w", err)
	}
	err = b.commit(tx)
	finished = true
	return err
}

// commit runs under writer. If it fails although the new state is what readers
// now get, then the sync failed that should have made it durable. Nobody can say
// what the disk holds, and a later sync may succeed without having written it, so
// the engine refuses updates until it is opened again.
func (b *Bolt) commit(tx *bbolt.Tx) error {
	id := tx.ID()
	b.ahead.reached(tx.Size())
	free := b.db.Stats() // as the last commit left it
	b.db.NoFreelistSync = free.FreePageN+free.PendingPageN > b.synced
	err := tx.Commit()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("commit: %w", err)
	if current, readErr := b.db.Begin(false); readErr == nil {
		if current.ID() >= id {
			b.broken = err
		}
		_ = current.Rollback()
	}
	return err
}

// Snapshot implements Snapshotter: what it writes can be opened by OpenBolt.
// Updates go on meanwhile; the space they free is reused only afterwards.
func (b *Bolt) Snapshot(ctx context.Context, w io.Writer) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	tx, err := b.db.Begin(false)
	if err != nil {
		return 0, boltError("begin a snapshot", err)
	}
	defer tx.Rollback()
	n, err := tx.WriteTo(&contextWriter{ctx: ctx, w: w})
	if err != nil {
		return n, fmt.Errorf("write a snapshot: %w", err)
	}
	return n, nil
}

// contextWriter stops a long copy when its context ends.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// Close implements Engine. It also writes the free list, however long, so that
// the next start is quick.
func (b *Bolt) Close() error {
	b.writer <- struct{}{}
	defer func() { <-b.writer }()
	aheadErr := b.ahead.close()
	if b.stuck {
		return aheadErr // the lock on the file goes with the process
	}
	var freelistErr error
	if b.db.NoFreelistSync && b.broken == nil {
		freelistErr = writeFreeList(b.db)
		if errors.Is(freelistErr, bbolterrors.ErrDatabaseNotOpen) {
			freelistErr = nil // closed already
		}
	}
	if err := errors.Join(aheadErr, freelistErr, b.db.Close()); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

func boltError(doing string, err error) error {
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return fmt.Errorf("%s: %w", doing, err)
}
