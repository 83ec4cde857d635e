package store

import (
	"bytes"
	"iter"

	"github.com/google/btree"
)

// change is one write of a write set: a value, or the absence of one.
type change struct {
	key, value []byte
	deleted    bool
}

// writeSet holds the writes of transactions in key order. A clone costs nothing
// until one of the two is written to.
type writeSet struct {
	changes *btree.BTreeG[change]
	bytes   int // of keys and values
}

const writeSetDegree = 16

func newWriteSet() *writeSet {
	return &writeSet{changes: btree.NewG(writeSetDegree, func(a, b change) bool {
		return bytes.Compare(a.key, b.key) < 0
	})}
}

func (s *writeSet) clone() *writeSet {
	return &writeSet{changes: s.changes.Clone(), bytes: s.bytes}
}

func (s *writeSet) set(c change) {
	replaced, was := s.changes.ReplaceOrInsert(c)
	if was {
		s.bytes -= len(replaced.key) + len(replaced.value)
	}
	s.bytes += len(c.key) + len(c.value)
}

// next finds the first change of r, in the direction of r, that comes after the
// key last; a nil last stands before all.
func (s *writeSet) next(r Range, last []byte) (found change, ok bool) {
	if r.Reverse {
		return s.previous(r, last)
	}
	from := r.Start
	if last != nil {
		from = last
	}
	s.changes.AscendGreaterOrEqual(change{key: from}, func(c change) bool {
		if last != nil && bytes.Equal(c.key, last) {
			return true
		}
		found, ok = c, r.End == nil || bytes.Compare(c.key, r.End) < 0
		return false
	})
	return found, ok
}

func (s *writeSet) previous(r Range, last []byte) (found change, ok bool) {
	before := r.End
	if last != nil {
		before = last
	}
	take := func(c change) bool {
		if before != nil && bytes.Equal(c.key, before) {
			return true
		}
		found, ok = c, bytes.Compare(c.key, r.Start) >= 0
		return false
	}
	if before == nil {
		s.changes.Descend(take)
	} else {
		s.changes.DescendLessOrEqual(change{key: before}, take)
	}
	return found, ok
}

// apply performs the changes in key order, which is the cheapest for a tree.
func (s *writeSet) apply(put func(key, value []byte) error, remove func(key []byte) error) (err error) {
	s.changes.Ascend(func(c change) bool {
		if c.deleted {
			err = remove(c.key)
		} else {
			err = put(c.key, c.value)
		}
		return err == nil
	})
	return err
}

// overlay is a Tx that collects writes over a Reader and leaves that untouched.
type overlay struct {
	beneath Reader
	writes  *writeSet
	edits   int // writes made through this Tx: a scan looks again after one
	over    bool
	settled bool // nothing more is written: a layer of a view
}

func (o *overlay) Get(key []byte) ([]byte, error) {
	if o.over {
		return nil, ErrTransactionOver
	}
	if c, ok := o.writes.changes.Get(change{key: key}); ok {
		if c.deleted {
			return nil, ErrNotFound
		}
		return c.value, nil
	}
	return o.beneath.Get(key)
}

func (o *overlay) Put(key, value []byte) error {
	if o.over {
		return ErrTransactionOver
	}
	if err := CheckEntry(key, value); err != nil {
		return err
	}
	if value == nil {
		value = []byte{}
	}
	o.edits++
	o.writes.set(change{key: join(key), value: value})
	return nil
}

func (o *overlay) Delete(key []byte) error {
	if o.over {
		return ErrTransactionOver
	}
	if err := CheckKey(key); err != nil {
		return err
	}
	o.edits++
	o.writes.set(change{key: join(key), deleted: true})
	return nil
}

// Scan merges the collected writes with the entries beneath; a write hides the
// entry of the same key.
func (o *overlay) Scan(r Range) iter.Seq2[Entry, error] {
	if o.settled && !o.over {
		if _, any := o.writes.next(r, nil); !any {
			return o.beneath.Scan(r) // as in most layers: spares looking at each entry
		}
	}
	return func(yield func(Entry, error) bool) {
		m := &merge{tx: o, within: r, yield: yield, edits: -1}
		for entry, err := range o.beneath.Scan(r) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !m.yieldChanges(entry.Key) || !m.yieldEntry(entry) {
				return
			}
		}
		m.yieldChanges(nil)
	}
}

// merge is one running Scan of an overlay. Its methods return false once the scan is over.
type merge struct {
	tx     *overlay
	within Range
	last   []byte // the key passed last; its memory lives as long as the transaction
	yield  func(Entry, error) bool

	edits    int    // of the overlay when upcoming was looked up
	upcoming change // the first change after last
	ok       bool   // whether there is one
}

// yieldChanges yields the changes that the scan meets before limit, or all that
// are left when limit is nil.
func (m *merge) yieldChanges(limit []byte) bool {
	for {
		if m.tx.over {
			m.yield(Entry{}, ErrTransactionOver)
			return false
		}
		if m.edits != m.tx.edits {
			m.lookUp()
		}
		if !m.ok || limit != nil && !m.before(m.upcoming.key, limit) {
			return true
		}
		if !m.yieldUpcoming() {
			return false
		}
	}
}

// yieldEntry yields an entry of the reader beneath, or the change that hides it.
func (m *merge) yieldEntry(entry Entry) bool {
	if m.ok && bytes.Equal(m.upcoming.key, entry.Key) {
		return m.yieldUpcoming()
	}
	m.last = entry.Key
	return m.yield(entry, nil)
}

func (m *merge) yieldUpcoming() bool {
	c := m.upcoming
	m.last = c.key
	m.lookUp()
	return c.deleted || m.yield(Entry{Key: c.key, Value: c.value}, nil)
}

func (m *merge) lookUp() {
	m.edits = m.tx.edits
	m.upcoming, m.ok = m.tx.writes.next(m.within, m.last)
}

func (m *merge) before(a, b []byte) bool {
	if m.within.Reverse {
		return bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}
