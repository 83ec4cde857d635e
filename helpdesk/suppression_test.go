package helpdesk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func failing(status string) func(string) (helpdesk.Attempt, bool) {
	return func(string) (helpdesk.Attempt, bool) {
		return helpdesk.Attempt{Code: 550, Enhanced: status, Text: "refused with " + status}, strings.HasPrefix(status, "5.")
	}
}

func TestHardRefusalsSuppressTheAddress(t *testing.T) {
	for status, hard := range map[string]bool{
		"5.1.1": true, "5.1.2": true, "5.1.10": true, "5.2.1": true,
		"5.2.2": false, "5.7.1": false, "5.3.4": false, "5.0.0": false, "": false, "4.1.1": false,
	} {
		h := newHouse(t)
		h.first()
		h.reply(1, "Hello")
		h.pass(10 * time.Second)
		h.deliver(failing(status))
		list, err := h.Suppressions(t.Context(), h.admin)
		if err != nil || (len(list) == 1) != hard {
			t.Errorf("status %q: %+v, %v", status, list, err)
		}
		if hard && (list[0].Address != "tamura@customer.example" || list[0].Status != status || list[0].Reason != "refused with "+status || list[0].Delivery == "") {
			t.Errorf("suppression %+v", list[0])
		}
	}
}

func TestNothingGoesToASuppressedAddress(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.second()
	to := func(email string) []helpdesk.Address { return []helpdesk.Address{{Email: email}} }
	deferred, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 2, Text: "Later", To: to("Tamura@customer.example")})
	if err != nil {
		t.Fatal(err)
	}
	h.pass(10 * time.Second)
	h.deliver(failing("4.3.0"))
	h.reply(1, "Hello")
	h.pass(5 * time.Second)
	waiting, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 2, Text: "In its undo window", To: to("tamura@customer.example")})
	if err != nil {
		t.Fatal(err)
	}
	h.pass(6 * time.Second)
	h.deliver(failing("5.1.1"))
	if d := h.delivery(deferred.ID); d.State != helpdesk.DeliveryFailed || !strings.Contains(d.Attempts[1].Text, "not tried: tamura@customer.example refused mail for good") {
		t.Errorf("a deferred delivery to it: %+v", d)
	}
	if d := h.delivery(waiting.ID); d.State != helpdesk.DeliveryWaiting {
		t.Errorf("what can still be undone: %+v", d)
	}
	h.pass(10 * time.Second)
	if sent := h.deliver(taken); len(sent) != 0 || h.delivery(waiting.ID).State != helpdesk.DeliveryFailed || !h.ticket(2).Row.Ticket.DeliveryFailed {
		t.Errorf("sent to it all the same: %v", sent)
	}
	_, err = h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Again", To: to("other@customer.example"), Cc: to("TAMURA@customer.example")})
	var refusal *helpdesk.Error
	if wantCode(t, err, helpdesk.CodeConflict, "ask an admin to lift"); !errors.As(err, &refusal) || refusal.Key != "error.suppressed" {
		t.Errorf("error %+v", refusal)
	}
	wantCode(t, h.RetryDelivery(t.Context(), h.admin, h.delivery(deferred.ID).ID), helpdesk.CodeConflict, "refused mail for good")

	agent := h.newUser(helpdesk.RoleAgent).Actor()
	wantCode(t, h.LiftSuppression(t.Context(), agent, "tamura@customer.example"), helpdesk.CodeForbidden, "")
	if err := h.LiftSuppression(t.Context(), h.admin, " Tamura@customer.example"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, h.LiftSuppression(t.Context(), h.admin, "tamura@customer.example"), helpdesk.CodeNotFound, "tamura@")
	if err := h.RetryDelivery(t.Context(), h.admin, h.delivery(deferred.ID).ID); err != nil {
		t.Fatal(err)
	}
	if sent := h.deliver(taken); len(sent) != 1 {
		t.Errorf("after lifting it: %v", sent)
	}
}

func (h *house) delivery(messageID string) helpdesk.Delivery {
	h.t.Helper()
	v, err := h.Message(h.t.Context(), h.admin, messageID)
	if err != nil || len(v.Deliveries) == 0 {
		h.t.Fatalf("deliveries of %s: %+v, %v", messageID, v, err)
	}
	return v.Deliveries[0]
}

// A bounce counts when it came to the delivery's own envelope address: a
// Message-ID is known to everybody who saw the mail.
func TestOnlyABounceToItsEnvelopeAddressSuppresses(t *testing.T) {
	for name, to := range map[string]func(h *house, m *helpdesk.Message) (string, []string){
		"envelope": func(h *house, m *helpdesk.Message) (string, []string) { return h.delivery(m.ID).EnvelopeFrom, nil },
		"reference": func(_ *house, m *helpdesk.Message) (string, []string) {
			return "support@example.jp", []string{"Message-ID: <" + m.MessageID + ">", "", "--b--"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.first()
			m := h.reply(1, "Hello")
			h.pass(10 * time.Second)
			h.deliver(taken)
			address, original := to(h, m)
			lines := append([]string{"From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>", "Subject: Undelivered Mail Returned to Sender"},
				bounceLines("tamura@customer.example", "5.1.1")...)
			if original != nil {
				lines = append(append(lines[:len(lines)-1], "--b", "Content-Type: text/rfc822-headers", ""), original...)
			}
			h.post(address, lines...)
			if got := h.delivery(m.ID).State; got != helpdesk.DeliveryFailed {
				t.Errorf("the delivery is %s", got)
			}
			if list, err := h.Suppressions(t.Context(), h.admin); err != nil || (len(list) == 1) != (name == "envelope") {
				t.Errorf("suppressions %+v, %v", list, err)
			}
		})
	}
}

// Many servers say in words of their own, and under a name of their own, that a mail was
// not delivered. That nobody stands behind such a mail is said by its envelope alone: by
// SMTP it comes without a Return-Path field.
func TestABounceIsKnownByItsEmptyEnvelopeSender(t *testing.T) {
	for name, sender := range map[string]string{"null": "", "named": "info@customer.example"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.first()
			m := h.reply(1, "Hello")
			h.pass(10 * time.Second)
			h.deliver(taken)
			raw := "From: =?utf-8?B?5oOF5aCx44K344K544OG44Og6YOo?= <info@customer.example>\r\nTo: " + h.delivery(m.ID).EnvelopeFrom +
				"\r\nSubject: Undeliverable mail\r\n\r\nYour message could not be delivered:\r\n\r\n  tamura@customer.example\r\n  550 5.1.1 User unknown\r\n"
			in := incoming(h.delivery(m.ID).EnvelopeFrom, raw, h.now)
			in.Envelope.MailFrom, in.Envelope.Received = sender, "from mx.customer.example by mx.example.jp"
			receipt := h.receive(in)
			kind, state := helpdesk.KindBounce, helpdesk.DeliveryFailed
			if name == "named" { // what a person at that address writes says nothing of deliveries
				kind, state = helpdesk.KindAutoReply, helpdesk.DeliverySent
			}
			if got := h.message(receipt.MessageID); got.Kind != kind {
				t.Errorf("kind %s, want %s", got.Kind, kind)
			}
			if got := h.delivery(m.ID).State; got != state {
				t.Errorf("the delivery is %s, want %s", got, state)
			}
			e, err := h.Explain(t.Context(), h.admin, receipt.MessageID)
			if err != nil || name == "null" && !strings.Contains(fmt.Sprint(e.Steps), "empty return path") {
				t.Errorf("explained as %+v, %v", e.Steps, err)
			}
		})
	}
}

// An absence note with an empty envelope sender is known by that and its subject; what else
// nobody is to answer is a person's until more speaks against it.
func TestAnAbsenceNoteIsKnownByItsEmptyEnvelopeSender(t *testing.T) {
	for subject, kind := range map[string]helpdesk.MessageKind{"不在通知 (Re: Invoice 2291)": helpdesk.KindAutoReply, "Re: Invoice 2291": helpdesk.KindPerson} {
		h := newHouse(t)
		h.first()
		m := h.reply(1, "Hello")
		in := incoming(m.ReplyAddress, "From: tamura@customer.example\r\nSubject: "+subject+"\r\n\r\nI am away until Monday.\r\n", h.now)
		in.Envelope.MailFrom, in.Envelope.Received = "", "from mx.customer.example by mx.example.jp"
		got := h.message(h.receive(in).MessageID)
		if got.Kind != kind || !got.NeverAnswer {
			t.Errorf("%s: kind %s, want %s; never answered: %t", subject, got.Kind, kind, got.NeverAnswer)
		}
	}
}

// A failed delivery fails once: further reports on it stand in the conversation, and call
// nobody again. Whoever was written to knows the address that they go to.
func TestASecondBounceCallsNobodyAgain(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "Hello")
	h.pass(10 * time.Second)
	h.deliver(taken)
	for _, status := range []string{"5.2.2", "5.2.2", "5.1.1"} {
		h.pass(time.Minute)
		h.post(h.delivery(m.ID).EnvelopeFrom, append([]string{"From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>", "Subject: Undelivered Mail Returned to Sender"},
			bounceLines("tamura@customer.example", status)...)...)
	}
	v, failed := h.ticket(1), 0
	for _, e := range v.Events {
		if e.Kind == helpdesk.EventDeliveryFailed {
			failed++
		}
	}
	if d := h.delivery(m.ID); failed != 1 || d.State != helpdesk.DeliveryFailed || len(d.Attempts) != 2 {
		t.Errorf("failed %d times, %+v", failed, d)
	}
	if len(v.Messages) != 5 {
		t.Errorf("%d messages, want all three reports among them", len(v.Messages))
	}
	if list, err := h.Suppressions(t.Context(), h.admin); err != nil || len(list) != 1 || list[0].Status != "5.1.1" { // that the mailbox is gone is news
		t.Errorf("suppressions %+v, %v", list, err)
	}
}
