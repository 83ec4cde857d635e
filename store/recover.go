package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
)

// Recovery is what Recover read, and what it could not.
type Recovery struct {
	Entries  int      // read from the file, those found again included
	Found    int      // of these, found on pages that nothing leads to any more
	Updates  int      // taken over from the logs
	Update   uint64   // number of the last update that is there
	Remarks  []string // what was damaged beside the entries, and how the newest state was found
	Lost     []Damage // what could not be read; what was found again may be of it
	LogFault error    // why updates of the logs may be missing
}

// Recover reads what can be read of a damaged store, the file at path and the logs beside
// it, into an engine without entries. The store is not changed. progress is told how many
// bytes of how many are done; it may be nil. ErrLocked tells that a process has the store
// open, ErrCorrupt that nothing in it can be read.
func Recover(ctx context.Context, path string, to Engine, progress func(done, total int64)) (r Recovery, err error) {
	data, closeFile, err := mapFile(path)
	if err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	defer contain(&err, debug.SetPanicOnFault(true))
	t := tree{data: data, pageSize: pageSizeOf(data)}
	state, err := t.findState(ctx, path, &r)
	if err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	s := &salvage{tree: state.entries, into: batched{ctx: ctx, to: to}, seen: newPageSet(data, t.pageSize), progress: progress, result: &r}
	if err := s.all(ctx, state); err != nil {
		return r, err
	}
	r.Update = state.sequence
	if err := replayInto(&s.into, readLogs(path, state.lineage), &r); err != nil {
		return r, err
	}
	if r.Entries+r.Updates == 0 {
		return r, fmt.Errorf("read %s: %w: nothing in it can be read", path, ErrCorrupt)
	}
	return r, nil
}

// pageSizeOf is what the file says, or else the size with which its pages bear their
// numbers.
func pageSizeOf(data []byte) uint64 {
	if m, ok := readMeta(data); ok {
		return m.pageSize
	}
	best, most := uint64(os.Getpagesize()), 0
	for size := uint64(1 << 10); size <= 64<<10; size *= 2 {
		t := tree{data: data, pageSize: size}
		if newest, _ := t.metaPages(); newest.pageSize == size {
			return size
		}
		numbered := 0
		for id := uint64(2); id < min(uint64(len(data))/size, 1000); id++ {
			if _, err := t.page(id); err == nil {
				numbered++
			}
		}
		if numbered > most {
			best, most = size, numbered
		}
	}
	return best
}

// foundState is a state of the store that the file may still hold.
type foundState struct {
	bucketPage
	meta    metaPage // leads to it; without a page size where no such page does
	reached uint64   // number of its last update once the logs are replayed
	pages   int      // that can be read, and how many places cannot
	damages int
}

// mostStates is how many states are looked at where no page says which is the newest.
const mostStates = 4

// findState finds the newest state. Both pages that lead to one say so, or else all pages
// are looked at for those that once did.
func (t tree) findState(ctx context.Context, path string, r *Recovery) (foundState, error) {
	newest, hurt := t.metaPages()
	for _, id := range hurt {
		r.Remarks = append(r.Remarks, fmt.Sprintf("page %d, one of the two that lead to the data, is damaged", id))
	}
	found := func(b bucketPage, m metaPage) foundState {
		return foundState{bucketPage: b, meta: m, reached: readLogs(path, b.lineage).reach(b.sequence)}
	}
	var states []foundState
	if newest.pageSize != 0 {
		b, err := t.bucketPage(newest.root)
		switch {
		case err != nil:
			r.Remarks = append(r.Remarks, fmt.Sprintf("where the data begins is damaged: %v", err))
			if root, ok := t.unreferenced(newest); ok {
				r.Remarks = append(r.Remarks, fmt.Sprintf("page %d is taken for it, to which no other leads", root))
				logs := readLogs(path, "")
				b := bucketPage{id: newest.root, entries: tree{data: t.data, pageSize: t.pageSize, root: root}, sequence: logs.before()}
				return foundState{bucketPage: b, meta: newest, reached: logs.reach(b.sequence)}, nil
			}
		case len(hurt) == 0:
			return found(b, newest), nil
		default:
			states = append(states, found(b, newest))
		}
	}
	for b := range t.bucketPages() {
		if len(states) == 0 || states[0].id != b.id {
			states = append(states, found(b, metaPage{}))
		}
		if err := ctx.Err(); err != nil {
			return foundState{}, err
		}
	}
	if len(states) == 0 {
		return foundState{}, fmt.Errorf("%w: no page in it leads to the data", ErrCorrupt)
	}
	best := t.best(ctx, states)
	if best.meta.pageSize == 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("the newest state that leads to its data was found at page %d: update %d; what came later is only there if the logs have it", best.id, best.sequence))
	}
	return best, ctx.Err()
}

// unreferenced is the page in use to which no other leads: the root of the entries, where the
// page is damaged that should lead there. Where there are several it is that damaged page.
// It is not ok where it is not known which pages are in use.
func (t tree) unreferenced(m metaPage) (root uint64, ok bool) {
	other, ok := t.outsideTree(m)
	if !ok {
		return 0, false
	}
	led := newPageSet(t.data, t.pageSize)
	var used []uint64
	for id := range min(m.pages, uint64(len(t.data))/t.pageSize) {
		p, err := t.guardedPage(id)
		if other.has(id) || err != nil {
			continue
		}
		used = append(used, id)
		other.mark(id, uint64(len(p.data))/t.pageSize)
		for i := range p.count {
			if !p.leaf {
				led.mark(p.leadsTo(i), 1)
			}
		}
	}
	if used = slices.DeleteFunc(used, led.has); len(used) == 1 {
		return used[0], true
	}
	return m.root, len(used) > 1 // which is damaged: what it led to is found page by page
}

// outsideTree are the pages that have no entries: free ones, and those that lead to the
// others. It is not ok where it is not known which are free.
func (t tree) outsideTree(m metaPage) (other pageSet, ok bool) {
	if m.pageSize == 0 || m.freeList == noFreeList {
		return other, false
	}
	free, err := t.freePages(m)
	if err != nil {
		return other, false
	}
	other = newPageSet(t.data, t.pageSize)
	other.mark(0, 2)
	other.mark(m.root, 1)
	other.mark(m.freeList, uint64(binary.NativeEndian.Uint32(t.data[m.freeList*t.pageSize+12:]))+1)
	for _, id := range free {
		other.mark(id, 1)
	}
	return other, true
}

func (t tree) guardedPage(id uint64) (p page, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	return t.page(id)
}

// best is the newest state of which most is there: a commit that was broken off may have
// left the page that leads to its state, and not the others. Of those that are as new, once
// the logs are replayed, it is the one with the fewest damages.
func (t tree) best(ctx context.Context, states []foundState) foundState {
	slices.SortStableFunc(states, func(a, b foundState) int {
		return cmp.Or(-cmp.Compare(a.reached, b.reached), -cmp.Compare(a.meta.pageSize, b.meta.pageSize), -cmp.Compare(a.sequence, b.sequence), -cmp.Compare(a.id, b.id))
	})
	states = states[:min(len(states), mostStates)]
	most := 0
	for i := range states {
		if s := &states[i]; s.small == nil {
			s.pages, s.damages = s.entries.survey(ctx)
		}
		most = max(most, states[i].pages)
	}
	states = slices.DeleteFunc(states, func(s foundState) bool { return s.pages*2 < most })
	return slices.MinFunc(states, func(a, b foundState) int {
		return cmp.Or(-cmp.Compare(a.reached, b.reached), cmp.Compare(a.damages, b.damages))
	})
}

// replayInto performs the updates of the logs that a state does not have.
func replayInto(to *batched, logs loggedUpdates, r *Recovery) error {
	r.LogFault = errors.Join(logs.faults...)
	for _, record := range logs.after(r.Update) {
		if record.number > r.Update+1 {
			r.LogFault = errors.Join(r.LogFault, fmt.Errorf("%w: updates %d to %d are in no log", ErrCorrupt, r.Update+1, record.number-1))
		}
		writes := newWriteSet()
		if err := replay(record.number, record.payload, writes); err != nil {
			r.LogFault = errors.Join(r.LogFault, err)
			break
		}
		if err := (layer{writes, everything}).apply(to.put, to.remove); err != nil {
			return err
		}
		r.Update = record.number
		r.Updates++
	}
	return to.flush()
}

// batched collects writes and commits many together.
type batched struct {
	ctx    context.Context
	to     Engine
	writes []change
	bytes  int
}

// batchBytes is how much goes into a commit.
const batchBytes = 8 << 20

func (b *batched) put(key, value []byte) error {
	return b.add(change{key: bytes.Clone(key), value: append([]byte{}, value...)})
}

func (b *batched) remove(key []byte) error {
	return b.add(change{key: bytes.Clone(key), deleted: true})
}

func (b *batched) add(c change) error {
	b.writes = append(b.writes, c)
	if b.bytes += len(c.key) + len(c.value); b.bytes < batchBytes {
		return nil
	}
	return b.flush()
}

func (b *batched) flush() error {
	err := b.to.Update(b.ctx, func(tx Tx) error {
		for _, c := range b.writes {
			if c.deleted {
				if err := tx.Delete(c.key); err != nil {
					return err
				}
			} else if err := tx.Put(c.key, c.value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write what was recovered: %w", err)
	}
	b.writes, b.bytes = b.writes[:0], 0
	return nil
}
