package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Spec declares a table of records of type T.
//
// A record is a struct; its exported fields are stored by name (a `cbor` tag
// renames one, and so does a `json` tag), so that fields can be added freely: an
// older record reads with their zero values. Any other change takes a higher
// Version and an Upgrade.
type Spec[T any] struct {
	// Name is part of every key: never rename a table, and no "/" in it.
	Name string
	// Version is the schema version that Put writes, up to 127.
	Version byte
	// Key returns the primary key of a record, best built with the type Key.
	Key func(*T) []byte
	// Indexes are kept in step with the records by Put and Delete.
	Indexes []Index[T]
	// Upgrade turns the data of an older version into a record of today; see
	// DecodeRecord. The data is valid only during the call. Nil while there is
	// no older version.
	Upgrade func(version byte, data []byte) (*T, error)
	// Clone copies a record, with all that it leads to, and stands in a table whose few
	// records are asked for all the time: those are then remembered. Nil for other tables.
	Clone func(*T) *T
	// Rewritten: its records are few and written all the time, so that packing them is to
	// be quick, and how short they become does not matter.
	Rewritten bool
}

// Index declares other keys under which records of a table are found.
type Index[T any] struct {
	// Name is part of every key of the index; no "/" in it.
	Name string
	// Version is raised when Keys change what they return for the same record, so
	// that Declared differs and whoever opens the store knows to call Reindex.
	Version int
	// Unique: no two records may have the same key.
	Unique bool
	// Keys returns none, one or many keys of a record in a new slice, best built with
	// the type Key: then no key is the beginning of another, and a Prefix is exact.
	Keys func(*T) [][]byte
	// Same tells, for Keys that take long, that they are the same for both records. It may
	// say no although they are, and is nil where Keys are to be compared.
	Same func(was, is *T) bool
}

// Table stores records of type T with their index entries, within the
// transactions it is given. It may be used from any goroutine.
type Table[T any] struct {
	spec       Spec[T]
	prefix     []byte
	indexes    []tableIndex[T]
	remembered *remembered[T] // nil without Spec.Clone
}

type tableIndex[T any] struct {
	Index[T]
	prefix []byte
}

// NewTable makes a table from its declaration. It panics over one that can never
// work: no name or key, a "/" in a name, a version above 127, an index twice.
func NewTable[T any](s Spec[T]) *Table[T] {
	if s.Name == "" || strings.Contains(s.Name, "/") || s.Key == nil {
		panic(fmt.Sprintf("store: table %q needs a name without a slash, and a Key", s.Name))
	}
	if s.Version&packedFlag != 0 {
		panic(fmt.Sprintf("store: table %q has version %d, the highest is %d", s.Name, s.Version, packedFlag-1))
	}
	t := &Table[T]{spec: s, prefix: []byte("t/" + s.Name + "/")}
	if s.Clone != nil {
		t.remembered = &remembered[T]{clone: s.Clone}
	}
	for _, declared := range s.Indexes {
		if declared.Name == "" || strings.Contains(declared.Name, "/") || declared.Keys == nil {
			panic(fmt.Sprintf("store: index %q of table %q needs a name without a slash, and Keys", declared.Name, s.Name))
		}
		if _, err := t.index(declared.Name); err == nil {
			panic(fmt.Sprintf("store: table %q declares index %q twice", s.Name, declared.Name))
		}
		t.indexes = append(t.indexes, tableIndex[T]{
			Index:  declared,
			prefix: []byte("i/" + s.Name + "/" + declared.Name + "/"),
		})
	}
	return t
}

// Name returns the table's name.
func (t *Table[T]) Name() string { return t.spec.Name }

// indexForm is how entries of all indexes are written; 2 since an index key that ends
// in the primary key does not have it twice.
const indexForm = "form.2"

// Declared names the form of index entries, then the table's indexes and their
// versions, in the order of their names. Where it is not what it was when the store
// was written, the table needs Reindex.
func (t *Table[T]) Declared() string {
	if len(t.indexes) == 0 {
		return ""
	}
	var names []string
	for _, index := range t.indexes {
		names = append(names, fmt.Sprintf("%s.%d", index.Name, index.Version))
	}
	slices.Sort(names)
	return strings.Join(append([]string{indexForm}, names...), " ")
}

// Get returns the record with this primary key. The record is the caller's own.
// Errors: ErrNotFound, ErrCorrupt, ErrNewer, each with table and key.
func (t *Table[T]) Get(r Reader, key []byte) (*T, error) {
	record, err := t.get(r, key)
	if err != nil {
		return nil, t.errorf(key, err)
	}
	return record, nil
}

func (t *Table[T]) get(r Reader, key []byte) (*T, error) {
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

// Has tells whether there is a record with this primary key, without reading it.
func (t *Table[T]) Has(r Reader, key []byte) (bool, error) {
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

// FirstKey returns the primary key that ScanKeys would yield first, or ErrNotFound.
func (t *Table[T]) FirstKey(r Reader, rng Range) ([]byte, error) {
	entry, err := r.First(rng.within(t.prefix))
	if err != nil {
		return nil, fmt.Errorf("first of table %s: %w", t.spec.Name, err)
	}
	return entry.Key[len(t.prefix):], nil
}

// Put inserts the record or replaces the one with its primary key, and brings the
// index entries in step. ErrConflict: a unique index holds one of its keys for
// another record; the error names the index, and nothing was written. ErrInvalid:
// a key is too long, or the record could not be read again.
func (t *Table[T]) Put(tx Tx, record *T) error {
	key := t.spec.Key(record)
	if err := t.put(tx, key, record); err != nil {
		return t.errorf(key, err)
	}
	return nil
}

// Replace is Put for a caller that has read the record in this transaction and kept it
// as it was: nil where there is none. It spares reading it again; anything else in its
// place would leave index entries of nothing behind.
func (t *Table[T]) Replace(tx Tx, was, record *T) error {
	key := t.spec.Key(record)
	if err := t.replace(tx, key, was, record); err != nil {
		return t.errorf(key, err)
	}
	return nil
}

func (t *Table[T]) put(tx Tx, key []byte, record *T) error {
	stored, err := t.stored(tx, key)
	if err != nil {
		return err
	}
	return t.replace(tx, key, stored, record)
}

func (t *Table[T]) replace(tx Tx, key []byte, stored, record *T) error {
	value, err := encode(&t.spec, record)
	if err != nil {
		return err
	}
	memory := takeScratch()
	defer memory.giveBack()
	for i := range t.indexes {
		index := &t.indexes[i]
		if stored != nil && index.Same != nil && index.Same(stored, record) {
			continue
		}
		was, is := index.entries(stored, key, memory), index.entries(record, key, memory)
		before := len(memory.added)
		memory.added = appendWithout(memory.added, is, was)
		memory.stale = appendWithout(memory.stale, was, is)
		for _, entry := range memory.added[before:] {
			if err := CheckKey(entry); err != nil {
				return fmt.Errorf("index %s: %w", index.Name, err)
			}
			if !index.Unique {
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

// Delete removes the record and its index entries; an absent one is no error. A
// record that cannot be decoded is not deleted, as its entries are unknown.
func (t *Table[T]) Delete(tx Tx, key []byte) error {
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
func (t *Table[T]) stored(r Reader, key []byte) (*T, error) {
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

// Scan yields the records whose primary keys are in rng, in key order or in
// reverse. A record that cannot be decoded is yielded as an error; a caller that
// goes on gets the records after it.
func (t *Table[T]) Scan(r Reader, rng Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for entry, err := range r.Scan(rng.within(t.prefix)) {
			if err != nil {
				yield(nil, fmt.Errorf("scan table %s: %w", t.spec.Name, err))
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
}

// ScanKeys yields the primary keys in rng without reading the records, as Scan orders
// them; they are valid only within the transaction.
func (t *Table[T]) ScanKeys(r Reader, rng Range) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for entry, err := range r.Scan(rng.within(t.prefix)) {
			if err != nil {
				yield(nil, fmt.Errorf("scan table %s: %w", t.spec.Name, err))
				return
			}
			if !yield(entry.Key[len(t.prefix):], nil) {
				return
			}
		}
	}
}

func (t *Table[T]) errorf(key []byte, err error) error {
	return &recordError{table: t.spec.Name, key: bytes.Clone(key), err: err}
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
