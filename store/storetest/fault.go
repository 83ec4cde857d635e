package storetest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/madoguchi/madoguchi/store"
)

// Fault wraps an engine and makes its commits fail, or its functions run twice, as
// told. It fails the way a database does: the function has run, its writes are
// gone. Its methods may be called from any goroutine.
type Fault struct {
	engine store.Engine

	mu      sync.Mutex
	commits int           // attempted so far
	planned map[int]error // by number of the commit
	always  error
	repeats int
}

// NewFault wraps e, which Close closes.
func NewFault(e store.Engine) *Fault {
	return &Fault{engine: e, planned: map[int]error{}}
}

// FailCommit makes the nth commit from now on fail with err; 1 is the next one.
// Calls add up. An Update whose function returns an error counts as no commit.
func (f *Fault) FailCommit(n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned[f.commits+n] = err
}

// FailAlways makes every commit fail with err, until it is called with nil.
func (f *Fault) FailAlways(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always = err
}

// Repeat makes every Update run its function n more times beforehand, each on a
// transaction that is thrown away, as an engine does that retries.
func (f *Fault) Repeat(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.repeats = n
}

// Commits returns how many commits were attempted, those that failed included.
func (f *Fault) Commits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.commits
}

// View implements store.Engine.
func (f *Fault) View(ctx context.Context, fn func(store.Reader) error) error {
	return f.engine.View(ctx, fn)
}

// errThrownAway ends a run that is repeated.
var errThrownAway = errors.New("transaction thrown away")

// Update implements store.Engine.
func (f *Fault) Update(ctx context.Context, fn func(store.Tx) error) error {
	f.mu.Lock()
	repeats := f.repeats
	f.mu.Unlock()
	for range repeats {
		err := f.engine.Update(ctx, func(tx store.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return errThrownAway
		})
		if !errors.Is(err, errThrownAway) {
			return err
		}
	}
	return f.engine.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return f.commit()
	})
}

// commit counts a commit and returns what it shall fail with.
func (f *Fault) commit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits++
	if err, ok := f.planned[f.commits]; ok {
		delete(f.planned, f.commits)
		return err
	}
	return f.always
}

// Snapshot implements store.Snapshotter where the wrapped engine does.
func (f *Fault) Snapshot(ctx context.Context, w io.Writer) (int64, error) {
	s, ok := f.engine.(store.Snapshotter)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return s.Snapshot(ctx, w)
}

// Close implements store.Engine.
func (f *Fault) Close() error { return f.engine.Close() }
