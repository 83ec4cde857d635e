package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// increment adds one to the number under key; done alone it never loses one.
func increment(tx store.Tx, key string) error {
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n := 0
	if err == nil {
		if n, err = strconv.Atoi(string(value)); err != nil {
			return err
		}
	}
	return tx.Put([]byte(key), strconv.AppendInt(nil, int64(n+1), 10))
}

func concurrentUpdates(t *testing.T, e store.Engine) {
	const writers, rounds = 16, 10
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				err := e.Update(t.Context(), func(tx store.Tx) error {
					if err := errors.Join(increment(tx, "all"), increment(tx, fmt.Sprint("one", w))); err != nil {
						return err
					}
					if i%3 == 2 {
						return refused
					}
					return nil
				})
				if (i%3 == 2) != errors.Is(err, refused) || err != nil && !errors.Is(err, refused) {
					t.Errorf("writer %d, round %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	view(t, e, func(r store.Reader) error {
		if all, err := r.Get([]byte("all")); string(all) != strconv.Itoa(writers*7) || err != nil {
			t.Errorf("all: %s, %v; want %d", all, err, writers*7)
		}
		for w := range writers {
			if one, err := r.Get(fmt.Append(nil, "one", w)); string(one) != "7" || err != nil {
				t.Errorf("writer %d: %s, %v; want 7", w, one, err)
			}
		}
		return nil
	})
}

func readersAndWriters(t *testing.T, e store.Engine) {
	fill(t, e) // an update of nothing is legal
	writing := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for done := false; !done; {
				select {
				case <-writing:
					done = true
				default:
				}
				err := e.View(t.Context(), func(r store.Reader) error {
					a, _ := r.Get([]byte("a"))
					b, _ := r.Get([]byte("b"))
					if string(a) != string(b) {
						t.Errorf("half a commit: a=%s b=%s", a, b)
					}
					return nil
				})
				if err != nil {
					t.Errorf("view: %v", err)
				}
			}
		})
	}
	for range 50 {
		update(t, e, func(tx store.Tx) error { return errors.Join(increment(tx, "a"), increment(tx, "b")) })
	}
	close(writing)
	wg.Wait()
	wantStored(t, e, "a=50", "b=50")
}

// occupy runs an update that holds the engine's writer until release is closed.
func occupy(t *testing.T, e store.Engine, key string) (release chan struct{}, done chan error) {
	release, done = make(chan struct{}), make(chan error, 1)
	running := make(chan struct{})
	var once sync.Once
	go func() {
		done <- e.Update(context.WithoutCancel(t.Context()), func(tx store.Tx) error {
			once.Do(func() { close(running) })
			<-release
			return tx.Put([]byte(key), nil)
		})
	}()
	<-running
	return release, done
}

func cancelledWhileWaiting(t *testing.T, e store.Engine) {
	release, done := occupy(t, e, "a")
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		waiting <- e.Update(ctx, func(store.Tx) error {
			t.Error("the function ran")
			return nil
		})
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantStored(t, e, "a=")
}
