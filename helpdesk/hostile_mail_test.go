package helpdesk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// undelivered are the lines of a bounce (RFC 3464).
func undelivered(recipient, status string) []string {
	return []string{"From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>", "Subject: Undelivered Mail Returned to Sender",
		"MIME-Version: 1.0", `Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "I could not deliver it.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.customer.example", "", "Final-Recipient: rfc822; " + recipient, "Action: failed",
		"Status: " + status, "Diagnostic-Code: smtp; 550 " + status + " refused", "", "--b--"}
}

func TestABounceThatIsQuickerThanTheRecordOfItsAttempt(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "Hello")
	h.pass(10 * time.Second)
	timer := h.claim(helpdesk.TimerDeliver)
	delivery, _, err := h.StartDelivery(t.Context(), timer.ID)
	h.must(err)
	h.post(delivery.EnvelopeFrom, undelivered("tamura@customer.example", "5.2.2")...)
	h.must(h.RecordAttempt(t.Context(), timer.ID, helpdesk.Attempt{OK: true, Code: 250}, false))
	v := h.ticket(1)
	got := v.Messages[1].Deliveries[0]
	if got.State != helpdesk.DeliveryFailed || !v.Row.Ticket.DeliveryFailed {
		t.Errorf("the delivery is %s, the ticket failed %v", got.State, v.Row.Ticket.DeliveryFailed)
	}
	if len(got.Attempts) != 2 || !got.Attempts[0].OK || got.Attempts[1].Enhanced != "5.2.2" {
		t.Errorf("the attempts: %+v", got.Attempts)
	}
}

// tellingRecipients are those to whom a mail with some words left.
func (h *house) tellingRecipients(words string) (list []string) {
	h.t.Helper()
	h.pass(10 * time.Second)
	for to, raw := range h.deliver(taken) {
		if strings.Contains(mail.Parse([]byte(raw)).Text, words) {
			list = append(list, to)
		}
	}
	slices.Sort(list)
	return list
}

func TestAnAgentsAnswerGoesToTheAuthorOfTheCopiedMail(t *testing.T) {
	for _, moved := range []bool{false, true} {
		h := newHouse(t)
		own := "haruka@home.example"
		h.must(h.CopyToAssignee(t.Context(), h.toAgent(own).ID))
		token := mail.Parse([]byte(h.deliver(taken)[own])).ReplyTo[0].Address
		h.post("support@example.jp", "From: kojima@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "I have a question too")
		answer := h.post(token, "From: "+own, "Test-DMARC: pass", "Subject: Re: [#1] Invoice", "", "Only for Tamura.")
		if moved {
			copied := h.ticket(1).Messages[2].Message
			if _, err := h.Move(t.Context(), h.admin, copied.ID, 0); err != nil {
				t.Fatal(err)
			}
		}
		h.must(h.RelayAgentMail(t.Context(), answer.MessageID))
		if got := h.tellingRecipients("Only for Tamura."); len(got) != 1 || got[0] != "tamura@customer.example" {
			t.Errorf("moved %v: the agent's answer to Tamura went to %q", moved, got)
		}
	}
}

func TestAScheduledAnswerGoesToWhomItWasWrittenFor(t *testing.T) {
	h := newHouse(t)
	h.first()
	sent := h.send(h.admin, helpdesk.Reply{Ticket: 1, Text: "Only for Tamura.", Quote: true}, helpdesk.Sending{At: h.now.Add(time.Hour), Regardless: true})
	if sent.Draft == nil {
		t.Fatal("nothing is scheduled")
	}
	h.post("support@example.jp", "From: kojima@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "Kojima's own words")
	h.pass(time.Hour)
	if n := h.sendDue(); n != 1 {
		t.Fatalf("%d were sent", n)
	}
	h.pass(10 * time.Second)
	left := h.deliver(taken)
	text := mail.Parse([]byte(left["tamura@customer.example"])).Text
	if len(left) != 1 || !strings.Contains(text, "Only for Tamura.") || !strings.Contains(text, "> Please send the invoice again.") || strings.Contains(text, "Kojima's own words") {
		t.Errorf("what left: %d mails, to Tamura %q", len(left), text)
	}
}

func TestAMessageIDOfSomebodyElsesLeadsNobodyAstray(t *testing.T) {
	h := newHouse(t)
	id := "Message-ID: <form@shop.example>"
	other := h.post("support@example.jp", id, "From: stranger@elsewhere.example", "Subject: Mine", "", "Somebody else's words")
	own := h.post("support@example.jp", id, "From: tamura@customer.example", "Subject: Ours", "", "A question")
	more := h.post("support@example.jp", "In-Reply-To: <form@shop.example>", "From: tamura@customer.example", "Subject: Re: Ours", "", "And another")
	if own.Ticket == other.Ticket || more.Ticket != own.Ticket || more.State != helpdesk.MessagePosted {
		t.Errorf("a stranger's ticket %d, the customer's %d, what the customer adds: %+v", other.Ticket, own.Ticket, more)
	}
	explained, err := h.Explain(t.Context(), h.admin, more.MessageID)
	h.must(err)
	if told := fmt.Sprintf("%+v", explained); !strings.Contains(told, own.MessageID) {
		t.Errorf("the explanation does not name the message that decided: %s", told)
	}
	stranger := h.post("support@example.jp", "In-Reply-To: <form@shop.example>", "From: third@elsewhere.example", "Subject: Re: Ours", "", "Let me in")
	if stranger.State != helpdesk.MessageHeld {
		t.Errorf("a third person who names that id: %+v", stranger)
	}
	h.reply(own.Ticket, "Hello")
	for _, m := range h.ticket(own.Ticket).Messages {
		for _, d := range m.Deliveries {
			if d.Answers != more.MessageID {
				t.Errorf("the reply answers %s; want %s", d.Answers, more.MessageID)
			}
		}
	}
}

func TestAnAlarmInTheSameWordsIsANewOne(t *testing.T) {
	h := newHouse(t)
	arrive := func(received string) helpdesk.Receipt {
		raw := received + "From: door@machine.example\r\nSubject: Alarm\r\n\r\nThe door is open.\r\n"
		receipt, err := h.Receive(t.Context(), incoming("support@example.jp", raw, h.now))
		h.must(err)
		return receipt
	}
	for name, traces := range map[string][2]string{
		"straight from the machine": {"", ""},
		"through a relay":           {"Received: by relay.example id 1\r\n", "Received: by relay.example id 2\r\n"},
	} {
		first := arrive(traces[0])
		h.pass(30 * 24 * time.Hour)
		if again := arrive(traces[1]); again.Duplicate || again.Ticket == first.Ticket {
			t.Errorf("%s: the alarm of next month: %+v after %+v", name, again, first)
		}
	}
	arrive("Received: by relay.example id 3\r\n")
	if retried := arrive("Received: by relay.example id 3\r\n"); !retried.Duplicate {
		t.Errorf("a mail that the relay hands in once more: %+v", retried)
	}
}

func TestVeryManyReferencesAreBounded(t *testing.T) {
	h := newHouse(t)
	first := h.first()
	var ids strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&ids, "<%d@elsewhere.example>\r\n ", i)
	}
	r := h.post("support@example.jp", "From: tamura@customer.example", "References: "+ids.String()+"<mail-1@customer.example>", "Subject: Re: Invoice", "", "More")
	if r.Ticket != first.Ticket {
		t.Fatalf("the answer: %+v", r)
	}
	kept := h.ticket(1).Messages[1].Message.References
	if len(kept) != 100 || kept[0] != "0@elsewhere.example" || kept[99] != "mail-1@customer.example" {
		t.Errorf("%d references are kept, from %q to %q", len(kept), kept[0], kept[len(kept)-1])
	}
}

func TestATicketIsRestoredWithoutTheMailThatCameAgain(t *testing.T) {
	was := newHouse(t)
	was.first()
	copied, err := was.CopyTicket(t.Context(), was.admin, 1)
	was.must(err)
	h := newHouse(t)
	h.pass(time.Hour) // another id under which the same mail is kept
	h.post("support@example.jp", "From: somebody@customer.example", "Subject: Earlier", "", "Earlier")
	h.mails = 0
	h.first()
	sum, err := h.RestoreTicket(t.Context(), h.admin, copied)
	h.must(err)
	if sum.Messages != 0 || sum.Known != 1 {
		t.Errorf("restored %+v; the mail is here already", sum)
	}
}

func TestAForgedBounceEndsNothingThatStillLeaves(t *testing.T) {
	h := newHouse(t)
	h.first()
	to := []helpdesk.Address{{Email: "tamura@customer.example"}, {Email: "mallory@elsewhere.example"}}
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Hello", To: to})
	h.must(err)
	h.pass(10 * time.Second)
	h.deliver(func(recipient string) (helpdesk.Attempt, bool) {
		return helpdesk.Attempt{OK: recipient == to[1].Email, Code: 450}, false
	})
	lines := undelivered("tamura@customer.example", "5.1.1")
	lines = append(lines[:len(lines)-1], "--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <"+m.MessageID+">", "", "--b--")
	if r := h.post("support@example.jp", lines...); r.Ticket != 1 {
		t.Fatalf("the bounce: %+v", r)
	}
	for i, want := range []helpdesk.DeliveryState{helpdesk.DeliveryDeferred, helpdesk.DeliverySent} {
		if d := h.ticket(1).Messages[1].Deliveries[i]; d.State != want {
			t.Errorf("the delivery to %s is %s, want %s", d.Recipient, d.State, want)
		}
	}
}
