package helpdesk

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// WebhookState is the fate of a delivery to a webhook.
type WebhookState string

// The states.
const (
	WebhookWaiting WebhookState = "waiting" // it is tried, or will be again
	WebhookTaken   WebhookState = "taken"
	WebhookFailed  WebhookState = "failed"  // a test or a repetition, which is tried once
	WebhookSkipped WebhookState = "skipped" // left out by an admin
)

// WebhookDelivery is one event on its way to a webhook.
type WebhookDelivery struct {
	ID   string
	Hook string
	// MessageID is the same for every attempt and repetition: receivers tell by it
	// what they have.
	MessageID string
	Seq       uint64 // of the event; 0 for a test
	Kind      EventKind
	Ticket    uint64
	At        time.Time
	State     WebhookState
	Once      bool // a test or a repetition: tried once, beside the order
	Tries     int
	Attempts  []WebhookAttempt // the newest last, of the last ones
}

// WebhookAttempt is what became of one attempt.
type WebhookAttempt struct {
	At     time.Time
	Took   time.Duration
	Status int    // of HTTP; 0 where there was no answer
	Head   string // how the answer began
	Error  string // why there was none
}

// taken reports whether the receiver has the event.
func (a WebhookAttempt) taken() bool { return a.Status >= 200 && a.Status < 300 }

// WebhookCall is what to send to whom.
type WebhookCall struct {
	Delivery WebhookDelivery
	URL      string
	Secrets  []string // that are valid, the newest first
	Event    Event
	Ticket   *TicketRow     // as it is now; nil for an event of no ticket
	Attempt  WebhookAttempt // what came of it, for whoever made it to fill in
}

// Attempts at a webhook.
const (
	// WebhookTimeout is how long one attempt may take.
	WebhookTimeout = 15 * time.Second
	// DefaultWebhookPatience is how long a webhook may fail before it is given up.
	DefaultWebhookPatience = 72 * time.Hour
	keptAttempts           = 10
	eventsAtOnce           = 2000 // of the log, in one transaction
)

// webhookPauses are the waits before the further attempts; the last one repeats.
var webhookPauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// webhookPause is the wait after some failures in a row, a fifth more or less, so
// that receivers that fell over together are not all asked at once.
func webhookPause(failures int, jitter float64) time.Duration {
	pause := webhookPauses[min(max(failures-1, 0), len(webhookPauses)-1)]
	return pause + time.Duration(float64(pause)*0.2*(2*jitter-1))
}

// WakeWebhooks sees to it that the webhooks that are told of some of the events are
// worked on; without events all that work are. It writes only where there is
// something to write: most events are nobody's.
func (d *Desk) WakeWebhooks(ctx context.Context, list []Event) error {
	var ids []string
	asleep := func(r store.Reader) error {
		ids = nil
		for w, err := range webhooks.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			told := slices.ContainsFunc(list, func(e Event) bool { return e.Seq > w.Cursor && w.tells(&e) })
			if !w.Works() || !told && len(list) > 0 {
				continue
			}
			waits, err := timers.Has(r, key(string(TimerWebhook), w.ID))
			if err != nil {
				return err
			}
			if !waits {
				ids = append(ids, w.ID)
			}
		}
		return nil
	}
	if err := d.view(ctx, asleep); err != nil || len(ids) == 0 {
		return err
	}
	return d.update(ctx, System("webhooks"), func(c *command) error {
		if err := asleep(c); err != nil {
			return err
		}
		for _, id := range ids {
			if err := c.setTimer(TimerWebhook, id, c.now); err != nil {
				return err
			}
		}
		return nil
	})
}

// NextWebhook writes down what became of the call before, where there was one, and
// returns what to send to a webhook next; nil where there is nothing to send now.
// When the attempt after this one is due is written in the same transaction, before
// it is made: a crash repeats it and forgets nothing. With rest, nothing further is
// begun.
func (d *Desk) NextWebhook(ctx context.Context, id string, done *WebhookCall, rest bool) (call *WebhookCall, err error) {
	jitter, parked := rand.Float64(), (*AlarmDetail)(nil)
	err = d.update(ctx, System("webhooks"), func(c *command) error {
		call, parked = nil, nil
		w, err := optional(webhooks.Get(c, key(id)))
		if err != nil {
			return err
		}
		if w == nil {
			return c.clearTimer(TimerWebhook, id)
		}
		if done != nil {
			if done.Delivery.ID != w.Current {
				return nil // an admin left it out meanwhile, and set the timer as it has to be
			}
			if parked, err = c.attempted(w, done.Attempt, jitter); err != nil {
				return err
			}
		}
		switch {
		case !w.Works():
			err = c.clearTimer(TimerWebhook, id)
		case w.Failures > 0 && done != nil:
			err = c.setTimer(TimerWebhook, id, w.NextAt)
		case rest:
			err = c.setTimer(TimerWebhook, id, c.now)
		default:
			call, err = c.beginWebhook(w, jitter)
		}
		if err != nil {
			return err
		}
		return webhooks.Put(c, w)
	})
	if err == nil && parked != nil {
		err = d.RaiseAlarm(ctx, System("webhooks"), AlarmWebhook, id, *parked)
	}
	return call, err
}

// attempted writes an attempt at the current event down. It returns why the webhook
// is given up, nil while it is not.
func (c *command) attempted(w *Webhook, attempt WebhookAttempt, jitter float64) (parked *AlarmDetail, err error) {
	delivery, err := optional(webhookDeliveries.Get(c, key(w.Current)))
	if err != nil || delivery == nil {
		return nil, err
	}
	delivery.add(attempt)
	if attempt.taken() {
		delivery.State = WebhookTaken
		w.Cursor, w.Current, w.Failures, w.FailingSince, w.NextAt = delivery.Seq, "", 0, time.Time{}, time.Time{}
		return nil, webhookDeliveries.Put(c, delivery)
	}
	w.Failures++
	if w.FailingSince.IsZero() {
		w.FailingSince = attempt.At
	}
	w.NextAt = c.now.Add(webhookPause(w.Failures, jitter))
	if attempt.Status == http.StatusGone || c.now.Sub(w.FailingSince) >= c.desk.options.WebhookPatience {
		w.Parked, w.NextAt = true, time.Time{}
		parked = attempt.givenUp(w.Name)
		if _, err := c.record(Event{Kind: EventWebhookParked, Data: details{}.with("webhook", w.Name).with("problem", clipDetail(attempt.String()))}); err != nil {
			return nil, err
		}
	}
	return parked, webhookDeliveries.Put(c, delivery)
}

func (d *WebhookDelivery) add(attempt WebhookAttempt) {
	d.Attempts = append(d.Attempts, attempt)
	d.Attempts = d.Attempts[max(0, len(d.Attempts)-keptAttempts):]
}

// String says what came of an attempt.
func (a WebhookAttempt) String() string {
	if a.Status == 0 {
		return a.Error
	}
	return http.StatusText(a.Status) + " " + a.Head
}

// givenUp says that a webhook is given up after this attempt.
func (a WebhookAttempt) givenUp(name string) *AlarmDetail {
	d := Found("webhook_refused", "%s: it answered %s %s", name, strconv.Itoa(a.Status), strings.TrimSpace(a.String()))
	switch a.Status {
	case 0:
		d = Found("webhook_unreachable", "%s: %s", name, a.Error)
	case http.StatusGone:
		d = Found("webhook_gone", "%s: it answered 410 Gone: it wants nothing any more", name)
	}
	return &d
}

// beginWebhook finds the event that is next and begins an attempt at it.
func (c *command) beginWebhook(w *Webhook, jitter float64) (*WebhookCall, error) {
	delivery, err := optional(webhookDeliveries.Get(c, key(w.Current)))
	if err != nil {
		return nil, err
	}
	if delivery == nil {
		e, more, err := c.nextEvent(w)
		switch {
		case err != nil:
			return nil, err
		case e == nil && more:
			return nil, c.setTimer(TimerWebhook, w.ID, c.now)
		case e == nil:
			return nil, c.clearTimer(TimerWebhook, w.ID)
		}
		if delivery, err = c.newWebhookDelivery(w, e, false); err != nil {
			return nil, err
		}
		w.Current = delivery.ID
	}
	delivery.Tries++
	if err := webhookDeliveries.Put(c, delivery); err != nil {
		return nil, err
	}
	if err := c.setTimer(TimerWebhook, w.ID, c.now.Add(WebhookTimeout+webhookPause(w.Failures+1, jitter))); err != nil {
		return nil, err
	}
	return c.webhookCall(w, delivery)
}

// nextEvent moves the cursor up to the next event that the webhook is told of; more
// says that there is a part of the log yet to look at.
func (c *command) nextEvent(w *Webhook) (e *Event, more bool, err error) {
	looked := 0
	for e, err := range events.Scan(c, store.Range{Start: key(w.Cursor + 1)}) {
		if err != nil {
			return nil, false, err
		}
		if looked == eventsAtOnce {
			return nil, true, nil
		}
		if w.tells(e) {
			return e, false, nil
		}
		looked++
		w.Cursor = e.Seq
	}
	return nil, false, nil
}

func (c *command) newWebhookDelivery(w *Webhook, e *Event, once bool) (*WebhookDelivery, error) {
	id := c.desk.newID()
	delivery := &WebhookDelivery{ID: id, Hook: w.ID, MessageID: "msg_" + id, Seq: e.Seq, Kind: e.told().Kind, Ticket: e.Ticket, At: c.now, State: WebhookWaiting, Once: once}
	if w.Kept++; w.Kept > keptDeliveries+deliveriesAtOnce {
		if err := c.forgetDeliveries(w, keptDeliveries); err != nil {
			return nil, err
		}
	}
	return delivery, webhookDeliveries.Put(c, delivery)
}

// forgetDeliveries forgets all but the newest deliveries of a webhook.
func (c *command) forgetDeliveries(w *Webhook, keep int) error {
	var ids []string
	for d, err := range webhookDeliveries.ScanIndex(c, "hook", store.Prefix(key(w.ID))) {
		if err != nil {
			return err
		}
		ids = append(ids, d.ID)
	}
	for _, id := range ids[:max(0, len(ids)-keep)] {
		if id == w.Current && keep > 0 {
			continue
		}
		if err := errors.Join(c.clearTimer(TimerWebhookOnce, id), webhookDeliveries.Delete(c, key(id))); err != nil {
			return err
		}
	}
	w.Kept = min(len(ids), keep)
	return nil
}

// webhookCall gathers what an attempt needs.
func (c *command) webhookCall(w *Webhook, delivery *WebhookDelivery) (*WebhookCall, error) {
	call := &WebhookCall{Delivery: *delivery, URL: w.URL, Event: Event{Kind: delivery.Kind, At: delivery.At}}
	for _, s := range w.Secrets {
		if s.Ends.IsZero() || s.Ends.After(c.now) {
			call.Secrets = append(call.Secrets, s.Value)
		}
	}
	if delivery.Seq == 0 {
		return call, nil
	}
	e, err := events.Get(c, key(delivery.Seq))
	if err != nil {
		return nil, err
	}
	call.Event = e.told()
	if e.Ticket == 0 {
		return call, nil
	}
	t, err := optional(tickets.Get(c, key(e.Ticket)))
	if err != nil || t == nil {
		return call, err
	}
	row, err := newNames(c, c.actor).row(t)
	call.Ticket = &row
	return call, err
}
