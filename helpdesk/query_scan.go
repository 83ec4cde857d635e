package helpdesk

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// The lists of tickets are index entries that all end in the same way: the
// time of the last change, newest first, and the number. So lists can be
// united and intersected by their ends alone, without reading a ticket, by
// leaping in each to where another one stands. What such a search looks at is
// bounded by the entries of the shortest list, and by a budget besides.

// positionSize is the length of such an end: 12 bytes of time, 8 of number.
const positionSize = 12 + 8

// list is a part of an index that ends in positions.
type list struct {
	index  string
	prefix []byte
}

// budget is how much may still be looked at. Reading an entry costs 1, reading
// a ticket 10, which is about how their times compare.
type budget int

const ticketCost = 10

func (b *budget) spend(n int)     { *b -= budget(n) }
func (b *budget) exhausted() bool { return *b <= 0 }

// cursorList is a list that is being read, some entries at a time.
type cursorList struct {
	list
	r       store.Reader
	work    *budget
	entries [][]byte // positions read ahead
	ended   bool     // nothing follows entries
	ahead   int      // how many to read next time
}

// seek returns the first position not before the given one, nil where there is
// none.
func (l *cursorList) seek(position []byte) ([]byte, error) {
	for {
		at, _ := slices.BinarySearchFunc(l.entries, position, bytes.Compare)
		if at < len(l.entries) {
			l.entries = l.entries[at:]
			return l.entries[0], nil
		}
		if l.ended {
			return nil, nil
		}
		if err := l.read(position); err != nil {
			return nil, err
		}
	}
}

// read reads ahead from a position: few entries at first, more where the
// reading goes on.
func (l *cursorList) read(position []byte) error {
	l.ahead = min(max(2*l.ahead, 8), 256)
	l.entries, l.ended = nil, true
	rng := store.Prefix(l.prefix)
	rng.Start = append(slices.Clone(l.prefix), position...)
	for entry, err := range tickets.ScanIndexKeys(l.r, l.index, rng) {
		if err != nil {
			return err
		}
		l.entries = append(l.entries, bytes.Clone(entry.Index[len(l.prefix):]))
		l.work.spend(1)
		if len(l.entries) == l.ahead {
			l.ended = false
			break
		}
	}
	return nil
}

// union reads lists as one.
type union []*cursorList

func (u union) seek(position []byte) (first []byte, err error) {
	for _, l := range u {
		at, err := l.seek(position)
		if err != nil {
			return nil, err
		}
		if at != nil && (first == nil || bytes.Compare(at, first) < 0) {
			first = at
		}
	}
	return first, nil
}

// intersection reads what is on all of its unions.
type intersection []union

func newIntersection(r store.Reader, conditions [][]list, work *budget) intersection {
	var all intersection
	for _, condition := range conditions {
		var u union
		for _, l := range condition {
			u = append(u, &cursorList{list: l, r: r, work: work})
		}
		all = append(all, u)
	}
	return all
}

// seek returns the first position, not before the given one, that is on every
// list; nil where there is none. Where the budget ends first, found is false
// and the position is where to go on.
func (all intersection) seek(position []byte, work *budget) (at []byte, found bool, err error) {
	for agreed := 0; agreed < len(all); {
		for _, u := range all {
			if work.exhausted() {
				return position, false, nil
			}
			at, err := u.seek(position)
			if err != nil || at == nil {
				return nil, false, err
			}
			if bytes.Equal(at, position) {
				agreed++
				continue
			}
			position, agreed = at, 1
		}
		if agreed < len(all) {
			agreed = 0
		}
	}
	return position, true, nil
}

// numberAt is the ticket that a position stands for.
func numberAt(position []byte) uint64 {
	return binary.BigEndian.Uint64(position[positionSize-8:])
}

// after is the first position behind another.
func after(position []byte) []byte { return append(slices.Clone(position), 0) }
