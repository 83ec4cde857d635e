package store_test

import (
	"bytes"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// An index key that ends in the primary key has it once; pages and lookups see it in
// both, and entries of the earlier form are written anew.
func TestIndexKeyThatEndsInThePrimaryKey(t *testing.T) {
	type visit struct {
		House string
		ID    uint64
	}
	visits := store.NewTable(store.Spec[visit]{
		Name: "visit", Key: func(v *visit) []byte { return store.Key{}.Uint64(v.ID) },
		Indexes: []store.Index[visit]{{Name: "house", Keys: func(v *visit) [][]byte {
			return [][]byte{store.Key{}.Text(v.House).Uint64(v.ID)}
		}}},
	})
	e := openBolt(t)
	update(t, e, func(tx store.Tx) error {
		for id := range uint64(5) {
			if err := visits.Put(tx, &visit{House: "a", ID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	inHouse := func(want int) {
		t.Helper()
		view(t, e, func(r store.Reader) error {
			var found []uint64
			for entry, err := range visits.ScanIndexKeys(r, "house", store.Prefix(store.Key{}.Text("a"))) {
				if err != nil {
					return err
				}
				if !bytes.HasSuffix(entry.Index, entry.Primary) {
					t.Errorf("the index key %q has lost the primary key %q", entry.Index, entry.Primary)
				}
				found = append(found, store.Decode(entry.Primary).Uint64())
			}
			if len(found) != want {
				t.Errorf("found %v, want %d", found, want)
			}
			differences, err := visits.Verify(r)
			if len(differences) > 0 {
				t.Errorf("verify says %v", differences)
			}
			return err
		})
	}
	inHouse(5)
	size := func() (bytes int) {
		view(t, e, func(r store.Reader) error {
			for entry, err := range r.Scan(store.Prefix([]byte("i/visit/house/"))) {
				if err != nil {
					return err
				}
				bytes += len(entry.Key)
			}
			return nil
		})
		return bytes
	}
	if got, want := size(), 5*(len("i/visit/house/")+3+8+2); got != want {
		t.Errorf("the entries take %d bytes, want %d", got, want)
	}

	earlier := func(id uint64) []byte {
		key := append([]byte("i/visit/house/"), store.Key{}.Text("a").Uint64(id).Uint64(id)...)
		return append(key, 0, 8)
	}
	update(t, e, func(tx store.Tx) error {
		for id := range uint64(5) {
			if err := tx.Put(earlier(id), nil); err != nil {
				return err
			}
		}
		return reindex(tx, visits)
	})
	inHouse(5)
	update(t, e, func(tx store.Tx) error { return visits.Delete(tx, store.Key{}.Uint64(3)) })
	inHouse(4)
}

// reindex mends a table in the smallest steps.
func reindex[T any](tx store.Tx, table *store.Table[T]) error {
	for next := []byte(nil); ; {
		var err error
		if next, err = table.Reindex(tx, next, 1); err != nil || next == nil {
			return err
		}
	}
}
