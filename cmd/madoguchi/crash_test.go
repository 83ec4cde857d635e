package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// sendingHosts are mail servers that send as RFC 5321 asks: what was answered
// with 250 is done with, what was not is sent again.
type sendingHosts struct {
	acknowledged sync.Map // Message-ID to true
	count        atomic.Int64
}

// run sends mails of one host until the connection breaks, the mail with number
// *next first: that is the one without an answer.
func (h *sendingHosts) run(address string, host int, next *int, each func()) error {
	client, err := smtp.Dial(address)
	if err != nil {
		return err
	}
	defer client.Close()
	for ; ; *next++ {
		id := fmt.Sprintf("%d.%d@customer.test", host, *next)
		_, err := submit(client, customerAddress, deskAddress, post(uint64(host)<<32|uint64(*next), customerAddress, deskAddress, id))
		if err != nil {
			if code := smtpCode(err); code >= 500 {
				return fmt.Errorf("mail %s: %w", id, err)
			}
			return nil
		}
		h.acknowledged.Store(id, true)
		h.count.Add(1)
		each()
	}
}

// A 250 is a promise. The program is killed many times in the middle of many
// sessions, each time right after some 250, and every promise is kept.
func TestCrashesUnderLoadLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes under load")
	}
	t.Parallel()
	const (
		crashes = 6
		hosts   = 8
	)
	zone := serveZone(t, txt("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	data := newDesk(t)
	all := &sendingHosts{}
	next := make([]int, hosts)
	for crash := range crashes {
		p := start(t, data, "--resolver", zone.address)
		// The first kill comes after a single 250, the others anywhere.
		last := all.count.Load() + 1
		if crash > 0 {
			last += rand.Int64N(60)
		}
		var senders sync.WaitGroup
		failures := make(chan error, hosts)
		for host := range hosts {
			senders.Go(func() {
				failures <- all.run(p.smtp, host, &next[host], func() {
					if all.count.Load() >= last {
						p.command.Process.Kill()
					}
				})
			})
		}
		senders.Wait()
		p.kill()
		close(failures)
		for err := range failures {
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("killed after %d acknowledged mails", all.count.Load())
		succeed(t, "", "verify", "--data", data) // the store as the crash left it
	}
	p := start(t, data, "--resolver", zone.address)
	resend(t, p, next)
	checkReceived(t, p, all, next)
	succeed(t, "", "verify", "--data", data)
}

// resend gives each host's unanswered mail once more, as its server would.
func resend(t *testing.T, p *running, next []int) {
	t.Helper()
	client, err := smtp.Dial(p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for host, n := range next {
		id := fmt.Sprintf("%d.%d@customer.test", host, n)
		if _, err := submit(client, customerAddress, deskAddress, post(uint64(host)<<32|uint64(n), customerAddress, deskAddress, id)); err != nil {
			t.Fatalf("send %s again: %v", id, err)
		}
	}
}

// checkReceived finds every mail exactly once: the acknowledged ones, and those
// that were sent twice for lack of an answer.
func checkReceived(t *testing.T, p *running, all *sendingHosts, next []int) {
	t.Helper()
	counts := p.apiOf(t).received(t)
	want := 0
	for host, n := range next {
		want += n + 1
		for i := range n + 1 {
			id := fmt.Sprintf("%d.%d@customer.test", host, i)
			_, acknowledged := all.acknowledged.Load(id)
			switch counts[id] {
			case 1:
			case 0:
				t.Errorf("mail %s is missing (acknowledged before the crash: %t)", id, acknowledged)
			default:
				t.Errorf("mail %s is there %d times", id, counts[id])
			}
		}
	}
	if len(counts) != want {
		t.Errorf("%d mails are there, %d were sent", len(counts), want)
	}
	if !t.Failed() {
		t.Logf("%d mails, each there once", want)
	}
}

// An answer that was taken from an agent is a promise as well: a crash in its
// undo window does not lose it, nor send it twice.
func TestAnswerSurvivesTheCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes")
	}
	t.Parallel()
	zone := serveZone(t, txt("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	box := serveMailbox(t)
	data := newDesk(t)
	arguments := []string{"--config", writeConfig(t, "[helpdesk]\nundo_window = \"1s\"\n"), "--resolver", zone.address, "--smarthost", box.address}
	p := start(t, data, arguments...)
	send(t, p.smtp, customerAddress, deskAddress, post(1, customerAddress, deskAddress, "1@customer.test"))
	if status := p.apiOf(t).do(t, "POST", "/tickets/1/replies", nil, map[string]string{"text": "承知いたしました。"}, nil); status >= 300 {
		t.Fatalf("post a reply: %d", status)
	}
	p.kill()

	p = start(t, data, arguments...)
	api := p.apiOf(t)
	eventually(t, patience, "the answer is delivered", func() bool {
		messages := api.ticket(t, 1).Messages
		return len(messages) == 2 && messages[1].Delivery != nil && messages[1].Delivery.State == "sent"
	})
	if letters := box.to(customerAddress); len(letters) != 1 {
		t.Errorf("the customer has %d letters, want 1", len(letters))
	}
}

// A mail whose 250 got lost is sent again, and is not a second ticket.
func TestLostAnswerMakesNoSecondTicket(t *testing.T) {
	t.Parallel()
	zone := serveZone(t, txt("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	p := start(t, newDesk(t), "--resolver", zone.address)
	raw := post(1, customerAddress, deskAddress, "1@customer.test")
	client, err := smtp.Dial(p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Mail(customerAddress, nil), client.Rcpt(deskAddress, nil)); err != nil {
		t.Fatal(err)
	}
	data, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.Write(raw); err != nil {
		t.Fatal(err)
	}
	go data.Close() // sends the end of the mail; the answer finds nobody
	api := p.apiOf(t)
	eventually(t, 30*time.Second, "the mail is there", func() bool { return len(api.tickets(t)) == 1 })
	client.Close()
	send(t, p.smtp, customerAddress, deskAddress, raw)
	if numbers := api.tickets(t); len(numbers) != 1 {
		t.Errorf("tickets %v, want one", numbers)
	}
}
