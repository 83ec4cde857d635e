package search

import (
	"context"
	"maps"

	"github.com/madoguchi/madoguchi/store"
)

// Unpack writes the index as earlier versions did, with a key for each term.
func (ix *Index) Unpack(ctx context.Context) error {
	return ix.db.Update(ctx, func(tx store.Tx) error {
		m, err := current(tx)
		if err != nil {
			return err
		}
		for i, info := range m.Segments {
			terms := map[string][]byte{}
			err := termsWith(tx, m.Epoch, info.ID, info.Packed, "", func(term, postings []byte) { terms[string(term)] = append([]byte(nil), postings...) })
			if err != nil {
				return err
			}
			blocks := map[string]bool{}
			for entry, err := range tx.Scan(store.Prefix(segmentKey(m.Epoch, kindBlock, info.ID))) {
				if err != nil {
					return err
				}
				blocks[string(entry.Key)] = true
			}
			for key := range maps.Keys(blocks) {
				if err := tx.Delete([]byte(key)); err != nil {
					return err
				}
			}
			for term, postings := range terms {
				if err := tx.Put(append(segmentKey(m.Epoch, kindPostings, info.ID), term...), postings); err != nil {
					return err
				}
			}
			m.Segments[i].Packed = false
		}
		return writeRoot(tx, m, formatPlain)
	})
}

func writeRoot(tx store.Tx, m *manifest, format int) error {
	r, err := readRoot(tx)
	if err != nil {
		return err
	}
	r.Format = format
	if err := roots.Put(tx, r); err != nil {
		return err
	}
	m.Revision++
	return manifests.Put(tx, m)
}
