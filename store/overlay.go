package store

import (
	"bytes"
	"errors"
	"iter"
)

// overlay is a Tx that collects writes over a Reader and leaves that untouched.
type overlay struct {
	beneath Reader
	layer
	edits   int // writes made through this Tx: a scan looks again after one
	over    bool
	settled bool // nothing more is written: a layer of a view
}

func (o *overlay) Get(key []byte) ([]byte, error) {
	if o.over {
		return nil, ErrTransactionOver
	}
	if c, ok := o.get(key); ok {
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
	o.writes.set(change{key: o.writes.keep(key), value: value})
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
	o.writes.set(change{key: o.writes.keep(key), deleted: true})
	return nil
}

// newOverlay is a Tx over a Reader, and nothing is written yet.
func newOverlay(beneath Reader) *overlay { return overlayInto(beneath, newWriteSet()) }

// overlayInto is a Tx over a Reader whose writes go into an empty set.
func overlayInto(beneath Reader, writes *writeSet) *overlay {
	return &overlay{beneath: beneath, layer: layer{writes, everything}}
}

// First merges as Scan does, which is asked where the first write is a deletion.
func (o *overlay) First(r Range) (Entry, error) {
	if o.over {
		return Entry{}, ErrTransactionOver
	}
	c, ok := o.next(r, nil)
	if !ok {
		return o.beneath.First(r)
	}
	if c.deleted {
		return firstOf(o.Scan(r))
	}
	entry, err := o.beneath.First(r)
	if err == nil && r.before(entry.Key, c.key) {
		return entry, nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Entry{}, err
	}
	return Entry{Key: c.key, Value: c.value}, nil
}

func firstOf(scan iter.Seq2[Entry, error]) (Entry, error) {
	for entry, err := range scan {
		return entry, err
	}
	return Entry{}, ErrNotFound
}

// Scan merges the collected writes with the entries beneath; a write hides the
// entry of the same key.
func (o *overlay) Scan(r Range) iter.Seq2[Entry, error] {
	if o.settled && !o.over {
		if _, any := o.next(r, nil); !any {
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
		if !m.ok || limit != nil && !m.within.before(m.upcoming.key, limit) {
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
	m.upcoming, m.ok = m.tx.next(m.within, m.last)
}
