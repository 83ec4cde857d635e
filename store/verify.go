package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
)

// DifferenceKind tells what is wrong between a record and an index.
type DifferenceKind string

// The kinds of Difference.
const (
	MissingEntry DifferenceKind = "missing index entry" // the record is there, its entry is not
	StaleEntry   DifferenceKind = "stale index entry"   // the entry leads to no record, or to one without that key
	DoubleEntry  DifferenceKind = "unique key twice"    // two records share a key of a unique index
	Undecodable  DifferenceKind = "undecodable record"  // damaged, or of another version
	Misplaced    DifferenceKind = "misplaced record"    // stored under another key than its own
)

// Difference is one finding of Verify. Its slices are its own.
type Difference struct {
	Kind    DifferenceKind
	Table   string
	Index   string // empty where no index is concerned
	Primary []byte // primary key of the record
	Key     []byte // key within the index, where one is concerned
	Err     error  // why a record cannot be decoded
}

// String says what is wrong and where, in one line.
func (d Difference) String() string {
	text := fmt.Sprintf("%s: table %s, record %q", d.Kind, d.Table, d.Primary)
	if d.Index != "" {
		text += fmt.Sprintf(", index %s, key %q", d.Index, d.Key)
	}
	if d.Err != nil {
		text += ": " + d.Err.Error()
	}
	return text
}

func (t *untypedTable) verify(r Reader) ([]Difference, error) {
	records, _, err := t.verifyRecords(r, Prefix(t.prefix), math.MaxInt)
	if err != nil {
		return nil, err
	}
	entries, _, err := t.verifyEntries(r, Prefix(t.entries()), math.MaxInt)
	if err != nil {
		return nil, err
	}
	return append(records, entries...), nil
}

// entries is where those of all indexes of the table are.
func (t *untypedTable) entries() []byte { return []byte("i/" + t.name + "/") }

// verifyRecords looks from so many records at the index entries they should have;
// next is the key of the one that follows, nil after the last.
func (t *untypedTable) verifyRecords(r Reader, rng Range, limit int) (found []Difference, next []byte, err error) {
	for stored, err := range r.Scan(rng) {
		if err != nil {
			return nil, nil, fmt.Errorf("verify table %s: %w", t.name, err)
		}
		if limit--; limit < 0 {
			return found, bytes.Clone(stored.Key), nil
		}
		key := stored.Key[len(t.prefix):]
		record, err := t.decode(stored.Value)
		if err != nil {
			found = append(found, t.difference(Undecodable, IndexEntry{Primary: key}, "", err))
			continue
		}
		if own := t.key(record); !bytes.Equal(own, key) {
			found = append(found, t.difference(Misplaced, IndexEntry{Primary: key}, "", fmt.Errorf("its own key is %q", own)))
		}
		memory := new(scratch)
		for i := range t.indexes {
			index := &t.indexes[i]
			for _, entry := range index.entries(record, key, memory) {
				_, err := r.Get(entry)
				switch {
				case errors.Is(err, ErrNotFound):
					parsed, _ := parseIndexEntry(entry[len(index.prefix):]) // just built
					found = append(found, t.difference(MissingEntry, parsed, index.name, nil))
				case err != nil:
					return nil, nil, fmt.Errorf("verify table %s, index %s: %w", t.name, index.name, err)
				}
			}
		}
	}
	return found, nil, nil
}

// verifyEntries looks from so many index entries of the table at the records; next is
// as that of verifyRecords.
func (t *untypedTable) verifyEntries(r Reader, rng Range, limit int) (found []Difference, next []byte, err error) {
	all := t.entries()
	var previous IndexEntry
	var previousIndex string
	for stored, err := range r.Scan(rng) {
		if err != nil {
			return nil, nil, fmt.Errorf("verify indexes of table %s: %w", t.name, err)
		}
		if limit--; limit < 0 {
			return found, bytes.Clone(stored.Key), nil
		}
		name, position, _ := bytes.Cut(stored.Key[len(all):], []byte("/"))
		entry, err := parseIndexEntry(position)
		if err != nil {
			found = append(found, t.difference(StaleEntry, IndexEntry{Index: position}, string(name), err))
			continue
		}
		expected, unique, err := t.expects(r, string(name), stored.Key, entry)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("verify table %s, index %s: %w", t.name, name, err)
		case !expected:
			found = append(found, t.difference(StaleEntry, entry, string(name), nil))
			continue
		case unique && previousIndex == string(name) && bytes.Equal(previous.Index, entry.Index):
			found = append(found, t.difference(DoubleEntry, entry, string(name), fmt.Errorf("also of %q", previous.Primary)))
		}
		previous, previousIndex = entry, string(name)
	}
	return found, nil, nil
}

// expects tells whether an entry follows from a record. One of a record that
// cannot be decoded is left alone: nobody knows.
func (t *untypedTable) expects(r Reader, name string, stored []byte, entry IndexEntry) (expected, unique bool, err error) {
	index, err := t.index(name)
	if err != nil {
		return false, false, nil // an index that is declared no longer
	}
	value, err := r.Get(join(t.prefix, entry.Primary))
	switch {
	case errors.Is(err, ErrNotFound):
		return false, false, nil
	case err != nil:
		return false, false, err
	}
	record, err := t.decode(value)
	if err != nil {
		return true, index.unique, nil
	}
	expected = slices.ContainsFunc(index.entries(record, entry.Primary, new(scratch)), func(own []byte) bool {
		return bytes.Equal(own, stored)
	})
	return expected, index.unique, nil
}

func (t *untypedTable) difference(kind DifferenceKind, entry IndexEntry, index string, err error) Difference {
	return Difference{
		Kind: kind, Table: t.name, Index: index,
		Primary: bytes.Clone(entry.Primary), Key: bytes.Clone(entry.Index), Err: err,
	}
}

func (t *untypedTable) reindex(tx Tx, from []byte, limit int) (next []byte, err error) {
	var found []Difference
	if entries := Prefix(t.entries()); from == nil || bytes.HasPrefix(from, t.entries()) {
		entries.Start = slices.MaxFunc([][]byte{entries.Start, from}, bytes.Compare)
		if found, next, err = t.verifyEntries(tx, entries, limit); err == nil && next == nil {
			next = t.prefix
		}
	} else {
		records := Prefix(t.prefix)
		records.Start = from
		found, next, err = t.verifyRecords(tx, records, limit)
	}
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		if err := t.mend(tx, d); err != nil {
			return nil, fmt.Errorf("reindex table %s: %w", t.name, err)
		}
	}
	return next, nil
}

func (t *untypedTable) mend(tx Tx, d Difference) error {
	index := append(t.entries(), d.Index+"/"...)
	switch {
	case d.Kind == MissingEntry:
		return tx.Put(IndexEntry{Index: d.Key, Primary: d.Primary}.append(index), nil)
	case d.Kind == StaleEntry && d.Err != nil: // it never was an entry; Key is all that followed the name
		return tx.Delete(append(index, d.Key...))
	case d.Kind == StaleEntry:
		return tx.Delete(IndexEntry{Index: d.Key, Primary: d.Primary}.append(index))
	}
	return nil
}
