package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// loggedUpdates are the records of both logs of a store, as they are found without opening
// it, in the order of their numbers.
type loggedUpdates struct {
	records []loggedRecord
	faults  []error // why a log was not read
}

// readLogs reads the logs beside path. Those of another lineage are left out; "" takes
// any.
func readLogs(path, lineage string) (l loggedUpdates) {
	for _, name := range LogPaths(path) {
		data, err := os.ReadFile(name)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				l.faults = append(l.faults, fmt.Errorf("read the log: %w", err))
			}
			continue
		}
		records := readRecords(data)
		own := len(data) >= len(logMagic)+lineageSize && string(data[:len(logMagic)]) == logMagic &&
			(lineage == "" || string(data[len(logMagic):][:lineageSize]) == lineage)
		if len(records) > 0 && !own {
			l.faults = append(l.faults, fmt.Errorf("%w: the log %s is not of this store", ErrCorrupt, name))
			continue
		}
		l.records = append(l.records, records...)
	}
	slices.SortStableFunc(l.records, func(a, b loggedRecord) int { return cmp.Compare(a.number, b.number) })
	return l
}

// after are the records that a store has not which has all updates up to number.
func (l loggedUpdates) after(number uint64) []loggedRecord {
	at, _ := slices.BinarySearchFunc(l.records, number+1, func(r loggedRecord, n uint64) int { return cmp.Compare(r.number, n) })
	return l.records[at:]
}

// reach is the number of the last update of a store that has number and what follows it
// in the logs without a gap.
func (l loggedUpdates) reach(number uint64) uint64 {
	for _, r := range l.after(number) {
		if r.number > number+1 {
			break
		}
		number = r.number
	}
	return number
}

// before is the number of the update before the first one.
func (l loggedUpdates) before() uint64 {
	if len(l.records) == 0 {
		return 0
	}
	return l.records[0].number - 1
}
