package run_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
)

func TestGateKeepsItsLimits(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	g := run.NewGate(run.Limits{Concurrency: 2, PerMinute: 12, Total: 30}, func() time.Time { return now })
	enter := func(destination string) func() {
		t.Helper()
		leave, wait := g.Enter(destination)
		if wait > 0 {
			t.Fatalf("%s waits for %s", destination, wait)
		}
		return leave
	}
	first := enter("a.test")
	enter("a.test")()
	now = now.Add(10 * time.Second)
	held := enter("a.test")
	if _, wait := g.Enter("a.test"); wait < 2*time.Second || wait > 4*time.Second {
		t.Errorf("a third at once waits for %s", wait)
	}
	enter("b.test")() // others go on
	first()
	held()
	enter("a.test")() // ten seconds are worth two, and this is the second
	if _, wait := g.Enter("a.test"); wait <= 0 || wait > 10*time.Second {
		t.Errorf("the third in ten seconds waits for %s", wait)
	}
	// All together: ten seconds are worth five.
	now = now.Add(time.Minute)
	for _, name := range []string{"c.test", "d.test", "e.test", "f.test", "g.test"} {
		enter(name)()
	}
	if _, wait := g.Enter("h.test"); wait <= 0 || wait > 4*time.Second {
		t.Errorf("one too many waits for %s", wait)
	}
	now = now.Add(3 * time.Second)
	enter("h.test")()
}

func TestMailToAPausedDestinationWaits(t *testing.T) {
	desk, a := open(t)
	receive(t, desk, "hello")
	p := &peer{seen: make(chan struct{}, 10)}
	deliverer := &run.Deliverer{Desk: desk, Sender: p, Signing: signing(desk, nil), Gate: run.NewGate(run.Limits{}, time.Now), Log: slog.New(slog.DiscardHandler)}
	if err := desk.PauseDestination(t.Context(), a, "Customer.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Reply(t.Context(), a, helpdesk.Reply{Ticket: 1, Text: "answer"}); err != nil {
		t.Fatal(err)
	}
	q, err := desk.Queue(t.Context(), a, helpdesk.QueueQuery{})
	if err != nil || q.Total != 1 || q.Destinations["customer.example"] != 1 || len(q.Pauses) != 1 {
		t.Fatalf("%+v, %v", q, err)
	}
	var later run.Later
	if err := deliverer.Deliver(t.Context(), q.Deliveries[0].ID); !errors.As(err, &later) || later.RetryAfter() < time.Minute || len(p.sent) > 0 {
		t.Fatalf("paused: %v, sent %v", err, p.sent)
	}
	if state(t, desk, a) != helpdesk.DeliveryWaiting {
		t.Errorf("it is %s", state(t, desk, a))
	}
	// It is resumed while a worker that found it paused is about to put the timer off.
	claimed, _, err := desk.ClaimDue(t.Context(), helpdesk.TimerDeliver, 1, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	if err := desk.ResumeDestination(t.Context(), a, "customer.example"); err != nil {
		t.Fatal(err)
	}
	if err := desk.PutOff(t.Context(), claimed[0], time.Now().Add(later.RetryAfter()), later.Error(), false); err != nil {
		t.Fatal(err)
	}
	start(t, &run.Timers{Desk: desk, Workers: []run.Worker{{Kind: helpdesk.TimerDeliver, Concurrency: 2, Lease: time.Minute, Do: deliverer.Deliver}}})
	waitFor(t, desk, "the delivery", func() bool { return state(t, desk, a) == helpdesk.DeliverySent })
}
