package store

import "iter"

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
type Table[T any] struct{ untyped untypedTable }

// NewTable makes a table from its declaration. It panics over one that can never
// work: no name or key, a "/" in a name, a version above 127, an index twice.
func NewTable[T any](s Spec[T]) *Table[T] {
	t := untypedTable{name: s.Name, version: s.Version, rewritten: s.Rewritten, prefix: []byte("t/" + s.Name + "/"),
		empty: func() any { return new(T) }}
	if s.Key != nil {
		t.key = func(record any) []byte { return s.Key(record.(*T)) }
	}
	if s.Upgrade != nil {
		t.upgrade = func(version byte, data []byte) (any, error) { return s.Upgrade(version, data) }
	}
	if s.Clone != nil {
		t.remembered = &remembered{clone: func(record any) any { return s.Clone(record.(*T)) }}
	}
	t.check()
	for _, declared := range s.Indexes {
		index := tableIndex{name: declared.Name, version: declared.Version, unique: declared.Unique}
		if declared.Keys != nil {
			index.keys = func(record any) [][]byte { return declared.Keys(record.(*T)) }
		}
		if declared.Same != nil {
			index.same = func(was, is any) bool { return declared.Same(was.(*T), is.(*T)) }
		}
		t.addIndex(index)
	}
	return &Table[T]{t}
}

// typed is what an untyped table returned, of its type again.
func typed[T any](record any, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return record.(*T), nil
}

// Name returns the table's name.
func (t *Table[T]) Name() string { return t.untyped.name }

// Declared names the form of index entries, then the table's indexes and their
// versions, in the order of their names. Where it is not what it was when the store
// was written, the table needs Reindex.
func (t *Table[T]) Declared() string { return t.untyped.declared() }

// Get returns the record with this primary key. The record is the caller's own.
// Errors: ErrNotFound, ErrCorrupt, ErrNewer, each with table and key.
func (t *Table[T]) Get(r Reader, key []byte) (*T, error) { return typed[T](t.untyped.find(r, key)) }

// Has tells whether there is a record with this primary key, without reading it.
func (t *Table[T]) Has(r Reader, key []byte) (bool, error) { return t.untyped.has(r, key) }

// FirstKey returns the primary key that ScanKeys would yield first, or ErrNotFound.
func (t *Table[T]) FirstKey(r Reader, rng Range) ([]byte, error) { return t.untyped.firstKey(r, rng) }

// Put inserts the record or replaces the one with its primary key, and brings the
// index entries in step. ErrConflict: a unique index holds one of its keys for
// another record; the error names the index, and nothing was written. ErrInvalid:
// a key is too long, or the record could not be read again.
func (t *Table[T]) Put(tx Tx, record *T) error { return t.untyped.put(tx, record) }

// Replace is Put for a caller that has read the record in this transaction and kept it
// as it was: nil where there is none. It spares reading it again; anything else in its
// place would leave index entries of nothing behind.
func (t *Table[T]) Replace(tx Tx, was, record *T) error {
	if was == nil {
		return t.untyped.replace(tx, nil, record)
	}
	return t.untyped.replace(tx, was, record)
}

// Delete removes the record and its index entries; an absent one is no error. A
// record that cannot be decoded is not deleted, as its entries are unknown.
func (t *Table[T]) Delete(tx Tx, key []byte) error { return t.untyped.delete(tx, key) }

// Scan yields the records whose primary keys are in rng, in key order or in
// reverse. A record that cannot be decoded is yielded as an error; a caller that
// goes on gets the records after it.
func (t *Table[T]) Scan(r Reader, rng Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		t.untyped.scan(r, rng, func(record any, err error) bool { return yield(typed[T](record, err)) })
	}
}

// ScanKeys yields the primary keys in rng without reading the records, as Scan orders
// them; they are valid only within the transaction.
func (t *Table[T]) ScanKeys(r Reader, rng Range) iter.Seq2[[]byte, error] {
	return t.untyped.scanKeys(r, rng)
}

// ScanIndexKeys yields the entries of an index in rng without reading records,
// for counts and pages. rng is over index keys, each followed by the primary key:
// Prefix of an index key finds all its entries.
func (t *Table[T]) ScanIndexKeys(r Reader, index string, rng Range) iter.Seq2[IndexEntry, error] {
	return t.untyped.scanIndexKeys(r, index, rng)
}

// ScanIndex yields the records of an index in rng, as ScanIndexKeys orders them. A
// record that is missing (ErrCorrupt) or cannot be decoded is yielded as an
// error; a caller that goes on gets those after it.
func (t *Table[T]) ScanIndex(r Reader, index string, rng Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		t.untyped.scanIndex(r, index, rng, func(record any, err error) bool { return yield(typed[T](record, err)) })
	}
}

// First returns the first record, in index order, whose index key begins with key;
// with keys built by the type Key that means: whose first parts equal it.
// ErrNotFound when there is none.
func (t *Table[T]) First(r Reader, index string, key []byte) (*T, error) {
	return typed[T](t.untyped.firstIndexed(r, index, key))
}

// HasIndexed tells whether First would find a record, without reading it.
func (t *Table[T]) HasIndexed(r Reader, index string, key []byte) (bool, error) {
	return t.untyped.hasIndexed(r, index, key)
}

// Verify recomputes every index of the table and returns all differences: first
// those of the records in key order, then those of the index entries. It reads
// the whole table once and each record once more for every index entry. The error
// is that of reading, not of what was found.
func (t *Table[T]) Verify(r Reader) ([]Difference, error) { return t.untyped.verify(r) }

// Reindex mends what Verify finds between records and indexes: it removes stale
// entries, also those of indexes declared no longer, and adds missing ones. What
// takes a human it leaves alone: undecodable or misplaced records, and keys that
// two records share in a unique index.
//
// One call looks at so many entries and records, and holds their repairs in memory.
// It begins where from says, nil for the beginning, and returns where the next call
// goes on, nil when all is done. The calls may be transactions of their own; if
// records change between them, begin anew.
func (t *Table[T]) Reindex(tx Tx, from []byte, limit int) (next []byte, err error) {
	return t.untyped.reindex(tx, from, limit)
}
