package similar

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// nobody stands in the place of a message whose vector was taken out of a segment.
var nobody = strings.Repeat("0", idLength)

// Forget takes the vectors out of every space whose messages are not there any more: one
// transaction a segment, so that mail need not wait.
func (ix *Index) Forget(ctx context.Context) error {
	var list []uint32
	err := ix.db.View(ctx, func(r store.Reader) error {
		list = nil
		for s, err := range spaces.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			list = append(list, s.ID)
		}
		return nil
	})
	for _, id := range list {
		if err == nil {
			err = ix.forgetPlaces(ctx, id)
		}
		if err == nil {
			err = ix.forgetVectors(ctx, id)
		}
	}
	if err != nil {
		return fmt.Errorf("forget vectors: %w", err)
	}
	return nil
}

// forgetPlaces deletes where the vectors of such messages are, and counts them no more.
func (ix *Index) forgetPlaces(ctx context.Context, id uint32) error {
	var messages []string
	prefix := kindKey(id, kindPlace)
	if err := ix.db.View(ctx, func(r store.Reader) error {
		messages = nil
		for e, err := range r.Scan(store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			messages = append(messages, string(e.Key[len(prefix):]))
		}
		return nil
	}); err != nil {
		return err
	}
	gone, err := ix.desk.Gone(ctx, messages)
	if err != nil || len(gone) == 0 {
		return err
	}
	return ix.db.Update(ctx, func(tx store.Tx) error {
		s, err := spaces.Get(tx, spaceKey(id))
		if err != nil {
			return err
		}
		for _, message := range gone {
			p, found, err := readPlace(tx, id, message)
			switch {
			case err != nil:
				return err
			case !found:
				continue
			case p.generation == 0:
				s.Refused--
			default:
				s.Vectors--
			}
			if err := tx.Delete(placeKey(id, message)); err != nil {
				return err
			}
		}
		return spaces.Put(tx, s)
	})
}

// forgetVectors writes the segments anew that have vectors of such messages, those of
// words among them that were replaced since.
func (ix *Index) forgetVectors(ctx context.Context, id uint32) error {
	for start := kindKey(id, kindSegment); ; {
		var at []byte
		var members []string
		if err := ix.db.View(ctx, func(r store.Reader) error {
			at, members = nil, nil
			for e, err := range r.Scan(store.Range{Start: start, End: kindKey(id, kindSegment+1)}) {
				if err != nil {
					return err
				}
				part, err := decodeSegment(e.Value)
				if err != nil {
					return err
				}
				at = append([]byte(nil), e.Key...)
				for i := range part.count {
					members = append(members, part.message(i))
				}
				return nil
			}
			return nil
		}); err != nil || at == nil {
			return err
		}
		err := ix.forgetIn(ctx, at, members)
		switch {
		case errors.Is(err, store.ErrNotFound): // it was written anew with its neighbours
			start = kindKey(id, kindSegment)
		case err != nil:
			return err
		default:
			start = append(at, 0)
		}
	}
}

func (ix *Index) forgetIn(ctx context.Context, segment []byte, members []string) error {
	gone, err := ix.desk.Gone(ctx, members)
	if err != nil {
		return err
	}
	forget := map[string]bool{}
	for _, message := range gone {
		forget[message] = message != nobody
	}
	delete(forget, nobody)
	if len(forget) == 0 {
		return nil
	}
	return ix.db.Update(ctx, func(tx store.Tx) error {
		value, err := tx.Get(segment)
		if err != nil {
			return err
		}
		part, err := decodeSegment(value)
		if err != nil {
			return err
		}
		var list []entry
		for i := range part.count {
			e := part.entry(i)
			if forget[e.message] {
				e = entry{nobody, vector{steps: make([]int8, part.dimensions)}}
			}
			list = append(list, e)
		}
		written, err := encodeSegment(part.dimensions, list)
		if err != nil {
			return err
		}
		return tx.Put(segment, written)
	})
}
