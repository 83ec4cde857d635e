package ui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// A conversation of more than foldFrom messages and notes shows its first one
// and the last keepLast of them; what is between is loaded by steps.
const (
	foldFrom = 14
	keepLast = 6
	foldStep = 20
	// Of more than eventsFoldFrom events between two of them the last keepEvents are shown.
	eventsFoldFrom = 12
	keepEvents     = 5
	// besidesPointed is how many are shown on either side of one that a link leads to.
	besidesPointed = 2
	// foundAtMost bounds how many are shown since words were found in them.
	foundAtMost = 100
)

// folding is what a reader sees of a long conversation.
type folding struct {
	// known says that folded is what the reader's page has folded; else it is
	// chosen anew.
	known  bool
	folded []letterRun
	at     string // the element of the message or note that a link leads to, or ""
	find   string // words to look for in the conversation
}

// letterRun names a run of messages and notes, or one of events, by the elements of its
// first and last.
type letterRun struct{ first, last string }

func (l letterRun) String() string { return l.first + "." + l.last }

// nothingFolded stands for no run in addresses.
const nothingFolded = "none"

// foldingOf reads what a page has folded from its request: from the address that
// links without a script have, or from the header that the page's script sends for
// the ticket that it shows.
func foldingOf(c echo.Context, number uint64) (f folding) {
	f.at, f.find = c.QueryParam("at"), strings.TrimSpace(c.QueryParam("find"))
	said := c.QueryParams()["fold"]
	if of, runs, _ := strings.Cut(c.Request().Header.Get("Folded"), " "); of == strconv.FormatUint(number, 10) {
		said = append(strings.Fields(runs), nothingFolded)
	}
	for _, run := range said {
		f.known = true
		if first, last, ok := strings.Cut(run, "."); ok {
			f.folded = append(f.folded, letterRun{first, last})
		}
	}
	return f
}

// foldedRun is a stretch of entries that is folded, and the messages and notes in it; or
// the events, where it is all of events.
type foldedRun struct {
	from, to int // positions of entries
	letters  []string
	events   bool
}

func (f foldedRun) run() letterRun { return letterRun{f.letters[0], f.letters[len(f.letters)-1]} }

// runs decides which entries are folded: never the first message, nor what is
// new to the reader, nor what is pointed at or found.
func (f folding) runs(entries []entry, found map[string]bool) (runs []foldedRun) {
	var letters []int // where they are
	for i, e := range entries {
		if e.letter != "" {
			letters = append(letters, i)
		}
	}
	hidden := f.hidden(entries, letters)
	for n, i := range letters {
		if entries[i].fresh || found[entries[i].letter] {
			hidden[n] = false
		}
		if f.at != "" && entries[i].letter == f.at {
			for near := max(n-besidesPointed, 0); near <= min(n+besidesPointed, len(letters)-1); near++ {
				hidden[near] = false
			}
		}
	}
	for n := 1; n < len(letters); n++ {
		if !hidden[n] {
			continue
		}
		run := foldedRun{from: letters[n-1] + 1, to: len(entries)}
		for ; n < len(letters) && hidden[n]; n++ {
			run.letters = append(run.letters, entries[letters[n]].letter)
		}
		if n < len(letters) {
			run.to = letters[n]
		}
		runs = append(runs, run)
	}
	return runs
}

// hidden says of each message and note whether the page has it folded, or would
// where it is opened anew.
func (f folding) hidden(entries []entry, letters []int) []bool {
	hidden := make([]bool, len(letters))
	if f.known {
		at := func(id string) int {
			return slices.IndexFunc(letters, func(i int) bool { return entries[i].letter == id })
		}
		for _, run := range f.folded {
			// Where an end was moved away, the other one still says where it was.
			first, last := at(run.first), at(run.last)
			if first < 0 {
				first = last
			}
			for n := max(first, 1); n <= max(last, first); n++ {
				hidden[n] = true
			}
		}
		return hidden
	}
	old := slices.IndexFunc(letters, func(i int) bool { return entries[i].fresh })
	if old < 0 {
		old = len(letters)
	}
	if old > foldFrom {
		for n := 1; n < old-keepLast; n++ {
			hidden[n] = true
		}
	}
	return hidden
}

// matches are the messages and notes of a ticket's outline with all words of a text.
func (r reader) matches(ctx context.Context, t *helpdesk.TicketView, text string) (map[string]bool, error) {
	words := strings.Fields(search.Fold(text))
	if len(words) == 0 {
		return nil, nil
	}
	if err := r.server.desk.ReadBodies(ctx, r.actor(), t, nil); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	look := func(id string, texts ...string) {
		all := search.Fold(strings.Join(texts, "\n"))
		if len(found) < foundAtMost && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(all, word) }) {
			found[id] = true
		}
	}
	for _, m := range slices.Backward(t.Messages) {
		names := []string{m.Message.Subject, m.Message.From.Name, m.Message.From.Email, m.AuthorName, m.Body.Text}
		for _, a := range m.Message.Attachments {
			names = append(names, a.Filename)
		}
		look(messageElement(m.Message.ID), names...)
	}
	for _, n := range slices.Backward(t.Notes) {
		look(noteElement(n.Note.ID), n.AuthorName, n.Note.Text)
	}
	return found, nil
}

// found says in the lines for what is folded in how many messages words were found.
func (r reader) found(items []timelineItem, text string, n int) {
	words := r.N("fold.found", n)
	if n == 0 {
		words = r.T("fold.found_none")
	}
	for _, item := range items {
		if item.Older != nil && text != "" {
			item.Older.Find, item.Older.Found = text, words
		}
	}
}

// earlier answers with the next messages of a run that is folded, with all of
// them, or with those around one of them; and with all events of a run of events.
func (s *Server) earlier(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p := placeOfPath(c.QueryParam("back"), ticketNumber(c))
	t, err := s.desk.TicketOutline(ctx, v.actor(), p.number)
	if err != nil {
		return err
	}
	view, reader, err := s.reading(ctx, v, p, t)
	if err != nil {
		return err
	}
	f := folding{known: true, folded: foldingOf(c, 0).folded}
	entries := reader.entries(t, nil)
	if runs := f.eventRuns(entries, nil); len(runs) > 0 {
		for _, run := range runs {
			items, err := reader.unfold(ctx, t, entries, nil, run.from, run.to)
			if err != nil {
				return err
			}
			view.Items = append(view.Items, items...)
		}
		return s.render(c, http.StatusOK, "flow-items", view)
	}
	before := f.runs(entries, nil)
	if len(before) == 0 { // all of it was moved away meanwhile
		return c.HTMLBlob(http.StatusOK, nil)
	}
	run := before[0]
	switch f.at = c.QueryParam("at"); {
	case f.at != "":
	case c.QueryParam("all") != "" || len(run.letters) <= foldStep:
		f.folded = nil
	default:
		f.folded = []letterRun{{run.letters[0], run.letters[len(run.letters)-foldStep-1]}}
	}
	after := f.runs(entries, nil)
	left := run.from // behind what stays folded
	if len(after) > 0 && after[0].from == run.from {
		left = after[0].to
	}
	if view.Items, err = reader.unfold(ctx, t, entries, slices.Concat(after, manyEvents(entries, left, run.to)), run.from, run.to); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "flow-items", view)
}
