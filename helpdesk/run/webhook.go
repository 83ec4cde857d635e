package run

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
)

// WebhookDesk is what telling webhooks needs of the helpdesk.
type WebhookDesk interface {
	NextWebhook(ctx context.Context, id string, done *helpdesk.WebhookCall, rest bool) (*helpdesk.WebhookCall, error)
	StartWebhookOnce(ctx context.Context, id string) (*helpdesk.WebhookCall, error)
	EndWebhookOnce(ctx context.Context, call *helpdesk.WebhookCall) error
	WakeWebhooks(ctx context.Context, events []helpdesk.Event) error
	LastSeq(ctx context.Context) (uint64, error)
}

// Teller tells webhooks of events, signed as of Standard Webhooks 1.0.
type Teller struct {
	Desk WebhookDesk
	// Network is how webhooks are reached: an admin names them, and what an admin's
	// browser can be made to type must not reach inside.
	Network fetch.Network
	// URL is where browsers reach the desk, without a slash at its end.
	URL string
	// Agent says who asks.
	Agent string
	Now   func() time.Time
	Log   *slog.Logger

	client *http.Client
}

const (
	tellersAtOnce = 8
	tellingTime   = 2 * time.Minute // of one turn; then others have theirs
	maxHead       = 300             // characters of an answer that are kept
	maxDetail     = 2000            // characters of one detail of an event
)

// NewTeller returns t ready for use by many goroutines.
func NewTeller(t Teller) *Teller {
	t.client = t.Network.Client(tellersAtOnce)
	return &t
}

// Follower wakes webhooks as the log grows. It starts at the log's end, and wakes
// all that work once: each has a durable cursor of its own.
func (t *Teller) Follower(ctx context.Context) (Follower, error) {
	last, err := t.Desk.LastSeq(ctx)
	if err == nil {
		err = t.Desk.WakeWebhooks(ctx, nil)
	}
	return Follower{Name: "webhooks", Cursor: func(context.Context) (uint64, error) { return last, nil },
		Handle: func(ctx context.Context, events []helpdesk.Event) error {
			if len(events) == 0 {
				return nil
			}
			if err := t.Desk.WakeWebhooks(ctx, events); err != nil {
				return err
			}
			last = events[len(events)-1].Seq
			return nil
		}}, err
}

// Tell is the work of a webhook's timer: one event after the other, until there is
// none, one is not taken, or others shall have their turn.
func (t *Teller) Tell(ctx context.Context, id string) error {
	began := t.Now()
	var done *helpdesk.WebhookCall
	for {
		call, err := t.Desk.NextWebhook(ctx, id, done, t.Now().Sub(began) > tellingTime)
		if err != nil || call == nil {
			return err
		}
		t.send(ctx, call)
		if ctx.Err() != nil {
			return ctx.Err() // the next attempt is due already; this one counts for nothing
		}
		done = call
	}
}

// TellOnce is the work of the timer of a test or a repetition.
func (t *Teller) TellOnce(ctx context.Context, id string) error {
	call, err := t.Desk.StartWebhookOnce(ctx, id)
	if err != nil || call == nil {
		return err
	}
	t.send(ctx, call)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return t.Desk.EndWebhookOnce(ctx, call)
}

// told is what is sent (Standard Webhooks, "payload structure").
type told struct {
	Type      helpdesk.EventKind `json:"type"`
	Timestamp time.Time          `json:"timestamp"`
	Data      toldData           `json:"data"`
}

type toldData struct {
	Seq     uint64            `json:"seq,omitempty"`
	Actor   *toldActor        `json:"actor,omitempty"`
	Ticket  *toldTicket       `json:"ticket,omitempty"`
	Message string            `json:"message,omitempty"`
	Details map[string]string `json:"details,omitempty"`
}

type toldActor struct {
	Kind helpdesk.ActorKind `json:"kind"`
	ID   string             `json:"id,omitempty"`
	Name string             `json:"name,omitempty"`
}

type toldTicket struct {
	Number    uint64      `json:"number"`
	URL       string      `json:"url,omitempty"`
	Subject   string      `json:"subject"`
	Stage     string      `json:"stage"`
	Open      bool        `json:"open"`
	Assignee  string      `json:"assignee"`
	Tags      []string    `json:"tags"`
	Contact   toldContact `json:"contact"`
	UpdatedAt time.Time   `json:"updated_at"`
}

type toldContact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// body is what is sent for a call: bounded, whatever the event holds.
func (t *Teller) body(call *helpdesk.WebhookCall) ([]byte, error) {
	e := call.Event
	payload := told{Type: e.Kind, Timestamp: e.At.UTC(), Data: toldData{Seq: e.Seq, Message: e.Message, Details: map[string]string{}}}
	if e.Actor.Kind != "" {
		payload.Data.Actor = &toldActor{e.Actor.Kind, e.Actor.UserID, e.Actor.Name}
	}
	for name, value := range e.Data {
		payload.Data.Details[name] = clip(value, maxDetail)
	}
	if row := call.Ticket; row != nil {
		ticket := &toldTicket{Number: row.Ticket.Number, Subject: clip(row.Ticket.Subject, maxDetail), Stage: row.StageName, Open: row.Ticket.Open,
			Assignee: row.AssigneeName, Tags: append([]string{}, row.Ticket.Tags...), Contact: toldContact{row.Contact.Name, row.Contact.Email}, UpdatedAt: row.Ticket.UpdatedAt.UTC()}
		if t.URL != "" {
			ticket.URL = t.URL + "/tickets/" + strconv.FormatUint(ticket.Number, 10)
		}
		payload.Data.Ticket = ticket
	}
	return json.Marshal(payload)
}

func clip(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// WebhookSignature signs a message for one secret (Standard Webhooks, "signature
// scheme"): HMAC-SHA256 over its id, the time in Unix seconds and its body.
func WebhookSignature(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return "", fmt.Errorf("read the webhook's secret: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// send makes one attempt and fills in what came of it.
func (t *Teller) send(ctx context.Context, call *helpdesk.WebhookCall) {
	began := t.Now()
	call.Attempt = helpdesk.WebhookAttempt{At: began}
	status, head, err := t.post(ctx, call, began)
	call.Attempt.Took, call.Attempt.Status, call.Attempt.Head = t.Now().Sub(began), status, head
	if err != nil {
		call.Attempt.Error = clip(reason(err), maxHead)
	}
	log := t.Log.InfoContext
	if err != nil || status < 200 || status > 299 {
		log = t.Log.WarnContext
	}
	log(ctx, "webhook", "hook", call.Delivery.Hook, "delivery", call.Delivery.ID, "kind", call.Delivery.Kind, "seq", call.Delivery.Seq,
		"try", call.Delivery.Tries, "status", status, "took", call.Attempt.Took, "error", call.Attempt.Error)
}

// reason is an error without the address, which may hold a key of the receiver's
// and stands beside it anyway.
func reason(err error) string {
	var refused *fetch.RefusedAddressError
	if errors.As(err, &refused) {
		return refused.Error() + "; name the network in [webhooks] allow_networks where it is one of the house's own"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + helpdesk.WebhookTimeout.String()
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return err.Error()
}

func (t *Teller) post(ctx context.Context, call *helpdesk.WebhookCall, at time.Time) (status int, head string, err error) {
	body, err := t.body(call)
	if err != nil {
		return 0, "", err
	}
	var signatures []string
	for _, secret := range call.Secrets {
		signature, err := WebhookSignature(secret, call.Delivery.MessageID, at, body)
		if err != nil {
			return 0, "", err
		}
		signatures = append(signatures, signature)
	}
	ctx, cancel := context.WithTimeout(ctx, helpdesk.WebhookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, bytes.NewReader(body))
	if err != nil {
		return 0, "", errors.New("the address of the webhook cannot be read")
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {t.Agent}, "Webhook-Id": {call.Delivery.MessageID},
		"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {strings.Join(signatures, " ")}}
	response, err := t.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	begin, err := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // the rest is not waited for
	if err != nil && len(begin) == 0 && response.StatusCode >= 300 {
		return response.StatusCode, "", nil
	}
	return response.StatusCode, clip(strings.ToValidUTF8(strings.Join(strings.Fields(string(begin)), " "), "�"), maxHead), nil
}
