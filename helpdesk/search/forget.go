package search

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Forget takes the words of erased tickets out of the index. Their pieces die, as other
// pieces do, and then every block of terms that still has something of them is written
// anew without it, also blocks of pieces that were replaced earlier. What else the segments
// have stays where it is: of 200,000 tickets the terms are read, and hardly any is written.
//
// It follows the log to its end first, in transactions of bounded size. One that is broken
// off leaves a whole index, and is done again whole. While the index is made anew it is
// CodeConflict.
func (ix *Index) Forget(ctx context.Context) error {
	if !ix.rebuilding.TryLock() {
		return &helpdesk.Error{Code: helpdesk.CodeConflict, Message: "the search index is being rebuilt; wait for that to end"}
	}
	defer ix.rebuilding.Unlock()
	if err := ix.forget(ctx); err != nil {
		return fmt.Errorf("take what was erased out of the search index: %w", err)
	}
	return nil
}

func (ix *Index) forget(ctx context.Context) error {
	if err := ix.sweepEpochs(ctx); err != nil { // a rebuild that was broken off has words too
		return err
	}
	ix.writing.Lock()
	defer ix.writing.Unlock()
	epoch, err := ix.followToEnd(ctx)
	if err != nil {
		return err
	}
	numbers, err := ix.desk.ErasedTickets(ctx)
	if err != nil {
		return err
	}
	erased := map[uint32]bool{}
	for _, number := range numbers {
		erased[uint32(number)] = true
	}
	if err := ix.buryErased(ctx, epoch, erased); err != nil {
		return err
	}
	if err := ix.maintain(ctx, epoch); err != nil {
		return err
	}
	return ix.forgetWords(ctx, epoch, erased)
}

// followToEnd brings the index up to what is durable now: no later event speaks of what
// was erased before. The caller holds ix.writing.
func (ix *Index) followToEnd(ctx context.Context) (epoch uint32, err error) {
	last, err := ix.desk.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	epoch, cursor, err := ix.open(ctx)
	for err == nil && cursor < last {
		var list []helpdesk.Event
		if list, err = ix.desk.Events(ctx, indexer, cursor, rebuildEvents); err != nil || len(list) == 0 {
			break
		}
		cursor = list[len(list)-1].Seq
		err = ix.follow(ctx, epoch, list, followBytes)
	}
	return epoch, err
}

// buriedAtOnce bounds the pieces that die in one transaction.
const buriedAtOnce = 2000

// buryErased lets the living pieces of erased tickets die.
func (ix *Index) buryErased(ctx context.Context, epoch uint32, erased map[uint32]bool) error {
	var list []*document
	if err := ix.db.View(ctx, func(r store.Reader) error {
		list = nil
		m, err := manifests.Get(r, epochKey(epoch))
		if err != nil {
			return err
		}
		for _, info := range m.Segments {
			if err := eachDocument(r, epoch, info, func(_ int, d documentRecord, dead bool) error {
				if !dead && erased[uint32(d.ticket)] {
					list = append(list, &document{piece: d.piece, gone: true})
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for part := range slices.Chunk(list, buriedAtOnce) {
		b := ix.newBatch()
		b.documents = part
		if err := ix.commit(ctx, epoch, b, 0); err != nil {
			return err
		}
	}
	return nil
}

// eachDocument calls do with every document that a segment lists.
func eachDocument(r store.Reader, epoch uint32, info segmentInfo, do func(ordinal int, d documentRecord, dead bool) error) error {
	value, err := r.Get(segmentKey(epoch, kindDocuments, info.ID))
	if err != nil {
		return fmt.Errorf("search segment %d: %w", info.ID, err)
	}
	dead, err := readDead(r, epoch, info)
	if err != nil {
		return err
	}
	before := info.First
	for ordinal, offset := 0, 0; offset < len(value); ordinal++ {
		d, size := decodeRecord(value[offset:], before)
		if size == 0 || ordinal >= info.Documents {
			return fmt.Errorf("%w: segment %d at byte %d", errDocuments, info.ID, offset)
		}
		before = d.generation
		offset += size
		if err := do(ordinal, d, dead.has(uint32(ordinal))); err != nil {
			return err
		}
	}
	return nil
}

// forgetWords writes the blocks anew that have words of what was erased.
func (ix *Index) forgetWords(ctx context.Context, epoch uint32, erased map[uint32]bool) error {
	var m *manifest
	if err := ix.db.View(ctx, func(r store.Reader) (err error) {
		m, err = manifests.Get(r, epochKey(epoch))
		return err
	}); err != nil {
		return err
	}
	for _, info := range m.Segments {
		f := &forgetting{manifest: m, segment: info}
		if err := ix.db.View(ctx, func(r store.Reader) error { return f.choose(r, erased) }); err != nil {
			return err
		}
		for !f.done {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := ix.db.View(ctx, f.chunk); err != nil {
				return err
			}
			if len(f.emptied)+len(f.entries) == 0 {
				continue
			}
			revision := m.Revision
			m.Revision++
			if err := ix.db.Update(ctx, func(tx store.Tx) error { return f.write(tx, revision) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetting takes documents out of the terms of one segment.
type forgetting struct {
	manifest *manifest
	segment  segmentInfo
	ordinals []int32 // of each document; -1 for what is forgotten
	resume   []byte  // the key at which the next chunk begins; nil at first
	done     bool

	emptied [][]byte      // keys of a chunk that are to be deleted
	entries []store.Entry // and what is put after that
}

// choose lists the documents that are to be forgotten: dead ones of erased tickets, and of
// pieces that are no more, on whichever ticket they were.
func (f *forgetting) choose(r store.Reader, erased map[uint32]bool) error {
	epoch := f.manifest.Epoch
	f.ordinals, f.done = make([]int32, 0, f.segment.Documents), true
	return eachDocument(r, epoch, f.segment, func(ordinal int, d documentRecord, dead bool) error {
		forget := dead && erased[uint32(d.ticket)]
		if dead && !forget {
			_, found, err := readPlace(r, epoch, d.piece)
			if err != nil {
				return err
			}
			forget = !found
		}
		if forget {
			f.done = false
			ordinal = -1
		}
		f.ordinals = append(f.ordinals, int32(ordinal))
		return nil
	})
}

// chunk works out what to write of the next terms.
func (f *forgetting) chunk(r store.Reader) error {
	f.emptied, f.entries, f.done = nil, nil, false
	keys := termsFrom(f.manifest.Epoch, f.segment.ID, "")
	if f.resume != nil {
		keys.Start = f.resume
	}
	size := 0
	for entry, err := range r.Scan(keys) {
		if err != nil {
			return err
		}
		if size > chunkBytes || len(f.emptied) >= chunkKeys {
			f.resume = bytes.Clone(entry.Key)
			return nil
		}
		without, err := f.without(entry)
		if err != nil {
			return fmt.Errorf("search segment %d: %w", f.segment.ID, err)
		}
		if len(without) == 1 && bytes.Equal(without[0].Key, entry.Key) && bytes.Equal(without[0].Value, entry.Value) {
			continue
		}
		f.emptied = append(f.emptied, bytes.Clone(entry.Key))
		f.entries = append(f.entries, without...)
		size += len(entry.Key) + len(entry.Value)
	}
	f.done = true
	return nil
}

// without is what is left of a block of terms: seldom more than one, since what a term has
// in common with the one before it may have gone.
func (f *forgetting) without(entry store.Entry) ([]store.Entry, error) {
	var kept postingsBuilder
	w := blockWriter{epoch: f.manifest.Epoch, segment: f.segment.ID}
	block := blockReader{data: entry.Value}
	for {
		more, err := block.next()
		if err != nil {
			return nil, err
		}
		if !more {
			w.end()
			return w.entries, nil
		}
		kept.encoded, kept.last = kept.encoded[:0], -1
		if err := kept.take(block.postings, f.ordinals); err != nil {
			return nil, err
		}
		if len(kept.encoded) > 0 {
			w.add(block.term, kept.encoded)
		}
	}
}

func (f *forgetting) write(tx store.Tx, revision uint64) error {
	if err := unchanged(tx, f.manifest.Epoch, revision); err != nil {
		return err
	}
	for _, key := range f.emptied {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	for _, e := range f.entries {
		if err := tx.Put(e.Key, e.Value); err != nil {
			return err
		}
	}
	return manifests.Put(tx, f.manifest)
}
