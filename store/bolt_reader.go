package store

import (
	"bytes"
	"iter"

	"go.etcd.io/bbolt"
)

// boltReader reads the bucket of one bbolt transaction.
type boltReader struct {
	bucket *bbolt.Bucket
	over   bool
}

func (r *boltReader) Get(key []byte) ([]byte, error) {
	if r.over {
		return nil, ErrTransactionOver
	}
	value := r.bucket.Get(key)
	if value == nil {
		return nil, ErrNotFound
	}
	return value, nil
}

func (r *boltReader) Scan(within Range) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if r.over {
			yield(Entry{}, ErrTransactionOver)
			return
		}
		cursor := r.bucket.Cursor()
		first, step := cursor.Seek, cursor.Next
		if within.Reverse {
			first, step = cursorBefore(cursor, within.End), cursor.Prev
		}
		for key, value := first(within.Start); key != nil && holds(within, key); key, value = step() {
			if !yield(Entry{Key: key, Value: value}, nil) {
				return
			}
			if r.over {
				yield(Entry{}, ErrTransactionOver)
				return
			}
		}
	}
}

// cursorBefore seeks the last entry before end, or the last of all.
func cursorBefore(cursor *bbolt.Cursor, end []byte) func([]byte) (key, value []byte) {
	return func([]byte) (key, value []byte) {
		if end == nil {
			return cursor.Last()
		}
		if at, _ := cursor.Seek(end); at == nil {
			return cursor.Last()
		}
		return cursor.Prev()
	}
}

// holds tells whether a scan that has reached key is still within r; only the
// bound it runs towards is compared.
func holds(r Range, key []byte) bool {
	if r.Reverse {
		return bytes.Compare(key, r.Start) >= 0
	}
	return r.End == nil || bytes.Compare(key, r.End) < 0
}
