package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// DeliveryDesk is what a Deliverer needs of the helpdesk.
type DeliveryDesk interface {
	DeliveryRoute(ctx context.Context, id string) (from, to string, paused bool, err error)
	StartDelivery(ctx context.Context, id string) (*helpdesk.Delivery, []byte, error)
	RecordAttempt(ctx context.Context, id string, attempt helpdesk.Attempt, permanent bool) error
}

// Sender makes one delivery attempt; *outbound.Sender is one.
type Sender interface {
	Deliver(ctx context.Context, m outbound.Mail) (outbound.Outcome, error)
}

// Signer signs a mail (RFC 6376) and returns it with its signature in front.
type Signer interface {
	Sign(raw []byte) ([]byte, error)
}

// MailSigner puts on a mail all the signatures of its domain; *Signing is one.
type MailSigner interface {
	Sign(ctx context.Context, domain string, raw []byte) ([]byte, error)
}

// Deliverer works on TimerDeliver: one attempt for each claim.
type Deliverer struct {
	Desk   DeliveryDesk
	Sender Sender
	// Signing signs mail by the domain of its envelope sender, which is that of
	// its From; a domain without keys in use is sent unsigned.
	Signing MailSigner
	// Gate keeps the limits of what leaves; nil is without limits. Via names the
	// server that takes the mail of a sender's domain, "" for the recipient's own:
	// limits count by where mail goes to.
	Gate *Gate
	Via  func(domain string) string
	Log  *slog.Logger
}

// Deliver attempts the delivery with the given id and records what came of it.
func (d *Deliverer) Deliver(ctx context.Context, id string) error {
	leave, err := d.enter(ctx, id)
	if err != nil {
		return err
	}
	defer leave()
	delivery, raw, err := d.Desk.StartDelivery(ctx, id)
	if err != nil {
		return fmt.Errorf("start delivery %s: %w", id, err)
	}
	if delivery == nil {
		return nil
	}
	log := d.Log.With("id", delivery.Message, "delivery", id, "to", delivery.Recipient, "answers", delivery.Answers)
	log.Debug("delivery begins", "attempt", len(delivery.Attempts)+1)
	domain := delivery.EnvelopeFrom[strings.LastIndexByte(delivery.EnvelopeFrom, '@')+1:]
	if raw, err = d.Signing.Sign(ctx, domain, raw); err != nil {
		return fmt.Errorf("sign the mail of delivery %s for %s: %w", id, domain, err)
	}
	outcome, err := d.Sender.Deliver(ctx, outbound.Mail{ID: id, From: delivery.EnvelopeFrom, To: delivery.Recipient, Raw: raw, Unwatched: delivery.Report})
	attempt, permanent := attemptOf(outcome, err)
	switch {
	case attempt.OK:
		log.Info("delivered", "host", attempt.Host, "tls", attempt.TLS, "response", attempt.Text)
	case permanent:
		log.Warn("delivery failed", "host", attempt.Host, "code", attempt.Code, "status", attempt.Enhanced, "response", attempt.Text)
	default:
		log.Info("delivery deferred", "host", attempt.Host, "code", attempt.Code, "status", attempt.Enhanced, "response", attempt.Text)
	}
	// The peer has decided; that must be known even while the program stops.
	if err := d.Desk.RecordAttempt(context.WithoutCancel(ctx), id, attempt, permanent); err != nil {
		return fmt.Errorf("record the attempt of delivery %s: %w", id, err)
	}
	return nil
}

// notNow says that a delivery waits for its turn, which is no failure.
type notNow struct {
	why   string
	after time.Duration
}

func (e *notNow) Error() string             { return e.why }
func (e *notNow) RetryAfter() time.Duration { return e.after }

// pausedFor is how soon mail to a paused destination looks again by itself.
const pausedFor = 5 * time.Minute

// enter waits outside while the destination is paused or has its fill.
func (d *Deliverer) enter(ctx context.Context, id string) (leave func(), err error) {
	from, to, paused, err := d.Desk.DeliveryRoute(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look where delivery %s goes: %w", id, err)
	}
	destination := domainOf(to)
	if paused {
		return nil, &notNow{"mail to " + destination + " is paused", pausedFor}
	}
	if d.Gate == nil || to == "" {
		return func() {}, nil
	}
	if d.Via != nil {
		destination = cmp.Or(d.Via(domainOf(from)), destination)
	}
	leave, wait := d.Gate.Enter(destination)
	if leave == nil {
		return nil, &notNow{"mail to " + destination + " has its fill for now", wait}
	}
	return leave, nil
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

func attemptOf(o outbound.Outcome, err error) (attempt helpdesk.Attempt, permanent bool) {
	if err == nil {
		return helpdesk.Attempt{OK: true, Host: o.Host, TLS: o.TLS, Code: 250, Text: o.Response}, false
	}
	var refusal *outbound.Error
	if errors.As(err, &refusal) {
		return helpdesk.Attempt{Host: refusal.Host, TLS: o.TLS, Code: refusal.Code, Enhanced: refusal.Enhanced, Text: refusal.Message}, refusal.Permanent
	}
	return helpdesk.Attempt{Host: o.Host, TLS: o.TLS, Text: err.Error()}, false
}
