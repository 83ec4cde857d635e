package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAuthorIsToldOnceThatAMailIsLate(t *testing.T) {
	h := newHouse(t)
	number := h.from("tanaka@customer.example").Ticket
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: number, Text: "answer"}); err != nil {
		t.Fatal(err)
	}
	q, err := h.Queue(t.Context(), h.admin, "customer.example", 0)
	if err != nil || q.Total != 1 {
		t.Fatalf("%+v, %v", q, err)
	}
	id := q.Deliveries[0].ID
	try := func() {
		t.Helper()
		if _, _, err := h.StartDelivery(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := h.RecordAttempt(t.Context(), id, helpdesk.Attempt{Host: "mx.customer.example", Code: 451, Enhanced: "4.3.0", Text: "later"}, false); err != nil {
			t.Fatal(err)
		}
	}
	told := func() (n int) {
		list, _, err := h.Notices(t.Context(), h.admin, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, notice := range list {
			if notice.Notice.Kind == helpdesk.NoticeDelayed {
				n++
			}
		}
		return n
	}
	for _, after := range []time.Duration{0, time.Hour, 2 * time.Hour} {
		h.now = h.now.Add(after)
		try()
	}
	if told() != 0 {
		t.Error("told after three hours")
	}
	for range 2 {
		h.now = h.now.Add(90 * time.Minute)
		try()
	}
	if events := kinds(h.ticket(number).Events); strings.Count(events, "delivery.delayed") != 1 {
		t.Errorf("events %s", events)
	}
	if told() != 1 {
		t.Errorf("told %d times", told())
	}
	if err := h.PauseDestination(t.Context(), h.admin, "not a domain"); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("paused nothing: %v", err)
	}
	if err := h.CancelDelivery(t.Context(), h.admin, id); err != nil {
		t.Fatal(err)
	}
	if err := h.CancelDelivery(t.Context(), h.admin, id); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("cancelled twice: %v", err)
	}
	if v := h.ticket(number); !v.Row.Ticket.DeliveryFailed {
		t.Error("the ticket does not say that the mail failed")
	}
}
