package similar_test

import (
	"slices"
	"testing"
	"time"
)

// The vectors of somebody who was erased are taken out, and all others stay where they are.
func TestVectorsOfAnErasedPersonAreForgotten(t *testing.T) {
	h := newHouse(t)
	first := h.post("a@one.example", "請求書", invoice)
	h.post("b@two.example", "ログインできない", login)
	asked := h.post("c@three.example", "適格請求書について", invoice2)
	h.work()
	row, err := h.TicketRow(t.Context(), h.admin, first.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.EraseContact(t.Context(), h.admin, row.Ticket.ContactID, "a@one.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EraseRecords(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again is no harm
		if err := h.index.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := h.status(); s.Vectors != 2 {
			t.Errorf("status: %+v", s)
		}
	}
	if err := h.FinishErasure(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Hour)
	h.post("d@four.example", "ログインできない", login)
	h.work()
	if found := h.similar(asked.Ticket); slices.Contains(found.Numbers(), first.Ticket) {
		t.Errorf("an erased ticket is similar: %+v", found)
	}
	if s := h.status(); s.Vectors != 3 || s.Trouble != "" {
		t.Errorf("status: %+v", s)
	}
}
