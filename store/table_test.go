package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// person has the kinds of fields that records have.
type person struct {
	ID      uint64
	Email   string
	Tags    []string
	Seen    time.Time
	Photo   []byte
	Address netip.Addr
	Scores  map[string]int
	Boss    *person
}

func people() *store.Table[person] {
	return store.NewTable(store.Spec[person]{
		Name:    "person",
		Version: 3,
		Key:     func(p *person) []byte { return store.Key{}.Uint64(p.ID) },
		Indexes: []store.Index[person]{
			{Name: "email", Unique: true, Keys: func(p *person) [][]byte {
				if p.Email == "" {
					return nil
				}
				return [][]byte{store.Key{}.Text(p.Email)}
			}},
			{Name: "tag", Keys: func(p *person) (keys [][]byte) {
				for _, tag := range p.Tags {
					keys = append(keys, store.Key{}.Text(tag))
				}
				return keys
			}, Same: func(was, is *person) bool { return slices.Equal(was.Tags, is.Tags) }},
		},
	})
}

func personKey(id uint64) []byte { return store.Key{}.Uint64(id) }

// update runs fn and fails the test on an error.
func update(t *testing.T, e store.Engine, fn func(store.Tx) error) {
	t.Helper()
	if err := e.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, e store.Engine, fn func(store.Reader) error) {
	t.Helper()
	if err := e.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func putPeople(t *testing.T, e store.Engine, all ...*person) {
	t.Helper()
	update(t, e, func(tx store.Tx) error {
		for _, p := range all {
			if err := people().Put(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// ids collects the ids of records, and the first error.
func ids(records func(func(*person, error) bool)) ([]uint64, error) {
	found := []uint64{}
	for p, err := range records {
		if err != nil {
			return found, err
		}
		found = append(found, p.ID)
	}
	return found, nil
}

func wantIDs(t *testing.T, what string, records func(func(*person, error) bool), want ...uint64) {
	t.Helper()
	got, err := ids(records)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %v, %v; want %v", what, got, err, want)
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	e := openBolt(t)
	tokyo := time.FixedZone("JST", 9*3600)
	all := []*person{
		{ID: 1},
		{
			ID: 2, Email: "花子@例え.jp", Tags: []string{"", "vip"}, Photo: []byte{0, 255},
			Seen:    time.Date(2026, 5, 6, 7, 8, 9, 123456789, tokyo),
			Address: netip.MustParseAddr("2001:db8::1"), Scores: map[string]int{"a": -1},
			Boss: &person{ID: 9, Tags: []string{"boss"}},
		},
		{ID: 3, Email: "not \xff UTF-8 \x00", Seen: time.Date(9999, 12, 31, 23, 59, 59, 1, time.UTC)},
		{ID: 4, Tags: make([]string, 200_000)},
	}
	putPeople(t, e, all...)
	view(t, e, func(r store.Reader) error {
		for _, want := range all {
			got, err := people().Get(r, personKey(want.ID))
			if err != nil {
				t.Errorf("person %d: %v", want.ID, err)
				continue
			}
			if !got.Seen.Equal(want.Seen) || !got.Seen.IsZero() && got.Seen.Location() != time.UTC {
				t.Errorf("person %d: time %v came back as %v", want.ID, want.Seen, got.Seen)
			}
			expected := *want
			expected.Seen = got.Seen
			if !reflect.DeepEqual(got, &expected) {
				t.Errorf("person %d came back as\n%+v, want\n%+v", want.ID, got, &expected)
			}
		}
		return nil
	})
}

func TestPutRefusesWhatGetCouldNotRead(t *testing.T) {
	err := openBolt(t).Update(t.Context(), func(tx store.Tx) error {
		return people().Put(tx, &person{ID: 7, Seen: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)})
	})
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "table person") {
		t.Errorf("got %v, want ErrInvalid with the table's name", err)
	}
}

func TestTableNamesWhatItDoesNotFind(t *testing.T) {
	view(t, openBolt(t), func(r store.Reader) error {
		_, getErr := people().Get(r, []byte("nobody"))
		_, firstErr := people().First(r, "email", []byte("nobody"))
		for _, err := range []error{getErr, firstErr} {
			if !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "table person") || !strings.Contains(err.Error(), "nobody") {
				t.Errorf("got %v", err)
			}
		}
		if has, err := people().Has(r, []byte("nobody")); has || err != nil {
			t.Errorf("has: %t, %v", has, err)
		}
		_, err := ids(people().ScanIndex(r, "colour", store.Range{}))
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), `"colour"`) {
			t.Errorf("undeclared index: %v", err)
		}
		return nil
	})
}

func TestTablesDoNotTouchEachOther(t *testing.T) {
	e := openBolt(t)
	type thing struct{ Name string }
	things := func(table string) *store.Table[thing] {
		return store.NewTable(store.Spec[thing]{
			Name: table, Key: func(x *thing) []byte { return []byte(x.Name) },
			Indexes: []store.Index[thing]{{Name: "x", Keys: func(x *thing) [][]byte { return [][]byte{[]byte(x.Name)} }}},
		})
	}
	tables := []string{"a", "ab", "a0", "A"}
	update(t, e, func(tx store.Tx) error {
		for _, table := range tables {
			for _, name := range []string{"", "/", "\xff\xff", table} {
				if err := things(table).Put(tx, &thing{name}); err != nil {
					return err
				}
			}
		}
		return things("a").Delete(tx, []byte("a"))
	})
	view(t, e, func(r store.Reader) error {
		for _, table := range tables {
			want := 4
			if table == "a" {
				want = 3
			}
			scanned, indexed := 0, 0
			for _, err := range things(table).Scan(r, store.Range{}) {
				if err != nil {
					t.Error(err)
				}
				scanned++
			}
			for _, err := range things(table).ScanIndex(r, "x", store.Range{Reverse: true}) {
				if err != nil {
					t.Error(err)
				}
				indexed++
			}
			if scanned != want || indexed != want {
				t.Errorf("table %s: %d records, %d in the index; want %d", table, scanned, indexed, want)
			}
		}
		return nil
	})
}

func TestIndexesFollowTheirRecords(t *testing.T) {
	e := openBolt(t)
	putPeople(t, e,
		&person{ID: 3, Email: "c@x", Tags: []string{"vip", "vip", "new"}},
		&person{ID: 1, Email: "a@x", Tags: []string{"vip"}},
		&person{ID: 2, Email: "ab@x"},
	)
	tag := func(s string) store.Range { return store.Prefix(store.Key{}.Text(s)) }
	view(t, e, func(r store.Reader) error {
		p := people()
		wantIDs(t, "all", p.Scan(r, store.Range{}), 1, 2, 3)
		wantIDs(t, "from 2, reversed", p.Scan(r, store.Range{Start: personKey(2), Reverse: true}), 3, 2)
		wantIDs(t, "vip", p.ScanIndex(r, "tag", tag("vip")), 1, 3)
		wantIDs(t, "vip reversed", p.ScanIndex(r, "tag", tag("vip").Reversed()), 3, 1)
		wantIDs(t, "by email", p.ScanIndex(r, "email", store.Range{}), 1, 2, 3)
		wantIDs(t, "email from ab to c", p.ScanIndex(r, "email",
			store.Range{Start: store.Key{}.Text("ab@x"), End: store.Key{}.Text("c@x")}), 2)
		first, err := p.First(r, "tag", store.Key{}.Text("vip"))
		if err != nil || first.ID != 1 {
			t.Errorf("first vip: %+v, %v", first, err)
		}
		if _, err := p.First(r, "email", store.Key{}.Text("a")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half an address: %v", err)
		}
		return nil
	})
	putPeople(t, e, &person{ID: 3, Email: "z@x", Tags: []string{"old", "new"}})
	update(t, e, func(tx store.Tx) error {
		return errors.Join(people().Delete(tx, personKey(1)), people().Delete(tx, personKey(99)))
	})
	view(t, e, func(r store.Reader) error {
		p := people()
		wantIDs(t, "vip", p.ScanIndex(r, "tag", tag("vip")))
		wantIDs(t, "new", p.ScanIndex(r, "tag", tag("new")), 3)
		wantIDs(t, "by email", p.ScanIndex(r, "email", store.Range{}), 2, 3)
		differences, err := p.Verify(r)
		if len(differences) > 0 || err != nil {
			t.Errorf("verify: %v, %v", differences, err)
		}
		return nil
	})
}

func TestUniqueIndexRefusesASecondRecord(t *testing.T) {
	e := openBolt(t)
	putPeople(t, e, &person{ID: 1, Email: "a@x"}, &person{ID: 2, Email: "b@x"}, &person{ID: 3}, &person{ID: 4})
	putPeople(t, e, &person{ID: 1, Email: "a@x", Tags: []string{"again"}}) // its own key is no conflict
	err := e.Update(t.Context(), func(tx store.Tx) error {
		conflict := people().Put(tx, &person{ID: 2, Email: "a@x", Tags: []string{"thief"}})
		if !errors.Is(conflict, store.ErrConflict) || !strings.Contains(conflict.Error(), "index email") {
			t.Errorf("got %v, want ErrConflict with the index's name", conflict)
		}
		wantIDs(t, "thief", people().ScanIndex(tx, "tag", store.Prefix(store.Key{}.Text("thief"))))
		// Given up by one, the key is free for the other, in the same transaction.
		return errors.Join(
			people().Put(tx, &person{ID: 1}),
			people().Put(tx, &person{ID: 2, Email: "a@x"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	view(t, e, func(r store.Reader) error {
		wantIDs(t, "by email", people().ScanIndex(r, "email", store.Range{}), 2)
		return nil
	})
}

func TestUniqueKeysMayBeginAlike(t *testing.T) {
	type thing struct{ Name string }
	things := store.NewTable(store.Spec[thing]{
		Name: "thing", Key: func(x *thing) []byte { return []byte("id-" + x.Name) },
		Indexes: []store.Index[thing]{{Name: "name", Unique: true, Keys: func(x *thing) [][]byte { return [][]byte{[]byte(x.Name)} }}},
	})
	update(t, openBolt(t), func(tx store.Tx) error {
		return errors.Join(things.Put(tx, &thing{"ab"}), things.Put(tx, &thing{"a"}), things.Put(tx, &thing{"abc"}))
	})
}

func TestIndexKeyTooLongIsRefused(t *testing.T) {
	err := openBolt(t).Update(t.Context(), func(tx store.Tx) error {
		return people().Put(tx, &person{ID: 1, Email: strings.Repeat("x", store.MaxKeySize)})
	})
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "index email") {
		t.Errorf("got %v, want ErrInvalid with the index's name", err)
	}
}

func TestIndexPagesNeitherSkipNorRepeat(t *testing.T) {
	e := openBolt(t)
	var all []*person
	for id := range uint64(25) {
		all = append(all, &person{ID: id, Tags: []string{fmt.Sprint("t", id/10)}})
	}
	putPeople(t, e, all...)
	view(t, e, func(r store.Reader) error {
		for _, reverse := range []bool{false, true} {
			rest := store.Range{Reverse: reverse}
			var got []uint64
			for range 9 {
				page := 0
				for entry, err := range people().ScanIndexKeys(r, "tag", rest) {
					if err != nil {
						return err
					}
					id := store.Decode(entry.Primary).Uint64()
					if tag := store.Decode(entry.Index).Text(); tag != fmt.Sprint("t", id/10) {
						t.Errorf("person %d under tag %s", id, tag)
					}
					got = append(got, id)
					if reverse {
						rest.End = entry.Position()
					} else {
						rest.Start = entry.After()
					}
					if page++; page == 3 {
						break
					}
				}
			}
			if reverse {
				slices.Reverse(got)
			}
			for i := range uint64(25) {
				if len(got) != 25 || got[i] != i {
					t.Fatalf("reverse %t: pages gave %v", reverse, got)
				}
			}
		}
		return nil
	})
}

// Any history of random puts and deletes leaves tables and indexes in step with a
// plain map.
func TestIndexesMatchAModel(t *testing.T) {
	e := openJournal(t)
	r := rand.New(rand.NewPCG(7, 8))
	model := map[uint64]*person{}
	for range 60 {
		type step struct {
			id     uint64
			record *person
		}
		var steps []step
		for range 10 {
			s := step{id: r.Uint64N(20)}
			if r.IntN(3) > 0 {
				s.record = &person{ID: s.id}
				for range r.IntN(3) {
					s.record.Tags = append(s.record.Tags, fmt.Sprint("t", r.IntN(5)))
				}
			}
			steps = append(steps, s)
		}
		update(t, e, func(tx store.Tx) error {
			for _, s := range steps {
				err := people().Delete(tx, personKey(s.id))
				if s.record != nil {
					err = people().Put(tx, s.record)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		for _, s := range steps {
			delete(model, s.id)
			if s.record != nil {
				model[s.id] = s.record
			}
		}
	}
	view(t, e, func(r store.Reader) error {
		for tag := range 5 {
			name := fmt.Sprint("t", tag)
			var want []uint64
			for id := range uint64(20) {
				if p := model[id]; p != nil && slices.Contains(p.Tags, name) {
					want = append(want, id)
				}
			}
			wantIDs(t, name, people().ScanIndex(r, "tag", store.Prefix(store.Key{}.Text(name))), want...)
		}
		differences, err := people().Verify(r)
		if len(differences) > 0 || err != nil {
			t.Errorf("verify: %v, %v", differences, err)
		}
		return nil
	})
}

func TestVersions(t *testing.T) {
	e := openBolt(t)
	type old struct{ Number uint64 }
	oldTable := store.NewTable(store.Spec[old]{
		Name: "person", Version: 2, Key: func(o *old) []byte { return personKey(o.Number) },
	})
	update(t, e, func(tx store.Tx) error { return oldTable.Put(tx, &old{Number: 5}) })

	view(t, e, func(r store.Reader) error {
		if _, err := people().Get(r, personKey(5)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("older, no upgrade: %v", err)
		}
		return nil
	})

	upgrading := store.NewTable(store.Spec[person]{
		Name: "person", Version: 3, Key: func(p *person) []byte { return personKey(p.ID) },
		Upgrade: func(version byte, data []byte) (*person, error) {
			var o old
			if err := store.DecodeRecord(data, &o); err != nil || version != 2 {
				return nil, fmt.Errorf("version %d: %w", version, err)
			}
			return &person{ID: o.Number, Email: "upgraded"}, nil
		},
	})
	update(t, e, func(tx store.Tx) error {
		p, err := upgrading.Get(tx, personKey(5))
		if err != nil || p.Email != "upgraded" {
			t.Errorf("upgrade: %+v, %v", p, err)
			return err
		}
		return upgrading.Put(tx, p)
	})

	err := e.Update(t.Context(), func(tx store.Tx) error {
		if _, err := oldTable.Get(tx, personKey(5)); !errors.Is(err, store.ErrNewer) {
			t.Errorf("get of a newer record: %v", err)
		}
		indexed := store.NewTable(store.Spec[old]{
			Name: "person", Version: 2, Key: func(o *old) []byte { return personKey(o.Number) },
			Indexes: []store.Index[old]{{Name: "n", Keys: func(*old) [][]byte { return nil }}},
		})
		return indexed.Put(tx, &old{Number: 5})
	})
	if !errors.Is(err, store.ErrNewer) {
		t.Errorf("put over a newer record: %v", err)
	}
}

func TestFieldsCanBeAdded(t *testing.T) {
	e := openBolt(t)
	type before struct{ ID uint64 }
	type after struct {
		ID   uint64
		Name string
	}
	update(t, e, func(tx store.Tx) error {
		return store.NewTable(store.Spec[before]{Name: "x", Key: func(b *before) []byte { return personKey(b.ID) }}).Put(tx, &before{7})
	})
	view(t, e, func(r store.Reader) error {
		got, err := store.NewTable(store.Spec[after]{Name: "x", Key: func(a *after) []byte { return personKey(a.ID) }}).Get(r, personKey(7))
		if err != nil || *got != (after{ID: 7}) {
			t.Errorf("got %+v, %v", got, err)
		}
		return nil
	})
}

func TestNewTableRefusesWhatCannotWork(t *testing.T) {
	key := func(*person) []byte { return nil }
	keys := func(*person) [][]byte { return nil }
	for _, spec := range []store.Spec[person]{
		{Key: key},
		{Name: "a/b", Key: key},
		{Name: "a"},
		{Name: "a", Key: key, Indexes: []store.Index[person]{{Name: "x/y", Keys: keys}}},
		{Name: "a", Key: key, Indexes: []store.Index[person]{{Name: "x"}}},
		{Name: "a", Key: key, Indexes: []store.Index[person]{{Name: "x", Keys: keys}, {Name: "x", Keys: keys}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", spec)
				}
			}()
			store.NewTable(spec)
		}()
	}
}
