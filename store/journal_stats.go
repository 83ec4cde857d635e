package store

import (
	"sync/atomic"
	"time"
)

// JournalStats counts what a Journal did since it was opened.
type JournalStats struct {
	Updates uint64        // that were logged
	Syncs   uint64        // of the log, each for one update or more
	Busy    time.Duration // spent writing and syncing the log
}

// journalCounts are written while updates are, and read at any time.
type journalCounts struct {
	updates, syncs atomic.Uint64
	busy           atomic.Int64
}

// Stats may be called at any time.
func (j *Journal) Stats() JournalStats {
	return JournalStats{Updates: j.counts.updates.Load(), Syncs: j.counts.syncs.Load(), Busy: time.Duration(j.counts.busy.Load())}
}
