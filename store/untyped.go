package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// untypedTable is what a table does whatever its records are: a record is a *T held as any,
// nil for none. It is compiled once and not for each of the types, which are many.
type untypedTable struct {
	name       string
	version    byte
	rewritten  bool
	prefix     []byte
	indexes    []tableIndex
	remembered *remembered // nil without Spec.Clone

	empty   func() any
	key     func(record any) []byte
	upgrade func(version byte, data []byte) (any, error) // nil where Spec has none
}

type tableIndex struct {
	name    string
	version int
	unique  bool
	prefix  []byte

	keys func(record any) [][]byte
	same func(was, is any) bool // nil where Index has none
}

// check panics over a declaration that can never work.
func (t *untypedTable) check() {
	if t.name == "" || strings.Contains(t.name, "/") || t.key == nil {
		panic(fmt.Sprintf("store: table %q needs a name without a slash, and a Key", t.name))
	}
	if t.version&packedFlag != 0 {
		panic(fmt.Sprintf("store: table %q has version %d, the highest is %d", t.name, t.version, packedFlag-1))
	}
}

// addIndex panics as check does.
func (t *untypedTable) addIndex(i tableIndex) {
	if i.name == "" || strings.Contains(i.name, "/") || i.keys == nil {
		panic(fmt.Sprintf("store: index %q of table %q needs a name without a slash, and Keys", i.name, t.name))
	}
	if _, err := t.index(i.name); err == nil {
		panic(fmt.Sprintf("store: table %q declares index %q twice", t.name, i.name))
	}
	i.prefix = []byte("i/" + t.name + "/" + i.name + "/")
	t.indexes = append(t.indexes, i)
}

// indexForm is how entries of all indexes are written; 2 since an index key that ends
// in the primary key does not have it twice.
const indexForm = "form.2"

func (t *untypedTable) declared() string {
	if len(t.indexes) == 0 {
		return ""
	}
	var names []string
	for _, index := range t.indexes {
		names = append(names, fmt.Sprintf("%s.%d", index.name, index.version))
	}
	slices.Sort(names)
	return strings.Join(append([]string{indexForm}, names...), " ")
}

// find is get with errors that name table and key.
func (t *untypedTable) find(r Reader, key []byte) (any, error) {
	record, err := t.get(r, key)
	if err != nil {
		return nil, t.errorf(key, err)
	}
	return record, nil
}

func (t *untypedTable) get(r Reader, key []byte) (any, error) {
	memory := takeScratch()
	defer memory.giveBack()
	value, err := r.Get(memory.join(t.prefix, key))
	if err != nil {
		return nil, err
	}
	if t.remembered == nil {
		return t.decode(value)
	}
	if record, ok := t.remembered.find(value); ok {
		return record, nil
	}
	record, err := t.decode(value)
	if err == nil {
		t.remembered.keep(value, record)
	}
	return record, err
}

func (t *untypedTable) has(r Reader, key []byte) (bool, error) {
	memory := takeScratch()
	defer memory.giveBack()
	_, err := r.Get(memory.join(t.prefix, key))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotFound):
		return false, nil
	}
	return false, t.errorf(key, err)
}

func (t *untypedTable) firstKey(r Reader, rng Range) ([]byte, error) {
	entry, err := r.First(rng.within(t.prefix))
	if err != nil {
		return nil, fmt.Errorf("first of table %s: %w", t.name, err)
	}
	return entry.Key[len(t.prefix):], nil
}

func (t *untypedTable) put(tx Tx, record any) error {
	key := t.key(record)
	was, err := t.stored(tx, key)
	if err == nil {
		err = t.write(tx, key, was, record)
	}
	if err != nil {
		return t.errorf(key, err)
	}
	return nil
}

func (t *untypedTable) replace(tx Tx, was, record any) error {
	key := t.key(record)
	if err := t.write(tx, key, was, record); err != nil {
		return t.errorf(key, err)
	}
	return nil
}

// write puts a record in the place of another, nil where there is none.
func (t *untypedTable) write(tx Tx, key []byte, stored, record any) error {
	value, err := t.encode(record)
	if err != nil {
		return err
	}
	memory := takeScratch()
	defer memory.giveBack()
	for i := range t.indexes {
		index := &t.indexes[i]
		if stored != nil && index.same != nil && index.same(stored, record) {
			continue
		}
		was, is := index.entries(stored, key, memory), index.entries(record, key, memory)
		before := len(memory.added)
		memory.added = appendWithout(memory.added, is, was)
		memory.stale = appendWithout(memory.stale, was, is)
		for _, entry := range memory.added[before:] {
			if err := CheckKey(entry); err != nil {
				return fmt.Errorf("index %s: %w", index.name, err)
			}
			if !index.unique {
				continue
			}
			if err := index.checkUnique(tx, entry, key); err != nil {
				return err
			}
		}
	}
	if err := tx.Put(memory.join(t.prefix, key), value); err != nil {
		return err
	}
	for _, entry := range memory.stale {
		if err := tx.Delete(entry); err != nil {
			return err
		}
	}
	for _, entry := range memory.added {
		if err := tx.Put(entry, nil); err != nil {
			return err
		}
	}
	return nil
}

func (t *untypedTable) delete(tx Tx, key []byte) error {
	stored, err := t.stored(tx, key)
	if err != nil {
		return t.errorf(key, err)
	}
	memory := takeScratch()
	defer memory.giveBack()
	memory.stale = append(memory.stale, memory.join(t.prefix, key))
	for i := range t.indexes {
		memory.stale = append(memory.stale, t.indexes[i].entries(stored, key, memory)...)
	}
	for _, entry := range memory.stale {
		if err := tx.Delete(entry); err != nil {
			return t.errorf(key, err)
		}
	}
	return nil
}

// stored returns the record that is about to be replaced, for its index entries;
// nil when there is none, or none is needed.
func (t *untypedTable) stored(r Reader, key []byte) (any, error) {
	if len(t.indexes) == 0 {
		return nil, nil
	}
	record, err := t.get(r, key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the record to be replaced: %w", err)
	}
	return record, nil
}

// appendWithout appends the keys of a that are not in b; both are sorted.
func appendWithout(to, a, b [][]byte) [][]byte {
	for _, key := range a {
		if _, found := slices.BinarySearchFunc(b, key, bytes.Compare); !found {
			to = append(to, key)
		}
	}
	return to
}

func (t *untypedTable) scan(r Reader, rng Range, yield func(record any, err error) bool) {
	for entry, err := range r.Scan(rng.within(t.prefix)) {
		if err != nil {
			yield(nil, fmt.Errorf("scan table %s: %w", t.name, err))
			return
		}
		record, err := t.decode(entry.Value)
		if err != nil {
			record, err = nil, t.errorf(entry.Key[len(t.prefix):], err)
		}
		if !yield(record, err) {
			return
		}
	}
}

func (t *untypedTable) scanKeys(r Reader, rng Range) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for entry, err := range r.Scan(rng.within(t.prefix)) {
			if err != nil {
				yield(nil, fmt.Errorf("scan table %s: %w", t.name, err))
				return
			}
			if !yield(entry.Key[len(t.prefix):], nil) {
				return
			}
		}
	}
}

func (t *untypedTable) errorf(key []byte, err error) error {
	return &recordError{table: t.name, key: bytes.Clone(key), err: err}
}

// recordError names the record that an error is about. It is put into words when they are
// asked for: that a record is not there is mostly no error.
type recordError struct {
	table, index string
	key          []byte
	err          error
}

func (e *recordError) Error() string {
	if e.index != "" {
		return fmt.Sprintf("table %s, index %s, key %q: %v", e.table, e.index, e.key, e.err)
	}
	return fmt.Sprintf("table %s, key %q: %v", e.table, e.key, e.err)
}

func (e *recordError) Unwrap() error { return e.err }
