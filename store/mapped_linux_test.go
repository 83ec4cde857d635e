package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// Reading a whole file must not make the process as large as the file, however much of it
// the system has in its cache.
func TestWhatIsReadIsLetGo(t *testing.T) {
	const values, size, limit = 64, 1 << 20, 16 << 20
	before := filesInMemory(t)
	b, err := store.OpenBolt(t.TempDir()+"/store", store.BoltOptions{MaxMapped: 1}) // the program alone is more
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	for i := range values {
		update(t, b, put(fmt.Sprintf("%02d", i), strings.Repeat(string(rune('a'+i%26)), size)))
	}

	for deadline := time.Now().Add(20 * time.Second); ; {
		err := b.View(t.Context(), func(r store.Reader) error {
			for i := range values {
				value, err := r.Get([]byte(fmt.Sprintf("%02d", i)))
				if err != nil || bytes.Count(value, []byte{byte('a' + i%26)}) != size {
					return fmt.Errorf("value %d: %d bytes, %w", i, len(value), err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		grown := filesInMemory(t) - before
		if grown < limit {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB stay in memory", grown>>20)
		}
	}
}

// A reader goes on reading what it has while another one's end lets the pages go.
func TestWhatIsBeingReadStaysReadable(t *testing.T) {
	b, err := store.OpenBolt(t.TempDir()+"/store", store.BoltOptions{MaxMapped: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	const size = 16 << 20
	update(t, b, put("a", strings.Repeat("a", size)))
	err = b.View(t.Context(), func(r store.Reader) error {
		value, err := r.Get([]byte("a"))
		if err != nil || bytes.Count(value, []byte("a")) != size {
			return fmt.Errorf("%d bytes, %w", len(value), err)
		}
		before := filesInMemory(t)
		for deadline := time.Now().Add(20 * time.Second); filesInMemory(t) > before-size/2; {
			if err := b.View(t.Context(), func(store.Reader) error { return nil }); err != nil {
				return err
			}
			if time.Now().After(deadline) {
				return errors.New("nothing was let go")
			}
		}
		if bytes.Count(value, []byte("a")) != size {
			return errors.New("the value changed while it was read")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// filesInMemory is what this process has mapped of files, in bytes.
func filesInMemory(t *testing.T) int {
	t.Helper()
	return storetest.Memory(t, "RssFile")
}
