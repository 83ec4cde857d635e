package store_test

import (
	"path/filepath"
	"testing"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

func openBolt(t testing.TB) *store.Bolt {
	t.Helper()
	return reopenBolt(t, filepath.Join(t.TempDir(), "store"))
}

func reopenBolt(t testing.TB, path string) *store.Bolt {
	t.Helper()
	return reopenBoltWith(t, path, store.BoltOptions{})
}

func reopenBoltWith(t testing.TB, path string, o store.BoltOptions) *store.Bolt {
	t.Helper()
	b, err := store.OpenBolt(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func openJournal(t testing.TB) *store.Journal {
	t.Helper()
	return reopenJournal(t, filepath.Join(t.TempDir(), "store"))
}

func reopenJournal(t testing.TB, path string) *store.Journal {
	t.Helper()
	j, err := store.Open(path, store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return j
}

func TestConformance(t *testing.T) {
	engines := map[string]func(t *testing.T) store.Engine{
		"Bolt":  func(t *testing.T) store.Engine { return openBolt(t) },
		"Group": func(t *testing.T) store.Engine { return store.NewGroup(openBolt(t)) },
		"Fault": func(t *testing.T) store.Engine { return storetest.NewFault(openBolt(t)) },
		"Group over an engine that repeats": func(t *testing.T) store.Engine {
			f := storetest.NewFault(openBolt(t))
			f.Repeat(2)
			return store.NewGroup(f)
		},
		"Journal":   func(t *testing.T) store.Engine { return openJournal(t) },
		"Rehearsal": func(t *testing.T) store.Engine { return store.NewRehearsal(openBolt(t), openScratch(t)) },
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, open)
		})
	}
}
