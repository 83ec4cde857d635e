package helpdesk_test

import (
	"reflect"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestEventsAreThoseOfTheStore compares the events that a desk has in memory with
// what another desk reads of the same store.
func TestEventsAreThoseOfTheStore(t *testing.T) {
	h := newHouse(t)
	h.admin = h.admin.At("192.0.2.7")
	h.reply(h.first().Ticket, "届きました")
	h.mailFrom("suzuki@customer.example", "再送")
	other, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		t.Fatal(err)
	}
	last, err := h.LastSeq(t.Context())
	if err != nil || last < 6 {
		t.Fatalf("the last event is %d, %v", last, err)
	}
	for after := range last + 1 {
		for _, limit := range []int{1, 2, 1000} {
			kept, err := h.Events(t.Context(), h.admin, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			read, err := other.Events(t.Context(), h.admin, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(kept, read) || len(read) != min(limit, int(last-after)) {
				t.Errorf("%d events after %d:\n got %+v\nwant %+v", limit, after, kept, read)
			}
		}
	}
}
