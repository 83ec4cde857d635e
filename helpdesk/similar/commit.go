package similar

import (
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// Segments: the newest are as small as the work came, and are written anew as
// one when there are many or enough of them.
const (
	segmentVectors = 128
	smallSegments  = 16
)

// commit writes a batch and what change does to the space, together. A vector
// with another number of dimensions than the space begins a space of its own:
// the model changed under the same name.
func (ix *Index) commit(ctx context.Context, id uint32, batch []made, change func(*space)) error {
	other := false
	err := ix.db.Update(ctx, func(tx store.Tx) error {
		other = false
		s, err := spaces.Get(tx, spaceKey(id))
		if err != nil {
			return err
		}
		var list []entry
		var digests []uint64
		for _, m := range batch {
			v, ok := newVector(m.vector)
			if !ok {
				s.Refused++
				if err := tx.Put(placeKey(id, m.message), place{0, m.digest}.encode()); err != nil {
					return err
				}
				continue
			}
			if s.Dimensions == 0 {
				s.Dimensions = len(v.steps)
			}
			if len(v.steps) != s.Dimensions {
				other = true
				return fmt.Errorf("a vector of %s has %d dimensions, and the others have %d", s.Model, len(v.steps), s.Dimensions)
			}
			list, digests = append(list, entry{m.message, v}), append(digests, m.digest)
		}
		if err := write(tx, s, list, digests); err != nil {
			return err
		}
		change(s)
		return spaces.Put(tx, s)
	})
	if other {
		ix.log.Warn("the model's vectors have other dimensions; they are made anew", "error", err)
		return ix.restart(ctx, id)
	}
	return err
}

// restart begins a space anew, for the same model.
func (ix *Index) restart(ctx context.Context, id uint32) error {
	var old *space
	err := ix.db.View(ctx, func(r store.Reader) (err error) {
		old, err = spaces.Get(r, spaceKey(id))
		return err
	})
	if err != nil {
		return err
	}
	err = ix.db.Update(ctx, func(tx store.Tx) error {
		gone := *old
		gone.Digest += " (before)" // no model has this digest: its space answers until the new one is whole
		return spaces.Put(tx, &gone)
	})
	if err == nil {
		_, err = ix.begin(ctx, old.Model, old.Digest)
	}
	return err
}

// write adds vectors as a segment behind the others.
func write(tx store.Tx, s *space, list []entry, digests []uint64) error {
	if len(list) == 0 {
		return nil
	}
	first := s.Generation + 1
	for i, e := range list {
		before, found, err := readPlace(tx, s.ID, e.message)
		if err != nil {
			return err
		}
		if !found || before.generation == 0 {
			s.Vectors++
		}
		if found && before.generation == 0 {
			s.Refused--
		}
		s.Generation++
		if err := tx.Put(placeKey(s.ID, e.message), place{s.Generation, digests[i]}.encode()); err != nil {
			return err
		}
	}
	value, err := encodeSegment(s.Dimensions, list)
	if err != nil {
		return err
	}
	if err := tx.Put(segmentKey(s.ID, first), value); err != nil {
		return err
	}
	s.Tail = append(s.Tail, segmentInfo{first, len(list)})
	return mergeTail(tx, s)
}

// mergeTail writes the small segments as one, where there are many.
func mergeTail(tx store.Tx, s *space) error {
	count := 0
	for _, t := range s.Tail {
		count += t.Count
	}
	if len(s.Tail) < smallSegments && count < segmentVectors {
		return nil
	}
	var list []entry
	for _, t := range s.Tail {
		value, err := tx.Get(segmentKey(s.ID, t.First))
		if err != nil {
			return fmt.Errorf("segment %d: %w", t.First, err)
		}
		part, err := decodeSegment(value)
		if err != nil {
			return fmt.Errorf("segment %d: %w", t.First, err)
		}
		for i := range part.count {
			list = append(list, part.entry(i))
		}
		if err := tx.Delete(segmentKey(s.ID, t.First)); err != nil {
			return err
		}
	}
	value, err := encodeSegment(s.Dimensions, list)
	if err != nil {
		return err
	}
	whole := segmentInfo{s.Tail[0].First, len(list)}
	s.Tail = nil
	if whole.Count < segmentVectors {
		s.Tail = []segmentInfo{whole}
	}
	return tx.Put(segmentKey(s.ID, whole.First), value)
}
