package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"
	"unsafe"

	"go.etcd.io/bbolt"
)

// tree reads the pages of a bbolt bucket without bbolt, which trusts them: a damaged page
// makes it panic, read beyond the file, or go in circles until the stack ends, and each of
// these ends the process. Here every offset is checked before it is used, and the keys of
// a page against what leads to it, so that damage is an error that names the page.
//
// The form of a page is bbolt's, which its files have kept since 2013: a header (id, 8
// bytes; flags, 2; number of elements, 2; number of pages that follow, 4), elements of 16
// bytes, and the keys and values that they point to, in the byte order of the machine.
type tree struct {
	data     []byte // the file, as far as the transaction knows it
	pageSize uint64
	root     uint64
}

const (
	pageHeader  = 16
	pageElement = 16
	branchPage  = 0x01
	leafPage    = 0x02
	maxDepth    = 48 // a branch has two children at least
)

// treeOf is the bucket's tree; it is not ok where the bucket has no pages of its own yet.
func treeOf(bucket *bbolt.Bucket) (t tree, ok bool) {
	tx := bucket.Tx()
	info := tx.DB().Info()
	root := uint64(bucket.Root())
	if root == 0 {
		return tree{}, false
	}
	start := *(*unsafe.Pointer)(unsafe.Pointer(&info.Data))
	return tree{data: unsafe.Slice((*byte)(start), tx.Size()), pageSize: uint64(info.PageSize), root: root}, true
}

// page is a checked page: its elements lie within it.
type page struct {
	id    uint64
	data  []byte
	count int
	leaf  bool
}

func damaged(id uint64, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", ErrCorrupt, id, fmt.Sprintf(format, args...))
}

// page checks the page with an id.
func (t tree) page(id uint64) (page, error) {
	pages := uint64(len(t.data)) / t.pageSize
	if id >= pages {
		return page{}, damaged(id, "the file has %d pages", pages)
	}
	data := t.data[id*t.pageSize:]
	self, flags := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint16(data[8:])
	count, overflow := int(binary.NativeEndian.Uint16(data[10:])), uint64(binary.NativeEndian.Uint32(data[12:]))
	switch {
	case self != id:
		return page{}, damaged(id, "it says that it is page %d", self)
	case flags != branchPage && flags != leafPage:
		return page{}, damaged(id, "it is of no known kind (%#x)", flags)
	case overflow >= pages-id:
		return page{}, damaged(id, "it would go on beyond the end of the file")
	}
	p := page{id: id, data: data[:(overflow+1)*t.pageSize], count: count, leaf: flags == leafPage}
	if pageHeader+count*pageElement > len(p.data) || count == 0 && !(p.leaf && id == t.root) {
		return page{}, damaged(id, "it would have %d entries", count)
	}
	return p, nil
}

// key is that of an element.
func (p page) key(i int) ([]byte, error) {
	at := pageHeader + i*pageElement
	position, size := uint64(binary.NativeEndian.Uint32(p.data[at:])), uint64(binary.NativeEndian.Uint32(p.data[at+4:]))
	if p.leaf {
		position, size = uint64(binary.NativeEndian.Uint32(p.data[at+4:])), uint64(binary.NativeEndian.Uint32(p.data[at+8:]))
	}
	start := uint64(at) + position
	if position < pageElement || start+size > uint64(len(p.data)) {
		return nil, damaged(p.id, "the key of entry %d lies beyond it", i)
	}
	return p.data[start : start+size : start+size], nil
}

// entry is the key and the value of an element of a leaf.
func (p page) entry(i int) (key, value []byte, err error) {
	if key, err = p.key(i); err != nil {
		return nil, nil, err
	}
	at := pageHeader + i*pageElement
	flags, position := binary.NativeEndian.Uint32(p.data[at:]), uint64(binary.NativeEndian.Uint32(p.data[at+4:]))
	start := uint64(at) + position + uint64(len(key))
	size := uint64(binary.NativeEndian.Uint32(p.data[at+12:]))
	if flags != 0 || start+size > uint64(len(p.data)) {
		return nil, nil, damaged(p.id, "the value of entry %d lies beyond it", i)
	}
	value = p.data[start : start+size : start+size]
	touch(value)
	return key, value, nil
}

// touch reads from each page of memory that a value is on: where the disk cannot read it,
// that is found here, where it is an error, and not where the value is used.
func touch(value []byte) (sum byte) {
	const memoryPage = 4096
	for at := 0; at < len(value); at += memoryPage {
		sum ^= value[at]
	}
	if len(value) > 0 {
		sum ^= value[len(value)-1]
	}
	return sum
}

// leadsTo is the page of an element of a branch.
func (p page) leadsTo(i int) uint64 {
	return binary.NativeEndian.Uint64(p.data[pageHeader+i*pageElement+8:])
}

// child is the page that an element of a branch leads to; its keys begin at the element's
// and end before the next one's.
func (t tree) child(p page, i int) (page, error) {
	from, err := p.key(i)
	if err != nil {
		return page{}, err
	}
	id := p.leadsTo(i)
	c, err := t.page(id)
	if err != nil {
		return page{}, err
	}
	first, err := c.key(0)
	if err != nil {
		return page{}, err
	}
	if bytes.Compare(first, from) < 0 {
		return page{}, damaged(id, "its keys begin before those that page %d leads to", p.id)
	}
	if i+1 == p.count {
		return c, nil
	}
	end, err := p.key(i + 1)
	if err != nil {
		return page{}, err
	}
	last, err := c.key(c.count - 1)
	if err != nil {
		return page{}, err
	}
	if bytes.Compare(last, end) >= 0 {
		return page{}, damaged(id, "its keys go on beyond those that page %d leads to", p.id)
	}
	return c, nil
}

// search finds the first element whose key is not before key.
func (p page) search(key []byte) (at int, exact bool, err error) {
	at = sort.Search(p.count, func(i int) bool {
		k, keyErr := p.key(i)
		if keyErr != nil {
			err = keyErr
			return true
		}
		order := bytes.Compare(k, key)
		exact = exact || order == 0
		return order >= 0
	})
	return at, exact, err
}

// step is a page on the way to an entry, and which of its elements is next on that way.
type step struct {
	page  page
	index int
}

// path is the way from the root to an entry. It is empty before the first and after the
// last one.
type path struct {
	tree  tree
	steps []step
	room  [8]step
}

func (w *path) begin() error {
	w.steps = w.room[:0]
	root, err := w.tree.page(w.tree.root)
	w.steps = append(w.steps, step{page: root})
	return err
}

func (w *path) top() *step { return &w.steps[len(w.steps)-1] }

// down goes on to the leaf, at each branch to the element that choose names.
func (w *path) down(choose func(page) (int, error)) error {
	for {
		s := w.top()
		var err error
		if s.index, err = choose(s.page); err != nil || s.page.leaf {
			return err
		}
		if len(w.steps) == maxDepth {
			return damaged(s.page.id, "the tree goes in circles")
		}
		child, err := w.tree.child(s.page, s.index)
		if err != nil {
			return err
		}
		w.steps = append(w.steps, step{page: child})
	}
}

// seek goes to the first entry whose key is not before key.
func (w *path) seek(key []byte) error {
	if err := w.begin(); err != nil {
		return err
	}
	err := w.down(func(p page) (int, error) {
		at, exact, err := p.search(key)
		if !p.leaf && !exact && at > 0 {
			at-- // the element before leads to where the key would be
		}
		return at, err
	})
	if err == nil && w.top().index == w.top().page.count {
		return w.move(1)
	}
	return err
}

// end goes to the last entry.
func (w *path) end() error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.down(func(p page) (int, error) { return p.count - 1, nil }); err != nil {
		return err
	}
	if w.top().index < 0 { // the root is a leaf without entries
		w.steps = nil
	}
	return nil
}

// move goes to the next entry, or with -1 to the one before.
func (w *path) move(by int) error {
	for len(w.steps) > 0 {
		s := w.top()
		s.index += by
		if s.index < 0 || s.index >= s.page.count {
			w.steps = w.steps[:len(w.steps)-1]
			continue
		}
		if s.page.leaf {
			return nil
		}
		child, err := w.tree.child(s.page, s.index)
		if err != nil {
			return err
		}
		w.steps = append(w.steps, step{page: child})
		return w.down(func(p page) (int, error) {
			if by < 0 {
				return p.count - 1, nil
			}
			return 0, nil
		})
	}
	return nil
}

// entry is where the path leads; nil where it is empty.
func (w *path) entry() (key, value []byte, err error) {
	if len(w.steps) == 0 {
		return nil, nil, nil
	}
	return w.top().page.entry(w.top().index)
}
