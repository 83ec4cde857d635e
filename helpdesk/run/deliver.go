package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// DeliveryDesk is what a Deliverer needs of the helpdesk.
type DeliveryDesk interface {
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
	Log     *slog.Logger
}

// Deliver attempts the delivery with the given id and records what came of it.
func (d *Deliverer) Deliver(ctx context.Context, id string) error {
	delivery, raw, err := d.Desk.StartDelivery(ctx, id)
	if err != nil {
		return fmt.Errorf("start delivery %s: %w", id, err)
	}
	if delivery == nil {
		return nil
	}
	log := d.Log.With("id", delivery.Message, "delivery", id, "to", delivery.Recipient)
	domain := delivery.EnvelopeFrom[strings.LastIndexByte(delivery.EnvelopeFrom, '@')+1:]
	if raw, err = d.Signing.Sign(ctx, domain, raw); err != nil {
		return fmt.Errorf("sign the mail of delivery %s for %s: %w", id, domain, err)
	}
	outcome, err := d.Sender.Deliver(ctx, outbound.Mail{ID: id, From: delivery.EnvelopeFrom, To: delivery.Recipient, Raw: raw})
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
