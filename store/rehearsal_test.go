package store_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

func openScratch(t testing.TB) *store.Bolt {
	t.Helper()
	return reopenBoltWith(t, filepath.Join(t.TempDir(), "scratch"), store.BoltOptions{Volatile: true, NoPreallocation: true})
}

// everything is all that an engine has, in both directions and from the middle.
func everything(t *testing.T, e store.Engine) string {
	t.Helper()
	var all bytes.Buffer
	if err := e.View(t.Context(), func(r store.Reader) error {
		for _, within := range []store.Range{{}, {Reverse: true}, {Start: []byte("30"), End: []byte("60")}, {Start: []byte("30"), End: []byte("60"), Reverse: true}} {
			for entry, err := range r.Scan(within) {
				if err != nil {
					return err
				}
				fmt.Fprintf(&all, "%s=%s ", entry.Key, entry.Value)
			}
			first, err := r.First(within)
			fmt.Fprintf(&all, "first %s=%s %v\n", first.Key, first.Value, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// A rehearsal shows what the same updates make of the engine itself, which stays as it is until
// they are done there.
func TestARehearsalShowsWhatUpdatesWouldDo(t *testing.T) {
	base := openBolt(t)
	r := rand.New(rand.NewPCG(3, 5))
	update := func(n int) func(store.Tx) error {
		type write struct {
			key, value string
			remove     bool
		}
		var writes []write
		for range n {
			writes = append(writes, write{fmt.Sprintf("%02d", r.IntN(100)), fmt.Sprint(r.IntN(1000)), r.IntN(3) == 0})
		}
		return func(tx store.Tx) error {
			for _, w := range writes {
				if w.remove {
					if err := tx.Delete([]byte(w.key)); err != nil {
						return err
					}
				} else if err := tx.Put([]byte(w.key), []byte(w.value)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	do := func(e store.Engine, fn func(store.Tx) error) {
		t.Helper()
		if err := e.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	do(base, update(80))
	before := everything(t, base)
	rehearsal := store.NewRehearsal(base, openScratch(t))
	var updates []func(store.Tx) error
	for range 30 {
		updates = append(updates, update(5))
		do(rehearsal, updates[len(updates)-1])
	}
	shown := everything(t, rehearsal)
	if shown == before || everything(t, base) != before {
		t.Fatalf("the rehearsal changed nothing, or the engine beneath it:\n%s", shown)
	}
	for _, update := range updates {
		do(base, update)
	}
	if is := everything(t, base); is != shown {
		t.Errorf("the rehearsal showed\n%s\nand it became\n%s", shown, is)
	}
}

// Raw bytes take no room in a rehearsal.
func TestARehearsalKeepsNoBlobs(t *testing.T) {
	base := openBolt(t)
	blobs := store.Blobs{Name: "raw"}
	rehearsal := store.NewRehearsal(base, openScratch(t))
	if err := rehearsal.Update(t.Context(), func(tx store.Tx) error {
		if err := blobs.Put(tx, []byte("1"), store.Compress([]byte("raw bytes"))); err != nil {
			return err
		}
		if got, err := blobs.Get(tx, []byte("1")); err != nil || string(got) != "raw bytes" {
			t.Errorf("in the update that wrote it: %q, %v", got, err)
		}
		return tx.Put([]byte("record"), []byte("of it"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := rehearsal.View(context.Background(), func(r store.Reader) error {
		if _, err := blobs.Get(r, []byte("1")); err == nil {
			t.Error("it is kept")
		}
		_, err := r.Get([]byte("record"))
		return err
	}); err != nil {
		t.Error(err)
	}
}
