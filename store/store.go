// Package store keeps ordered keys and values in transactions.
//
// It is layered. An [Engine] is the contract a database fulfils: [Bolt] is the
// embedded one, and a [Journal] makes its updates durable in a log first, those that
// come together with one sync. [Table] and [Blobs] put typed records and raw bytes on
// top of any of them.
//
// One flat key space holds everything; the first bytes of a key tell its kind:
//
//	t/<table>/<primary key>                                    a record
//	i/<table>/<index>/<index key><primary key><length>         an index entry
//	b/<blobs>/h/<id>                                           a blob's header
//	b/<blobs>/c/<id><number>                                   a blob's chunk
//	b/<blobs>/g/<number>                                       blobs compressed together
//
// Keys are best built with [Key], which keeps the order of its parts.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
)

// Limits that every engine keeps, so that data can move from one to another.
const (
	// MaxKeySize is the longest key in bytes, prefixes of tables and indexes included.
	MaxKeySize = 2048
	// MaxValueSize is the longest value in bytes. Larger things go into [Blobs].
	MaxValueSize = 64 << 20
)

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNotFound: the key, record or blob is not there.
	ErrNotFound = errors.New("not found")
	// ErrClosed: the engine was closed.
	ErrClosed = errors.New("store is closed")
	// ErrLocked: another process owns the store.
	ErrLocked = errors.New("store is in use by another process")
	// ErrConflict: a unique index already holds this key for another record.
	ErrConflict = errors.New("conflict")
	// ErrCorrupt: stored bytes are not what was written.
	ErrCorrupt = errors.New("corrupt data")
	// ErrNewer: a newer version of the program wrote this record.
	ErrNewer = errors.New("written by a newer version")
	// ErrTransactionOver: a Reader or Tx was used after its function returned.
	ErrTransactionOver = errors.New("transaction is over")
	// ErrInvalid: a key, a value or a name that no engine accepts.
	ErrInvalid = errors.New("invalid")
)

// Reader reads one consistent state. It is valid only inside the function it is
// given to, on that function's goroutine; the slices it returns must not be
// changed and are valid only until that function returns.
type Reader interface {
	// Get returns the value of key, or ErrNotFound. A value that was put empty
	// comes back empty and not as an error.
	Get(key []byte) ([]byte, error)
	// Scan yields the entries of r in key order, or in reverse. After an error
	// nothing more follows. Within a Tx, writing during a scan is allowed: the
	// scan continues after the last entry it yielded and sees what was written
	// ahead of it.
	Scan(r Range) iter.Seq2[Entry, error]
	// First returns the entry that Scan would yield first, or ErrNotFound. It costs about
	// as much as Get.
	First(r Range) (Entry, error)
}

// Tx is a Reader that also writes, and reads its own writes.
type Tx interface {
	Reader
	// Put sets key to value; an empty value is legal. The key is copied; the
	// value must not be changed before Update has returned. ErrInvalid tells
	// of an empty key or of a size above the limits.
	Put(key, value []byte) error
	// Delete removes key; an absent key is no error.
	Delete(key []byte) error
}

// Engine runs transactions over one ordered key space. Updates are serialisable:
// each behaves as if it ran alone. Its methods may be called from any goroutine.
type Engine interface {
	// View runs fn on the state as it is at the call; later commits stay
	// invisible to it. It returns fn's error as it is.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn and commits what it wrote, durably, before it returns nil.
	// Any error, from fn or from the commit, means that nothing was written.
	// fn may run more than once, so it does no I/O and keeps nothing from an
	// earlier run; it must not call Update. A context that ends before the
	// transaction began stops it; one that ends later does not.
	Update(ctx context.Context, fn func(Tx) error) error
	// Close waits for running transactions. Later calls return ErrClosed;
	// closing again returns nil.
	Close() error
}

// Snapshotter is an engine that can copy itself while it runs.
type Snapshotter interface {
	// Snapshot writes one consistent state to w and returns the bytes written.
	Snapshot(ctx context.Context, w io.Writer) (int64, error)
}

// Range is a half-open interval of keys: Start is in it, End is not. A nil
// Start begins at the first key, a nil End ends after the last.
type Range struct {
	Start, End []byte
	Reverse    bool // from the last key to the first
}

// Prefix is the range of all keys that begin with p.
func Prefix(p []byte) Range {
	return Range{Start: p, End: prefixEnd(p)}
}

// Reversed returns the same range scanned in the other direction.
func (r Range) Reversed() Range {
	r.Reverse = !r.Reverse
	return r
}

// before tells whether a scan meets the key a before the key b.
func (r Range) before(a, b []byte) bool {
	if r.Reverse {
		return bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}

// String shows the bounds quoted, for messages.
func (r Range) String() string {
	end := "the end"
	if r.End != nil {
		end = strconv.Quote(string(r.End))
	}
	if r.Reverse {
		return fmt.Sprintf("[%q, %s) reversed", r.Start, end)
	}
	return fmt.Sprintf("[%q, %s)", r.Start, end)
}

// prefixEnd is the first key after all that begin with p; nil when there is none.
func prefixEnd(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			end := append([]byte(nil), p[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

// within moves r under prefix: r counts keys relative to it.
func (r Range) within(prefix []byte) Range {
	moved := Range{Start: join(prefix, r.Start), End: prefixEnd(prefix), Reverse: r.Reverse}
	if r.End != nil {
		moved.End = join(prefix, r.End)
	}
	return moved
}

// Entry is one key with its value.
type Entry struct {
	Key, Value []byte
}

// CheckKey returns ErrInvalid for a key that engines must refuse.
func CheckKey(key []byte) error {
	switch {
	case len(key) == 0:
		return fmt.Errorf("%w key: it is empty", ErrInvalid)
	case len(key) > MaxKeySize:
		return fmt.Errorf("%w key %.40q…: %d bytes, the limit is %d", ErrInvalid, key, len(key), MaxKeySize)
	}
	return nil
}

// CheckEntry returns ErrInvalid for a key or value that engines must refuse.
// Every engine's Put calls it, so that all refuse the same.
func CheckEntry(key, value []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(value) > MaxValueSize {
		return fmt.Errorf("%w value of key %q: %d bytes, the limit is %d", ErrInvalid, key, len(value), MaxValueSize)
	}
	return nil
}

// join concatenates into memory of its own, so that prefixes can be shared.
func join(parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	joined := make([]byte, 0, size)
	for _, p := range parts {
		joined = append(joined, p...)
	}
	return joined
}
