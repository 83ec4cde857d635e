package helpdesk

import (
	"cmp"
	"context"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Webhook is an address of another program that is told of events: in the order of
// the log, each at least once, the next only when the one before was taken.
type Webhook struct {
	ID   string
	Name string
	URL  string
	// Kinds are the events it is told of, of WebhookKinds.
	Kinds []EventKind
	// Secrets sign what is sent, the newest first. An older one signs beside it
	// until it ends, so that the receiver can change over.
	Secrets []WebhookSecret
	// Cursor is the Seq of the last event that was dealt with.
	Cursor uint64
	// Current is the delivery of the event after it that is tried, "" for none.
	Current string
	// Failures counts the attempts in a row that failed, the first of them at
	// FailingSince; NextAt is when the next one is due.
	Failures     int
	FailingSince time.Time
	NextAt       time.Time
	// Paused was chosen by an admin, Parked is what became of it by itself. Either
	// way nothing is sent and the cursor stays.
	Paused, Parked bool
	CreatedAt      time.Time
	// Kept counts its deliveries that are remembered.
	Kept int
}

// WebhookSecret is a key of HMAC-SHA256, as Standard Webhooks writes it.
type WebhookSecret struct {
	Value     string // "whsec_" and base64
	CreatedAt time.Time
	Ends      time.Time // zero while it is the newest
}

// WebhookGroup is a heading over kinds of events.
type WebhookGroup struct {
	Name  string
	Kinds []EventKind
}

// WebhookGroups are the events that can be chosen. Others are the machinery's own,
// or say nothing outside.
var WebhookGroups = []WebhookGroup{
	{"tickets", []EventKind{EventTicketCreated, EventTicketStage, EventTicketReopened, EventTicketAssigned, EventTicketTeam, EventTicketTags,
		EventTicketPriority, EventTicketField, EventTicketOverdue, EventTicketSnoozed, EventTicketWoken, EventTicketMerged, EventTicketSpam, EventTicketNotSpam}},
	{"messages", []EventKind{EventMessageReceived, EventMessageHeld, EventMessageRefused, EventReplyPosted, EventReplyUndone, EventReplyLogged, EventNoteAdded,
		EventAcknowledged, EventServiceSent}},
	{"deliveries", []EventKind{EventDeliverySent, EventDeliveryDelayed, EventDeliveryFailed, EventAddressSuppressed}},
	{"analysis", []EventKind{EventAnalysisStored, EventAnalysisFailed, EventAnalysisCorrected}},
	{"people", []EventKind{EventContactSaved, EventContactMerged, EventCompanySaved, EventUserAway, EventUserBack}},
	{"house", []EventKind{EventUserSaved, EventLoginFailed, EventTokenCreated, EventTokenRevoked, EventExported, EventAlarmRaised, EventAlarmEnded}},
}

// EventWebhookTest is what a test delivery says it is. It is in no log.
const EventWebhookTest EventKind = "webhook.test"

// Limits of webhooks.
const (
	maxWebhooks      = 50
	maxWebhookName   = 60
	maxWebhookURL    = 2048
	secretOverlap    = 24 * time.Hour // in which the secret before the newest still signs
	secretPrefix     = "whsec_"
	keptDeliveries   = 200
	deliveriesAtOnce = 50 // that are forgotten together
)

var (
	webhooks = store.NewTable(store.Spec[Webhook]{Name: "webhook", Version: 1,
		Key: func(w *Webhook) []byte { return key(w.ID) }})
	webhookDeliveries = store.NewTable(store.Spec[WebhookDelivery]{Name: "webhookdelivery", Version: 1,
		Key: func(d *WebhookDelivery) []byte { return key(d.ID) },
		Indexes: []store.Index[WebhookDelivery]{
			{Name: "hook", Keys: func(d *WebhookDelivery) [][]byte { return one(key(d.Hook, d.ID)) }},
		}})
)

// tells reports whether the webhook is told of an event.
func (w *Webhook) tells(e *Event) bool { return slices.Contains(w.Kinds, e.told().Kind) }

// told is an event as webhooks are told of it: a held mail that somebody takes in has been
// received then, and its details say by which event of the log.
func (e *Event) told() Event {
	told := *e
	takenIn := e.Kind == EventMessageJoined || e.Kind == EventMessageSplit && e.Data["to_ticket"] == ""
	if takenIn {
		told.Kind, told.Data = EventMessageReceived, details(maps.Clone(e.Data)).with("event", string(e.Kind))
	}
	return told
}

// Works reports whether it is sent to.
func (w *Webhook) Works() bool { return !w.Paused && !w.Parked }

// Webhooks returns every webhook by name, without their secrets.
func (d *Desk) Webhooks(ctx context.Context, a Actor) ([]Webhook, error) {
	if err := a.may("read webhooks", PermitWebhooks); err != nil {
		return nil, err
	}
	list, err := scanAll(ctx, d, webhooks, func(a, b Webhook) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	for i := range list {
		list[i].hideSecrets()
	}
	return list, err
}

// hideSecrets leaves of each secret when it was made and ends: it is shown once.
func (w *Webhook) hideSecrets() {
	for i := range w.Secrets {
		w.Secrets[i].Value = ""
	}
}

// Webhook returns one, without its secrets.
func (d *Desk) Webhook(ctx context.Context, a Actor, id string) (w *Webhook, err error) {
	if err := a.may("read webhooks", PermitWebhooks); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		w, err = webhooks.Get(r, key(id))
		w, err = found(w, err, "webhook", id)
		return err
	})
	if err == nil {
		w.hideSecrets()
	}
	return w, err
}

// SaveWebhook makes a webhook, whose secret it returns once, or changes name,
// address and kinds of one. A new one is told of what happens from now on.
func (d *Desk) SaveWebhook(ctx context.Context, a Actor, w Webhook) (saved *Webhook, secret string, err error) {
	if err := a.may("change webhooks", PermitWebhooks); err != nil {
		return nil, "", err
	}
	if err := d.checkWebhook(&w); err != nil {
		return nil, "", err
	}
	made := newWebhookSecret()
	err = d.update(ctx, a, func(c *command) error {
		secret = ""
		before := &Webhook{}
		if w.ID == "" {
			last, err := c.roomForWebhook()
			if err != nil {
				return err
			}
			secret = made
			saved = &Webhook{ID: d.newID(), CreatedAt: c.now, Cursor: last, Secrets: []WebhookSecret{{Value: made, CreatedAt: c.now}}}
		} else {
			if saved, err = c.webhook(w.ID); err != nil {
				return err
			}
			if err := c.unchanged("webhook", saved.Version()); err != nil {
				return err
			}
			known := *saved
			before = &known
		}
		saved.Name, saved.URL, saved.Kinds = w.Name, w.URL, w.Kinds
		if err := webhooks.Put(c, saved); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventWebhookSaved, Data: changesOf(change{"name", before.Name, saved.Name}, change{"url", before.URL, saved.URL},
			change{"kinds", joinKinds(before.Kinds), joinKinds(saved.Kinds)}).with("webhook", saved.Name)})
		return err
	})
	if err != nil {
		return nil, "", err
	}
	saved.hideSecrets()
	return saved, secret, nil
}

func joinKinds(kinds []EventKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// roomForWebhook checks that one more may be made, and returns where the log ends.
func (c *command) roomForWebhook() (last uint64, err error) {
	n := 0
	for _, err := range webhooks.Scan(c, store.Range{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	if n >= maxWebhooks {
		return 0, conflict("webhook_limit", "there are %d webhooks; that is the limit", maxWebhooks)
	}
	return lastSeq(c)
}

func (c *command) webhook(id string) (*Webhook, error) {
	w, err := webhooks.Get(c, key(id))
	return found(w, err, "webhook", id)
}

func (d *Desk) checkWebhook(w *Webhook) error {
	w.Name, w.URL = strings.Join(strings.Fields(w.Name), " "), strings.TrimSpace(w.URL)
	if w.Name == "" {
		return invalid("name", "name_empty", "the webhook has no name")
	}
	if utf8.RuneCountInString(w.Name) > maxWebhookName {
		return invalid("name", "webhook_name_long", "the name %q has more than %d characters", w.Name, maxWebhookName)
	}
	u, err := url.Parse(w.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" || len(w.URL) > maxWebhookURL {
		return invalid("url", "webhook_url", "%q is no address of a webhook; write it like https://example.com/hooks/madoguchi, without a name and password in it", clipDetail(w.URL))
	}
	if u.Scheme == "http" && !d.options.PrivateWebhooks {
		return invalid("url", "webhook_plain", "the address begins with http://, where anybody on the way reads along; use https://, or name your own network in [webhooks] allow_networks")
	}
	var known []EventKind
	for _, group := range WebhookGroups {
		known = append(known, group.Kinds...)
	}
	slices.Sort(w.Kinds)
	w.Kinds = slices.Compact(w.Kinds)
	for _, k := range w.Kinds {
		if !slices.Contains(known, k) {
			return invalid("kinds", "webhook_kind", "a webhook cannot be told of %q; GET /api/v1/webhooks lists the kinds of events", k)
		}
	}
	if len(w.Kinds) == 0 {
		return invalid("kinds", "webhook_kinds", "choose at least one kind of event")
	}
	return nil
}

func newWebhookSecret() string {
	secret, _ := newSecret()
	raw, _ := base64.RawURLEncoding.DecodeString(secret) // as it was made
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// DeleteWebhook forgets a webhook and what was sent to it.
func (d *Desk) DeleteWebhook(ctx context.Context, a Actor, id string) error {
	return d.changeWebhook(ctx, a, id, EventWebhookDeleted, func(c *command, w *Webhook) error {
		if err := c.forgetDeliveries(w, 0); err != nil {
			return err
		}
		if err := c.clearTimer(TimerWebhook, id); err != nil {
			return err
		}
		return webhooks.Delete(c, key(id))
	})
}

// changeWebhook runs one change of a webhook and records it.
func (d *Desk) changeWebhook(ctx context.Context, a Actor, id string, kind EventKind, fn func(*command, *Webhook) error) error {
	if err := a.may("change webhooks", PermitWebhooks); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		w, err := c.webhook(id)
		if err != nil {
			return err
		}
		if err := c.unchanged("webhook", w.Version()); err != nil {
			return err
		}
		if err := fn(c, w); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: kind, Data: details{}.with("webhook", w.Name)})
		return err
	})
}

// RotateWebhookSecret gives a webhook a new secret, which it returns once. The one
// before signs beside it for a day.
func (d *Desk) RotateWebhookSecret(ctx context.Context, a Actor, id string) (secret string, err error) {
	secret = newWebhookSecret()
	err = d.changeWebhook(ctx, a, id, EventWebhookSecret, func(c *command, w *Webhook) error {
		before := w.Secrets[0]
		before.Ends = c.now.Add(secretOverlap)
		w.Secrets = []WebhookSecret{{Value: secret, CreatedAt: c.now}, before}
		return webhooks.Put(c, w)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// PauseWebhook stops sending to a webhook; nothing is lost meanwhile.
func (d *Desk) PauseWebhook(ctx context.Context, a Actor, id string) error {
	return d.changeWebhook(ctx, a, id, EventWebhookPaused, func(c *command, w *Webhook) error {
		w.Paused, w.NextAt = true, time.Time{}
		if err := c.clearTimer(TimerWebhook, id); err != nil {
			return err
		}
		return webhooks.Put(c, w)
	})
}

// ResumeWebhook sends to a webhook again, from the event at which it stopped; skip
// leaves out what happened meanwhile.
func (d *Desk) ResumeWebhook(ctx context.Context, a Actor, id string, skip bool) error {
	err := d.changeWebhook(ctx, a, id, EventWebhookResumed, func(c *command, w *Webhook) (err error) {
		w.Paused, w.Parked, w.Failures, w.FailingSince, w.NextAt = false, false, 0, time.Time{}, time.Time{}
		if skip {
			if err := c.giveUpCurrent(w); err != nil {
				return err
			}
			if w.Cursor, err = lastSeq(c); err != nil {
				return err
			}
		}
		if err := webhooks.Put(c, w); err != nil {
			return err
		}
		return c.setTimer(TimerWebhook, id, c.now)
	})
	if err != nil {
		return err
	}
	return d.EndAlarm(ctx, System("webhooks"), AlarmWebhook, id)
}

// SkipWebhookEvent leaves out the one event that a webhook does not take, and goes
// on with the next.
func (d *Desk) SkipWebhookEvent(ctx context.Context, a Actor, id string) error {
	return d.changeWebhook(ctx, a, id, EventWebhookSkipped, func(c *command, w *Webhook) error {
		if w.Current == "" {
			return conflict("webhook_nothing", "the webhook has no event that waits")
		}
		if err := c.giveUpCurrent(w); err != nil {
			return err
		}
		w.Failures, w.FailingSince, w.NextAt = 0, time.Time{}, time.Time{}
		if err := webhooks.Put(c, w); err != nil || !w.Works() {
			return err
		}
		return c.setTimer(TimerWebhook, id, c.now)
	})
}

// giveUpCurrent marks the event that is tried as left out, and moves behind it.
func (c *command) giveUpCurrent(w *Webhook) error {
	d, err := optional(webhookDeliveries.Get(c, key(w.Current)))
	w.Current = ""
	if err != nil || d == nil {
		return err
	}
	d.State = WebhookSkipped
	w.Cursor = max(w.Cursor, d.Seq)
	return webhookDeliveries.Put(c, d)
}
