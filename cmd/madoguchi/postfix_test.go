package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestMailWithPostfix exchanges mail with a real Postfix, both ways: it hands on
// to the desk over TLS alone, and takes what the desk delivers to its domain's MX,
// or refuses it.
func TestMailWithPostfix(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out Postfix")
	}
	t.Parallel()
	port := freePort(t)
	p := startPostfix(t, "tamura@customer.test", fmt.Sprintf("myhostname = mx.customer.test\ntransport_maps = inline:{ { desk.test = smtp:[127.0.0.1]:%s } }\nsmtp_tls_security_level = encrypt\n", port))
	if p == nil {
		t.Skip("SKIPPED, not passed: no Postfix that may be started here (apt-get install postfix; as root)")
	}
	_, peerPort, _ := net.SplitHostPort(p.address)
	z := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1")
	d := startDesk(t, z, "desk.test", "127.0.0.1:"+port, peerPort)

	write := func(author, subject string) {
		t.Helper()
		if answer := talk(t, p.address).send(author, "support@desk.test", letterFrom(author, subject)); !strings.HasPrefix(answer, "250") {
			t.Fatalf("Postfix answers %q", answer)
		}
	}
	happened := func(kind string, n int) {
		t.Helper()
		eventually(t, patience, fmt.Sprintf("%s happens %d times", kind, n), func() bool {
			counts, _ := d.kinds(t)
			return counts[kind] == n
		})
	}
	write("tamura@customer.test", "A question")
	happened("message.received", 1)
	happened("delivery.sent", 1) // the acknowledgement
	if status := d.api.do(t, http.MethodPost, "/tickets/1/replies", nil, map[string]string{"text": "はい、承知しました。"}, nil); status != http.StatusCreated {
		t.Fatalf("reply: %d", status)
	}
	happened("delivery.sent", 2)
	eventually(t, patience, "both are in the mailbox", func() bool { return p.delivered() == 2 })

	write("suzuki@customer.test", "From an address that takes no mail")
	happened("message.received", 2)
	happened("delivery.failed", 1)
	if told := succeed(t, "", "explain", "2", "--data", d.data); !strings.Contains(told, "suzuki@customer.test") {
		t.Errorf("explained as\n%s", told)
	}
}

// TestPostfixPutsMailOff has a real Postfix answer 450 to a reply and take it later:
// the delivery is deferred, says so, is tried again at its time and not before, and
// ends as sent, once.
func TestPostfixPutsMailOff(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out Postfix")
	}
	t.Parallel()
	const busy = "smtpd_recipient_restrictions = check_recipient_access inline:{ { tamura@customer.test = 450 4.2.1 mailbox busy } }, permit_mynetworks, reject\n"
	p := startPostfix(t, "tamura@customer.test", "myhostname = mx.customer.test\n"+busy)
	if p == nil {
		t.Skip("SKIPPED, not passed: no Postfix that may be started here (apt-get install postfix; as root)")
	}
	_, peerPort, _ := net.SplitHostPort(p.address)
	d := startDesk(t, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1"), "desk.test", "127.0.0.1:0", peerPort)
	send(t, d.smtp, "tamura@customer.test", "support@desk.test", []byte(letterFrom("tamura@customer.test", "A question")))

	type recipient struct {
		State, Status, Text string
		Attempts            int
		NextAt              *time.Time `json:"next_at"`
		DoneAt              *time.Time `json:"done_at"`
	}
	acknowledgement := func() (r recipient) {
		var ticket struct {
			Messages []struct {
				Direction string
				Delivery  struct{ Recipients []recipient }
			}
		}
		d.api.get(t, "/tickets/1", &ticket)
		for _, m := range ticket.Messages {
			if m.Direction == "out" && len(m.Delivery.Recipients) == 1 {
				return m.Delivery.Recipients[0]
			}
		}
		return r
	}
	eventually(t, patience, "Postfix puts the acknowledgement off", func() bool { return acknowledgement().Attempts == 1 })
	put := acknowledgement()
	if put.Attempts != 1 || put.Status != "4.2.1" || !strings.Contains(put.Text, "mailbox busy") || put.NextAt == nil {
		t.Fatalf("put off: %+v", put)
	}
	if listed := succeed(t, "", "queue", "--data", d.data); !strings.Contains(listed, "mailbox busy") {
		t.Errorf("the queue does not say why:\n%s", listed)
	}
	p.change(t, busy, "")
	eventually(t, time.Until(*put.NextAt)+patience, "it is sent at its time", func() bool { return acknowledgement().State == "sent" })
	sent := acknowledgement()
	if sent.Attempts != 2 || sent.DoneAt == nil || sent.DoneAt.Before(*put.NextAt) {
		t.Errorf("due at %s, and sent as %+v at %s", put.NextAt, sent, sent.DoneAt)
	}
	eventually(t, patience, "it is in the mailbox", func() bool { return p.delivered() == 1 })
	if counts, _ := d.kinds(t); counts["delivery.sent"] != 1 || counts["delivery.failed"] != 0 {
		t.Errorf("what happened: %v", counts)
	}
}

// TestDeskBehindPostfix is for those who keep Postfix in front: it hands mail on
// by LMTP, a large one and one with an address in Japanese too, and takes every
// answer as a smarthost. What it cannot deliver later comes back as a report to
// the delivery's own address, and is known.
func TestDeskBehindPostfix(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out Postfix")
	}
	t.Parallel()
	directory, err := os.MkdirTemp("", "madoguchi-lmtp-") // Postfix's user has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(directory, "lmtp.sock")
	p := startPostfix(t, "tamura@customer.test", fmt.Sprintf("transport_maps = inline:{ { desk.test = lmtp:unix:%s }, { gone.test = smtp:[127.0.0.1]:1 } }\nmessage_size_limit = 30000000\nsmtputf8_enable = yes\nmaximal_queue_lifetime = 0\n", socket))
	if p == nil {
		t.Skip("SKIPPED, not passed: no Postfix that may be started here (apt-get install postfix; as root)")
	}
	data := t.TempDir()
	succeed(t, adminPassword+"\n", "user", "add", adminEmail, "--role", "admin", "--name", agentName, "--password-file", "-", "--data", data)
	s := start(t, data, "--config", writeConfig(t, fmt.Sprintf(`[server]
hostname = "mx.desk.test"
[smtp]
lmtp = %q
[outbound]
smarthost = %q
[helpdesk]
undo_window = "0s"
[[alias]]
address = "support@desk.test"
`, socket, p.address)))
	d := desk{s, s.apiOf(t), "support@desk.test"}
	happened := func(kind string, n int) {
		t.Helper()
		eventually(t, patience, fmt.Sprintf("%s happens %d times", kind, n), func() bool {
			counts, _ := d.kinds(t)
			return counts[kind] == n
		})
	}
	answer := func(ticket int) {
		t.Helper()
		if status := d.api.do(t, http.MethodPost, fmt.Sprintf("/tickets/%d/replies", ticket), nil, map[string]string{"text": "はい、承知しました。"}, nil); status != http.StatusCreated {
			t.Fatalf("reply: %d", status)
		}
	}
	write := func(author, subject, parameters string, more int) {
		t.Helper()
		c := talk(t, p.address)
		c.do("MAIL FROM:<"+author+">"+parameters, "250")
		c.do("RCPT TO:<support@desk.test>", "250")
		c.do("DATA", "354")
		c.say(letterFrom(author, subject) + strings.Repeat("A line of a long mail, as logs are sent.\r\n", more))
		c.do(".", "250")
	}

	write("tamura@customer.test", "A log", "", 250_000) // 10 MB
	happened("message.received", 1)
	answer(1)
	happened("delivery.sent", 1)
	eventually(t, patience, "the answer is in the mailbox", func() bool { return p.delivered() == 1 })

	write("田村@customer.test", "Greetings", " SMTPUTF8", 0)
	happened("message.received", 2)
	var ticket struct {
		Ticket struct {
			Contact struct{ Email string }
		}
	}
	d.api.get(t, "/tickets/2", &ticket)
	if got := ticket.Ticket.Contact.Email; got != "田村@customer.test" {
		t.Errorf("the second customer is %q", got)
	}

	write("suzuki@gone.test", "From a domain that is gone", "", 0)
	happened("message.received", 3)
	answer(3)
	happened("delivery.sent", 2)   // the smarthost took it
	happened("delivery.failed", 1) // and its report, that it was tried for too long, came back
	if told := succeed(t, "", "verify", "--data", d.data); !strings.Contains(told, "whole") {
		t.Errorf("verify says\n%s", told)
	}
}
