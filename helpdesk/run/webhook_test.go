package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// receiver is a webhook's other side.
type receiver struct {
	t      *testing.T
	http   *httptest.Server
	mu     sync.Mutex
	status int
	heard  []heard
}

type heard struct {
	header http.Header
	body   []byte
	Type   string
	Data   struct {
		Seq     uint64
		Ticket  *struct{ Number uint64 }
		Details map[string]string
	}
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, status: http.StatusNoContent}
	r.http = httptest.NewServer(r)
	t.Cleanup(r.http.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	h := heard{header: request.Header, body: body}
	if err := json.Unmarshal(body, &h); err != nil {
		r.t.Errorf("not JSON: %s", body)
	}
	r.mu.Lock()
	status := r.status
	r.heard = append(r.heard, h)
	r.mu.Unlock()
	w.WriteHeader(status)
	io.WriteString(w, "said   by\nthe receiver")
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// told is a house whose webhook is told of tickets and messages.
type told struct {
	*helpdesk.Desk
	t      *testing.T
	admin  helpdesk.Actor
	now    time.Time
	to     *receiver
	hook   *helpdesk.Webhook
	secret string
	teller *run.Teller
}

func newTold(t *testing.T) *told {
	t.Helper()
	d := &told{t: t, to: newReceiver(t), now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
	d.Desk, d.admin = openWith(t, helpdesk.Options{PasswordMemory: 64, UndoWindow: -1, PrivateWebhooks: true})
	d.Now = func() time.Time { return d.now }
	d.teller = run.NewTeller(run.Teller{Desk: d.Desk, Now: d.Now, Log: slog.New(slog.DiscardHandler), Agent: "Madoguchi", URL: "https://desk.example.jp",
		Network: fetch.Network{Dial: fetch.DialAllowed(nil, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})}})
	var err error
	d.hook, d.secret, err = d.SaveWebhook(t.Context(), d.admin, helpdesk.Webhook{Name: "倉庫", URL: d.to.http.URL + "/hook",
		Kinds: []helpdesk.EventKind{helpdesk.EventTicketCreated, helpdesk.EventMessageReceived}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// work does what timers of the kind are due.
func (d *told) work(kind helpdesk.TimerKind, do func(context.Context, string) error) (done int) {
	d.t.Helper()
	due, _, err := d.ClaimDue(d.t.Context(), kind, 10, time.Minute)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, timer := range due {
		if err := do(d.t.Context(), timer.ID); err != nil {
			d.t.Fatal(err)
		}
	}
	return len(due)
}

func (d *told) wake() {
	d.t.Helper()
	if err := d.WakeWebhooks(d.t.Context(), nil); err != nil {
		d.t.Fatal(err)
	}
}

func (d *told) state() helpdesk.Webhook {
	d.t.Helper()
	w, err := d.Webhook(d.t.Context(), d.admin, d.hook.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return *w
}

// kinds are what the receiver heard, in order.
func (d *told) kinds() string {
	d.to.mu.Lock()
	defer d.to.mu.Unlock()
	var list []string
	for _, h := range d.to.heard {
		list = append(list, h.Type)
	}
	return strings.Join(list, " ")
}

func (d *told) verify() {
	d.t.Helper()
	if problems, err := d.Verify(d.t.Context()); err != nil || len(problems) > 0 {
		d.t.Errorf("verify: %q, %v", problems, err)
	}
}

// A mail that was held is told once somebody has taken it in.
func TestWebhooksHearOfHeldMailThatIsTakenIn(t *testing.T) {
	d := newTold(t)
	receive(t, d.Desk, "one")
	answer, err := d.Reply(t.Context(), d.admin, helpdesk.Reply{Ticket: 1, Text: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []helpdesk.Resolution{helpdesk.ResolveJoin, helpdesk.ResolveSplit, helpdesk.ResolveRefuse} {
		stranger := "stranger-" + string(r) + "@elsewhere.example"
		raw := []byte("From: " + stranger + "\r\nTo: " + answer.ReplyAddress + "\r\nSubject: Re: " + string(r) + "\r\n\r\nHello\r\n")
		got, err := d.Receive(t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{MailFrom: stranger, Recipients: []string{answer.ReplyAddress}}, Raw: raw, Message: mail.Parse(raw)})
		if err != nil || got.State != helpdesk.MessageHeld {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := d.ResolveHeld(t.Context(), d.admin, got.MessageID, r); err != nil {
			t.Fatal(err)
		}
	}
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	var said []string
	for _, h := range d.to.heard {
		if h.Type == string(helpdesk.EventMessageReceived) {
			said = append(said, fmt.Sprint(h.Data.Ticket.Number, " ", h.Data.Details["event"]))
		}
	}
	if got := strings.Join(said, ", "); got != "1 , 1 message.joined, 2 message.split" {
		t.Errorf("received: %s", got)
	}
}

func TestWebhooksHearEveryEventInOrder(t *testing.T) {
	d := newTold(t)
	receive(t, d.Desk, "one")
	receive(t, d.Desk, "two")
	d.wake()
	if n := d.work(helpdesk.TimerWebhook, d.teller.Tell); n != 1 {
		t.Fatalf("%d timers", n)
	}
	if got := d.kinds(); got != "ticket.created message.received ticket.created message.received" && got != "message.received ticket.created message.received ticket.created" {
		t.Fatalf("heard %s", got)
	}
	var last uint64
	ids := map[string]bool{}
	for _, h := range d.to.heard {
		if h.Data.Seq <= last {
			t.Errorf("event %d after %d", h.Data.Seq, last)
		}
		last = h.Data.Seq
		id, stamp := h.header.Get("Webhook-Id"), h.header.Get("Webhook-Timestamp")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || at != d.now.Unix() || ids[id] || id == "" {
			t.Errorf("id %q, time %q", id, stamp)
		}
		ids[id] = true
		want, err := run.WebhookSignature(d.secret, id, d.now, h.body)
		if err != nil || h.header.Get("Webhook-Signature") != want {
			t.Errorf("signature %q, want %q, %v", h.header.Get("Webhook-Signature"), want, err)
		}
		if h.Data.Ticket == nil || h.Data.Ticket.Number == 0 || len(h.body) > 64<<10 {
			t.Errorf("body %s", h.body)
		}
	}
	if w := d.state(); w.Current != "" || w.Cursor < last || w.Failures != 0 {
		t.Errorf("%+v", w)
	}
	// Nothing more to say: no timer, and nothing is sent twice.
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if len(d.to.heard) != 4 {
		t.Errorf("%d were heard", len(d.to.heard))
	}
	d.verify()
}

// A receiver that fails is asked again, later each time, with the same id; nothing
// overtakes what waits; and a crash in the middle of an attempt repeats it.
func TestWebhooksAreTriedAgainAndGivenUp(t *testing.T) {
	d := newTold(t)
	ctx := t.Context()
	receive(t, d.Desk, "one")
	d.to.answer(http.StatusInternalServerError)
	d.wake()
	var waits []time.Duration
	for range 5 {
		if n := d.work(helpdesk.TimerWebhook, d.teller.Tell); n != 1 {
			t.Fatalf("%d timers after %v", n, waits)
		}
		w := d.state()
		waits = append(waits, w.NextAt.Sub(d.now))
		if n := d.work(helpdesk.TimerWebhook, d.teller.Tell); n != 0 {
			t.Fatal("it is tried again before its time")
		}
		d.now = w.NextAt
	}
	for i := 1; i < len(waits); i++ {
		if waits[i] <= waits[i-1] {
			t.Errorf("waits %v", waits)
		}
	}
	for _, h := range d.to.heard[1:] {
		if h.header.Get("Webhook-Id") != d.to.heard[0].header.Get("Webhook-Id") || h.Data.Seq != d.to.heard[0].Data.Seq {
			t.Error("another event overtook the one that waits")
		}
	}
	list, err := d.WebhookDeliveries(ctx, d.admin, d.hook.ID, 10)
	if err != nil || len(list) != 1 || list[0].State != helpdesk.WebhookWaiting || list[0].Tries != 5 || list[0].Attempts[4].Status != 500 || list[0].Attempts[4].Head != "said by the receiver" {
		t.Fatalf("%+v, %v", list, err)
	}

	// The process dies while an attempt is under way: when it is due next was written before.
	if _, _, err := d.ClaimDue(ctx, helpdesk.TimerWebhook, 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if call, err := d.NextWebhook(ctx, d.hook.ID, nil, false); err != nil || call == nil || call.Delivery.Tries != 6 {
		t.Fatalf("%+v, %v", call, err)
	}
	if err := d.ReleaseClaims(ctx); err != nil {
		t.Fatal(err)
	}
	if n := d.work(helpdesk.TimerWebhook, d.teller.Tell); n != 0 {
		t.Error("the attempt that broke off is repeated at once")
	}
	d.now = d.now.Add(2 * time.Hour)
	d.to.answer(http.StatusOK)
	if n := d.work(helpdesk.TimerWebhook, d.teller.Tell); n != 1 || !strings.HasSuffix(d.kinds(), "message.received ticket.created") && !strings.HasSuffix(d.kinds(), "ticket.created message.received") {
		t.Errorf("%d timers, heard %s", n, d.kinds())
	}
	if w := d.state(); w.Failures != 0 || !w.FailingSince.IsZero() {
		t.Errorf("%+v", w)
	}

	// Failing for days, it is given up, and admins are told.
	receive(t, d.Desk, "two")
	d.to.answer(http.StatusBadGateway)
	d.wake()
	for range 200 {
		if d.state().Parked {
			break
		}
		d.work(helpdesk.TimerWebhook, d.teller.Tell)
		d.now = d.now.Add(time.Hour)
	}
	w := d.state()
	if !w.Parked || d.now.Sub(w.FailingSince) > helpdesk.DefaultWebhookPatience+2*time.Hour {
		t.Fatalf("%+v at %v", w, d.now)
	}
	if alarms, err := d.Alarms(ctx, d.admin); err != nil || len(alarms) != 1 || alarms[0].Kind != helpdesk.AlarmWebhook || !strings.Contains(alarms[0].Detail, "Bad Gateway") {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
	before := len(d.to.heard)
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if len(d.to.heard) != before {
		t.Error("a webhook that was given up is still told")
	}

	// Resumed, it goes on where it stopped.
	d.to.answer(http.StatusOK)
	if err := d.ResumeWebhook(ctx, d.admin, d.hook.ID, false); err != nil {
		t.Fatal(err)
	}
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if len(d.to.heard) != before+2 {
		t.Errorf("%d more were heard, want 2", len(d.to.heard)-before)
	}
	if alarms, err := d.Alarms(ctx, d.admin); err != nil || len(alarms) != 0 {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
	d.verify()
}

func TestWebhooksCanBeStoppedSkippedTestedAndRepeated(t *testing.T) {
	d := newTold(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// While paused only a test is sent.
	must(d.PauseWebhook(ctx, d.admin, d.hook.ID))
	receive(t, d.Desk, "one")
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	_, err := d.TestWebhook(ctx, d.admin, d.hook.ID)
	must(err)
	d.work(helpdesk.TimerWebhookOnce, d.teller.TellOnce)
	if d.kinds() != "webhook.test" {
		t.Fatalf("heard %s", d.kinds())
	}
	// A secret that was changed: both sign for a day.
	second, err := d.RotateWebhookSecret(ctx, d.admin, d.hook.ID)
	must(err)
	must(d.ResumeWebhook(ctx, d.admin, d.hook.ID, false))
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	h := d.to.heard[1]
	for _, secret := range []string{d.secret, second} {
		if want, _ := run.WebhookSignature(secret, h.header.Get("Webhook-Id"), d.now, h.body); !strings.Contains(h.header.Get("Webhook-Signature"), want) {
			t.Errorf("%q lacks the signature of one of the two secrets", h.header.Get("Webhook-Signature"))
		}
	}
	d.now = d.now.Add(25 * time.Hour)
	// A repetition has the id of what it repeats, and the new secret alone.
	list, err := d.WebhookDeliveries(ctx, d.admin, d.hook.ID, 10)
	must(err)
	if _, err := d.RepeatWebhook(ctx, d.admin, "another", list[0].ID); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
		t.Errorf("repeated as another webhook's: %v", err)
	}
	_, err = d.RepeatWebhook(ctx, d.admin, d.hook.ID, list[0].ID)
	must(err)
	d.work(helpdesk.TimerWebhookOnce, d.teller.TellOnce)
	again := d.to.heard[len(d.to.heard)-1]
	if again.header.Get("Webhook-Id") != list[0].MessageID || again.Data.Seq != list[0].Seq || strings.Contains(again.header.Get("Webhook-Signature"), " ") {
		t.Errorf("repeated %v", again.header)
	}
	// One event that is never taken can be left out.
	receive(t, d.Desk, "two")
	d.to.answer(http.StatusBadRequest)
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	stuck := d.state()
	d.to.answer(http.StatusOK)
	must(d.SkipWebhookEvent(ctx, d.admin, d.hook.ID))
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if w := d.state(); stuck.Current == "" || w.Current != "" || w.Failures != 0 {
		t.Errorf("%+v", w)
	}
	// 410 says that nobody wants it any more.
	receive(t, d.Desk, "three")
	d.to.answer(http.StatusGone)
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if !d.state().Parked {
		t.Error("a receiver that is gone is told on")
	}
	// Going on at the end leaves out what happened meanwhile.
	d.to.answer(http.StatusOK)
	before := len(d.to.heard)
	must(d.ResumeWebhook(ctx, d.admin, d.hook.ID, true))
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if len(d.to.heard) != before {
		t.Error("what was to be left out was sent")
	}
	d.verify()
	must(d.DeleteWebhook(ctx, d.admin, d.hook.ID))
	if list, err := d.WebhookDeliveries(ctx, d.admin, d.hook.ID, 10); err != nil || len(list) != 0 {
		t.Errorf("%d deliveries are left, %v", len(list), err)
	}
	d.verify()
}

// An address inside is refused when it is connected to, whatever its name said when
// it was saved; a redirect is not followed.
func TestWebhooksReachNothingInside(t *testing.T) {
	d := newTold(t)
	d.teller = run.NewTeller(run.Teller{Desk: d.Desk, Now: d.Now, Log: slog.New(slog.DiscardHandler)})
	receive(t, d.Desk, "one")
	d.wake()
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	list, err := d.WebhookDeliveries(t.Context(), d.admin, d.hook.ID, 1)
	if err != nil || len(list[0].Attempts) != 1 || !strings.Contains(list[0].Attempts[0].Error, "allow_networks") || len(d.to.heard) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	public, _ := openWith(t, helpdesk.Options{PasswordMemory: 64})
	for _, address := range []string{"http://example.com/", "https://user:password@example.com/", "ftp://example.com/", "https://", "hooks", "https://example.com/#x"} {
		_, _, err := public.SaveWebhook(t.Context(), helpdesk.System("test"), helpdesk.Webhook{Name: "x", URL: address, Kinds: []helpdesk.EventKind{helpdesk.EventTicketCreated}})
		if helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("%s: %v", address, err)
		}
	}
	elsewhere := httptest.NewServer(http.RedirectHandler(d.to.http.URL, http.StatusTemporaryRedirect))
	t.Cleanup(elsewhere.Close)
	d.hook.URL = elsewhere.URL
	if _, _, err := d.SaveWebhook(t.Context(), d.admin, *d.hook); err != nil {
		t.Fatal(err)
	}
	d.teller = run.NewTeller(run.Teller{Desk: d.Desk, Now: d.Now, Log: slog.New(slog.DiscardHandler),
		Network: fetch.Network{Dial: fetch.DialAllowed(nil, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})}})
	d.now = d.now.Add(time.Hour)
	d.work(helpdesk.TimerWebhook, d.teller.Tell)
	if list, err = d.WebhookDeliveries(t.Context(), d.admin, d.hook.ID, 1); err != nil || list[0].Attempts[len(list[0].Attempts)-1].Status != http.StatusTemporaryRedirect || len(d.to.heard) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
