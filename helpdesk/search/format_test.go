package search

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// Outdate marks the index as one of the format before.
func (ix *Index) Outdate(ctx context.Context) error {
	return ix.db.Update(ctx, func(tx store.Tx) error {
		r, err := readRoot(tx)
		if err != nil {
			return err
		}
		r.Format = format - 1
		return roots.Put(tx, r)
	})
}
