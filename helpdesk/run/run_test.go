package run_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
	"github.com/madoguchi/madoguchi/store"
)

// open returns a helpdesk with one ticket whose reply is due at once.
func open(t *testing.T) (*helpdesk.Desk, helpdesk.Actor) {
	t.Helper()
	return openWith(t, helpdesk.Options{PasswordMemory: 64, UndoWindow: -1})
}

func openWith(t *testing.T, o helpdesk.Options) (*helpdesk.Desk, helpdesk.Actor) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	desk, err := helpdesk.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := desk.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := desk.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "Sato", Password: "correct horse battery", AliasLocal: "support", Locale: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return desk, u.Actor()
}

func receive(t *testing.T, desk *helpdesk.Desk, text string) helpdesk.Receipt {
	t.Helper()
	raw := []byte("From: a@customer.example\r\nSubject: x\r\n\r\n" + text + "\r\n")
	receipt, err := desk.Receive(t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}}, Raw: raw, Message: mail.Parse(raw)})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// start runs the loops until the test ends.
func start(t *testing.T, timers *run.Timers) {
	t.Helper()
	timers.Now, timers.Log = time.Now, slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { timers.Run(ctx, time.Second) })
	t.Cleanup(func() { stop(); ended.Wait() })
}

// peer takes mails, or refuses them as told.
type peer struct {
	mu   sync.Mutex
	sent []outbound.Mail
	fail func(attempt int) error
	seen chan struct{}
}

func (p *peer) Deliver(_ context.Context, m outbound.Mail) (outbound.Outcome, error) {
	p.mu.Lock()
	defer func() { p.mu.Unlock(); p.seen <- struct{}{} }()
	p.sent = append(p.sent, m)
	if p.fail != nil {
		if err := p.fail(len(p.sent)); err != nil {
			return outbound.Outcome{}, err
		}
	}
	return outbound.Outcome{Host: "mx.customer.example", Response: "250 2.0.0 taken"}, nil
}

type mark string

func (s mark) Sign(raw []byte) ([]byte, error) {
	return append([]byte("DKIM-Signature: "+string(s)+"\r\n"), raw...), nil
}

func waitFor(t *testing.T, desk *helpdesk.Desk, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only used up by failures
	defer cancel()
	for last := uint64(0); !ready(); {
		seq, err := desk.Wait(ctx, last)
		if err != nil && !ready() {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		last = seq
	}
}

func signing(desk *helpdesk.Desk, files map[string][]run.Signer) *run.Signing {
	return &run.Signing{Desk: desk, Files: files, Log: slog.New(slog.DiscardHandler)}
}

func state(t *testing.T, desk *helpdesk.Desk, a helpdesk.Actor) helpdesk.DeliveryState {
	v, err := desk.Ticket(t.Context(), a, 1)
	if err != nil {
		t.Fatal(err)
	}
	return v.Messages[1].Deliveries[0].State
}

func TestReplyIsSignedAndDelivered(t *testing.T) {
	desk, a := open(t)
	receive(t, desk, "hello")
	p := &peer{seen: make(chan struct{}, 10)}
	deliverer := &run.Deliverer{Desk: desk, Sender: p, Signing: signing(desk, map[string][]run.Signer{"example.jp": {mark("of example.jp")}}), Log: slog.New(slog.DiscardHandler)}
	start(t, &run.Timers{Desk: desk, Workers: []run.Worker{{Kind: helpdesk.TimerDeliver, Concurrency: 2, Lease: time.Minute, Do: deliverer.Deliver}}})
	if _, err := desk.Reply(t.Context(), a, helpdesk.Reply{Ticket: 1, Text: "answer"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, desk, "the delivery", func() bool { return state(t, desk, a) == helpdesk.DeliverySent })
	if len(p.sent) != 1 || p.sent[0].To != "a@customer.example" || !strings.HasPrefix(p.sent[0].From, "bounce+") ||
		!strings.HasPrefix(string(p.sent[0].Raw), "DKIM-Signature: of example.jp\r\n") {
		t.Errorf("sent %+v", p.sent)
	}
}

func TestRefusalIsFinalAndTroubleIsNot(t *testing.T) {
	desk, a := open(t)
	receive(t, desk, "hello")
	p := &peer{seen: make(chan struct{}, 10), fail: func(attempt int) error {
		if attempt == 1 {
			return &outbound.Error{Code: 451, Enhanced: "4.3.0", Message: "later"}
		}
		return &outbound.Error{Permanent: true, Code: 550, Enhanced: "5.1.1", Message: "no such user"}
	}}
	deliverer := &run.Deliverer{Desk: desk, Sender: p, Signing: signing(desk, nil), Log: slog.New(slog.DiscardHandler)}
	start(t, &run.Timers{Desk: desk, Workers: []run.Worker{{Kind: helpdesk.TimerDeliver, Concurrency: 1, Lease: time.Minute, Do: deliverer.Deliver}}})
	m, err := desk.Reply(t.Context(), a, helpdesk.Reply{Ticket: 1, Text: "answer"})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, desk, "the deferral", func() bool { return state(t, desk, a) == helpdesk.DeliveryDeferred })
	view, err := desk.Message(t.Context(), a, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.RetryDelivery(t.Context(), a, view.Deliveries[0].ID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, desk, "the failure", func() bool { return state(t, desk, a) == helpdesk.DeliveryFailed })
}

// One piece of work that panics, or always fails, stalls nobody else.
func TestFailingWorkDoesNotStallTheLoop(t *testing.T) {
	desk, a := open(t)
	bad, good := receive(t, desk, "bad"), receive(t, desk, "good")
	ask := func(id string) {
		if err := desk.RetryAnalysis(t.Context(), a, id); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan string, 2)
	var panics atomic.Int32
	start(t, &run.Timers{Desk: desk, Workers: []run.Worker{{Kind: helpdesk.TimerAnalyse, Concurrency: 1, Lease: time.Minute,
		Do: func(ctx context.Context, id string) error {
			if id == bad.MessageID {
				panics.Add(1)
				panic("of one message")
			}
			done <- id
			return desk.SkipAnalysis(ctx, id)
		}}}})
	ask(bad.MessageID)
	ask(good.MessageID)
	if id := <-done; id != good.MessageID || panics.Load() != 1 {
		t.Errorf("done %s, %d panics", id, panics.Load())
	}
}

func TestWorkThatNeverEndsIsParked(t *testing.T) {
	desk, a := open(t)
	now := time.Now()
	desk.Now = func() time.Time { return now }
	m := receive(t, desk, "x")
	if err := desk.RetryAnalysis(t.Context(), a, m.MessageID); err != nil {
		t.Fatal(err)
	}
	claims := 0
	for range 30 {
		claimed, _, err := desk.ClaimDue(t.Context(), helpdesk.TimerAnalyse, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range claimed {
			claims++
			if err := desk.PutOff(t.Context(), timer, now, "it broke", true); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Hour)
	}
	list, err := desk.Timers(t.Context(), a, 10)
	if err != nil || claims != 20 || len(list) == 0 || !list[0].Parked || list[0].Problem != "it broke" {
		t.Errorf("%d claims, timers %+v, %v", claims, list, err)
	}
}

func TestFollowerMissesNothingAndRepeatsWhatFailed(t *testing.T) {
	desk, _ := open(t)
	var mu sync.Mutex
	var handled []uint64
	fail := true
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	follow := func(ctx context.Context) {
		run.Follow(ctx, desk, run.Follower{Name: "test", Handle: func(ctx context.Context, events []helpdesk.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if fail {
				fail = false
				return errors.New("once")
			}
			for _, e := range events {
				handled = append(handled, e.Seq)
			}
			return desk.SaveCursor(ctx, "test", events[len(events)-1].Seq)
		}}, slog.New(slog.DiscardHandler))
	}
	ended.Go(func() { follow(ctx) })
	receive(t, desk, "one")
	reached := func() bool {
		last, _ := desk.LastSeq(t.Context())
		mu.Lock()
		defer mu.Unlock()
		return len(handled) > 0 && handled[len(handled)-1] == last
	}
	for deadline := time.Now().Add(time.Minute); !reached() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond) // the follower saves its cursor without an event
	}
	stop()
	ended.Wait()
	receive(t, desk, "two, while nobody follows")
	again, cancel := context.WithCancel(t.Context())
	ended.Go(func() { follow(again) })
	for deadline := time.Now().Add(time.Minute); !reached() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	ended.Wait()
	for i, seq := range handled {
		if seq != uint64(i+1) {
			t.Fatalf("handled %v", handled)
		}
	}
	if !reached() {
		t.Errorf("handled only %v", handled)
	}
}
