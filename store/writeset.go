package store

import (
	"bytes"
	"iter"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// change is one write: a value, or the absence of one.
type change struct {
	key, value []byte
	deleted    bool
	number     uint64 // of the update that wrote it; the same for all where they are one transaction's
}

// writeSet holds writes in key order, those of one key from the newest to the oldest:
// a skip list (Pugh, 1990). One goroutine at a time writes to it, and nothing is ever
// taken out, so that others can read at the same time without a lock: a layer tells what
// of it they see.
type writeSet struct {
	first tower
	count int // writes; like bytes for the goroutine that writes
	bytes int // of keys and values

	nodes  []writeNode // room for more, made in blocks
	towers []atomic.Pointer[writeNode]
	keys   []byte // the block that keys are copied into

	newestNodes  []writeNode // the whole blocks that there is room in
	newestTowers []atomic.Pointer[writeNode]

	places map[string]*place // where the last write of each table and index went
}

// maxTower is enough for 4^12 writes: a tower reaches the next level with each fourth.
const maxTower = 12

type tower [maxTower]atomic.Pointer[writeNode]

// writeNode is one write. Its key and number never change, and its value only where a
// transaction writes a key again that it alone sees.
type writeNode struct {
	change
	next []atomic.Pointer[writeNode] // on the ground floor and above
}

func newWriteSet() *writeSet { return new(writeSet) }

// emptied is an empty set, in the memory of this one where it is worth it: nobody reads it,
// nor keys that it has, any more.
func (s *writeSet) emptied() *writeSet {
	const mostKept = 1 << 10
	if s.count > mostKept {
		return newWriteSet()
	}
	clear(s.newestNodes)              // lets go of values
	if len(s.newestNodes) < s.count { // the next one is mostly like this one
		s.newestNodes = make([]writeNode, s.count+s.count/4)
		s.newestTowers = make([]atomic.Pointer[writeNode], 2*len(s.newestNodes))
	}
	s.nodes, s.towers, s.keys = s.newestNodes, s.newestTowers, s.keys[:0]
	s.first, s.count, s.bytes = tower{}, 0, 0
	return s
}

// keep copies a key into memory that many keys share.
func (s *writeSet) keep(key []byte) []byte {
	const smallest, largest = 1 << 10, 16 << 10
	if len(s.keys)+len(key) > cap(s.keys) {
		s.keys = make([]byte, 0, max(smallest, min(2*cap(s.keys), largest), len(key)))
	}
	from := len(s.keys)
	s.keys = append(s.keys, key...)
	return s.keys[from:len(s.keys):len(s.keys)]
}

// set adds a write.
func (s *writeSet) set(c change) {
	var before [maxTower]*writeNode
	found := s.search(c.key, c.number, &before)
	if found != nil && found.number == c.number && bytes.Equal(found.key, c.key) {
		s.bytes += len(c.value) - len(found.value)
		found.value, found.deleted = c.value, c.deleted
		return
	}
	s.insert(s.node(c), &before)
}

// insert links a node behind those of before, one for each of its floors: nil stands for
// the beginning.
func (s *writeSet) insert(n *writeNode, before *[maxTower]*writeNode) {
	for floor := range n.next {
		link := s.link(before[floor], floor)
		n.next[floor].Store(link.Load())
		link.Store(n)
	}
	s.count++
	s.bytes += len(n.key) + len(n.value)
}

// link is what leads on from a node on a floor, or from the beginning where it is nil.
func (s *writeSet) link(n *writeNode, floor int) *atomic.Pointer[writeNode] {
	if n == nil {
		return &s.first[floor]
	}
	return &n.next[floor]
}

// node is a new node, of a random height.
func (s *writeSet) node(c change) *writeNode {
	const smallest, largest = 8, 256
	height := min(1+bits.TrailingZeros64(rand.Uint64()|1<<(2*maxTower))/2, maxTower)
	if len(s.nodes) == 0 {
		s.nodes = make([]writeNode, min(max(s.count, smallest), largest))
		s.newestNodes = s.nodes
	}
	if len(s.towers) < height {
		s.towers = make([]atomic.Pointer[writeNode], min(max(s.count, smallest), largest)+maxTower)
		s.newestTowers = s.towers
	}
	n := &s.nodes[0]
	n.change, n.next = c, s.towers[:height:height]
	s.nodes, s.towers = s.nodes[1:], s.towers[height:]
	return n
}

// search finds the first write that is not before the write of a key by an update. Those
// before it, on each floor, go into before where that is not nil.
func (s *writeSet) search(key []byte, number uint64, before *[maxTower]*writeNode) *writeNode {
	var last, met *writeNode // met is known to be not before
	links := s.first[:]
	for floor := maxTower - 1; floor >= 0; floor-- {
		for {
			n := links[floor].Load()
			if n == nil || n == met || !n.isBefore(key, number) {
				met = n
				break
			}
			last, links = n, n.next
		}
		if before != nil {
			before[floor] = last
		}
	}
	return met
}

func (n *writeNode) isBefore(key []byte, number uint64) bool {
	order := bytes.Compare(n.key, key)
	return order < 0 || order == 0 && n.number > number
}

// lower is the last write of a key that is before key, nil where there is none; a nil key
// stands after all.
func (s *writeSet) lower(key []byte) (last *writeNode) {
	links := s.first[:]
	for floor := maxTower - 1; floor >= 0; floor-- {
		for {
			n := links[floor].Load()
			if n == nil || key != nil && bytes.Compare(n.key, key) >= 0 {
				break
			}
			last, links = n, n.next
		}
	}
	return last
}

// everything is the number of no update: a layer through it shows all writes.
const everything = math.MaxUint64

// layer is what of a write set one reader sees: the newest write of each key that is not
// after an update.
type layer struct {
	writes  *writeSet
	through uint64
}

// get returns what was written to key.
func (l layer) get(key []byte) (change, bool) {
	n := l.writes.search(key, l.through, nil)
	if n == nil || !bytes.Equal(n.key, key) {
		return change{}, false
	}
	return n.change, true
}

// empty tells whether there is no write at all, seen or not.
func (l layer) empty() bool { return l.writes.first[0].Load() == nil }

// visible is n, or the first after it that is seen.
func (l layer) visible(n *writeNode) *writeNode {
	for n != nil && n.number > l.through {
		n = n.next[0].Load()
	}
	return n
}

// after is the first that is seen of a key after that of n.
func (l layer) after(n *writeNode) *writeNode {
	key := n.key
	for n = n.next[0].Load(); n != nil && (n.number > l.through || bytes.Equal(n.key, key)); {
		n = n.next[0].Load()
	}
	return n
}

// next finds the first change of r, in the direction of r, that comes after the
// key last; a nil last stands before all.
func (l layer) next(r Range, last []byte) (found change, ok bool) {
	if r.Reverse {
		return l.previous(r, last)
	}
	n := (*writeNode)(nil)
	if last == nil {
		n = l.visible(l.writes.search(r.Start, l.through, nil))
	} else if n = l.visible(l.writes.search(last, l.through, nil)); n != nil && bytes.Equal(n.key, last) {
		n = l.after(n)
	}
	if n == nil || r.End != nil && bytes.Compare(n.key, r.End) >= 0 {
		return change{}, false
	}
	return n.change, true
}

func (l layer) previous(r Range, last []byte) (found change, ok bool) {
	before := r.End
	if last != nil {
		before = last
	}
	for n := l.writes.lower(before); n != nil && bytes.Compare(n.key, r.Start) >= 0; n = l.writes.lower(n.key) {
		if c, seen := l.get(n.key); seen {
			return c, true
		}
	}
	return change{}, false
}

// all yields what is seen in key order.
func (l layer) all() iter.Seq[change] {
	return func(yield func(change) bool) {
		for n := l.visible(l.writes.first[0].Load()); n != nil && yield(n.change); {
			n = l.after(n)
		}
	}
}

// copied is a write set of what is seen.
func (l layer) copied() *writeSet {
	set := newWriteSet()
	for c := range l.all() {
		set.set(c)
	}
	return set
}

// apply performs the changes in key order, which is the cheapest for a tree.
func (l layer) apply(put func(key, value []byte) error, remove func(key []byte) error) error {
	for c := range l.all() {
		var err error
		if c.deleted {
			err = remove(c.key)
		} else {
			err = put(c.key, c.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
