package store_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// A page that is damaged when the log is to be taken over keeps everything from being
// written, and nothing from being read: what was acknowledged is there, now and after the
// store is opened again, and who writes is told what to do.
func TestADamagedPageStopsWritingAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	j, err := store.Open(path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		update(t, j, func(tx store.Tx) error {
			return tx.Put(fmt.Appendf(nil, "key %03d", i), []byte(strings.Repeat("x", 500)))
		})
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	damageLeaf(t, path, "key 020")

	check := func(j *store.Journal, acknowledged string) {
		t.Helper()
		read := func(key string) (value string, err error) {
			viewErr := j.View(t.Context(), func(r store.Reader) error {
				v, err := r.Get([]byte(key))
				value = string(v)
				return err
			})
			return value, viewErr
		}
		if _, err := read("key 019"); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "page ") {
			t.Errorf("what is on the damaged page: %v; want an error that names the page", err)
		}
		if _, err := read("key 000"); err != nil {
			t.Errorf("what is on another page: %v", err)
		}
		if value, err := read("key 020"); err != nil || value != acknowledged {
			t.Errorf("what was acknowledged since: %q, %v", value, err)
		}
		var found []store.Damage
		if err := j.Check(t.Context(), func(d store.Damage) { found = append(found, d) }); err != nil || len(found) != 1 || !strings.Contains(found[0].String(), "cannot be read") {
			t.Errorf("the check finds %v, %v", found, err)
		}
	}
	refused := func(j *store.Journal) {
		t.Helper()
		if err := j.Update(t.Context(), put("other", "thing")); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "madoguchi verify") {
			t.Errorf("an update once the damage was met in writing: %v; want what to do", err)
		}
	}
	if j, err = store.Open(path, store.BoltOptions{NoPreallocation: true}); err != nil {
		t.Fatal(err)
	}
	update(t, j, put("key 020", "new")) // into the log
	check(j, "new")
	if _, err := j.Snapshot(t.Context(), io.Discard); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("taking the log over: %v", err)
	}
	check(j, "new")
	refused(j)
	_ = j.Close() // what cannot be written stays in the log
	if j, err = store.Open(path, store.BoltOptions{NoPreallocation: true}); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	check(j, "new")
	refused(j)
}

// damageLeaf makes the page with a key say that it is another one.
func damageLeaf(t *testing.T, path, key string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hit := 0
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		if page := data[at:min(at+os.Getpagesize(), len(data))]; strings.Contains(string(page), key) && page[8] == 2 {
			page[0] ^= 0x40
			hit++
		}
	}
	if hit == 0 {
		t.Fatalf("no page has %s", key)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
