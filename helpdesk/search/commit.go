package search

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// errChanged: somebody else changed the epoch between reading and writing it.
var errChanged = errors.New("the search index was changed meanwhile")

// plan is what a commit writes, worked out before its transaction.
type plan struct {
	manifest *manifest // as it was read, then as it will be
	revision uint64    // as it was read
	builder  *builder
	entries  []store.Entry // of the new segment
	dead     map[uint32]deadSet
	places   map[string]place
	gone     []string
}

// commit writes the batch as one segment, and the cursor, in one transaction.
// Pieces that are as they were before are left alone.
func (ix *Index) commit(ctx context.Context, epoch uint32, b *batch, cursor uint64) error {
	var p *plan
	err := ix.db.View(ctx, func(r store.Reader) (err error) {
		p, err = ix.plan(r, epoch, b.documents)
		return err
	})
	if err != nil {
		return err
	}
	p.manifest.Cursor = max(cursor, p.manifest.Cursor)
	p.entries = p.builder.pack(epoch, p.manifest.LastSegment)
	if err := ix.db.Update(ctx, p.write); err != nil {
		return err
	}
	ix.changes.tell()
	return nil
}

func (ix *Index) plan(r store.Reader, epoch uint32, documents []*document) (*plan, error) {
	m, err := manifests.Get(r, epochKey(epoch))
	if err != nil {
		return nil, err
	}
	p := &plan{manifest: m, revision: m.Revision, builder: newBuilder(), dead: map[uint32]deadSet{}, places: map[string]place{}}
	m.Revision++
	for _, d := range documents {
		before, found, err := readPlace(r, epoch, d.piece)
		if err != nil {
			return nil, err
		}
		digest := d.digest()
		if found && !d.gone && before.digest == digest || !found && d.gone {
			continue
		}
		if found {
			if err := ix.bury(r, p, before.generation); err != nil {
				return nil, fmt.Errorf("piece %s: %w", d.piece, err)
			}
		}
		if d.gone {
			p.gone = append(p.gone, d.piece)
			continue
		}
		m.Generation++
		p.builder.add(d, m.Generation)
		p.places[d.piece] = place{m.Generation, digest}
	}
	if p.builder.count > 0 {
		m.LastSegment++
		m.Segments = append(m.Segments, p.builder.info(m.LastSegment))
	}
	return p, nil
}

// bury marks the document of a generation dead.
func (ix *Index) bury(r store.Reader, p *plan, generation uint64) error {
	m := p.manifest
	i, found := slices.BinarySearchFunc(m.Segments, generation, func(s segmentInfo, g uint64) int {
		switch {
		case s.Last < g:
			return -1
		case s.First > g:
			return 1
		}
		return 0
	})
	if !found {
		return fmt.Errorf("no search segment has generation %d: %w", generation, store.ErrCorrupt)
	}
	info := &m.Segments[i]
	segment, err := ix.cache.segment(r, m.Epoch, *info)
	if err != nil {
		return err
	}
	ordinal, found := segment.ordinal(generation)
	if !found {
		return fmt.Errorf("search segment %d lacks generation %d: %w", info.ID, generation, store.ErrCorrupt)
	}
	if p.dead[info.ID] == nil {
		if p.dead[info.ID], err = readDead(r, m.Epoch, *info); err != nil {
			return err
		}
	}
	p.dead[info.ID].set(uint32(ordinal))
	info.Dead++
	return nil
}

// write may run more than once: it changes nothing but tx.
func (p *plan) write(tx store.Tx) error {
	epoch := p.manifest.Epoch
	if err := unchanged(tx, epoch, p.revision); err != nil {
		return err
	}
	for _, entry := range p.entries {
		if err := tx.Put(entry.Key, entry.Value); err != nil {
			return err
		}
	}
	for segment, dead := range p.dead {
		if err := tx.Put(segmentKey(epoch, kindDead, segment), dead); err != nil {
			return err
		}
	}
	for piece, place := range p.places {
		if err := tx.Put(pieceKey(epoch, piece), place.encode()); err != nil {
			return err
		}
	}
	for _, piece := range p.gone {
		if err := tx.Delete(pieceKey(epoch, piece)); err != nil {
			return err
		}
	}
	return manifests.Put(tx, p.manifest)
}

func unchanged(r store.Reader, epoch uint32, revision uint64) error {
	now, err := manifests.Get(r, epochKey(epoch))
	if err == nil && now.Revision != revision {
		err = errChanged
	}
	return err
}
