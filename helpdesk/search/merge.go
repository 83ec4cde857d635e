package search

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

const (
	// fanout is how many segments of a size become one of the next.
	fanout = 8
	// maxMergedDocuments is how large a segment may become by merging.
	maxMergedDocuments = 1 << 18
	// chunkBytes and chunkKeys bound the transactions that move or remove
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
	inputs, stop := g.open(r)
	defer stop()
	size := 0
	var list []posting
	for {
		term := lowest(inputs)
		if term == nil {
			g.done = true
			return entries, nil
		}
		if size > chunkBytes || len(entries) > chunkKeys {
			g.resume = slices.Clone(term)
			return entries, nil
		}
		out := &postingsBuilder{last: -1}
		key := postingsKey(g.manifest.Epoch, g.info.ID, string(term))
		for i := range inputs {
			if string(inputs[i].term) != string(key[postingsPrefix:]) {
				continue
			}
			if list, err = decodePostings(list[:0], inputs[i].value); err != nil {
				return nil, err
			}
			if err := out.take(list, g.ordinals[i]); err != nil {
				return nil, err
			}
			if err := inputs[i].advance(); err != nil {
				return nil, err
			}
		}
		if len(out.encoded) > 0 {
			entries = append(entries, store.Entry{Key: key, Value: out.encoded})
			size += len(key) + len(out.encoded)
		}
	}
}

// take appends the occurrences of one source in the new numbers.
func (p *postingsBuilder) take(list []posting, ordinals []int32) error {
	var positions []uint32
	for i := 0; i < len(list); {
		ordinal := list[i].ordinal()
		positions = positions[:0]
		for ; i < len(list) && list[i].ordinal() == ordinal; i++ {
			positions = append(positions, list[i].position())
		}
		if int(ordinal) >= len(ordinals) {
			return errPostings
		}
		if renumbered := ordinals[ordinal]; renumbered >= 0 {
			p.encoded = appendPosting(p.encoded, int(renumbered)-p.last, positions)
			p.last = int(renumbered)
		}
	}
	return nil
}

// input walks the postings of one source.
type input struct {
	next        func() (store.Entry, error, bool)
	term, value []byte
}

func (g *merging) open(r store.Reader) (inputs []input, stop func()) {
	var stops []func()
	for _, s := range g.sources {
		rng := store.Prefix(segmentKey(g.manifest.Epoch, kindPostings, s.ID))
		rng.Start = postingsKey(g.manifest.Epoch, s.ID, string(g.resume))
		next, stop := iter.Pull2(r.Scan(rng))
		inputs, stops = append(inputs, input{next: next}), append(stops, stop)
	}
	for i := range inputs {
		if err := inputs[i].advance(); err != nil {
			failed := err
			inputs[i].term, inputs[i].next = []byte{}, func() (store.Entry, error, bool) { return store.Entry{}, failed, true }
		}
	}
	return inputs, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

func (in *input) advance() error {
	entry, err, ok := in.next()
	switch {
	case err != nil:
		return err
	case !ok:
		in.term, in.value = nil, nil
	default:
		in.term, in.value = entry.Key[postingsPrefix:], entry.Value
	}
	return nil
}

func lowest(inputs []input) (term []byte) {
	for _, in := range inputs {
		if in.term != nil && (term == nil || string(in.term) < string(term)) {
			term = in.term
		}
	}
	return term
}
