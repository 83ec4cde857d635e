package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// content is everything that an engine holds.
func content(t *testing.T, e store.Engine) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := e.View(t.Context(), func(r store.Reader) error {
		last := ""
		for entry, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			if string(entry.Key) <= last {
				t.Errorf("key %q comes after %q", entry.Key, last)
			}
			last = string(entry.Key)
			all[last] = string(entry.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// scribble makes a random update, on the engine and on model.
func scribble(t *testing.T, e store.Engine, model map[string]string, r *rand.Rand) {
	t.Helper()
	type step struct{ key, value string }
	var steps []step
	for range 1 + r.IntN(20) {
		s := step{key: fmt.Sprintf("key %03d", r.IntN(300))}
		if r.IntN(4) > 0 {
			s.value = strings.Repeat(string(rune('a'+r.IntN(26))), 1+r.IntN(900))
		}
		steps = append(steps, s)
	}
	err := e.Update(t.Context(), func(tx store.Tx) error {
		for _, s := range steps {
			var err error
			if s.value == "" {
				err = tx.Delete([]byte(s.key))
			} else {
				err = tx.Put([]byte(s.key), []byte(s.value))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if delete(model, s.key); s.value != "" {
			model[s.key] = s.value
		}
	}
}

// copyStore copies the files of a store as they are, as if the process had died.
func copyStore(t *testing.T, path string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "copy")
	for _, part := range []string{"", "-log1", "-log2"} {
		data, err := os.ReadFile(path + part)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+part, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

func TestJournalIsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	r, model := rand.New(rand.NewPCG(3, 4)), map[string]string{}
	j := reopenJournal(t, path)
	rounds := 400
	if testing.Short() {
		rounds = 100
	}
	for n := range rounds {
		scribble(t, j, model, r)
		switch n % 50 {
		case 10: // what is pending goes into bbolt, with what comes after it pending again
			var snapshot bytes.Buffer
			if _, err := j.Snapshot(t.Context(), &snapshot); err != nil {
				t.Fatal(err)
			}
			restored := filepath.Join(t.TempDir(), "restored")
			if err := os.WriteFile(restored, snapshot.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := boltContent(t, restored); !maps.Equal(got, model) {
				t.Fatalf("after %d updates a snapshot has %d entries, want %d", n, len(got), len(model))
			}
		case 20: // the process dies
			if got := content(t, reopenJournal(t, copyStore(t, path))); !maps.Equal(got, model) {
				t.Fatalf("after %d updates and a crash there are %d entries, want %d", n, len(got), len(model))
			}
		case 30: // too much for the log
			err := j.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte("large"), make([]byte, 5<<20)) })
			if err != nil {
				t.Fatal(err)
			}
			model["large"] = string(make([]byte, 5<<20))
		case 40:
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if got := boltContent(t, path); !maps.Equal(got, model) {
				t.Fatalf("after %d updates and Close bbolt has %d entries, want %d", n, len(got), len(model))
			}
			j = reopenJournal(t, path)
		}
		if got := content(t, j); !maps.Equal(got, model) {
			t.Fatalf("after %d updates there are %d entries, want %d", n, len(got), len(model))
		}
	}
}

// boltContent is what bbolt's file alone holds.
func boltContent(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := store.OpenBolt(path, store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	return content(t, b)
}

// A log that a crash cut anywhere, or left with anything behind what was synced,
// gives a state that there was: that of the last whole update.
func TestJournalWithATornEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	j := reopenJournal(t, path)
	if _, err := j.Snapshot(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	r, model := rand.New(rand.NewPCG(5, 6)), map[string]string{}
	states := []map[string]string{{}}
	for range 5 {
		scribble(t, j, model, r)
		states = append(states, maps.Clone(model))
	}
	copied := copyStore(t, path)
	bolt, log := read(t, copied), read(t, copied+"-log1")
	end := len(bytes.TrimRight(log, "\x00"))
	step := max(1, (end-4096)/40)
	for cut := 4096; cut <= end+step; cut += step {
		write(t, copied, bolt)
		torn := slices.Clone(log)
		for i := min(cut, len(torn)); i < len(torn); i++ {
			torn[i] = byte(cut)
		}
		write(t, copied+"-log1", torn)
		again, err := store.Open(copied, store.BoltOptions{NoPreallocation: true})
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
		got := content(t, again)
		if !slices.ContainsFunc(states, func(s map[string]string) bool { return maps.Equal(s, got) }) || cut >= end && !maps.Equal(got, model) {
			t.Fatalf("cut at %d of %d: %d entries, a state that never was", cut, end, len(got))
		}
		// What comes after the recovery stays, also after another crash.
		if err := again.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte("after"), []byte("it")) }); err != nil {
			t.Fatal(err)
		}
		got["after"] = "it"
		if found := content(t, reopenJournal(t, copyStore(t, copied))); !maps.Equal(found, got) {
			t.Fatalf("cut at %d of %d: after the next crash %d entries, want %d", cut, end, len(found), len(got))
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The log of one store is never replayed on another, and a hole is never passed
// over.
func TestJournalOfAnotherStore(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "other")
	j, k := reopenJournal(t, path), reopenJournal(t, other)
	r, model := rand.New(rand.NewPCG(7, 8)), map[string]string{}
	scribble(t, j, model, r)
	crashed := copyStore(t, path)
	foreign := copyStore(t, other)
	write(t, foreign+"-log1", read(t, crashed+"-log1"))
	if _, err := store.Open(foreign, store.BoltOptions{}); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "-log1 is not of this store") {
		t.Errorf("with the log of another store: %v", err)
	}
	old := read(t, crashed)
	if _, err := j.Snapshot(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	scribble(t, j, model, r)
	behind := copyStore(t, path)
	write(t, behind, old)
	if err := os.Remove(behind + "-log1"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(behind, store.BoltOptions{}); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("with a hole between the store and its log: %v", err)
	}
	if got := content(t, k); len(got) > 0 {
		t.Errorf("the other store has %d entries", len(got))
	}
}

// Views that begin while writes pass from the log into bbolt see whole updates,
// and none older than one they have seen.
func TestJournalViewsDuringFlushes(t *testing.T) {
	j := openJournal(t)
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := j.View(t.Context(), func(r store.Reader) error {
					a, err := r.Get([]byte("a"))
					if errors.Is(err, store.ErrNotFound) {
						return nil
					}
					b, _ := r.Get([]byte("b"))
					if err != nil || !bytes.Equal(a, b) {
						return fmt.Errorf("a is %q, b is %q, %w", a, b, err)
					}
					n := 0
					fmt.Sscan(string(a), &n)
					if n < last {
						return fmt.Errorf("%d after %d", n, last)
					}
					last = n
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Go(func() {
		for n := range 300 {
			err := j.Update(t.Context(), func(tx store.Tx) error {
				text := fmt.Append(nil, n)
				return errors.Join(tx.Put([]byte("a"), text), tx.Put([]byte("b"), text))
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	writers.Go(func() {
		for range 60 {
			if _, err := j.Snapshot(t.Context(), &bytes.Buffer{}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
}

// memoryDirectory is a directory in memory where the system has one: what is synced there
// costs nothing.
func memoryDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "madoguchi-store")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}
