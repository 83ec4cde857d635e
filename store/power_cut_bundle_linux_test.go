package store_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// Sources are bundled while others come, and the power is cut after every write and sync in
// turn: each source that was there or acknowledged is there byte for byte, in a bundle or by
// itself, once, and bundling goes on afterwards.
func TestEveryPowerCutKeepsBundledSources(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the power cuts while sources are bundled")
	}
	const old, writers, each = 48, 3, 4 // of these 48 sources 16 fill a bundle
	source := func(id string) []byte {
		return []byte(strings.Repeat("Received: from mail.example by us; "+id+"\r\n", 400))
	}
	open := func(t *testing.T, directory string) *store.Journal {
		t.Helper()
		j, err := store.Open(filepath.Join(directory, "store"), store.BoltOptions{NoPreallocation: true})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	before := []string{}
	for i := range old {
		before = append(before, fmt.Sprintf("0%03d", i))
	}
	trace := storetest.Record(t, func(t *testing.T, directory string) {
		j := open(t, directory)
		for _, id := range before {
			putBlob(t, j, id, source(id))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, directory string, mark func(string)) {
		j := open(t, directory)
		var all sync.WaitGroup
		for writer := range writers {
			all.Go(func() {
				for i := range each {
					id := fmt.Sprintf("9%d%d", writer, i)
					err := j.Update(context.Background(), func(tx store.Tx) error { return raw.Put(tx, []byte(id), store.Compress(source(id))) })
					if err != nil {
						t.Error(err)
						return
					}
					mark(id)
				}
			})
		}
		if bundleAll(t, j, "0016")+bundleAll(t, j, "0032")+bundleAll(t, j, "0048") < old/2 {
			t.Error("nothing was bundled")
		}
		all.Wait()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	if trace == nil {
		return // this is the process whose writes are recorded
	}
	cuts := 0
	for image, directory := range cutImages(t, trace) {
		cuts++
		j := open(t, directory)
		for round := range 2 {
			count := map[string]int{}
			view(t, j, func(r store.Reader) error {
				for id, err := range raw.IDs(r) {
					if err != nil {
						return err
					}
					count[string(id)]++
					if data, err := raw.Get(r, id); err != nil || !bytes.Equal(data, source(string(id))) {
						t.Fatalf("%s, round %d: source %s has %d bytes, %v", image.What, round, id, len(data), err)
					}
				}
				return nil
			})
			for _, id := range append(before, image.Marks...) {
				if count[id] != 1 {
					t.Fatalf("%s, round %d: source %s is there %d times", image.What, round, id, count[id])
				}
			}
			bundleAll(t, j, "0048")
		}
		if err := j.Close(); err != nil {
			t.Fatalf("%s: %v", image.What, err)
		}
	}
	if cuts < min(*powerCuts, 40)/2 {
		t.Errorf("%d power cuts prove nothing", cuts)
	}
	t.Logf("%d power cuts at %d operations", cuts, len(trace.Operations))
}
