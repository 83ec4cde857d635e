package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/madoguchi/madoguchi/store"
)

// checkFile opens a closed store with bbolt, lets bbolt check every page, and
// compares the values, of which n are under growing keys.
func checkFile(t *testing.T, path string, n int, value func(i int) []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		for i := range n {
			if got := tx.Bucket([]byte("store")).Get(fmt.Appendf(nil, "%06d", i)); !bytes.Equal(got, value(i)) {
				t.Fatalf("value %d of %d has %d bytes that were not written", i, n, len(got))
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Commits of every size, also such as outrun what was preallocated, never meet the
// zeros that are appended meanwhile.
func TestPreallocationNeverMeetsData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	random := randomBytes(4 << 20)
	sizes := []int{100, 4 << 20, 30_000, 700_000, 2_000_000}
	value := func(i int) []byte { return random[:sizes[i%len(sizes)]+i] }
	sizes[1] -= 1000 // as value adds to it
	const n = 60
	b := reopenBolt(t, path)
	for i := range n {
		update(t, b, func(tx store.Tx) error {
			return tx.Put(fmt.Appendf(nil, "%06d", i), value(i))
		})
		if i == n/2 {
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			checkFile(t, path, i+1, value)
			b = reopenBolt(t, path)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, n, value)
}

// A list of free pages too long for an array is kept another way from the next
// start on; also after a crash, which leaves no list.
func TestBoltReopensWithAVeryLongFreeList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	small := store.BoltOptions{PageSize: 1024}
	b, err := store.OpenBolt(path, small)
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, store.MaxValueSize) // a page more than the longest list kept as an array
	value := func(int) []byte { return []byte("small") }
	update(t, b, put("000000", string(large)))
	update(t, b, put("000000", "small"))
	crashed := filepath.Join(t.TempDir(), "crashed")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(crashed, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, crashed} {
		b, err := store.OpenBolt(path, small)
		if err != nil {
			t.Fatal(err)
		}
		update(t, b, put("000000", string(large[:len(large)/2])))
		update(t, b, put("000000", "small"))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		checkFile(t, path, 1, value)
		if info, err := os.Stat(path); err != nil || info.Size() > int64(len(data)) {
			t.Errorf("the file grew from %d to %d bytes although its pages were free, %v", len(data), info.Size(), err)
		}
	}
}
