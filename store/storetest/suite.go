// Package storetest proves that an engine keeps the contract of package store, and
// offers one that fails on demand.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// Run runs the conformance suite. open returns a new, empty engine for each test;
// the suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Engine) {
	tests := []struct {
		name string
		test func(t *testing.T, e store.Engine)
	}{
		{"an absent key is not found", absentKey},
		{"entries come in byte order", byteOrder},
		{"ranges are half open in both directions", ranges},
		{"empty values are values", emptyValues},
		{"large values come back whole", largeValues},
		{"keys and values out of bounds are refused", refusals},
		{"a key can be reused after Put", keyReuse},
		{"a transaction reads its own writes", ownWrites},
		{"scans merge a transaction's own writes", ownWritesInScans},
		{"a scan bears writes while it runs", writesDuringScan},
		{"a scan bears deleting everything", deleteAllDuringScan},
		{"an error rolls back", rollbackOnError},
		{"a panic rolls back and reaches the caller", rollbackOnPanic},
		{"an ended goroutine rolls back", rollbackOnGoexit},
		{"a view does not change", viewIsolation},
		{"a view sees what was committed before it", viewAfterCommit},
		{"concurrent updates are serialisable", concurrentUpdates},
		{"readers see whole commits while writers write", readersAndWriters},
		{"a cancelled context stops before it begins", cancelled},
		{"a context that ends in between does not undo", cancelledInBetween},
		{"a waiting update can be cancelled", cancelledWhileWaiting},
		{"a transaction that is over says so", transactionOver},
		{"a closed engine says so", useAfterClose},
		{"Close waits for a running update", closeWaits},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := open(t)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.test(t, e)
		})
	}
}

func update(t *testing.T, e store.Engine, fn func(store.Tx) error) {
	t.Helper()
	if err := e.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t *testing.T, e store.Engine, fn func(store.Reader) error) {
	t.Helper()
	if err := e.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// fill puts every key with itself as value.
func fill(t *testing.T, e store.Engine, keys ...string) {
	t.Helper()
	update(t, e, func(tx store.Tx) error {
		for _, key := range keys {
			if err := tx.Put([]byte(key), []byte(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// scan returns the entries of a range as "key=value".
func scan(r store.Reader, within store.Range) ([]string, error) {
	found := []string{}
	for entry, err := range r.Scan(within) {
		if err != nil {
			return nil, err
		}
		found = append(found, string(entry.Key)+"="+string(entry.Value))
	}
	return found, nil
}

func wantScan(t *testing.T, r store.Reader, within store.Range, want ...string) {
	t.Helper()
	got, err := scan(r, within)
	if err != nil {
		t.Errorf("scan %v: %v", within, err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("scan %v:\n got %q\nwant %q", within, got, want)
	}
	first, err := r.First(within)
	switch {
	case len(want) == 0 && !errors.Is(err, store.ErrNotFound):
		t.Errorf("first of %v: %q, %v; want ErrNotFound", within, first.Key, err)
	case len(want) > 0 && (err != nil || string(first.Key)+"="+string(first.Value) != want[0]):
		t.Errorf("first of %v: %q=%q, %v; want %q", within, first.Key, first.Value, err, want[0])
	}
}

func wantStored(t *testing.T, e store.Engine, want ...string) {
	t.Helper()
	view(t, e, func(r store.Reader) error {
		wantScan(t, r, store.Range{}, want...)
		return nil
	})
}

func absentKey(t *testing.T, e store.Engine) {
	look := func(r store.Reader) {
		for _, key := range []string{"a", "b\x00", "c"} {
			if value, err := r.Get([]byte(key)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("get %q: %q, %v; want ErrNotFound", key, value, err)
			}
		}
		wantScan(t, r, store.Prefix([]byte("b\x00")))
	}
	wantStored(t, e)
	view(t, e, func(r store.Reader) error {
		wantScan(t, r, store.Range{Reverse: true})
		look(r)
		return nil
	})
	fill(t, e, "b", "b\x01")
	view(t, e, func(r store.Reader) error { look(r); return nil })
	update(t, e, func(tx store.Tx) error {
		look(tx)
		return tx.Delete([]byte("c"))
	})
	wantStored(t, e, "b=b", "b\x01=b\x01")
}

func byteOrder(t *testing.T, e store.Engine) {
	var keys []string
	for _, first := range []byte{0, 1, '/', 'a', 'b', 0x7f, 0x80, 0xff} {
		for _, rest := range []string{"", "\x00", "\x00\x00", "\xff", "\xff\xff", "日本"} {
			keys = append(keys, string(first)+rest)
		}
	}
	shuffled := slices.Clone(keys)
	for i := range shuffled { // a fixed disorder
		j := (i*29 + 7) % len(shuffled)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	fill(t, e, shuffled...)
	slices.Sort(keys)
	want := make([]string, len(keys))
	for i, key := range keys {
		want[i] = key + "=" + key
	}
	view(t, e, func(r store.Reader) error {
		wantScan(t, r, store.Range{}, want...)
		slices.Reverse(want)
		wantScan(t, r, store.Range{Reverse: true}, want...)
		return nil
	})
}

func ranges(t *testing.T, e store.Engine) {
	fill(t, e, "a", "b", "ba", "b\xff", "c", "\xff", "\xff\xff")
	key := func(s string) []byte { return []byte(s) }
	tests := []struct {
		within store.Range
		want   []string
	}{
		{store.Range{Start: key("b"), End: key("c")}, []string{"b=b", "ba=ba", "b\xff=b\xff"}},
		{store.Range{Start: key("aa"), End: key("bb")}, []string{"b=b", "ba=ba"}},
		{store.Range{Start: key("b\x00")}, []string{"ba=ba", "b\xff=b\xff", "c=c", "\xff=\xff", "\xff\xff=\xff\xff"}},
		{store.Range{End: key("b")}, []string{"a=a"}},
		{store.Range{Start: key("c"), End: key("c")}, nil},
		{store.Range{Start: key("c"), End: key("b")}, nil},
		{store.Range{End: key("")}, nil},
		{store.Range{Start: key("\xff\xff\xff")}, nil},
		{store.Prefix(key("b")), []string{"b=b", "ba=ba", "b\xff=b\xff"}},
		{store.Prefix(key("b\xff")), []string{"b\xff=b\xff"}},
		{store.Prefix(key("\xff")), []string{"\xff=\xff", "\xff\xff=\xff\xff"}},
		{store.Prefix(key("d")), nil},
	}
	look := func(r store.Reader) {
		for _, test := range tests {
			wantScan(t, r, test.within, test.want...)
			reversed := slices.Clone(test.want)
			slices.Reverse(reversed)
			wantScan(t, r, test.within.Reversed(), reversed...)
			for entry, err := range r.Scan(test.within) { // leaving early
				if got := string(entry.Key) + "=" + string(entry.Value); err != nil || got != test.want[0] {
					t.Errorf("first of %v: %q, %v", test.within, got, err)
				}
				break
			}
		}
	}
	view(t, e, func(r store.Reader) error { look(r); return nil })
	update(t, e, func(tx store.Tx) error { look(tx); return nil })
}

func emptyValues(t *testing.T, e store.Engine) {
	look := func(r store.Reader) {
		for _, key := range []string{"nil", "empty"} {
			value, err := r.Get([]byte(key))
			if err != nil || value == nil || len(value) != 0 {
				t.Errorf("get %s: %#v, %v", key, value, err)
			}
		}
		wantScan(t, r, store.Range{}, "empty=", "nil=")
	}
	update(t, e, func(tx store.Tx) error {
		if err := errors.Join(tx.Put([]byte("nil"), nil), tx.Put([]byte("empty"), []byte{})); err != nil {
			return err
		}
		look(tx)
		return nil
	})
	view(t, e, func(r store.Reader) error { look(r); return nil })
	update(t, e, func(tx store.Tx) error { look(tx); return nil })
}

func largeValues(t *testing.T, e store.Engine) {
	value := func(size int) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(i * i >> 7)
		}
		return b
	}
	sizes := []int{4095, 4096, 4097, 100_000, 5 << 20}
	update(t, e, func(tx store.Tx) error {
		for _, size := range sizes {
			if err := tx.Put(fmt.Append(nil, size), value(size)); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, e, func(r store.Reader) error {
		for _, size := range sizes {
			got, err := r.Get(fmt.Append(nil, size))
			if err != nil || !bytes.Equal(got, value(size)) {
				t.Errorf("value of %d bytes: %d bytes came back, %v", size, len(got), err)
			}
		}
		return nil
	})
}

func refusals(t *testing.T, e store.Engine) {
	update(t, e, func(tx store.Tx) error {
		longest := bytes.Repeat([]byte{'k'}, store.MaxKeySize)
		if err := tx.Put(longest, nil); err != nil {
			t.Errorf("key of the greatest length: %v", err)
		}
		for _, err := range []error{
			tx.Put(nil, []byte("value")),
			tx.Put(append(longest, 'k'), nil),
			tx.Delete(nil),
			tx.Put([]byte("k"), make([]byte, store.MaxValueSize+1)),
		} {
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		}
		return tx.Delete(longest)
	})
	wantStored(t, e)
}

func keyReuse(t *testing.T, e store.Engine) {
	update(t, e, func(tx store.Tx) error {
		key := []byte("a")
		for range 3 {
			if err := tx.Put(key, []byte("value")); err != nil {
				return err
			}
			key[0]++
		}
		return nil
	})
	wantStored(t, e, "a=value", "b=value", "c=value")
}

func cancelled(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	viewErr := e.View(ctx, func(store.Reader) error { ran = true; return nil })
	updateErr := e.Update(ctx, func(store.Tx) error { ran = true; return nil })
	if !errors.Is(viewErr, context.Canceled) || !errors.Is(updateErr, context.Canceled) {
		t.Errorf("view %v, update %v; want context.Canceled of both", viewErr, updateErr)
	}
	if ran {
		t.Error("the function ran")
	}
}

func cancelledInBetween(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	err := e.Update(ctx, func(tx store.Tx) error {
		cancel()
		return tx.Put([]byte("a"), []byte("1"))
	})
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	wantStored(t, e, "a=1")
}
