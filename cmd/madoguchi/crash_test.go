package main_test

import (
	"errors"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// An answer that was taken from an agent is a promise as well: a crash in its
// undo window does not lose it, nor send it twice.
func TestAnswerSurvivesTheCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes")
	}
	t.Parallel()
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	box := serveMailbox(t)
	data := newDesk(t)
	arguments := []string{"--config", writeConfig(t, "[helpdesk]\nundo_window = \"1s\"\n"), "--resolver", zone.Address, "--smarthost", box.address}
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
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	p := start(t, newDesk(t), "--resolver", zone.Address)
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
	eventually(t, patience, "the mail is there", func() bool { return len(api.tickets(t)) == 1 })
	client.Close()
	send(t, p.smtp, customerAddress, deskAddress, raw)
	if numbers := api.tickets(t); len(numbers) != 1 {
		t.Errorf("tickets %v, want one", numbers)
	}
}
