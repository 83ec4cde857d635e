package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

const acknowledgement = "お問い合わせありがとうございます。担当者よりご連絡いたします。"

// withAcknowledgement makes the house's first alias answer by itself.
func (h *house) withAcknowledgement() *house {
	h.t.Helper()
	h.alias.Acknowledgement = acknowledgement
	saved, err := h.SaveAlias(h.t.Context(), h.admin, h.alias)
	if err != nil {
		h.t.Fatal(err)
	}
	h.alias = *saved
	return h
}

// acknowledge works on every timer that is due and returns what is sent.
func (h *house) acknowledge() map[string]string {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.t.Context(), helpdesk.TimerAcknowledge, 100, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		for range 2 { // as when a lease ends while the work goes on
			if err := h.Acknowledge(h.t.Context(), timer.ID); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return h.deliver(taken)
}

// from hands in a person's first mail, proven to be from there.
func (h *house) from(address string, lines ...string) helpdesk.Receipt {
	h.t.Helper()
	lines = append([]string{"From: " + address, "Test-DMARC: pass"}, lines...)
	return h.post("support@example.jp", append(lines, "Subject: Re: Broken pump", "", fmt.Sprintf("It leaks, mail %d.", h.mails))...)
}

// What leaves by itself has the date of the house, wherever the server stands.
func TestAnAcknowledgementHasTheHousesDate(t *testing.T) {
	h := newHouse(t)
	h.alias.Acknowledgement = "{{date}} に受け付けました。"
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	h.now = time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC)
	h.from("Ono <ono@other.example>")
	raw := h.acknowledge()["ono@other.example"]
	if text := parse(raw).Text; !strings.Contains(text, "2026年11月24日 に受け付けました。") {
		t.Errorf("the text: %q", text)
	}
	if !strings.Contains(raw, "\r\nDate: Tue, 24 Nov 2026 08:30:00 +0900\r\n") {
		t.Errorf("the mail:\n%s", raw)
	}
	m := h.reply(1, "明日お送りします。")
	h.pass(10 * time.Second)
	if raw := h.deliver(taken)["ono@other.example"]; !strings.Contains(raw, "\r\nDate: Tue, 24 Nov 2026 08:30:00 +0900\r\n") {
		t.Errorf("the reply %s:\n%s", m.ID, raw)
	}
}

func TestFirstMailIsAcknowledged(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	receipt := h.from("Ono <ono@other.example>")
	sent := h.acknowledge()
	raw := sent["ono@other.example"]
	got := parse(raw)
	if len(sent) != 1 || strings.TrimSpace(got.Text) != acknowledgement || got.Subject != "自動返信: Broken pump" || len(got.InReplyTo) != 1 {
		t.Fatalf("sent %d: subject %q, in reply to %q, text %q", len(sent), got.Subject, got.InReplyTo, got.Text)
	}
	if class := mail.Classify(got, false); !class.AutoReply || !class.SuppressAutoReply || !strings.Contains(raw, "X-Auto-Response-Suppress: All") {
		t.Errorf("read by others it is %+v", class)
	}
	v := h.ticket(receipt.Ticket)
	m := v.Messages[1]
	if !m.Message.Automatic || m.Message.Reason != helpdesk.ReasonAcknowledged || m.Undoable || v.Row.Ticket.WaitingSince.IsZero() || !v.Row.Unread || v.Row.Ticket.AssigneeID != "" {
		t.Errorf("message %+v, ticket %+v", m.Message, v.Row.Ticket)
	}
	if answer := h.post(got.ReplyTo[0].Address, "From: ono@other.example", "Test-DMARC: pass", "Subject: Re: Auto", "", "Thanks"); answer.Ticket != receipt.Ticket {
		t.Errorf("an answer to it: %+v", answer)
	}
	if again := h.acknowledge(); len(again) != 0 {
		t.Errorf("acknowledged again: %v", again)
	}
	h.post(m.Deliveries[0].EnvelopeFrom, append([]string{"From: MAILER-DAEMON@mx.other.example", "Subject: Undelivered Mail"}, bounceLines("ono@other.example", "5.1.1")...)...)
	if !h.ticket(receipt.Ticket).Row.Ticket.DeliveryFailed {
		t.Error("its bounce shows nobody that the customer cannot be reached")
	}
}

func TestWhatIsNotAcknowledged(t *testing.T) {
	verified := "Test-DMARC: pass"
	for name, post := range map[string]func(h *house){
		"an automatic mail": func(h *house) { h.from("a@b.example", "Auto-Submitted: auto-generated") },
		"a list":            func(h *house) { h.from("a@b.example", "List-Id: <x.b.example>") },
		"bulk":              func(h *house) { h.from("a@b.example", "Precedence: bulk") },
		"a robot":           func(h *house) { h.from("noreply@b.example") },
		"nobody":            func(h *house) { h.post("support@example.jp", "Subject: x", "", "no From at all") },
		"ourselves":         func(h *house) { h.from("support@example.jp") },
		"an unproven address that is not the envelope's": func(h *house) {
			h.post("support@example.jp", "From: victim@b.example", "Subject: x", "", "y")
		},
		"a forged address": func(h *house) {
			h.post("support@example.jp", "From: x@customer.example", "Test-DMARC: fail", "Subject: x", "", "y")
		},
		"the postmaster's mail": func(h *house) {
			h.post("postmaster@example.jp", "From: a@b.example", verified, "Subject: x", "", "y")
		},
		"an empty return path": func(h *house) {
			raw := "From: a@b.example\r\n" + verified + "\r\nSubject: x\r\n\r\ny\r\n"
			in := incoming("support@example.jp", raw, h.now)
			in.Envelope.MailFrom = ""
			if _, err := h.Receive(h.t.Context(), in); err != nil {
				h.t.Fatal(err)
			}
		},
		"what an agent answered first": func(h *house) { h.reply(h.from("a@b.example").Ticket, "Here") },
		"an alias without the text": func(h *house) {
			h.from("a@b.example")
			h.alias.Acknowledgement = ""
			if _, err := h.SaveAlias(h.t.Context(), h.admin, h.alias); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t).withAcknowledgement()
			post(h)
			if sent := h.acknowledge(); len(sent) != 0 {
				t.Errorf("sent %v", sent)
			}
		})
	}
	h := newHouse(t).withAcknowledgement() // unproven, but the envelope's own
	h.post("support@example.jp", "From: X@customer.example", "Subject: x", "", "y")
	if sent := h.acknowledge(); len(sent) != 1 {
		t.Errorf("to the envelope sender: %v", sent)
	}
}

// An address that no mail can be written to is said once, not tried for ever.
func TestAcknowledgementThatCannotBeWritten(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	receipt := h.from("ono@b!c.example")
	if sent := h.acknowledge(); len(sent) != 0 || !strings.HasSuffix(kinds(h.ticket(receipt.Ticket).Events), "acknowledgement.skipped") {
		t.Errorf("sent %v, events %s", sent, kinds(h.ticket(receipt.Ticket).Events))
	}
	if timers, err := h.Timers(t.Context(), h.admin, 10); err != nil || strings.Contains(timerKinds(timers), "acknowledge") {
		t.Errorf("timers %s, %v", timerKinds(timers), err)
	}
}

func TestAcknowledgementsAreLimited(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	count := func() (n int) { return len(h.acknowledge()) }
	h.from("a@b.example")
	if count() != 1 {
		t.Fatal("the first is not acknowledged")
	}
	second := h.from("A@b.example")
	if count() != 0 || !strings.HasSuffix(kinds(h.ticket(second.Ticket).Events), "acknowledgement.skipped") {
		t.Errorf("a second mail within the day: events %s", kinds(h.ticket(second.Ticket).Events))
	}
	h.pass(-48 * time.Hour) // as a clock that is set right
	h.pass(24*time.Hour + time.Minute)
	h.from("a@b.example")
	if count() != 0 {
		t.Error("a clock set back lifts the limit")
	}
	h.pass(48 * time.Hour)
	h.from("a@b.example")
	if count() != 1 {
		t.Error("no acknowledgement on another day")
	}
	h.pass(2 * time.Hour)
	sent := 0
	for i := range 40 {
		h.from(fmt.Sprintf("c%d@b.example", i))
		sent += count()
	}
	h.from("c@d.example")
	if sent != 30 || count() != 1 {
		t.Errorf("%d acknowledgements to one domain within the hour", sent)
	}
	h.pass(time.Hour)
	h.from("late@b.example")
	if count() != 1 {
		t.Error("none to that domain in the next hour")
	}
}

// Two helpdesks that write to each other fall silent: each mail that one sends
// is handed to the other until neither sends any.
func TestTwoHelpdesksFallSilent(t *testing.T) {
	for name, gateway := range map[string]func(raw string) string{
		"as sent": func(raw string) string { return raw },
		"through a gateway that takes every mark away": func(raw string) string {
			var kept []string
			for line := range strings.SplitSeq(raw, "\r\n") {
				if field, _, _ := strings.Cut(line, ":"); field != "Auto-Submitted" && field != "X-Auto-Response-Suppress" && field != "In-Reply-To" && field != "References" && field != "Subject" {
					kept = append(kept, line)
				}
			}
			return strings.Join(kept, "\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := newHouse(t).withAcknowledgement(), newHouse(t)
			there.alias.Address = "help@other.example"
			there.withAcknowledgement()
			raw := "Message-ID: <first@other.example>\r\nFrom: help@other.example\r\nSubject: Our order\r\nTest-DMARC: pass\r\n\r\nWhere is it?\r\n"
			if _, err := here.Receive(t.Context(), incoming("support@example.jp", raw, here.now)); err != nil {
				t.Fatal(err)
			}
			mails := 0
			for quiet := 0; quiet < 5 && mails < 50; quiet++ {
				for from, to := range map[*house]*house{here: there, there: here} {
					for recipient, raw := range from.acknowledge() {
						if to.Recipient(t.Context(), recipient) != nil {
							continue // to somebody else, who does not answer
						}
						mails, quiet = mails+1, 0
						if _, err := to.Receive(t.Context(), incoming(recipient, "Test-DMARC: pass\r\n"+gateway(raw), to.now)); err != nil {
							t.Fatal(err)
						}
					}
					from.pass(time.Minute)
				}
			}
			want := 1 // whoever gets it sees that a program wrote it
			if name != "as sent" {
				want = 2 // one each; then the limit holds
			}
			if mails != want {
				t.Errorf("%d mails before they fell silent, want %d", mails, want)
			}
		})
	}
}
