package search

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

const (
	// fanout is how many segments of a size become one of the next.
	fanout = 8
	// maxMergedDocuments is how large a segment may become by merging.
	maxMergedDocuments = 1 << 18
	// chunkBytes and chunkKeys bound the transactions that write and remove
	// postings.
	chunkBytes = 2 << 20
	chunkKeys  = 20_000
)

// maintain merges segments and removes garbage until nothing is left to do.
func (ix *Index) maintain(ctx context.Context, epoch uint32) error {
	for {
		var m *manifest
		err := ix.db.View(ctx, func(r store.Reader) (err error) {
			m, err = manifests.Get(r, epochKey(epoch))
			return err
		})
		if err != nil {
			return err
		}
		if from, to, ok := m.chooseMerge(); ok {
			if err := ix.merge(ctx, m, from, to); err != nil {
				return fmt.Errorf("merge search segments: %w", err)
			}
			continue
		}
		if len(m.Garbage) == 0 {
			return nil
		}
		if err := ix.sweep(ctx, m); err != nil {
			return fmt.Errorf("remove a merged search segment: %w", err)
		}
	}
}

// chooseMerge returns the segments to be merged, from ≤ i < to: the newest ones of
// about a size when there are fanout of them, or one that is mostly dead.
func (m *manifest) chooseMerge() (from, to int, ok bool) {
	tier := func(s segmentInfo) (n int) {
		for size := s.Documents; size >= fanout; size /= fanout {
			n++
		}
		return n
	}
	highest, documents := 0, 0
	for i := len(m.Segments) - 1; i >= 0; i-- {
		s := m.Segments[i]
		if s.Dead*2 > s.Documents && s.Documents >= fanout {
			return i, i + 1, true
		}
		highest = max(highest, tier(s))
		documents += s.Documents - s.Dead
		if documents > maxMergedDocuments {
			break
		}
		if n := len(m.Segments) - i; n >= fanout && (i == 0 || tier(m.Segments[i-1]) > highest) {
			return i, len(m.Segments), true
		}
	}
	return 0, 0, false
}

// merging is a merge under way.
type merging struct {
	manifest  *manifest
	sources   []segmentInfo
	ordinals  [][]int32 // of each source's documents in the new segment; -1 for dead ones
	documents []byte
	info      segmentInfo
	resume    []byte // the term at which the next chunk begins
	done      bool
}

// merge makes one segment of those from ≤ i < to, chunk by chunk. Until the last
// chunk is written the new segment counts as garbage, so that a crash leaves nothing
// behind that is not swept.
func (ix *Index) merge(ctx context.Context, m *manifest, from, to int) error {
	g := &merging{manifest: m, sources: slices.Clone(m.Segments[from:to])}
	if err := ix.db.View(ctx, g.readDocuments); err != nil {
		return err
	}
	for first := true; !g.done; first = false {
		var entries []store.Entry
		err := ix.db.View(ctx, func(r store.Reader) (err error) {
			entries, err = g.chunk(r)
			return err
		})
		if err != nil {
			return err
		}
		revision := m.Revision
		m.Revision++
		if first {
			m.LastSegment = g.info.ID
			m.Garbage = append(m.Garbage, g.info.ID)
		}
		if g.done {
			g.replaceSources(from, to)
		}
		if err := ix.db.Update(ctx, func(tx store.Tx) error { return g.write(tx, revision, entries) }); err != nil {
			return err
		}
	}
	ix.cache.drop(m.Epoch, g.sources)
	return nil
}

// readDocuments lists the living documents of all sources, and numbers them.
func (g *merging) readDocuments(r store.Reader) error {
	b := newBuilder()
	epoch := g.manifest.Epoch
	for _, info := range g.sources {
		value, err := r.Get(segmentKey(epoch, kindDocuments, info.ID))
		if err != nil {
			return err
		}
		dead, err := readDead(r, epoch, info)
		if err != nil {
			return err
		}
		ordinals := make([]int32, 0, info.Documents)
		before := info.First
		for offset := 0; offset < len(value); {
			record, size := decodeRecord(value[offset:], before)
			if size == 0 || len(ordinals) >= info.Documents {
				return fmt.Errorf("%w: segment %d", errDocuments, info.ID)
			}
			offset += size
			before = record.generation
			if dead.has(uint32(len(ordinals))) {
				ordinals = append(ordinals, -1)
				continue
			}
			ordinals = append(ordinals, int32(b.count))
			b.addRecord(record)
		}
		g.ordinals = append(g.ordinals, ordinals)
	}
	g.documents, g.info = b.documents, b.info(g.manifest.LastSegment+1)
	return nil
}

func (g *merging) replaceSources(from, to int) {
	m := g.manifest
	m.Garbage = slices.DeleteFunc(m.Garbage, func(id uint32) bool { return id == g.info.ID })
	for _, s := range g.sources {
		m.Garbage = append(m.Garbage, s.ID)
	}
	var merged []segmentInfo
	if g.info.Documents > 0 {
		merged = []segmentInfo{g.info}
	} else {
		m.Garbage = append(m.Garbage, g.info.ID)
	}
	m.Segments = slices.Replace(m.Segments, from, to, merged...)
}

func (g *merging) write(tx store.Tx, revision uint64, entries []store.Entry) error {
	m := g.manifest
	if err := unchanged(tx, m.Epoch, revision); err != nil {
		return err
	}
	for _, e := range entries {
		if err := tx.Put(e.Key, e.Value); err != nil {
			return err
		}
	}
	if g.done {
		if err := tx.Put(segmentKey(m.Epoch, kindDocuments, g.info.ID), g.documents); err != nil {
			return err
		}
	}
	return manifests.Put(tx, m)
}

// chunk merges postings from g.resume on until it has enough for a transaction.
func (g *merging) chunk(r store.Reader) (entries []store.Entry, err error) {
	inputs := make([]*termReader, 0, len(g.sources))
	for _, s := range g.sources {
		in := readTerms(r, g.manifest.Epoch, s.ID, string(g.resume))
		defer in.stop()
		if err := in.advanceTo(g.resume); err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	w := blockWriter{epoch: g.manifest.Epoch, segment: g.info.ID}
	var term []byte
	var out postingsBuilder
	for {
		first := lowest(inputs)
		if first == nil || w.size > chunkBytes {
			g.done, g.resume = first == nil, slices.Clone(first)
			w.end()
			return w.entries, nil
		}
		term = append(term[:0], first...)
		out.encoded, out.last = out.encoded[:0], -1
		for i, in := range inputs {
			if in.term == nil || !bytes.Equal(in.term, term) {
				continue
			}
			if err := out.take(in.postings, g.ordinals[i]); err != nil {
				return nil, err
			}
			if err := in.advance(); err != nil {
				return nil, err
			}
		}
		if len(out.encoded) > 0 {
			w.add(term, out.encoded)
		}
	}
}

// take appends the postings of one source, in the new numbers. Where a term stands in
// a document is copied as it is.
func (p *postingsBuilder) take(list []byte, ordinals []int32) error {
	reader := readPostings(list, len(ordinals))
	for reader.next() {
		if renumbered := ordinals[reader.ordinal]; renumbered >= 0 {
			p.encoded = appendPosting(p.encoded, int(renumbered)-p.last, reader.encoded())
			p.last = int(renumbered)
		}
	}
	return reader.err
}

func lowest(inputs []*termReader) (term []byte) {
	for _, in := range inputs {
		if in.term != nil && (term == nil || bytes.Compare(in.term, term) < 0) {
			term = in.term
		}
	}
	return term
}
