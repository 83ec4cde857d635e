package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// A request is remembered for a week, and then no longer.
func TestRequestsOfRelaysAreForgotten(t *testing.T) {
	h := newHouse(t)
	once := &helpdesk.HandedIn{By: "relay", Key: "k", Digest: "d", Answer: []byte("[]")}
	in := incoming("support@example.jp", "From: x@customer.example\r\nMessage-ID: <a@x>\r\n\r\nHello\r\n", startOfTests)
	in.HandedIn = once
	first := h.receive(in)
	if again := h.receive(in); again != first {
		t.Errorf("again: %+v, not %+v", again, first)
	}
	h.pass(8 * 24 * time.Hour)
	other := incoming("support@example.jp", "From: x@customer.example\r\nMessage-ID: <b@x>\r\n\r\nHello\r\n", h.now)
	other.HandedIn = &helpdesk.HandedIn{By: "relay", Key: "other", Digest: "d"}
	h.receive(other)
	if receipt, _, err := h.HandedInBefore(t.Context(), *once); receipt != nil || err != nil {
		t.Errorf("after a week: %+v, %v", receipt, err)
	}
	if again := h.receive(in); !again.Duplicate || again.MessageID != first.MessageID {
		t.Errorf("the mail itself: %+v", again)
	}
	h.verify()
}
