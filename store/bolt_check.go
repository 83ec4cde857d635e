package store

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"strings"
)

// Checker is an engine that can look at how it keeps its entries, beneath what Get and
// Scan show.
type Checker interface {
	// Check reads everything and tells of each damage. The error is that of ctx.
	Check(ctx context.Context, found func(Damage)) error
}

// Damage is a place where stored entries cannot be read.
type Damage struct {
	Err        error
	Start, End []byte // keys that may be lost: Start is among them, End is not; nil for no bound
}

// String says what is damaged and what that takes along.
func (d Damage) String() string {
	from, to := "the beginning", "the end"
	if len(d.Start) > 0 {
		from = DescribeKey(d.Start)
	}
	if d.End != nil {
		to = DescribeKey(d.End)
	}
	return fmt.Sprintf("%v: what is kept from %s to %s cannot be read", d.Err, from, to)
}

// DescribeKey says what a key of the store is of, for messages.
func DescribeKey(stored []byte) string {
	kind, rest, _ := strings.Cut(string(stored), "/")
	name, rest, _ := strings.Cut(rest, "/")
	switch kind {
	case "t":
		return fmt.Sprintf("table %s, record %q", name, rest)
	case "i":
		index, rest, _ := strings.Cut(rest, "/")
		return fmt.Sprintf("index %s of table %s, key %q", index, name, rest)
	case "b":
		_, id, _ := strings.Cut(rest, "/")
		return fmt.Sprintf("%s %q", name, id)
	}
	return fmt.Sprintf("key %q", stored)
}

// Check implements Checker.
func (b *Bolt) Check(ctx context.Context, found func(Damage)) error {
	tx, reader, err := b.begin(false)
	if err != nil {
		found(Damage{Err: err})
		return ctx.Err()
	}
	defer tx.Rollback()
	if reader.own {
		return reader.tree.check(ctx, found)
	}
	for _, err := range reader.Scan(Range{}) {
		if err != nil {
			found(Damage{Err: err})
		}
	}
	return ctx.Err()
}

// Check implements Checker.
func (j *Journal) Check(ctx context.Context, found func(Damage)) error {
	return j.bolt.Check(ctx, found)
}

// check goes through all pages. What it finds damaged it does not enter.
func (t tree) check(ctx context.Context, found func(Damage)) error {
	t.look(ctx, found)
	return ctx.Err()
}

// survey counts the pages that can be read and the places that cannot.
func (t tree) survey(ctx context.Context) (pages, damages int) {
	seen := t.look(ctx, func(Damage) { damages++ })
	return int(seen.count), damages
}

// look goes through all pages, and returns those that it entered.
func (t tree) look(ctx context.Context, found func(Damage)) pageSet {
	c := checking{tree: t, seen: newPageSet(t.data, t.pageSize), found: found}
	var err error
	func() {
		defer contain(&err, debug.SetPanicOnFault(true))
		var root page
		if root, err = t.page(t.root); err == nil {
			c.page(ctx, root, nil, nil, 0)
		}
	}()
	if err != nil {
		found(Damage{Err: err})
	}
	return c.seen
}

// checking is a check under way.
type checking struct {
	tree  tree
	seen  pageSet
	found func(Damage)
}

func (c *checking) page(ctx context.Context, p page, start, end []byte, depth int) {
	if c.seen.has(p.id) || depth > maxDepth {
		c.found(Damage{Err: damaged(p.id, "it is led to twice"), Start: start, End: end})
		return
	}
	c.seen.mark(p.id, 1)
	var before []byte
	for i := range p.count {
		if ctx.Err() != nil {
			return
		}
		var key []byte
		err := c.guard(func() (err error) {
			if p.leaf {
				key, _, err = p.entry(i)
			} else {
				key, err = p.key(i)
			}
			if err == nil && i > 0 && bytes.Compare(before, key) >= 0 {
				err = damaged(p.id, "its keys are in no order at entry %d", i)
			}
			return err
		})
		if err != nil {
			c.found(Damage{Err: err, Start: before, End: end})
			return
		}
		before = key
		if !p.leaf {
			c.child(ctx, p, i, key, end, depth)
		}
	}
}

func (c *checking) child(ctx context.Context, p page, i int, start, end []byte, depth int) {
	var child page
	err := c.guard(func() (err error) {
		if i+1 < p.count {
			if end, err = p.key(i + 1); err != nil {
				return err
			}
		}
		child, err = c.tree.child(p, i)
		return err
	})
	if err != nil {
		c.found(Damage{Err: err, Start: bytes.Clone(start), End: bytes.Clone(end)})
		return
	}
	c.page(ctx, child, start, end, depth+1)
}

func (c *checking) guard(look func() error) (err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	return look()
}
