package ui

import (
	"net/url"
	"slices"
	"strconv"
)

// olderView stands in a conversation for a run that is folded.
type olderView struct {
	Fold    string // the run, as requests name it
	Letters int
	Step    int    // how many come next
	Events  int    // how many events, 0 in a run of messages and notes
	More    string // where the next ones are loaded
	All     string // where all of them are
	Ticket  uint64 // that words are looked for in
	Back    string // where it is shown
	Find    string // the words that were looked for, and Found how many have them, in words
	Found   string
	// Page and Whole are pages with the same shown, for browsers without scripts.
	Page, Whole string
}

// older makes the line for the nth of the runs of entries.
func (r reader) older(entries []entry, runs []foldedRun, n int) *olderView {
	run := runs[n]
	if run.events {
		view := &olderView{Fold: run.run().String(), Events: len(run.letters)}
		view.All = r.base() + "/earlier?" + url.Values{"fold": {view.Fold}, "back": {r.path}}.Encode()
		view.Whole = r.foldedPage(slices.Concat(runs[:n], runs[n+1:]), run.letters[0])
		return view
	}
	view := &olderView{Fold: run.run().String(), Letters: len(run.letters), Step: min(foldStep, len(run.letters)), Ticket: r.number, Back: r.path}
	query := url.Values{"fold": {view.Fold}, "back": {r.path}}
	view.More = r.base() + "/earlier?" + query.Encode()
	query.Set("all", "1")
	view.All = r.base() + "/earlier?" + query.Encode()
	rest := foldedRun{from: run.from, to: run.to, letters: run.letters[:len(run.letters)-view.Step]}
	next := run.letters[len(rest.letters)]
	rest.to = slices.IndexFunc(entries, func(e entry) bool { return e.letter == next })
	view.Page = r.foldedPage(slices.Concat(runs[:n], []foldedRun{rest}, manyEvents(entries, rest.to, run.to), runs[n+1:]), next)
	view.Whole = r.foldedPage(slices.Concat(runs[:n], manyEvents(entries, run.from, run.to), runs[n+1:]), run.letters[0])
	return view
}

// base is where parts of the ticket are.
func (r reader) base() string { return "/tickets/" + strconv.FormatUint(r.number, 10) }

// foldedPage is the ticket's page with these runs folded, at a message or note.
func (r reader) foldedPage(runs []foldedRun, letter string) string {
	path := r.path
	for _, run := range runs {
		if len(run.letters) > 0 {
			path = withQuery(path, "fold", run.run().String())
		}
	}
	return withQuery(path, "fold", nothingFolded) + "#" + letter
}
