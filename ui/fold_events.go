package ui

import (
	"slices"
	"strings"
)

// eventPrefix begins the ids of elements that show an event.
const eventPrefix = "event-"

// eventRuns decides which events are folded beside these runs of messages and notes: those
// that the reader's page has folded, or, where it is opened anew, the earlier ones of many.
func (f folding) eventRuns(entries []entry, letters []foldedRun) (runs []foldedRun) {
	if !f.known {
		for i := 0; i < len(entries); {
			to := len(entries)
			for _, run := range letters {
				if run.from >= i {
					to = run.from
					break
				}
			}
			runs = append(runs, manyEvents(entries, i, to)...)
			i = to
			for _, run := range letters {
				if run.from == i {
					i = run.to
					break
				}
			}
		}
		return runs
	}
	hidden := make([]bool, len(entries))
	at := func(id string) int {
		return slices.IndexFunc(entries, func(e entry) bool { return e.event == id })
	}
	for _, run := range f.folded {
		if !strings.HasPrefix(run.first, eventPrefix) {
			continue
		}
		first, last := at(run.first), at(run.last)
		if first < 0 {
			first = last
		}
		for i := max(first, 0); i <= max(last, first); i++ {
			hidden[i] = entries[i].event != ""
		}
	}
	for _, run := range letters {
		clear(hidden[run.from:run.to])
	}
	for i := 0; i < len(entries); i++ {
		from := i
		for i < len(entries) && hidden[i] {
			i++
		}
		if i > from {
			runs = append(runs, eventRun(entries, from, i))
		}
	}
	return runs
}

// manyEvents are the runs of events from one position to before another that are folded
// where a page is opened anew: the earlier ones of many with no message or note between.
func manyEvents(entries []entry, from, to int) (runs []foldedRun) {
	for i := from; i < to; i++ {
		first := i
		for i < to && entries[i].event != "" {
			i++
		}
		if i-first > eventsFoldFrom {
			runs = append(runs, eventRun(entries, first, i-keepEvents))
		}
	}
	return runs
}

func eventRun(entries []entry, from, to int) foldedRun {
	run := foldedRun{from: from, to: to, events: true}
	for _, e := range entries[from:to] {
		run.letters = append(run.letters, e.event)
	}
	return run
}
