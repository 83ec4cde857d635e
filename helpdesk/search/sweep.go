package search

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// sweep removes a bounded part of the oldest garbage.
func (ix *Index) sweep(ctx context.Context, m *manifest) error {
	id := m.Garbage[0]
	if rest, err := ix.removeSome(ctx, segmentKey(m.Epoch, kindBlock, id)); err != nil || rest {
		return err
	}
	revision := m.Revision
	m.Revision++
	m.Garbage = m.Garbage[1:]
	return ix.db.Update(ctx, func(tx store.Tx) error {
		if err := unchanged(tx, m.Epoch, revision); err != nil {
			return err
		}
		for _, kind := range []byte{kindDocuments, kindDead} {
			if err := tx.Delete(segmentKey(m.Epoch, kind, id)); err != nil {
				return err
			}
		}
		return manifests.Put(tx, m)
	})
}

// removeSome removes up to chunkKeys keys that begin with prefix, and tells
// whether there are more.
func (ix *Index) removeSome(ctx context.Context, prefix []byte) (rest bool, err error) {
	var keys [][]byte
	err = ix.db.View(ctx, func(r store.Reader) error {
		keys, rest = nil, false
		for entry, err := range r.Scan(store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			if len(keys) == chunkKeys {
				rest = true
				return nil
			}
			keys = append(keys, slices.Clone(entry.Key))
		}
		return nil
	})
	if err != nil || len(keys) == 0 {
		return rest, err
	}
	return rest, ix.db.Update(ctx, func(tx store.Tx) error {
		for _, key := range keys {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepEpochs removes the epochs that are neither in use nor being built.
func (ix *Index) sweepEpochs(ctx context.Context) error {
	for {
		var old uint32
		err := ix.db.View(ctx, func(r store.Reader) error {
			old = 0
			root, err := readRoot(r)
			if err != nil {
				return err
			}
			for m, err := range manifests.Scan(r, store.Range{}) {
				if err != nil {
					return err
				}
				if m.Epoch != root.Epoch && m.Epoch != ix.building.Load() {
					old = m.Epoch
					return nil
				}
			}
			return nil
		})
		if err != nil || old == 0 {
			return err
		}
		for rest := true; rest; {
			if rest, err = ix.removeSome(ctx, binary.BigEndian.AppendUint32([]byte(space), old)); err != nil {
				return err
			}
		}
		if err := ix.db.Update(ctx, func(tx store.Tx) error { return manifests.Delete(tx, epochKey(old)) }); err != nil {
			return err
		}
	}
}
