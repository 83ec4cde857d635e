package search

import (
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/helpdesk"
)

const rebuildEvents = 2000 // read at once

// Rebuild makes the index anew from the event log, beside the one in use, which
// goes on answering and following; then puts the new one in its place. progress,
// where not nil, is told after every step how many of how many events are done.
// One rebuild runs at a time; a second is CodeConflict. A rebuild that is
// broken off leaves the index as it was.
func (ix *Index) Rebuild(ctx context.Context, progress func(done, total uint64)) error {
	if !ix.rebuilding.TryLock() {
		return &helpdesk.Error{Code: helpdesk.CodeConflict, Message: "the search index is being rebuilt already; wait for that to end"}
	}
	defer ix.rebuilding.Unlock()
	if err := ix.rebuild(ctx, progress); err != nil {
		return fmt.Errorf("rebuild the search index: %w", err)
	}
	return nil
}

func (ix *Index) rebuild(ctx context.Context, progress func(done, total uint64)) error {
	if err := ix.sweepEpochs(ctx); err != nil { // what an earlier one left behind
		return err
	}
	epoch, err := ix.beginBuilding(ctx)
	if err != nil {
		return err
	}
	defer ix.building.Store(0)
	for done := uint64(0); ; {
		total, err := ix.desk.LastSeq(ctx)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(done, total)
		}
		if done >= total {
			break
		}
		events, err := ix.desk.Events(ctx, indexer, done, rebuildEvents)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := ix.follow(ctx, epoch, events, rebuildBytes); err != nil {
			return err
		}
		done = events[len(events)-1].Seq
	}
	ix.writing.Lock()
	err = ix.use(ctx, epoch)
	ix.writing.Unlock()
	if err != nil {
		return err
	}
	ix.building.Store(0)
	return ix.sweepEpochs(ctx)
}

// beginBuilding makes an epoch and protects it from being swept.
func (ix *Index) beginBuilding(ctx context.Context) (epoch uint32, err error) {
	ix.writing.Lock()
	defer ix.writing.Unlock()
	if epoch, err = ix.begin(ctx, false); err == nil {
		ix.building.Store(epoch)
	}
	return epoch, err
}
