package storetest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

func newFault(t *testing.T) *storetest.Fault {
	t.Helper()
	b, err := store.OpenBolt(filepath.Join(t.TempDir(), "store"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := storetest.NewFault(b)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFaultFailsTheCommitsItIsTold(t *testing.T) {
	f := newFault(t)
	first, third, always := errors.New("first"), errors.New("third"), errors.New("always")
	f.FailCommit(1, first)
	f.FailCommit(3, third)
	refused := errors.New("refused")
	put := func(key string, result error) error {
		return f.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put([]byte(key), nil), result)
		})
	}
	steps := []struct {
		key     string
		returns error // of the function
		want    error
	}{
		{"a", nil, first},
		{"b", nil, nil},
		{"c", refused, refused}, // counts as no commit
		{"d", nil, third},
		{"e", nil, nil},
	}
	for _, step := range steps {
		if err := put(step.key, step.returns); !errors.Is(err, step.want) || step.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", step.key, err, step.want)
		}
	}
	f.FailAlways(always)
	for range 2 {
		if err := put("f", nil); !errors.Is(err, always) {
			t.Errorf("got %v, want %v", err, always)
		}
	}
	f.FailAlways(nil)
	if err := put("g", nil); err != nil {
		t.Error(err)
	}
	if f.Commits() != 7 {
		t.Errorf("%d commits, want 7", f.Commits())
	}
	stored := ""
	err := f.View(t.Context(), func(r store.Reader) error {
		for entry, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			stored += string(entry.Key)
		}
		return nil
	})
	if stored != "beg" || err != nil {
		t.Errorf("stored %q, %v; want beg", stored, err)
	}
}

func TestFaultRepeatsOnCleanTransactions(t *testing.T) {
	f := newFault(t)
	f.Repeat(2)
	runs := 0
	err := f.Update(t.Context(), func(tx store.Tx) error {
		runs++
		if _, err := tx.Get([]byte("a")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("run %d sees an earlier one: %v", runs, err)
		}
		return tx.Put([]byte("a"), nil)
	})
	if err != nil || runs != 3 || f.Commits() != 1 {
		t.Errorf("%v, %d runs, %d commits; want 3 and 1", err, runs, f.Commits())
	}
}
