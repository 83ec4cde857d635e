package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

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
	bolt, err := store.OpenBolt(filepath.Join(data, "madoguchi.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	group := store.NewGroup(bolt)
	defer func() {
		if err := group.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	copies := (tickets + seedTickets - 1) / seedTickets
	s := newSeed(t, group, began.Add(-time.Duration(copies)*seedSpan))
	s.sow()
	seeded := time.Now()
	if err := newCopier(s).copyAll(ctx, copies-1); err != nil {
		t.Fatal(err)
	}
	copied := time.Now()
	desk, err := helpdesk.Open(ctx, group, helpdesk.Options{})
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
	if err := search.New(group, desk).Rebuild(context.WithoutCancel(ctx), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tickets: written by commands in %v, copied in %v, indexes in %v, search index in %v", copies*seedTickets,
		seeded.Sub(began).Round(time.Second), copied.Sub(seeded).Round(time.Second), indexed.Sub(copied).Round(time.Second), time.Since(indexed).Round(time.Second))
}

// TestLargeStore makes a store as the benchmarks do, and lets verify look at it.
func TestLargeStore(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the large store")
	}
	data := newDesk(t)
	fillStore(t, data, 3*seedTickets)
	succeed(t, "", "verify", "--data", data)
	s := start(t, data)
	if page := s.page(t, s.login(t), "/inbox/open"); len(page) < 50_000 {
		t.Errorf("the list of a large store has %d bytes", len(page))
	}
}
