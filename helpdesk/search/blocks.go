package search

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/madoguchi/madoguchi/store"
)

// The terms of a segment stand in order, with their postings, in blocks of about a
// kilobyte: a mail has some hundred terms, and a key for each would cost the store more
// than the postings themselves. Of each term only what differs from the one before it
// in its block is written. A block's key ends with its last term, so that the first
// block at or after a term's key is the one that has it.

// blockBytes is how large a block becomes; one term with more stands alone.
const blockBytes = 1000

// blockWriter packs terms that come in order.
type blockWriter struct {
	epoch, segment uint32
	entries        []store.Entry // of the blocks that are full
	size           int           // of those, in bytes
	block, last    []byte
}

func (w *blockWriter) add(term, postings []byte) {
	if len(w.block) > 0 && len(w.block)+len(term)+len(postings) > blockBytes {
		w.end()
	}
	shared := 0
	for len(w.block) > 0 && shared < min(len(w.last), len(term)) && w.last[shared] == term[shared] {
		shared++
	}
	w.block = binary.AppendUvarint(w.block, uint64(shared))
	w.block = binary.AppendUvarint(w.block, uint64(len(term)-shared))
	w.block = append(w.block, term[shared:]...)
	w.block = binary.AppendUvarint(w.block, uint64(len(postings)))
	w.block = append(w.block, postings...)
	w.last = append(w.last[:0], term...)
}

// end ends the block in hand.
func (w *blockWriter) end() {
	if len(w.block) == 0 {
		return
	}
	entry := store.Entry{Key: blockKey(w.epoch, w.segment, w.last), Value: bytes.Clone(w.block)}
	w.entries = append(w.entries, entry)
	w.size += len(entry.Key) + len(entry.Value)
	w.block = w.block[:0]
}

// blockReader goes through the terms of a block. What next finds is valid until it is
// called again; postings are valid as long as the block.
type blockReader struct {
	data           []byte // that is left
	term, postings []byte
}

// next goes on to the next term; false at the end.
func (b *blockReader) next() (bool, error) {
	if len(b.data) == 0 {
		return false, nil
	}
	shared, ok := b.number(len(b.term))
	if !ok {
		return false, errPostings
	}
	rest, ok := b.piece()
	if !ok {
		return false, errPostings
	}
	b.term = append(b.term[:shared], rest...)
	if b.postings, ok = b.piece(); !ok {
		return false, errPostings
	}
	return true, nil
}

// number reads one that is at most limit.
func (b *blockReader) number(limit int) (int, bool) {
	v, n := binary.Uvarint(b.data)
	if n <= 0 || v > uint64(limit) {
		return 0, false
	}
	b.data = b.data[n:]
	return int(v), true
}

// piece reads a length and as many bytes.
func (b *blockReader) piece() ([]byte, bool) {
	length, ok := b.number(len(b.data))
	if !ok || length > len(b.data) {
		return nil, false
	}
	piece := b.data[:length:length]
	b.data = b.data[length:]
	return piece, true
}

// termReader goes through the terms of a segment, in order.
type termReader struct {
	next  func() (store.Entry, error, bool)
	stop  func()
	block blockReader

	term, postings []byte // of the term in hand; term is nil at the end
}

// readTerms begins before the first term that is not less than from. The caller calls
// stop in the end.
func readTerms(r store.Reader, epoch, id uint32, from string) *termReader {
	next, stop := iter.Pull2(r.Scan(termsFrom(epoch, id, from)))
	return &termReader{next: next, stop: stop}
}

// advance goes on to the next term.
func (t *termReader) advance() error {
	for {
		if more, err := t.block.next(); more || err != nil {
			t.term, t.postings = t.block.term, t.block.postings
			return err
		}
		entry, err, ok := t.next()
		switch {
		case err != nil:
			return err
		case !ok:
			t.term, t.postings = nil, nil
			return nil
		}
		t.block = blockReader{data: entry.Value, term: t.block.term[:0]}
	}
}

// advanceTo goes on to the first term that is not less than from.
func (t *termReader) advanceTo(from []byte) error {
	for {
		if err := t.advance(); err != nil || t.term == nil || bytes.Compare(t.term, from) >= 0 {
			return err
		}
	}
}

// termsWith yields the terms of a segment that begin with prefix, and their postings.
// A term is valid until the next one, its postings as long as the transaction.
func termsWith(r store.Reader, epoch, id uint32, prefix string, yield func(term, postings []byte)) error {
	for entry, err := range r.Scan(termsFrom(epoch, id, prefix)) {
		if err != nil {
			return err
		}
		block := blockReader{data: entry.Value}
		for {
			more, err := block.next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			if bytes.HasPrefix(block.term, []byte(prefix)) {
				yield(block.term, block.postings)
			} else if string(block.term) > prefix {
				return nil
			}
		}
	}
	return nil
}

// termsFrom are the keys of a segment's terms from one on.
func termsFrom(epoch, id uint32, from string) store.Range {
	keys := store.Prefix(segmentKey(epoch, kindBlock, id))
	keys.Start = append(segmentKey(epoch, kindBlock, id), from...)
	return keys
}
