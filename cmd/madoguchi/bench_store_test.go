package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/store"
)

// A large store is made in two steps. The commands make the tickets of half a
// day, as agents and customers would: mails received, answered, delivered,
// noted, closed. Those are then copied to as many other half days as it takes,
// record by record through the store's tables, with numbers, ids, addresses,
// times and rare words of their own; the desk makes the indexes of the copies
// itself when it is opened. So verify has nothing to object to, and a million
// messages take minutes.

const (
	// seedTickets is how many tickets the commands make.
	seedTickets = 500
	// seedSpan is the time in which they happen, and that copies are apart.
	seedSpan = 12 * time.Hour
)

// ticketCounts are the sizes of stores that are measured: TICKETS of the
// environment, or two that are made quickly.
func ticketCounts(b *testing.B) []int {
	b.Helper()
	text := os.Getenv("TICKETS")
	if text == "" {
		return []int{1_000, 20_000}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("TICKETS=%q: want the number of tickets, such as 200000", text)
	}
	return []int{n}
}

// storeOf is a data directory with at least so many tickets of five messages
// each. STORE of the environment is a directory in which it is kept for the
// next time.
func storeOf(t testing.TB, tickets int) (data string) {
	t.Helper()
	kept := os.Getenv("STORE")
	if kept == "" {
		data = newDesk(t)
		fillStore(t, data, tickets)
		return data
	}
	data = filepath.Join(kept, fmt.Sprintf("tickets-%d", tickets))
	if _, err := os.Stat(data); err == nil {
		return data
	}
	fresh := newDesk(t)
	fillStore(t, fresh, tickets)
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, data); err != nil {
		t.Fatalf("keep the store: %v; STORE must be in the same file system as %s", err, os.TempDir())
	}
	return data
}

// fillStore fills a data directory that newDesk made and nobody has open.
func fillStore(t testing.TB, data string, tickets int) {
	t.Helper()
	ctx, began := t.Context(), time.Now()
	journal, done := openJournal(t, data)
	defer done()
	copies := (tickets + seedTickets - 1) / seedTickets
	s := newSeed(t, journal, began.Add(-time.Duration(copies)*seedSpan))
	s.sow()
	seeded := time.Now()
	if err := newCopier(s).copyAll(ctx, copies-1); err != nil {
		t.Fatal(err)
	}
	copied := time.Now()
	desk, err := helpdesk.Open(ctx, journal, helpdesk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	last, err := desk.LastSeq(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.SaveCursor(ctx, helpdesk.CursorAnalysis, last); err != nil { // the model has read it all
		t.Fatal(err)
	}
	indexed := time.Now()
	if err := search.New(journal, desk).Rebuild(context.WithoutCancel(ctx), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tickets: written by commands in %v, copied in %v, indexes in %v, search index in %v", copies*seedTickets,
		seeded.Sub(began).Round(time.Second), copied.Sub(seeded).Round(time.Second), indexed.Sub(copied).Round(time.Second), time.Since(indexed).Round(time.Second))
}

// openJournal opens the store of a data directory that nobody else has open; done
// closes it.
func openJournal(t testing.TB, data string) (journal *store.Journal, done func()) {
	t.Helper()
	journal, err := store.Open(filepath.Join(data, "madoguchi.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return journal, func() {
		t.Helper()
		if err := journal.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLargeStore makes a store as the benchmarks do, lets verify look at it, and
// weighs what a browser loads of it.
func TestLargeStore(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the large store")
	}
	t.Parallel()
	data := newDesk(t)
	fillStore(t, data, 3*seedTickets)
	succeed(t, "", "verify", "--data", data)
	s := start(t, data)
	weighFirstView(t, s)
}

// What the first view may weigh, compressed as it travels: the page, and with it
// everything that the browser fetches for it.
const (
	maxPageWeight = 50 << 10
	maxViewWeight = 200 << 10
)

// weighFirstView opens a full list beside a ticket in a real browser that has
// nothing in its cache, and adds up what came.
func weighFirstView(t *testing.T, s *running) {
	t.Helper()
	tab := openBrowser(t)
	tab.do("log in", chromedp.Navigate(s.web+"/login"), typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword),
		click(`form[action="/login"] button`), chromedp.WaitVisible(chromedp.CSS(`#rows .row`)))
	tab.do("open a ticket's page", chromedp.Navigate(s.web+"/inbox/open/2"), chromedp.WaitVisible(chromedp.CSS(`#rows .row`)), chromedp.WaitReady(chromedp.CSS(`html[data-live=yes]`)))
	rows := result(tab, "count the rows", chromedp.Evaluate[int](`document.querySelectorAll("#rows .row").length`))
	// A service worker hides from the page what its parts weighed on the way, so
	// each is asked for once more.
	client := s.login(t)
	page := s.ask(t, client, asked{}, "/inbox/open/2")
	all, others := page, ""
	for name := range strings.FieldsSeq(result(tab, "list what was fetched", chromedp.Evaluate[string](`[...new Set(performance.getEntriesByType("resource").map((e) => e.name))].join(" ")`))) {
		path, own := strings.CutPrefix(name, s.web)
		switch {
		case strings.HasPrefix(path, "/live"), strings.HasPrefix(path, "data:"):
		case !own:
			others += " " + name
		case strings.HasPrefix(path, "/static/"):
			all += s.ask(t, client, asked{}, path)
		}
	}
	t.Logf("the first view with %d rows: a page of %d bytes, %d with everything", rows, page, all)
	switch {
	case rows < 50:
		t.Errorf("the list has %d rows, too few to be weighed", rows)
	case page == 0 || page > maxPageWeight:
		t.Errorf("the page weighs %d bytes, the limit is %d", page, maxPageWeight)
	case all > maxViewWeight:
		t.Errorf("the page and all that belongs to it weigh %d bytes, the limit is %d", all, maxViewWeight)
	case others != "":
		t.Errorf("the page asks other origins:%s", others)
	}
}
