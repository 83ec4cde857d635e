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

// reindexTogether is how many index entries, or records, of an older store are looked at in
// one transaction: what it changes is held in memory until it is on the disk.
const reindexTogether = 50_000

// upgrade makes anew the indexes of every table that has others than the store
// was written with. An upgrade that was broken off begins with the table where
// it was; an empty store takes one transaction.
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
		return d.db.Update(ctx, func(tx store.Tx) error {
			for _, table := range pending {
				for next := []byte(nil); ; {
					if next, err = reindexPart(tx, table, next); err != nil {
						return err
					}
					if next == nil {
						break
					}
				}
			}
			return nil
		})
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

func (d *Desk) reindex(ctx context.Context, table checkedTable) error {
	for next := []byte(nil); ; {
		from := next
		err := d.db.Update(ctx, func(tx store.Tx) (err error) {
			next, err = reindexPart(tx, table, from)
			return err
		})
		if err != nil || next == nil {
			return err
		}
	}
}

// reindexPart looks at the next index entries or records of a table; after the last of
// them it remembers that the table has the indexes it declares.
func reindexPart(tx store.Tx, table checkedTable, from []byte) (next []byte, err error) {
	if next, err = table.Reindex(tx, from, reindexTogether); err != nil {
		return nil, fmt.Errorf("make the indexes of table %s anew: %w", table.Name(), err)
	}
	if next != nil {
		return next, nil
	}
	return nil, layouts.Put(tx, &layout{Table: table.Name(), Declared: table.Declared()})
}
