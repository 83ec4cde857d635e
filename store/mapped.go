package store

import (
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// defaultMapped is how many bytes of files count as memory of the process before those
	// of the store are let go.
	defaultMapped = 192 << 20
	// mappedPause is how long after one look the next one is.
	mappedPause = 100 * time.Millisecond
)

// mapped bounds what of the file counts as memory of the process. The system maps the
// pages around each one that is read, as far as it has them in its cache, and keeps them
// mapped: with all of a large store in that cache, a few searches would make the process
// a gigabyte larger, until it is killed for it.
type mapped struct {
	limit  int64     // bytes
	opened time.Time // from which looked counts
	looked atomic.Int64
}

func newMapped(limit int64) *mapped { return &mapped{limit: limit, opened: time.Now()} }

// bound lets the pages go where they are too many. They stay in the system's cache, from
// where the next read has them again; what others read meanwhile stays valid. The file
// stays mapped where it is for as long as tx is open.
func (m *mapped) bound(db *bbolt.DB, tx *bbolt.Tx) {
	now, last := int64(time.Since(m.opened)), m.looked.Load()
	if now-last < int64(mappedPause) || !m.looked.CompareAndSwap(last, now) {
		return
	}
	if residentFiles() > m.limit {
		letGo(db.Info().Data, tx.Size())
	}
}
