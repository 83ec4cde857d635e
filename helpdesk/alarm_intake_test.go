package helpdesk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// watched looks after the intake when its hour has come, and returns the alarms
// that stand.
func (h *house) watched() (kinds []helpdesk.AlarmKind) {
	h.t.Helper()
	if n := h.work(helpdesk.TimerIntake, h.WatchIntake); n != 1 {
		h.t.Fatalf("%d timers were due", n)
	}
	list, err := h.Alarms(h.t.Context(), h.admin)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, a := range list {
		kinds = append(kinds, a.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// setAside has a number of mails fail their domain's policy.
func (h *house) setAside(n int) {
	h.t.Helper()
	for i := range n {
		in := incoming("support@example.jp", fmt.Sprintf("From: x@bank.example\r\nMessage-ID: <%d-%d@x>\r\n\r\nHello\r\n", h.now.Unix(), i), h.now)
		in.Authentication = helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "fail", Domain: "bank.example"}, Policy: "reject"}
		if got := h.receive(in); got.State != helpdesk.MessageQuarantined {
			h.t.Fatalf("%+v", got)
		}
	}
}

// Far more than usual in quarantine is an alarm, which ends by itself.
func TestQuarantineThatGrowsIsAnAlarm(t *testing.T) {
	h := newHouse(t)
	if err := h.ScheduleIntakeWatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 28 {
		h.setAside(4)
		h.pass(24 * time.Hour)
		h.tend()
	}
	for _, step := range []struct {
		more  int
		pass  time.Duration
		alarm bool
	}{
		{49, time.Hour, false}, // few, though twelve times the usual
		{0, 24 * time.Hour, false},
		{52, time.Hour, false}, // many, and under ten times the usual, which has grown
		{10, time.Hour, true},
		{0, time.Hour, true},
		{0, 24 * time.Hour, false},
	} {
		h.setAside(step.more)
		h.pass(step.pass)
		if got := h.watched(); slices.Contains(got, helpdesk.AlarmQuarantine) != step.alarm {
			t.Errorf("%d more, %s later: alarms %v", step.more, step.pass, got)
		}
	}
	h.verify()
}

// Mail that waits for days to be confirmed is an alarm until somebody decides.
func TestMailHeldForDaysIsAnAlarm(t *testing.T) {
	h := newHouse(t)
	h.first()
	if err := h.ScheduleIntakeWatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	held := h.post(h.reply(1, "Done.").ReplyAddress, "From: stranger@elsewhere.example", "Subject: Re: Invoice", "", "Let me in")
	h.pass(71 * time.Hour)
	if got := h.watched(); len(got) != 0 {
		t.Errorf("after less than three days: %v", got)
	}
	h.pass(2 * time.Hour)
	if got := h.watched(); !slices.Equal(got, []helpdesk.AlarmKind{helpdesk.AlarmHeld}) {
		t.Errorf("after three days: %v", got)
	}
	if _, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveRefuse); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Hour)
	if got := h.watched(); len(got) != 0 {
		t.Errorf("once it is decided: %v", got)
	}
	h.verify()
}
