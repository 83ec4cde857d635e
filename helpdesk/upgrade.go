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
	d.log.InfoContext(ctx, "the indexes are not those of this version and are made anew; with much data this takes a while", "tables", len(pending))
	start := time.Now()
	for done, table := range pending {
		steps, err := d.reindex(ctx, table)
		if err != nil {
			return err
		}
		if steps > 2 { // more than its entries, then its records: one of those that take long
			d.log.InfoContext(ctx, "indexes made anew", "table", table.Name(), "done", done+1, "of", len(pending), "duration", time.Since(start))
		}
	}
	d.log.InfoContext(ctx, "all indexes are those of this version", "duration", time.Since(start))
	return nil
}

// reindex makes the indexes of a table anew, and says in how many transactions.
func (d *Desk) reindex(ctx context.Context, table checkedTable) (steps int, err error) {
	for next := []byte(nil); ; steps++ {
		from := next
		err := d.db.Update(ctx, func(tx store.Tx) (err error) {
			next, err = reindexPart(tx, table, from)
			return err
		})
		if err != nil || next == nil {
			return steps + 1, err
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
