package main_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// TestClockFarAheadAtTheStart starts the program with a clock a hundred days ahead of when its
// data was last written. A reply leaves, but what is due at a set time waits, nobody is told
// for good that a reply address has expired, and the log says why.
func TestClockFarAheadAtTheStart(t *testing.T) {
	t.Parallel()
	data, box := newDesk(t), serveMailbox(t)
	then := time.Now().AddDate(0, 0, -100)
	address := ""
	serviceDesk(t, data, then, func(desk *helpdesk.Desk, admin helpdesk.Actor) {
		raw := post(1, customerAddress, deskAddress, "clock@customer.test")
		receipt, err := desk.Receive(t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{MailFrom: customerAddress, Recipients: []string{deskAddress}},
			Raw: raw, Message: mail.Parse(raw), ReceivedAt: then})
		if err != nil {
			t.Fatal(err)
		}
		reply, err := desk.Reply(t.Context(), admin, helpdesk.Reply{Ticket: receipt.Ticket, Text: "確認いたします。"})
		if err != nil {
			t.Fatal(err)
		}
		address = reply.ReplyAddress
		if _, err := desk.Snooze(t.Context(), admin, receipt.Ticket, then.Add(time.Hour), ""); err != nil {
			t.Fatal(err)
		}
	})
	s := start(t, data, "--smarthost", box.address)
	s.log.waitFor(t, "the clock is far ahead of when this server last worked")
	box.next(t, customerAddress, patience)
	var ticket struct {
		Ticket struct{ Snoozed bool }
	}
	s.apiOf(t).get(t, "/tickets/1", &ticket)
	if !ticket.Ticket.Snoozed {
		t.Error("the ticket was brought back")
	}
	c := talk(t, s.smtp)
	c.do("MAIL FROM:<"+customerAddress+">", "250")
	c.do("RCPT TO:<"+address+">", "450 4.3.5")
}
