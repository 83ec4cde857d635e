package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"
)

// salvage copies the entries of a tree and goes around what is damaged.
type salvage struct {
	tree     tree
	into     batched
	seen     pageSet // pages that are read
	progress func(done, total int64)
	result   *Recovery
}

// all copies everything that the state leads to, and then looks for what it should lead to
// among the other pages.
func (s *salvage) all(ctx context.Context, state foundState) error {
	s.seen.mark(0, 2)
	s.seen.mark(state.id, 1)
	if state.small != nil {
		p, err := smallPage(state.id, state.small)
		if err != nil {
			s.lose(err, nil, nil)
			return nil
		}
		return s.leaf(p, nil, nil)
	}
	if err := s.page(ctx, s.tree.root, nil, nil, 0); err != nil {
		return err
	}
	if len(s.result.Lost) == 0 {
		return nil
	}
	return s.orphans(ctx, state.meta)
}

// look is tree.page, but for a page that only bears a wrong number: whether it is the
// right one its keys tell.
func (s *salvage) look(id uint64) (p page, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	if p, err = s.tree.page(id); err == nil || id >= uint64(len(s.tree.data))/s.tree.pageSize {
		return p, err
	}
	data := s.tree.data[id*s.tree.pageSize:]
	header := bytes.Clone(data[:pageHeader])
	binary.NativeEndian.PutUint64(header, id)
	overflow := uint64(binary.NativeEndian.Uint32(header[12:]))
	if overflow >= uint64(len(data))/s.tree.pageSize {
		return p, err
	}
	p = page{id: id, data: data[:(overflow+1)*s.tree.pageSize], count: int(binary.NativeEndian.Uint16(header[10:])),
		leaf: binary.NativeEndian.Uint16(header[8:]) == leafPage}
	if kind := binary.NativeEndian.Uint16(header[8:]); kind != leafPage && kind != branchPage || p.count == 0 || pageHeader+p.count*pageElement > len(p.data) {
		return page{}, err
	}
	s.result.Remarks = append(s.result.Remarks, fmt.Sprintf("%v; its entries are read all the same", err))
	return p, nil
}

// page copies what is on a page and beneath it, of the keys from start to end.
func (s *salvage) page(ctx context.Context, id uint64, start, end []byte, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth || s.seen.has(id) {
		s.lose(damaged(id, "it is led to twice"), start, end)
		return nil
	}
	p, err := s.look(id)
	if err != nil {
		s.lose(err, start, end)
		return nil
	}
	s.seen.mark(id, uint64(len(p.data))/s.tree.pageSize)
	s.show()
	if p.leaf {
		return s.leaf(p, start, end)
	}
	keys := make([][]byte, p.count) // nil where it is damaged
	var unread error
	for i := range keys {
		key, err := guardedKey(p, i)
		if err != nil {
			unread = err
			continue
		}
		keys[i] = key
	}
	if unread != nil {
		s.result.Remarks = append(s.result.Remarks, unread.Error())
	}
	for i := range keys {
		from, to := start, end
		if i > 0 && keys[i] != nil {
			from = keys[i]
		}
		if after := slices.IndexFunc(keys[i+1:], func(k []byte) bool { return k != nil }); after >= 0 {
			to = keys[i+1+after]
		}
		child := p.leadsTo(i)
		if err := s.page(ctx, child, from, to, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func guardedKey(p page, i int) (key []byte, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	return p.key(i)
}

func guardedEntry(p page, i int) (key, value []byte, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	return p.entry(i)
}

// leaf copies the entries of a leaf that can be read and belong between start and end.
func (s *salvage) leaf(p page, start, end []byte) error {
	before := start
	var fault error
	for i := range p.count {
		key, value, err := guardedEntry(p, i)
		switch order := bytes.Compare(key, before); {
		case err != nil:
			fault = err
			continue
		case order < 0 || order == 0 && i > 0, end != nil && bytes.Compare(key, end) >= 0, len(key) == 0:
			fault = damaged(p.id, "entry %d has a key that does not belong there", i)
			continue
		}
		if fault != nil {
			s.lose(fault, before, key)
			fault = nil
		}
		if err := s.into.put(key, value); err != nil {
			return err
		}
		s.result.Entries++
		before = key
	}
	if fault != nil {
		s.lose(fault, before, end)
	}
	return nil
}

// orphans looks for the entries that were lost on pages that nothing leads to any more, and
// that are not free either: those to which a damaged page led. Where the list of free
// pages cannot be read nobody can tell them from old ones.
func (s *salvage) orphans(ctx context.Context, m metaPage) error {
	other, known := s.tree.outsideTree(m)
	if !known {
		s.result.Remarks = append(s.result.Remarks, "which pages are free is not known, so that pages to which damaged ones led could not be told from old ones")
		return nil
	}
	lost := slices.Clone(s.result.Lost)
	inLost := func(key []byte) bool {
		return slices.ContainsFunc(lost, func(d Damage) bool {
			return bytes.Compare(key, d.Start) >= 0 && (d.End == nil || bytes.Compare(key, d.End) < 0)
		})
	}
	for id := range min(m.pages, uint64(len(s.tree.data))/s.tree.pageSize) {
		if s.seen.has(id) || other.has(id) {
			continue
		}
		p, err := s.tree.guardedPage(id)
		if err != nil || !p.leaf {
			continue
		}
		s.seen.mark(id, uint64(len(p.data))/s.tree.pageSize)
		for i := range p.count {
			key, value, err := guardedEntry(p, i)
			if err != nil || !inLost(key) {
				continue
			}
			if err := s.into.put(key, value); err != nil {
				return err
			}
			s.result.Entries++
			s.result.Found++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// lose notes that what is kept from start to end cannot be read.
func (s *salvage) lose(err error, start, end []byte) {
	s.result.Lost = append(s.result.Lost, Damage{Err: err, Start: bytes.Clone(start), End: bytes.Clone(end)})
}

func (s *salvage) show() {
	if s.progress != nil {
		s.progress(int64(s.seen.count*s.tree.pageSize), int64(len(s.tree.data)))
	}
}

// pageSet is a set of pages.
type pageSet struct {
	bits  []uint64
	count uint64
}

func newPageSet(data []byte, pageSize uint64) pageSet {
	return pageSet{bits: make([]uint64, uint64(len(data))/pageSize/64+1)}
}

func (p *pageSet) has(id uint64) bool {
	return id/64 < uint64(len(p.bits)) && p.bits[id/64]&(1<<(id%64)) != 0
}

func (p *pageSet) mark(id, pages uint64) {
	for i := id; i < id+pages && i/64 < uint64(len(p.bits)); i++ {
		if !p.has(i) {
			p.bits[i/64] |= 1 << (i % 64)
			p.count++
		}
	}
}
