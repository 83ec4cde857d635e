package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// queueOf is what the command lists.
func queueOf(t *testing.T, data string) (q struct {
	Total      int
	Paused     []string
	Deliveries []struct{ ID, To, State, Said string }
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(succeed(t, "", "queue", "--json", "--data", data)), &q); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestQueueIsListedPausedTriedAndCancelled goes through a bad day: a
// destination is paused, one does not answer, one is given up.
func TestQueueIsListedPausedTriedAndCancelled(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the commands of the queue")
	}
	t.Parallel()
	box := serveMailbox(t)
	z := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1",
		"away.test. 60 IN MX 10 mx.away.test.", "mx.away.test. 60 IN A 127.0.0.3")
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[outbound]\nport = %s\n[dns]\nresolver = %q\n[helpdesk]\nundo_window = \"0s\"\n[ai]\nenabled = false\n", box.port(), z.Address))
	s := start(t, data, "--config", config)
	house := s.apiOf(t)
	for i, from := range []string{"tanaka@customer.test", "mori@away.test"} {
		send(t, s.smtp, from, deskAddress, fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: hello\r\nMessage-ID: <%d@x.test>\r\n\r\nhello\r\n", from, deskAddress, i))
	}
	if out := succeed(t, "", "queue", "--data", data); !strings.Contains(out, "nothing waits to leave") {
		t.Errorf("an empty queue: %q", out)
	}
	succeed(t, "", "queue", "pause", "Customer.test", "--data", data)
	for number := 1; number <= 2; number++ {
		house.do(t, http.MethodPost, fmt.Sprintf("/tickets/%d/replies", number), nil, map[string]string{"text": "answer"}, nil)
	}
	states := func() map[string]string {
		states := map[string]string{}
		for _, d := range queueOf(t, data).Deliveries {
			states[d.To] = d.State
		}
		return states
	}
	eventually(t, time.Minute, "the second is deferred, the first waits", func() bool {
		found := states()
		return found["mori@away.test"] == "deferred" && found["tanaka@customer.test"] == "waiting"
	})
	if out := succeed(t, "", "queue", "--data", data); !strings.Contains(out, "0 tries") || strings.Contains(out, " 1 tries") {
		t.Errorf("the queue counts attempts as %q", out)
	}
	out := succeed(t, "", "queue", "--data", data)
	if !strings.Contains(out, "paused: customer.test (1 waiting)") || !strings.Contains(out, "connection refused") {
		t.Errorf("queue prints:\n%s", out)
	}
	if out := succeed(t, "", "queue", "--domain", "away.test", "--data", data); strings.Contains(out, "tanaka@") || !strings.Contains(out, "mori@away.test") {
		t.Errorf("of one domain:\n%s", out)
	}
	first := succeed(t, "", "queue", "--limit", "1", "--data", data)
	_, next, more := strings.Cut(first, "and 1 more; the next ones: madoguchi ")
	next, _, _ = strings.Cut(next, "\n")
	if !more {
		t.Fatalf("the first of two:\n%s", first)
	}
	other := "tanaka@" // what is tried again meanwhile is listed later, so it may stand on both
	if strings.Contains(first, other) {
		other = "mori@"
	}
	if second := succeed(t, "", append(strings.Fields(next), "--data", data)...); !strings.Contains(second, other) || strings.Contains(out, "the next ones") {
		t.Errorf("after\n%s%s lists:\n%s", first, next, second)
	}
	if _, said, code := run(t, "", "queue", "--limit", "1001", "--data", data); code == 0 || !strings.Contains(said, "from 1 to 1000") {
		t.Errorf("more than it lists at once: %d, %s", code, said)
	}
	var answer struct {
		Total        int
		Destinations map[string]int
		Paused       []string
	}
	house.get(t, "/queue", &answer)
	if answer.Total != 2 || answer.Destinations["customer.test"] != 1 || len(answer.Paused) != 1 {
		t.Errorf("GET /queue: %+v", answer)
	}
	page := s.page(t, s.login(t), "/settings/queue")
	for _, text := range []string{"tanaka@customer.test", "mori@away.test", "/settings/queue/resume", "connection refused"} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
	if strings.Contains(page, "queue.") {
		t.Errorf("a sentence is missing on the page:\n%s", page)
	}

	var late string
	for _, d := range queueOf(t, data).Deliveries {
		if d.To == "mori@away.test" {
			late = d.ID
		}
	}
	succeed(t, "", "queue", "retry", late, "--data", data)
	eventually(t, time.Minute, "the retry ends", func() bool { return states()["mori@away.test"] == "deferred" })
	if out := succeed(t, "", "queue", "cancel", strings.ToLower(late), "--data", data); !strings.Contains(out, "cancelled "+late+" to mori@away.test") {
		t.Errorf("cancel prints %q", out)
	}
	refuse(t, []string{"queue", "cancel", late, "--data", data}, "no delivery in the queue whose ID begins with", "madoguchi queue lists them")
	succeed(t, "", "queue", "resume", "customer.test", "--data", data)
	box.next(t, "tanaka@customer.test", time.Minute)
	refuse(t, []string{"queue", "resume", "customer.test", "--data", data}, "customer.test")
	eventually(t, time.Minute, "the queue is empty", func() bool { return queueOf(t, data).Total == 0 })
	succeed(t, "", "verify", "--data", data)
}
