package helpdesk_test

import (
	"fmt"
	"slices"
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
	q, err := h.Queue(t.Context(), h.admin, helpdesk.QueueQuery{Domain: "customer.example"})
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
	q, err := h.Queue(t.Context(), h.admin, helpdesk.QueueQuery{Domain: "d10.example"})
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

// TestQueueIsReadInPages follows a queue from page to page while some of it leaves and some is put off.
func TestQueueIsReadInPages(t *testing.T) {
	h := newHouse(t)
	number := h.from("tanaka@customer.example").Ticket
	for i := range 4 {
		to := make([]helpdesk.Address, 25)
		for j := range to {
			to[j].Email = fmt.Sprintf("r%d@D%d.example", i*25+j, (i*25+j)%3)
		}
		if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: number, Text: "answer", To: to}); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Minute)
	}
	read := func(q helpdesk.QueueQuery) helpdesk.Queue {
		t.Helper()
		page, err := h.Queue(t.Context(), h.admin, q)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	for _, d := range read(helpdesk.QueueQuery{Limit: 30}).Deliveries[20:] { // the first to be tried are the last to be due
		if _, _, err := h.StartDelivery(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.RecordAttempt(t.Context(), d.ID, helpdesk.Attempt{Code: 451, Text: "later"}, false); err != nil {
			t.Fatal(err)
		}
	}
	whole := read(helpdesk.QueueQuery{Limit: 1000})
	if len(whole.Deliveries) != 100 || whole.Total != 100 || whole.Next != "" || fmt.Sprint(whole.Destinations) != "map[d0.example:34 d1.example:33 d2.example:33]" {
		t.Fatalf("%d of %d, then %q: %v", len(whole.Deliveries), whole.Total, whole.Next, whole.Destinations)
	}
	if !slices.IsSortedFunc(whole.Deliveries, func(a, b helpdesk.Delivery) int { return a.NextAt.Compare(b.NextAt) }) {
		t.Error("not what is due first before the others")
	}
	for _, domain := range []string{"", "D1.example "} {
		var got, want []string
		for _, d := range whole.Deliveries {
			if domain == "" || strings.HasSuffix(d.Recipient, "@D1.example") {
				want = append(want, d.ID)
			}
		}
		for after, pages := "", 0; pages == 0 || after != ""; pages++ {
			page := read(helpdesk.QueueQuery{Domain: domain, Limit: 15, After: after})
			if page.Total != len(want) || len(page.Destinations) != 3 {
				t.Errorf("domain %q: %d in all, %v", domain, page.Total, page.Destinations)
			}
			for _, d := range page.Deliveries {
				got = append(got, d.ID)
			}
			after = page.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("domain %q in pages: %d deliveries, want %d: %v", domain, len(got), len(want), got)
		}
	}

	// What a page ended with leaves; the next page goes on behind it all the same.
	first := read(helpdesk.QueueQuery{Limit: 10})
	last := first.Deliveries[9].ID
	if _, _, err := h.StartDelivery(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if page := read(helpdesk.QueueQuery{Limit: 10}); page.Deliveries[9].ID != last || page.Deliveries[9].State != helpdesk.DeliverySending {
		t.Errorf("what is being sent is %+v", page.Deliveries[9])
	}
	if err := h.RecordAttempt(t.Context(), last, helpdesk.Attempt{OK: true}, false); err != nil {
		t.Fatal(err)
	}
	if page := read(helpdesk.QueueQuery{Limit: 10, After: first.Next}); page.Deliveries[0].ID != whole.Deliveries[10].ID || page.Total != 99 {
		t.Errorf("goes on with %s of %d, want %s of 99", page.Deliveries[0].ID, page.Total, whole.Deliveries[10].ID)
	}
	for _, after := range []string{"a", "bm90aGluZw", "!"} {
		if _, err := h.Queue(t.Context(), h.admin, helpdesk.QueueQuery{After: after}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("after %q: %v", after, err)
		}
	}
	if page := read(helpdesk.QueueQuery{Domain: "nobody.example"}); page.Total != 0 || len(page.Deliveries) != 0 || page.Next != "" {
		t.Errorf("of nobody: %+v", page)
	}
}

// TestResumingADestinationHurriesWhatIsDueThere makes due what waited only because of the pause.
func TestResumingADestinationHurriesWhatIsDueThere(t *testing.T) {
	h := newHouse(t)
	number := h.from("tanaka@customer.example").Ticket
	to := []helpdesk.Address{{Email: "a@paused.example"}, {Email: "b@paused.example"}, {Email: "c@other.example"}}
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: number, Text: "answer", To: to}); err != nil {
		t.Fatal(err)
	}
	q, err := h.Queue(t.Context(), h.admin, helpdesk.QueueQuery{Domain: "paused.example"})
	if err != nil || q.Total != 2 {
		t.Fatalf("%+v, %v", q, err)
	}
	later := q.Deliveries[0].ID
	if _, _, err := h.StartDelivery(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Hour)
	if err := h.RecordAttempt(t.Context(), later, helpdesk.Attempt{Code: 451, Text: "later"}, false); err != nil {
		t.Fatal(err)
	}
	if err := h.PauseDestination(t.Context(), h.admin, "Paused.example"); err != nil {
		t.Fatal(err)
	}
	claim := func() (claimed []string) {
		t.Helper()
		timers, _, err := h.ClaimDue(t.Context(), helpdesk.TimerDeliver, 10, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range timers {
			claimed = append(claimed, timer.ID)
		}
		return claimed
	}
	if all := claim(); len(all) != 2 { // the third is due in a minute
		t.Fatalf("claimed %v", all)
	}
	if err := h.ResumeDestination(t.Context(), h.admin, "paused.example"); err != nil {
		t.Fatal(err)
	}
	if hurried := claim(); !slices.Equal(hurried, []string{q.Deliveries[1].ID}) {
		t.Errorf("hurried %v, want %s", hurried, q.Deliveries[1].ID)
	}
}
