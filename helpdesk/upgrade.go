package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// layout is which indexes a table had when the store was last opened.
type layout struct {
	Table    string
	Declared string
}

// upgrade makes anew the indexes of every table that has others than the store
// was written with. Each table is a transaction, so that an upgrade that was
// broken off goes on where it was; an empty store takes one.
func (d *Desk) upgrade(ctx context.Context) error {
	var pending []checkedTable
	var last uint64
	err := d.view(ctx, func(r store.Reader) (err error) {
		pending = nil
		for _, table := range allTables() {
			l, err := layouts.Get(r, key(table.Name()))
			if errors.Is(err, store.ErrNotFound) || (err == nil && l.Declared != table.Declared()) {
				pending, err = append(pending, table), nil
			}
			if err != nil {
				return err
			}
		}
		last, err = lastSeq(r)
		return err
	})
	if err != nil || len(pending) == 0 {
		return err
	}
	if last == 0 {
		return d.reindex(ctx, pending...)
	}
	for _, table := range pending {
		start := time.Now()
		if err := d.reindex(ctx, table); err != nil {
			return err
		}
		d.log.InfoContext(ctx, "indexes made anew for this version", "table", table.Name(), "duration", time.Since(start))
	}
	return nil
}

func (d *Desk) reindex(ctx context.Context, tables ...checkedTable) error {
	return d.db.Update(ctx, func(tx store.Tx) error {
		for _, table := range tables {
			if err := table.Reindex(tx); err != nil {
				return fmt.Errorf("make the indexes of table %s anew: %w", table.Name(), err)
			}
			if err := layouts.Put(tx, &layout{Table: table.Name(), Declared: table.Declared()}); err != nil {
				return err
			}
		}
		return nil
	})
}
