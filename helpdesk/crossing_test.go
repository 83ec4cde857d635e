package helpdesk_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Two people who write at the same time do not both answer a customer without
// knowing of it.
func TestReplyThatCrossesAColleaguesIsStopped(t *testing.T) {
	h := newHouse(t)
	h.first()
	colleague := h.newUser(helpdesk.RoleAgent)
	theirs, seen := colleague.Actor(), h.ticket(1).LastSeq
	send := func(a helpdesk.Actor, text string, seen uint64) (*helpdesk.Message, error) {
		return h.Reply(t.Context(), a, helpdesk.Reply{Ticket: 1, Text: text, Seen: seen, IdempotencyKey: text})
	}
	if _, err := send(theirs, "First", seen); err != nil {
		t.Fatal(err)
	}
	if _, err := send(h.admin, "Second", seen); keyOf(err) != "reply_crossed" {
		t.Fatalf("a second answer was not stopped: %v", err)
	}
	if n := len(h.ticket(1).Messages); n != 2 {
		t.Errorf("%d messages on the ticket", n)
	}
	if _, err := send(theirs, "And one thing more", seen); err != nil {
		t.Errorf("their own reply stops the author: %v", err)
	}
	if _, err := send(h.admin, "Second, knowing of them", h.ticket(1).LastSeq); err != nil {
		t.Errorf("who has read the replies is stopped: %v", err)
	}

	h.mailFrom("other@customer.example", "Another matter", "", "Hello, is it in stock?")
	seen = h.ticket(2).LastSeq
	taken, err := h.Reply(t.Context(), theirs, helpdesk.Reply{Ticket: 2, Text: "Wrong", Seen: seen})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Undo(t.Context(), theirs, taken.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 2, Text: "Right", Seen: seen}); err != nil {
		t.Errorf("a reply that was taken back stops another: %v", err)
	}
}
