package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// entryKey is the stored key of an index entry of the table of people.
func entryKey(index string, key, primary []byte) []byte {
	return append([]byte("i/person/"+index+"/"), store.IndexEntry{Index: key, Primary: primary}.Position()...)
}

func recordKey(id uint64) []byte { return append([]byte("t/person/"), personKey(id)...) }

func TestVerifyFindsEveryDifferenceAndReindexMends(t *testing.T) {
	e := openBolt(t)
	putPeople(t, e,
		&person{ID: 1, Email: "a@x", Tags: []string{"vip"}},
		&person{ID: 2, Email: "b@x"},
		&person{ID: 3, Tags: []string{"new"}},
		&person{ID: 4, Email: "d@x"},
		&person{ID: 5},
	)
	text := func(s string) []byte { return store.Key{}.Text(s) }
	tests := []struct {
		name   string
		damage func(tx store.Tx) error
		want   []string // beginnings of the differences
		left   int      // differences that Reindex leaves to a human
	}{
		{"nothing", func(store.Tx) error { return nil }, nil, 0},
		{"missing", func(tx store.Tx) error {
			return tx.Delete(entryKey("tag", text("vip"), personKey(1)))
		}, []string{"missing index entry: table person, record"}, 0},
		{"no such record", func(tx store.Tx) error {
			return tx.Put(entryKey("tag", text("vip"), personKey(99)), nil)
		}, []string{"stale index entry: table person"}, 0},
		{"not the record's key", func(tx store.Tx) error {
			return tx.Put(entryKey("tag", text("old"), personKey(3)), nil)
		}, []string{"stale index entry: table person"}, 0},
		{"an index of former days", func(tx store.Tx) error {
			return tx.Put(entryKey("colour", text("red"), personKey(3)), nil)
		}, []string{"stale index entry: table person"}, 0},
		{"no entry at all", func(tx store.Tx) error {
			return errors.Join(tx.Put([]byte("i/person/tag/\xff"), nil), tx.Put([]byte("i/person/tag/\xff\xff\xff"), nil))
		}, []string{"stale index entry", "stale index entry"}, 0},
		{"record gone", func(tx store.Tx) error {
			return tx.Delete(recordKey(4))
		}, []string{"stale index entry: table person"}, 0},
		{"undecodable", func(tx store.Tx) error {
			return tx.Put(recordKey(2), []byte{3, 0xff})
		}, []string{"undecodable record: table person"}, 1},
		{"twice in a unique index", func(tx store.Tx) error {
			twin, err := tx.Get(recordKey(1))
			return errors.Join(err, tx.Put(recordKey(6), twin),
				tx.Put(entryKey("email", text("a@x"), personKey(6)), nil), tx.Put(entryKey("tag", text("vip"), personKey(6)), nil))
		}, []string{"misplaced record", "unique key twice: table person"}, 2},
	}
	keep := errors.New("put all back")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := e.Update(t.Context(), func(tx store.Tx) error {
				if err := test.damage(tx); err != nil {
					return err
				}
				found, err := people().Verify(tx)
				if err != nil {
					return err
				}
				if !slices.EqualFunc(found, test.want, func(d store.Difference, want string) bool {
					return strings.HasPrefix(d.String(), want)
				}) {
					t.Errorf("found %v, want %q", found, test.want)
				}
				if err := reindex(tx, people()); err != nil {
					return err
				}
				left, err := people().Verify(tx)
				if len(left) != test.left || err != nil {
					t.Errorf("after Reindex: %v, %v; want %d", left, err, test.left)
				}
				return keep
			})
			if !errors.Is(err, keep) {
				t.Fatal(err)
			}
		})
	}
}

func TestScansReportDamageAndGoOn(t *testing.T) {
	e := openBolt(t)
	putPeople(t, e, &person{ID: 1, Email: "a@x"}, &person{ID: 2, Email: "b@x"}, &person{ID: 3, Email: "c@x"}, &person{ID: 4, Email: "d@x"})
	update(t, e, func(tx store.Tx) error {
		return errors.Join(tx.Put(recordKey(2), []byte{3, 0xff}), tx.Delete(recordKey(3)), tx.Put(recordKey(5), nil))
	})
	view(t, e, func(r store.Reader) error {
		read := func(records func(func(*person, error) bool)) (found []uint64, corrupt int) {
			for p, err := range records {
				switch {
				case err == nil:
					found = append(found, p.ID)
				case errors.Is(err, store.ErrCorrupt) && p == nil:
					corrupt++
				default:
					t.Errorf("%v, %v", p, err)
				}
			}
			return found, corrupt
		}
		if found, corrupt := read(people().Scan(r, store.Range{})); !slices.Equal(found, []uint64{1, 4}) || corrupt != 2 {
			t.Errorf("scan: %v and %d corrupt", found, corrupt)
		}
		if found, corrupt := read(people().ScanIndex(r, "email", store.Range{})); !slices.Equal(found, []uint64{1, 4}) || corrupt != 2 {
			t.Errorf("index scan: %v and %d corrupt", found, corrupt)
		}
		return nil
	})
}
