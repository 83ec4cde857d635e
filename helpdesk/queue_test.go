package helpdesk_test

import (
	"fmt"
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

// TestQueuedDeliveryIsFoundBehindTheFirstThousand names deliveries as an admin does whose queue is longer
// than any list of it.
func TestQueuedDeliveryIsFoundBehindTheFirstThousand(t *testing.T) {
	h := newHouse(t)
	number := h.from("tanaka@customer.example").Ticket
	for i := range 11 {
		to := make([]helpdesk.Address, 100)
		for j := range to {
			to[j].Email = fmt.Sprintf("r%d-%d@d%d.example", i, j, i)
		}
		if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: number, Text: "answer", To: to}); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Minute)
	}
	q, err := h.Queue(t.Context(), h.admin, "d10.example", 0)
	if err != nil || q.Total != 100 {
		t.Fatalf("%d, %v", q.Total, err)
	}
	last := q.Deliveries[len(q.Deliveries)-1]
	found, err := h.QueuedDelivery(t.Context(), h.admin, strings.ToLower(last.ID))
	if err != nil || found.ID != last.ID || found.Recipient != last.Recipient {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, err := h.QueuedDelivery(t.Context(), h.admin, last.ID[:2]); helpdesk.CodeOf(err) != helpdesk.CodeConflict || !strings.Contains(err.Error(), "1100 deliveries") {
		t.Errorf("of all: %v", err)
	}
	if _, err := h.QueuedDelivery(t.Context(), h.admin, last.ID+"0"); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		t.Errorf("of none: %v", err)
	}
}
