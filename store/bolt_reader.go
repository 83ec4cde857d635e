package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// boltReader reads the bucket of one bbolt transaction.
type boltReader struct {
	bucket *bbolt.Bucket
	tree   tree
	own    bool  // tree is there
	spare  *path // of a scan that is over
	over   bool
}

// newBoltReader reads the bucket of a transaction that has written nothing yet.
func newBoltReader(tx *bbolt.Tx) *boltReader {
	r := &boltReader{bucket: tx.Bucket(bucketName)}
	if r.bucket == nil {
		return nil
	}
	r.tree, r.own = treeOf(r.bucket)
	return r
}

func (r *boltReader) Get(key []byte) (value []byte, err error) {
	if r.over {
		return nil, ErrTransactionOver
	}
	defer contain(&err, debug.SetPanicOnFault(true))
	if !r.own {
		value = r.bucket.Get(key)
	} else if value, err = r.tree.get(key); err != nil {
		return nil, err
	}
	if value == nil {
		return nil, ErrNotFound
	}
	return value, nil
}

// contain makes an error of a panic over damaged pages, and of memory that the disk cannot
// read. It has to be deferred, and before is what debug.SetPanicOnFault(true) returned.
func contain(err *error, before bool) {
	debug.SetPanicOnFault(before)
	if damage := recover(); damage != nil {
		*err = fmt.Errorf("%w: %v", ErrCorrupt, damage)
	}
}

// get returns the value of a key, nil where it is not there.
func (t tree) get(key []byte) ([]byte, error) {
	p, err := t.page(t.root)
	for depth := 0; err == nil; depth++ {
		at, exact, err := p.search(key)
		switch {
		case err != nil:
			return nil, err
		case p.leaf && !exact:
			return nil, nil
		case p.leaf:
			k, value, err := p.entry(at)
			if err == nil && !bytes.Equal(k, key) {
				err = damaged(p.id, "its keys are in no order")
			}
			return value, err
		case depth == maxDepth:
			return nil, damaged(p.id, "the tree goes in circles")
		case !exact && at > 0:
			at--
		}
		if p, err = t.child(p, at); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// lookAhead goes the way to each key that is to be written, and looks at all entries of
// the leaf where it ends, once for all keys that belong there.
func (t tree) lookAhead(writes layer) error {
	var end []byte // of the leaf looked at last, where there is one
	looked := false
	for c := range writes.all() {
		if looked && (end == nil || bytes.Compare(c.key, end) < 0) {
			continue
		}
		leaf, after, err := t.leaf(c.key)
		if err != nil {
			return err
		}
		for i := range leaf.count {
			if _, _, err := leaf.entry(i); err != nil {
				return err
			}
		}
		end, looked = after, true
	}
	return nil
}

// leaf is the page where a key is or would be, and the first key that belongs beyond it;
// nil where it is the last.
func (t tree) leaf(key []byte) (p page, end []byte, err error) {
	p, err = t.page(t.root)
	for depth := 0; err == nil && !p.leaf; depth++ {
		if depth == maxDepth {
			return page{}, nil, damaged(p.id, "the tree goes in circles")
		}
		at, exact, err := p.search(key)
		if err == nil && !exact && at > 0 {
			at--
		}
		if err == nil && at+1 < p.count {
			end, err = p.key(at + 1)
		}
		if err != nil {
			return page{}, nil, err
		}
		if p, err = t.child(p, at); err != nil {
			return page{}, nil, err
		}
	}
	return p, end, err
}

// places goes from entry to entry.
type places interface {
	seek(key []byte) error
	end() error
	move(by int) error
	entry() (key, value []byte, err error)
}

func (r *boltReader) Scan(within Range) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if r.over {
			yield(Entry{}, ErrTransactionOver)
			return
		}
		at := r.way()
		key, value, err := begin(at, within)
		for {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if key == nil || !holds(within, key) || !yield(Entry{Key: key, Value: value}, nil) {
				break
			}
			if r.over {
				yield(Entry{}, ErrTransactionOver)
				return
			}
			key, value, err = goOn(at, within, key)
		}
		if own, ok := at.(*path); ok {
			r.spare = own
		}
	}
}

// First is a Scan that ends at its first entry.
func (r *boltReader) First(within Range) (Entry, error) {
	if r.over {
		return Entry{}, ErrTransactionOver
	}
	at := r.way()
	key, value, err := begin(at, within)
	if own, ok := at.(*path); ok {
		r.spare = own
	}
	if err != nil {
		return Entry{}, err
	}
	if key == nil || !holds(within, key) {
		return Entry{}, ErrNotFound
	}
	return Entry{Key: key, Value: value}, nil
}

// way is a new way to entries, or one that an earlier scan no longer needs.
func (r *boltReader) way() places {
	if !r.own {
		return &cursorPlaces{cursor: r.bucket.Cursor()}
	}
	at := r.spare
	if r.spare = nil; at == nil {
		at = &path{tree: r.tree}
	}
	return at
}

// goOn moves to the entry after key in the direction of a scan.
func goOn(at places, within Range, before []byte) (key, value []byte, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	by := 1
	if within.Reverse {
		by = -1
	}
	if err := at.move(by); err != nil {
		return nil, nil, err
	}
	key, value, err = at.entry()
	if order := bytes.Compare(key, before) * by; err == nil && key != nil && order <= 0 {
		err = fmt.Errorf("%w: key %q comes after %q", ErrCorrupt, key, before)
	}
	return key, value, err
}

// begin goes to the first entry of a scan.
func begin(at places, within Range) (key, value []byte, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	switch {
	case !within.Reverse:
		err = at.seek(within.Start)
	case within.End == nil:
		err = at.end()
	default: // the last entry before End
		if err = at.seek(within.End); err == nil {
			if key, _, err = at.entry(); err == nil && key == nil {
				err = at.end()
			} else if err == nil {
				err = at.move(-1)
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return at.entry()
}

// cursorPlaces are those of a bucket that lies within its parent's page.
type cursorPlaces struct {
	cursor     *bbolt.Cursor
	key, value []byte
}

func (c *cursorPlaces) seek(key []byte) error { c.key, c.value = c.cursor.Seek(key); return nil }
func (c *cursorPlaces) end() error            { c.key, c.value = c.cursor.Last(); return nil }
func (c *cursorPlaces) move(by int) error {
	if by < 0 {
		c.key, c.value = c.cursor.Prev()
	} else {
		c.key, c.value = c.cursor.Next()
	}
	return nil
}

func (c *cursorPlaces) entry() (key, value []byte, err error) {
	if c.key != nil && c.value == nil {
		return nil, nil, errors.Join(ErrCorrupt, errors.New("an entry is a bucket"))
	}
	return c.key, c.value, nil
}

// holds tells whether a scan that has reached key is still within r; only the
// bound it runs towards is compared.
func holds(r Range, key []byte) bool {
	if r.Reverse {
		return bytes.Compare(key, r.Start) >= 0
	}
	return r.End == nil || bytes.Compare(key, r.End) < 0
}
