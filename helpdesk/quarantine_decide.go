package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Release receives a quarantined mail as if nothing had spoken against it when it
// came: it joins its ticket or opens one, with all that follows from that. With
// trust, mail of its sender that comes with the same proof is received from now
// on; that is decided in the same transaction.
func (d *Desk) Release(ctx context.Context, a Actor, id string, trust *Trusting) (Receipt, error) {
	if err := a.may("release a quarantined mail", PermitQuarantine); err != nil {
		return Receipt{}, err
	}
	q, raw, err := d.quarantinedMail(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	arrived := d.examine(Incoming{ID: id, Envelope: q.Mail.Envelope, Raw: raw, Message: mail.Parse(raw),
		Authentication: q.Mail.Authentication, ReceivedAt: q.Mail.At, Suspicion: &q.Why})
	arrived.released = true
	var receipt Receipt
	err = d.update(ctx, a, func(c *command) error {
		q, err := quarantined.Get(c, key(id)) // again: somebody may have decided since
		if q, err = found(q, err, "quarantined mail", id); err != nil {
			return err
		}
		if trust != nil {
			if err := c.trust(&q.Mail, *trust); err != nil {
				return err
			}
		}
		arrived.message.Envelope.Recipients = q.Mail.Envelope.Recipients
		receipt, err = c.letOut(q, arrived)
		return err
	})
	return receipt, err
}

// letOut lets a mail out of quarantine. What follows from its arrival is caused
// by its author, so that whoever released it is told of it like everybody.
func (c *command) letOut(q *Quarantined, arrived *arrival) (Receipt, error) {
	if err := c.clearTimer(TimerPurge, q.Mail.ID); err != nil {
		return Receipt{}, err
	}
	if err := quarantined.Delete(c, key(q.Mail.ID)); err != nil {
		return Receipt{}, err
	}
	by := c.actor
	c.actor = Actor{Kind: ActorCustomer, Name: arrived.message.From.Email}
	receipt, err := c.receive(arrived)
	c.actor = by
	if why, refused := refusalOf(err); refused {
		return Receipt{}, conflict("quarantine_no_recipient", "the mail cannot be released: %s; make its address an alias again, or reject the mail", why)
	}
	if err != nil {
		return Receipt{}, err
	}
	e := Event{Kind: EventMailReleased, Ticket: receipt.Ticket, Data: mailData(&q.Mail, "why", string(q.Why.Kind), "note", q.Why.Detail)}
	if !receipt.Duplicate {
		e.Message = receipt.MessageID
	}
	_, err = c.record(e)
	return receipt, err
}

// maxQuarantineIDs bounds one bulk decision.
const maxQuarantineIDs = 500

// RejectQuarantined decides that mails are not received. They can still be read and
// released until they are purged, after Options.QuarantineKeep. It returns those of the
// ids that are in quarantine no more: somebody else decided on them meanwhile, which
// keeps nobody from deciding on the rest.
func (d *Desk) RejectQuarantined(ctx context.Context, a Actor, ids []string) (gone []string, err error) {
	if err := a.may("reject a quarantined mail", PermitQuarantine); err != nil {
		return nil, err
	}
	if len(ids) > maxQuarantineIDs {
		return nil, invalid("ids", "quarantine_many", "%d mails at once are too many; choose up to %d", len(ids), maxQuarantineIDs)
	}
	err = d.update(ctx, a, func(c *command) error {
		gone = nil // of a run that was repeated
		for _, id := range ids {
			q, err := optional(quarantined.Get(c, key(id)))
			if err != nil {
				return err
			}
			if q == nil {
				gone = append(gone, id)
				continue
			}
			if err := c.reject(q); err != nil {
				return err
			}
		}
		return nil
	})
	return gone, err
}

func (c *command) reject(q *Quarantined) error {
	if q.State == QuarantineRejected {
		return nil
	}
	q.State, q.RejectedBy, q.RejectedAt, q.PurgeAt = QuarantineRejected, c.actor.UserID, c.now, c.now.Add(c.desk.policy.Load().QuarantineKeep)
	if err := quarantined.Put(c, q); err != nil {
		return err
	}
	if err := c.setTimer(TimerPurge, q.Mail.ID, q.PurgeAt); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventMailRejected, Data: mailData(&q.Mail, "until", q.PurgeAt.Format(time.RFC3339))})
	return err
}

// PurgeQuarantined deletes a rejected mail whose time is over. It is the work of
// TimerPurge.
func (d *Desk) PurgeQuarantined(ctx context.Context, id string) error {
	return d.update(ctx, System("quarantine"), func(c *command) error {
		q, err := optional(quarantined.Get(c, key(id)))
		if err != nil {
			return err
		}
		if q == nil || q.State != QuarantineRejected {
			return c.clearTimer(TimerPurge, id)
		}
		if q.PurgeAt.After(c.now) {
			return c.setTimer(TimerPurge, id, q.PurgeAt)
		}
		if err := c.forget(q); err != nil {
			return err
		}
		if err := c.accountPurged(q.Mail.At); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventMailPurged, Data: mailData(&q.Mail, "size", strconv.Itoa(q.Size))})
		return err
	})
}

// quarantinedMail reads a quarantined mail with its source.
func (d *Desk) quarantinedMail(ctx context.Context, id string) (q *Quarantined, raw []byte, err error) {
	err = d.view(ctx, func(r store.Reader) (err error) {
		q, err = quarantined.Get(r, key(id))
		if q, err = found(q, err, "quarantined mail", id); err != nil {
			return err
		}
		if raw, err = raws.Get(r, key(id)); errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("the source of quarantined mail %s is not in the store", id)
		}
		return err
	})
	return q, raw, err
}
