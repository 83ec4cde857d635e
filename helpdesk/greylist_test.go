package helpdesk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// stranger is a mail of somebody who is new.
func stranger(ip, from, to string) helpdesk.Incoming {
	raw := []byte("From: " + from + "\r\nSubject: x\r\n\r\nx\r\n")
	return helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{RemoteIP: ip, MailFrom: from, Recipients: []string{to}}}
}

func (h *house) greylist(in helpdesk.Incoming) time.Duration {
	h.t.Helper()
	wait, err := h.Greylist(h.t.Context(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return wait
}

func (h *house) whole() {
	h.t.Helper()
	if problems, err := h.Verify(h.t.Context()); err != nil || len(problems) > 0 {
		h.t.Errorf("verify: %q, %v", problems, err)
	}
}

func TestStrangersWaitOnce(t *testing.T) {
	h := newHouse(t)
	first := stranger("192.0.2.7", "new@shop.example", "support@example.jp")
	if wait := h.greylist(first); wait != 5*time.Minute {
		t.Errorf("a stranger waits %s", wait)
	}
	h.pass(2 * time.Minute)
	if wait := h.greylist(first); wait != 3*time.Minute {
		t.Errorf("too early, it waits %s", wait)
	}
	h.pass(3 * time.Minute)
	if wait := h.greylist(stranger("192.0.2.250", "New@Shop.example", "Support@example.jp")); wait != 0 { // its farm has many hosts
		t.Errorf("in time, it waits %s", wait)
	}
	h.pass(30 * 24 * time.Hour)
	if wait := h.greylist(first); wait != 0 {
		t.Errorf("a month later it waits %s", wait)
	}
	for name, other := range map[string]helpdesk.Incoming{
		"another network":   stranger("192.0.3.7", "new@shop.example", "support@example.jp"),
		"another sender":    stranger("192.0.2.7", "other@shop.example", "support@example.jp"),
		"another recipient": stranger("192.0.2.7", "new@shop.example", "sales@example.jp"),
		"IPv6":              stranger("2001:db8::1", "new@shop.example", "support@example.jp"),
	} {
		if h.greylist(other) == 0 {
			t.Errorf("%s does not wait", name)
		}
	}
	h.pass(25 * time.Hour)
	if wait := h.greylist(stranger("192.0.3.7", "new@shop.example", "support@example.jp")); wait != 5*time.Minute {
		t.Errorf("who comes back after a day waits %s", wait)
	}
	h.whole()
}

// Who is proven, known, or answers us never waits, whatever the store says.
func TestWhoIsKnownNeverWaits(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "It is attached.")
	proven := stranger("192.0.2.7", "new@shop.example", "support@example.jp")
	proven.Authentication = helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "pass"}, AlignedBy: "dkim"}
	forged := stranger("192.0.2.7", "tamura@customer.example", "support@example.jp")
	forged.Authentication = helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "fail"}, Policy: "reject"}
	for name, in := range map[string]helpdesk.Incoming{
		"proven":        proven,
		"a contact":     stranger("192.0.2.7", "Tamura@customer.example", "support@example.jp"),
		"an answer":     stranger("192.0.2.7", "new@shop.example", m.ReplyAddress),
		"a unix socket": stranger("", "new@shop.example", "support@example.jp"),
	} {
		if wait := h.greylist(in); wait != 0 {
			t.Errorf("%s waits %s", name, wait)
		}
	}
	if h.greylist(forged) == 0 {
		t.Error("a forged contact does not wait")
	}
	h.whole()
}

// What has ended is swept away, and there are never more than so many.
func TestGreylistIsBounded(t *testing.T) {
	h := newHouse(t)
	small, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64, Policy: helpdesk.Policy{Greylisting: helpdesk.Greylisting{Most: 50}}})
	if err != nil {
		t.Fatal(err)
	}
	small.Now = func() time.Time { return h.now }
	h.Desk = small
	for i := range 60 {
		h.greylist(stranger(fmt.Sprintf("10.0.%d.1", i), "new@shop.example", "support@example.jp"))
		h.pass(time.Second)
	}
	h.whole()
	h.pass(6 * time.Minute)
	if h.greylist(stranger("10.0.0.1", "new@shop.example", "support@example.jp")) == 0 {
		t.Error("the first of 60 is remembered, though 50 are kept")
	}
	if h.greylist(stranger("10.0.59.1", "new@shop.example", "support@example.jp")) != 0 {
		t.Error("the last is not remembered")
	}
	if n := h.work(helpdesk.TimerGreylist, h.SweepGreylist); n != 0 {
		t.Errorf("%d sweeps before their time", n)
	}
	h.pass(26 * time.Hour)
	if n := h.work(helpdesk.TimerGreylist, h.SweepGreylist); n != 1 {
		t.Errorf("%d sweeps", n)
	}
	h.whole()
	if h.greylist(stranger("10.0.59.1", "new@shop.example", "support@example.jp")) != 0 {
		t.Error("who came back was swept away")
	}
	h.pass(36 * 24 * time.Hour)
	h.work(helpdesk.TimerGreylist, h.SweepGreylist)
	timers, _, err := h.ClaimDue(t.Context(), helpdesk.TimerGreylist, 10, time.Minute)
	if err != nil || len(timers) > 0 {
		t.Errorf("with nothing left there is a timer: %v, %v", timers, err)
	}
	h.whole()
}
