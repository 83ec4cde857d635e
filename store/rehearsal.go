package store

import (
	"bytes"
	"context"
	"errors"
	"iter"
)

// Rehearsal is an engine for trying out what updates would do. They see the state of another
// engine and what earlier ones of the rehearsal wrote, and the other engine is never written to:
// what is written goes into a scratch engine of its own. While it goes on, the other one may change;
// what the rehearsal wrote hides that.
type Rehearsal struct {
	base, scratch Engine
}

// NewRehearsal is a rehearsal over base, with nothing written yet. scratch is empty, and closing the rehearsal
// closes it; what need not outlive a crash is best a Bolt that is Volatile. Raw bytes in Blobs
// are not kept there, only the records: they can be read in the update that wrote them.
// A value may have one byte less than MaxValueSize.
func NewRehearsal(base, scratch Engine) *Rehearsal { return &Rehearsal{base, scratch} }

// View implements Engine.
func (e *Rehearsal) View(ctx context.Context, fn func(Reader) error) error {
	return e.base.View(ctx, func(beneath Reader) error {
		return e.scratch.View(ctx, func(written Reader) error { return fn(rehearsed{written, beneath}) })
	})
}

// Update implements Engine.
func (e *Rehearsal) Update(ctx context.Context, fn func(Tx) error) error {
	return e.base.View(ctx, func(beneath Reader) error {
		return e.scratch.Update(ctx, func(tx Tx) error {
			own := newOverlay(rehearsed{tx, beneath})
			defer func() { own.over = true }()
			if err := fn(own); err != nil {
				return err
			}
			return own.apply(func(key, value []byte) error {
				if bytes.HasPrefix(key, anyBlob) {
					return nil
				}
				return tx.Put(key, append([]byte{rehearsedValue}, value...))
			}, func(key []byte) error { return tx.Put(key, []byte{rehearsedDeletion}) })
		})
	})
}

// Close implements Engine. The engine beneath is not closed.
func (e *Rehearsal) Close() error { return e.scratch.Close() }

// The first byte of a value in the scratch engine says whether it is one.
const (
	rehearsedValue    = 'v'
	rehearsedDeletion = 'd'
)

// anyBlob begins the keys of all blobs.
var anyBlob = []byte("b/")

// rehearsed reads what was written over what is beneath.
type rehearsed struct{ written, beneath Reader }

func (r rehearsed) Get(key []byte) ([]byte, error) {
	value, err := r.written.Get(key)
	switch {
	case errors.Is(err, ErrNotFound):
		return r.beneath.Get(key)
	case err != nil:
		return nil, err
	case value[0] == rehearsedDeletion:
		return nil, ErrNotFound
	}
	return value[1:], nil
}

func (r rehearsed) First(within Range) (Entry, error) {
	written, err := r.written.First(within)
	if errors.Is(err, ErrNotFound) {
		return r.beneath.First(within)
	}
	if err != nil {
		return Entry{}, err
	}
	entry, err := r.beneath.First(within)
	switch {
	case err == nil && within.before(entry.Key, written.Key):
		return entry, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return Entry{}, err
	case written.Value[0] == rehearsedDeletion:
		return firstOf(r.Scan(within))
	}
	return Entry{Key: written.Key, Value: written.Value[1:]}, nil
}

// Scan merges both; what was written hides the entry of the same key.
func (r rehearsed) Scan(within Range) iter.Seq2[Entry, error] {
	if _, err := r.written.First(within); errors.Is(err, ErrNotFound) {
		return r.beneath.Scan(within)
	}
	return func(yield func(Entry, error) bool) {
		next, stop := iter.Pull2(r.written.Scan(within))
		defer stop()
		written, err, more := next()
		take := func() bool { // yields what was written, unless it is a deletion, and goes on
			w := written
			written, err, more = next()
			return w.Value[0] == rehearsedDeletion || yield(Entry{Key: w.Key, Value: w.Value[1:]}, nil)
		}
		for entry, failed := range r.beneath.Scan(within) {
			for failed == nil && more && err == nil && within.before(written.Key, entry.Key) {
				if !take() {
					return
				}
			}
			if failed = errors.Join(failed, err); failed != nil {
				yield(Entry{}, failed)
				return
			}
			if more && bytes.Equal(written.Key, entry.Key) {
				if !take() {
					return
				}
			} else if !yield(entry, nil) {
				return
			}
		}
		for more && err == nil {
			if !take() {
				return
			}
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}
