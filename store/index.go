package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// IndexEntry is one entry of an index: a key of the index and the primary key of
// the record it leads to. Both are valid only within the transaction.
//
// It is stored as one key, with an empty value: the index key, the primary key,
// and the length of the primary key in two bytes. So entries with the same index
// key are in the order of their primary keys. An index key that ends in the primary
// key does not have it twice; the length then has its highest bit set.
type IndexEntry struct {
	Index, Primary []byte
}

const (
	primaryLengthSize = 2
	primaryWithin     = 1 << 15 // of the length: the index key ends in the primary key
)

// Position returns where the entry stands within its index. As the End of a Range
// it continues a reverse scan after the entry; see After for the other direction.
func (e IndexEntry) Position() []byte {
	return e.append(make([]byte, 0, len(e.Index)+len(e.Primary)+primaryLengthSize))
}

// append appends the entry as it is written after the prefix of its index.
func (e IndexEntry) append(written []byte) []byte {
	length := uint16(len(e.Primary))
	written = append(written, e.Index...)
	if bytes.HasSuffix(e.Index, e.Primary) {
		length |= primaryWithin
	} else {
		written = append(written, e.Primary...)
	}
	return binary.BigEndian.AppendUint16(written, length)
}

// After returns the Start of a Range that continues a scan after the entry.
func (e IndexEntry) After() []byte {
	return append(e.Position(), 0)
}

func parseIndexEntry(position []byte) (IndexEntry, error) {
	split := len(position) - primaryLengthSize
	if split < 0 {
		return IndexEntry{}, fmt.Errorf("%w index entry %q: too short", ErrCorrupt, position)
	}
	keys := position[:split:split]
	length := binary.BigEndian.Uint16(position[split:])
	split -= int(length &^ primaryWithin)
	if split < 0 {
		return IndexEntry{}, fmt.Errorf("%w index entry %q: its primary key is longer than itself", ErrCorrupt, position)
	}
	entry := IndexEntry{Index: keys, Primary: keys[split:]}
	if length&primaryWithin == 0 {
		entry.Index = keys[:split:split]
	}
	if (length&primaryWithin == 0) == bytes.HasSuffix(entry.Index, entry.Primary) {
		return IndexEntry{}, fmt.Errorf("%w index entry %q: it is not written as entries are", ErrCorrupt, position)
	}
	return entry, nil
}

// entries returns the full keys of the index's entries for a record, sorted and
// each once; none for no record. They are in the memory given.
func (i *tableIndex) entries(record any, primary []byte, memory *scratch) [][]byte {
	if record == nil {
		return nil
	}
	entries := i.keys(record)
	for n, key := range entries {
		from := len(memory.keys)
		memory.keys = IndexEntry{Index: key, Primary: primary}.append(append(memory.keys, i.prefix...))
		entries[n] = memory.keys[from:len(memory.keys):len(memory.keys)]
	}
	if len(entries) < 2 {
		return entries
	}
	slices.SortFunc(entries, bytes.Compare)
	return slices.CompactFunc(entries, bytes.Equal)
}

// checkUnique looks for another record that holds the index key of entry.
func (i *tableIndex) checkUnique(r Reader, entry, primary []byte) error {
	parsed, err := parseIndexEntry(entry[len(i.prefix):])
	if err != nil {
		return err
	}
	wanted := parsed.Index
	if _, err := i.first(r, wanted); errors.Is(err, ErrNotFound) {
		return nil // as almost always
	}
	for held, err := range i.scan(r, Prefix(wanted)) {
		if err != nil {
			return err
		}
		if bytes.Equal(held.Index, wanted) && !bytes.Equal(held.Primary, primary) {
			return fmt.Errorf("index %s: %w: key %q belongs to %q", i.name, ErrConflict, wanted, held.Primary)
		}
	}
	return nil
}

func (i *tableIndex) scan(r Reader, rng Range) iter.Seq2[IndexEntry, error] {
	return func(yield func(IndexEntry, error) bool) {
		for stored, err := range r.Scan(rng.within(i.prefix)) {
			if err != nil {
				yield(IndexEntry{}, fmt.Errorf("scan index %s: %w", i.name, err))
				return
			}
			if !yield(parseIndexEntry(stored.Key[len(i.prefix):])) {
				return
			}
		}
	}
}

// first returns the first entry whose index key begins with key.
func (i *tableIndex) first(r Reader, key []byte) (IndexEntry, error) {
	memory := takeScratch()
	defer memory.giveBack()
	stored, err := r.First(Prefix(memory.join(i.prefix, key)))
	if err != nil {
		return IndexEntry{}, err
	}
	return parseIndexEntry(stored.Key[len(i.prefix):])
}

func (t *untypedTable) index(name string) (*tableIndex, error) {
	for i := range t.indexes {
		if t.indexes[i].name == name {
			return &t.indexes[i], nil
		}
	}
	return nil, fmt.Errorf("%w: table %s declares no index %q", ErrInvalid, t.name, name)
}

func (t *untypedTable) scanIndexKeys(r Reader, index string, rng Range) iter.Seq2[IndexEntry, error] {
	i, err := t.index(index)
	if err != nil {
		return func(yield func(IndexEntry, error) bool) { yield(IndexEntry{}, err) }
	}
	return func(yield func(IndexEntry, error) bool) {
		for entry, err := range i.scan(r, rng) {
			if err != nil {
				err = fmt.Errorf("table %s: %w", t.name, err)
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}

func (t *untypedTable) scanIndex(r Reader, index string, rng Range, yield func(record any, err error) bool) {
	for entry, err := range t.scanIndexKeys(r, index, rng) {
		var record any
		if err == nil {
			record, err = t.indexed(r, index, entry)
		}
		if !yield(record, err) {
			return
		}
	}
}

func (t *untypedTable) indexed(r Reader, index string, entry IndexEntry) (any, error) {
	record, err := t.get(r, entry.Primary)
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: index %s has key %q for it, but there is no such record; verify the store",
			ErrCorrupt, index, entry.Index)
	}
	if err != nil {
		return nil, t.errorf(entry.Primary, err)
	}
	return record, nil
}

func (t *untypedTable) firstIndexed(r Reader, index string, key []byte) (any, error) {
	i, err := t.index(index)
	if err != nil {
		return nil, err
	}
	entry, err := i.first(r, key)
	if err != nil {
		return nil, &recordError{table: t.name, index: index, key: bytes.Clone(key), err: err}
	}
	return t.indexed(r, index, entry)
}

func (t *untypedTable) hasIndexed(r Reader, index string, key []byte) (bool, error) {
	i, err := t.index(index)
	if err != nil {
		return false, err
	}
	_, err = i.first(r, key)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotFound):
		return false, nil
	}
	return false, &recordError{table: t.name, index: index, key: bytes.Clone(key), err: err}
}
