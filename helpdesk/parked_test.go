package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestWhatFailsForGoodIsToldAndCanBeTriedAgain(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "Hello")
	for range 21 {
		h.pass(time.Hour)
		claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerDeliver, 10, time.Minute)
		h.must(err)
		for _, timer := range claimed {
			if _, _, err := h.StartDelivery(t.Context(), timer.ID); err != nil {
				t.Fatal(err)
			}
			h.must(h.PutOff(t.Context(), timer, h.now.Add(time.Minute), "sign the mail: the key is broken", true))
		}
	}
	h.must(h.ReleaseClaims(t.Context())) // as a restart does
	h.pass(time.Hour)
	if left := h.deliver(taken); len(left) != 0 {
		t.Fatalf("parked work is done: %v", left)
	}
	alarms, err := h.Alarms(t.Context(), h.admin)
	h.must(err)
	if len(alarms) != 1 || alarms[0].Kind != helpdesk.AlarmParked || alarms[0].Subject != "deliver" || alarms[0].Detail != "sign the mail: the key is broken" {
		t.Errorf("the alarms: %+v", alarms)
	}
	h.wantTold(h.user, "alarm 0×1")

	n, err := h.ResumeParked(t.Context(), h.admin)
	h.must(err)
	if left := h.deliver(taken); n != 1 || left["tamura@customer.example"] == "" {
		t.Errorf("resumed %d, left %d mails", n, len(left))
	}
	if alarms, err = h.Alarms(t.Context(), h.admin); err != nil || len(alarms) != 0 {
		t.Errorf("the alarms after that: %+v, %v", alarms, err)
	}
	h.wantTold(h.user)
}
