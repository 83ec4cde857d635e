package store

import "sync"

// scratch is memory for the keys of one call of a table: a Reader keeps none of those it is
// asked for, and a Tx copies those it is given.
type scratch struct {
	keys         []byte
	added, stale [][]byte // keys of index entries
}

var scratches = sync.Pool{New: func() any { return &scratch{keys: make([]byte, 0, 1<<10)} }}

func takeScratch() *scratch { return scratches.Get().(*scratch) }

func (s *scratch) giveBack() {
	clear(s.added)
	clear(s.stale)
	s.keys, s.added, s.stale = s.keys[:0], s.added[:0], s.stale[:0]
	if cap(s.keys) <= maxKeptBuffer {
		scratches.Put(s)
	}
}

// join is the key of a prefix and what follows it, until the memory is given back.
func (s *scratch) join(prefix, key []byte) []byte {
	from := len(s.keys)
	s.keys = append(append(s.keys, prefix...), key...)
	return s.keys[from:len(s.keys):len(s.keys)]
}
