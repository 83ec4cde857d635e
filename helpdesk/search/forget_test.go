package search_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// liveWithQuux is a house in which one of many people, Quux, left words in the index
// wherever there can be some, also in pieces that were replaced or moved since.
func (h *house) liveWithQuux(r *rand.Rand) (contact string) {
	h.t.Helper()
	ctx := h.t.Context()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	quux := letter{from: "Quux Zyx <quux@zyx.example>", subject: "quuxsubject", text: "quuxword ぬらりひょん invoice", attachment: "quuxfile.pdf"}
	around := func() {
		for range 6 {
			h.live(r, 5)
			h.follow()
		}
	}
	around()
	first := h.post(quux)
	contact = h.ticketRow(first.Ticket).Ticket.ContactID
	h.follow()
	for _, tag := range []string{"quuxtag", "quuxothertag"} { // the head is written anew
		_, err := h.Change(ctx, h.admin, first.Ticket, helpdesk.Change{Tags: &[]string{tag}})
		must(err)
		h.follow()
	}
	around()
	_, err := h.AddNote(ctx, h.admin, first.Ticket, "quuxnote")
	must(err)
	m, err := h.Reply(ctx, h.admin, helpdesk.Reply{Ticket: first.Ticket, Text: "Dear quuxreply"})
	must(err)
	h.follow()
	_, err = h.Undo(ctx, h.admin, m.ID)
	must(err)
	around()
	// A mail of Quux's was on another customer's ticket for a while.
	second := h.post(quux)
	_, err = h.Merge(ctx, h.admin, second.Ticket, first.Ticket)
	must(err)
	other := h.post(letter{from: "Kojima <kojima@other.example>", subject: "mine"})
	_, err = h.Move(ctx, h.admin, second.MessageID, other.Ticket)
	must(err)
	h.follow()
	_, err = h.Move(ctx, h.admin, second.MessageID, first.Ticket)
	must(err)
	around()
	return contact
}

func (h *house) ticketRow(number uint64) *helpdesk.TicketRow {
	h.t.Helper()
	row, err := h.TicketRow(h.t.Context(), h.admin, number)
	if err != nil {
		h.t.Fatal(err)
	}
	return row
}

// eraseRecords erases somebody from everything but the index.
func (h *house) eraseRecords(contact string) {
	h.t.Helper()
	e, err := h.EraseContact(h.t.Context(), h.admin, contact, "quux@zyx.example")
	if err == nil {
		err = h.EraseRecords(h.t.Context(), e.ID)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) wordsOfQuux() (found []string) {
	h.t.Helper()
	for _, text := range []string{"quux", "zyx", "ぬら", "らり", "りひ"} {
		list, err := h.index.WordsWith(h.t.Context(), text)
		if err != nil {
			h.t.Fatal(err)
		}
		found = append(found, list...)
	}
	return found
}

// What was erased is in no key and no value of the index any more, and whatever else was
// found is found as before.
func TestForgettingLeavesNoWord(t *testing.T) {
	h := newHouse(t)
	h.eraseRecords(h.liveWithQuux(rand.New(rand.NewPCG(21, 22))))
	if len(h.wordsOfQuux()) == 0 {
		t.Fatal("there is no word of Quux: the test proves nothing")
	}
	for range 2 { // again is no harm
		if err := h.index.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := h.wordsOfQuux(); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		h.verify()
	}
	forgotten := h.answers()
	h.index = search.New(h.db, h.Desk)
	if again := h.answers(); !slices.Equal(again, forgotten) {
		t.Error("an index that has just begun finds something else")
	}
	if err := h.index.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i, rebuilt := range h.answers() {
		found, _, _ := strings.Cut(forgotten[i], " [")
		if want, _, _ := strings.Cut(rebuilt, " ["); found != want {
			t.Errorf("after forgetting %s, after a rebuild %s", found, want)
		}
	}
}

// A power cut at any commit leaves an index that is whole, and forgetting is done again.
func TestForgettingGoesOnAfterFailures(t *testing.T) {
	h := newHouse(t)
	h.eraseRecords(h.liveWithQuux(rand.New(rand.NewPCG(23, 24))))
	power := errors.New("power cut")
	failed := 0
	for n := 1; ; n++ {
		h.fault.FailCommit(n, power)
		err := h.index.Forget(t.Context())
		if err == nil {
			h.fault.FailCommit(n, nil)
			break
		}
		if failed++; !errors.Is(err, power) || failed > 100 {
			t.Fatalf("after %d failures: %v", failed, err)
		}
		h.index = search.New(h.db, h.Desk) // as after a restart
	}
	if failed == 0 {
		t.Error("no commit failed; the test proves nothing")
	}
	h.verify()
	if left := h.wordsOfQuux(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Nothing is forgotten in the index in use while another is made beside it, that has words too.
func TestForgettingWaitsForARebuild(t *testing.T) {
	h := newHouse(t)
	h.post(letter{})
	h.follow()
	told := 0
	if err := h.index.Rebuild(t.Context(), func(_, _ uint64) {
		told++
		if err := h.index.Forget(t.Context()); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
			t.Errorf("forgetting during a rebuild: %v", err)
		}
	}); err != nil || told == 0 {
		t.Fatal(told, err)
	}
}
