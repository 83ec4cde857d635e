package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// quiet is how long both event logs have to stand still to count as silent. An
// acknowledgement and its delivery take a fraction of it.
const quiet = time.Second

// desk is one of two helpdesks that send each other mail.
type desk struct {
	*running
	api   api
	alias string
}

// startDesk runs a helpdesk of a domain whose alias acknowledges first mails,
// and which delivers to the port of the other's.
func startDesk(t *testing.T, z *dnstest.Zone, domain, listen, otherPort string) desk {
	t.Helper()
	alias := "support@" + domain
	config := fmt.Sprintf(`[server]
hostname = "mx.%s"
[outbound]
port = %s
[helpdesk]
undo_window = "0s"
[[alias]]
address = %q
acknowledgement = "We have received your mail."
`, domain, otherPort, alias)
	data := t.TempDir()
	succeed(t, adminPassword+"\n", "user", "add", adminEmail, "--role", "admin", "--name", agentName, "--password-file", "-", "--data", data)
	p := start(t, data, "--config", writeConfig(t, config), "--resolver", z.Address, "--smtp", listen)
	return desk{p, p.apiOf(t), alias}
}

// kinds counts the events of a desk by kind, and returns the newest's number.
func (d desk) kinds(t *testing.T) (counts map[string]int, newest int) {
	t.Helper()
	var page struct {
		Events []struct {
			Seq  int    `json:"seq"`
			Kind string `json:"kind"`
		} `json:"events"`
	}
	counts = map[string]int{}
	d.api.get(t, "/events?after=0&limit=1000", &page)
	for _, e := range page.Events {
		counts[e.Kind]++
		newest = max(newest, e.Seq)
	}
	return counts, newest
}

// settle waits until both event logs have stood still. Desks that answer each
// other without end never let it return.
func settle(t *testing.T, desks ...desk) {
	t.Helper()
	last, since := -1, time.Now()
	eventually(t, patience, "both helpdesks fall silent", func() bool {
		sum := 0
		for _, d := range desks {
			_, newest := d.kinds(t)
			sum += newest
		}
		if sum != last {
			last, since = sum, time.Now()
		}
		return time.Since(since) > quiet
	})
}

// happened is how often each kind of event is to have happened on two desks.
type happened struct{ first, second map[string]int }

// fallSilent waits until all that is wanted has happened and both desks have
// fallen silent after it, and then compares: nothing may have happened more often.
func fallSilent(t *testing.T, when string, first, second desk, want happened) {
	t.Helper()
	expected := []struct {
		desk
		kinds map[string]int
	}{{first, want.first}, {second, want.second}}
	for _, e := range expected {
		eventually(t, patience, when+": all that is to happen at "+e.alias, func() bool {
			counts, _ := e.desk.kinds(t)
			for kind, n := range e.kinds {
				if counts[kind] < n {
					return false
				}
			}
			return true
		})
	}
	settle(t, first, second)
	for _, e := range expected {
		counts, _ := e.desk.kinds(t)
		for kind, n := range e.kinds {
			if counts[kind] != n {
				t.Errorf("%s: %s at %s happened %d times, want %d (all: %v)", when, kind, e.alias, counts[kind], n, counts)
			}
		}
	}
}

// Two helpdesks with acknowledgements, each the other's correspondent: whatever
// starts it, machines have at most one word for each other.
func TestTwoHelpdesksFallSilent(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the two helpdesks")
	}
	t.Parallel()
	z := dnstest.ServeZone(t,
		"first.test. 60 IN MX 10 mx.first.test.", "mx.first.test. 60 IN A 127.0.0.1", dnstest.TXT("first.test", "v=spf1 ip4:127.0.0.1 -all"),
		"second.test. 60 IN MX 10 mx.second.test.", "mx.second.test. 60 IN A 127.0.0.1", dnstest.TXT("second.test", "v=spf1 ip4:127.0.0.1 -all"))
	firstPort, secondPort := freePort(t), freePort(t)
	first := startDesk(t, z, "first.test", "127.0.0.1:"+firstPort, secondPort)
	second := startDesk(t, z, "second.test", "127.0.0.1:"+secondPort, firstPort)

	// A person writes as the second desk's alias, so the first one's
	// acknowledgement goes to a desk that acknowledges, too.
	write := func(id, subject string) {
		t.Helper()
		raw := "From: " + second.alias + "\r\nTo: " + first.alias + "\r\nSubject: " + subject + "\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\nMessage-ID: <" +
			id + "@second.test>\r\n\r\nCould you tell us more?\r\n"
		send(t, first.smtp, second.alias, first.alias, []byte(raw))
	}
	write("start", "A question")
	fallSilent(t, "after one mail", first, second, happened{
		first:  map[string]int{"message.received": 1, "acknowledgement.posted": 1, "delivery.sent": 1, "delivery.failed": 0},
		second: map[string]int{"message.received": 1, "acknowledgement.posted": 0, "delivery.sent": 0},
	})
	acknowledged := second.api.ticket(t, 1).Messages
	if len(acknowledged) != 1 || !strings.Contains(acknowledged[0].Text, "We have received your mail.") {
		t.Fatalf("the second desk has %+v, want the acknowledgement alone", acknowledged)
	}

	// Another first mail the same day gets no second acknowledgement.
	write("again", "Another question")
	fallSilent(t, "after a second mail", first, second, happened{
		first:  map[string]int{"message.received": 2, "acknowledgement.posted": 1, "acknowledgement.skipped": 1},
		second: map[string]int{"message.received": 1, "acknowledgement.posted": 0},
	})

	// An agent's own answer is a person's mail again, so the other desk has its
	// one word as well, which the first takes into the ticket.
	status := first.api.do(t, http.MethodPost, "/tickets/1/replies", nil, map[string]string{"text": "Gladly. What would you like to know?"}, nil)
	if status != http.StatusCreated {
		t.Fatalf("reply: %d", status)
	}
	fallSilent(t, "after an agent's answer", first, second, happened{
		first:  map[string]int{"message.received": 3, "acknowledgement.posted": 1, "acknowledgement.skipped": 1, "delivery.sent": 2, "delivery.failed": 0},
		second: map[string]int{"message.received": 2, "acknowledgement.posted": 1, "delivery.sent": 1, "delivery.failed": 0},
	})
}
