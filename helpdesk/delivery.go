package helpdesk

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// putDeliveries writes a delivery for each recipient of m, with its envelope
// token, due when the undo window has passed.
func (c *command) putDeliveries(m *Message, bounces []Token, due time.Time) error {
	for i, to := range slices.Concat(m.To, m.Cc, m.Bcc) {
		delivery := &Delivery{ID: c.desk.newID(), Message: m.ID, Ticket: m.Ticket, Recipient: to.Email, RawID: m.ID, Answers: m.Via,
			State: DeliveryWaiting, NextAt: due, CreatedAt: c.now}
		if err := c.putDelivery(delivery, bounces[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) putDelivery(delivery *Delivery, bounce Token) error {
	bounce.Delivery = delivery.ID
	delivery.EnvelopeFrom = bounceAddress(bounce.Value, domainOf(bounce.Alias))
	if err := tokens.Put(c, &bounce); err != nil {
		return err
	}
	if err := c.setTimer(TimerDeliver, delivery.ID, delivery.NextAt); err != nil {
		return err
	}
	return deliveries.Put(c, delivery)
}

// putHouseDelivery writes a delivery of a mail that is about no ticket. What comes
// back to its envelope address is refused: there is nothing that it could join.
func (c *command) putHouseDelivery(delivery *Delivery) error {
	if err := c.setTimer(TimerDeliver, delivery.ID, delivery.NextAt); err != nil {
		return err
	}
	return deliveries.Put(c, delivery)
}

func (c *command) cancelDeliveries(m *Message) error {
	list, err := deliveriesOf(c, m.ID)
	if err != nil {
		return err
	}
	for _, delivery := range list {
		delivery.State, delivery.DoneAt, delivery.NextAt = DeliveryCancelled, c.now, time.Time{}
		if err := c.clearTimer(TimerDeliver, delivery.ID); err != nil {
			return err
		}
		if err := deliveries.Put(c, &delivery); err != nil {
			return err
		}
	}
	return nil
}

func deliveriesOf(r store.Reader, messageID string) (list []Delivery, err error) {
	for delivery, err := range deliveries.ScanIndex(r, "message", store.Prefix(key(messageID))) {
		if err != nil {
			return nil, err
		}
		list = append(list, *delivery)
	}
	return list, nil
}

// StartDelivery marks a claimed delivery as being tried, after which it cannot
// be undone, and returns it with the mail to send. The delivery is nil when
// there is nothing to do: it was cancelled or is done.
func (d *Desk) StartDelivery(ctx context.Context, id string) (delivery *Delivery, raw []byte, err error) {
	err = d.update(ctx, System("delivery"), func(c *command) error {
		delivery, raw = nil, nil
		current, err := deliveries.Get(c, key(id))
		if errors.Is(err, store.ErrNotFound) {
			return c.clearTimer(TimerDeliver, id)
		}
		if err != nil {
			return err
		}
		if current.State.done() {
			return c.clearTimer(TimerDeliver, id)
		}
		suppressed, err := suppressionOf(c, current.Recipient)
		if err != nil {
			return err
		}
		if suppressed != nil {
			return c.failSuppressed(current, suppressed)
		}
		current.State = DeliverySending
		delivery = current
		return deliveries.Put(c, current)
	})
	if err != nil || delivery == nil {
		return nil, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		raw, err = raws.Get(r, key(delivery.RawID))
		return err
	})
	return delivery, raw, err
}

// RecordAttempt stores what an attempt came to: sent; failed for good when
// permanent or tried for too long; otherwise deferred to a later time.
func (d *Desk) RecordAttempt(ctx context.Context, id string, attempt Attempt, permanent bool) error {
	return d.update(ctx, System("delivery"), func(c *command) error {
		delivery, err := deliveries.Get(c, key(id))
		if err != nil {
			return err
		}
		if attempt.At.IsZero() {
			attempt.At = c.now
		}
		if delivery.State.done() { // a bounce was quicker than this record of what it is about
			delivery.Attempts = slices.Insert(delivery.Attempts, max(len(delivery.Attempts)-1, 0), attempt)
			return deliveries.Put(c, delivery)
		}
		delivery.Attempts = append(delivery.Attempts, attempt)
		// By the clock and by the attempts: one that jumped ahead gives nothing up.
		late := c.now.Sub(delivery.CreatedAt) >= d.options.GiveUpAfter && len(delivery.Attempts) > len(retryDelays)
		switch {
		case attempt.OK:
			return c.endDelivery(delivery, DeliverySent, attempt)
		case permanent || late:
			if err := c.endDelivery(delivery, DeliveryFailed, attempt); err != nil || !permanent || delivery.Report {
				return err
			}
			return c.suppress(delivery, attempt)
		}
		return c.deferDelivery(delivery, attempt)
	})
}

func (c *command) deferDelivery(delivery *Delivery, attempt Attempt) error {
	delivery.State = DeliveryDeferred
	delivery.NextAt = c.now.Add(retryAfter(len(delivery.Attempts)))
	if err := c.setTimer(TimerDeliver, delivery.ID, delivery.NextAt); err != nil {
		return err
	}
	// A copy or a notice is of the house's own.
	late := !delivery.Warned && !delivery.Copy && !delivery.Report && delivery.Notice == "" && c.now.Sub(delivery.CreatedAt) >= delayWarning
	delivery.Warned = delivery.Warned || late
	if err := deliveries.Put(c, delivery); err != nil {
		return err
	}
	if late {
		if _, err := c.record(Event{Kind: EventDeliveryDelayed, Ticket: delivery.Ticket, Message: delivery.Message, Data: attemptData(delivery, attempt)}); err != nil {
			return err
		}
	}
	_, err := c.record(Event{Kind: EventDeliveryDeferred, Ticket: delivery.Ticket, Message: delivery.Message,
		Data: attemptData(delivery, attempt)})
	return err
}

// delayWarning is when the author of a mail that cannot be delivered is told
// that it is still being tried.
const delayWarning = 4 * time.Hour

// retryDelays are the pauses after the first, second, … attempt.
var retryDelays = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// retryAfter adds up to a fifth of jitter, so that mails deferred together do
// not come back together.
func retryAfter(attempts int) time.Duration {
	delay := retryDelays[min(attempts, len(retryDelays))-1]
	return delay + time.Duration(rand.Int64N(int64(delay/5)))
}

func (c *command) endDelivery(delivery *Delivery, state DeliveryState, attempt Attempt) error {
	delivery.State, delivery.DoneAt, delivery.NextAt = state, c.now, time.Time{}
	if err := c.clearTimer(TimerDeliver, delivery.ID); err != nil {
		return err
	}
	if delivery.Report {
		return errors.Join(raws.Delete(c, key(delivery.RawID)), deliveries.Delete(c, key(delivery.ID)))
	}
	if delivery.Ticket == 0 && state == DeliverySent { // nobody sends it again, or looks at it here
		if err := raws.Delete(c, key(delivery.RawID)); err != nil {
			return err
		}
		delivery.RawID = ""
	}
	if delivery.Ticket == 0 || delivery.Notice != "" && state == DeliverySent {
		return deliveries.Put(c, delivery) // nothing that a ticket needs to say
	}
	kind := EventDeliverySent
	switch {
	case delivery.Copy && state == DeliverySent:
		kind = EventCopySent
	case delivery.Copy:
		kind = EventCopyFailed
	case state == DeliveryFailed:
		kind = EventDeliveryFailed
		if err := c.markFailed(delivery.Ticket); err != nil {
			return err
		}
	}
	seq, err := c.record(Event{Kind: kind, Ticket: delivery.Ticket, Message: delivery.Message, Data: attemptData(delivery, attempt)})
	if err != nil {
		return err
	}
	delivery.DoneSeq = seq
	return deliveries.Put(c, delivery)
}

func (c *command) markFailed(number uint64) error {
	ticket, err := tickets.Get(c, key(number))
	if err != nil {
		return err
	}
	ticket.DeliveryFailed, ticket.UpdatedAt = true, c.now
	if err := c.wakeTicket(ticket, WokenByFailure); err != nil {
		return err
	}
	return tickets.Put(c, ticket)
}

func attemptData(delivery *Delivery, attempt Attempt) map[string]string {
	data := map[string]string{"recipient": delivery.Recipient, "status": attempt.Enhanced, "text": attempt.Text, "host": attempt.Host}
	if attempt.Failure != "" {
		data["failure"] = attempt.Failure
	}
	if !delivery.NextAt.IsZero() {
		data["next_at"] = delivery.NextAt.Format(time.RFC3339)
	}
	return data
}

// RetryDelivery tries a deferred or failed delivery again at once.
func (d *Desk) RetryDelivery(ctx context.Context, a Actor, id string) error {
	if err := a.may("retry a delivery", PermitReply); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		delivery, err := deliveries.Get(c, key(id))
		if delivery, err = found(delivery, err, "delivery", id); err != nil {
			return err
		}
		if delivery.State != DeliveryDeferred && delivery.State != DeliveryFailed {
			return conflict("delivery_not_retryable", "delivery to %s is %s; only a deferred or failed one can be retried", delivery.Recipient, delivery.State)
		}
		if err := checkSuppressed(c, []string{delivery.Recipient}); err != nil {
			return err
		}
		if err := c.retry(delivery); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventDeliveryRetried, Ticket: delivery.Ticket, Message: delivery.Message, Data: map[string]string{"recipient": delivery.Recipient}})
		return err
	})
}

func (c *command) retry(delivery *Delivery) error {
	failed := delivery.State == DeliveryFailed
	if failed {
		delivery.CreatedAt = c.now // a new run of attempts
	}
	delivery.State, delivery.NextAt, delivery.DoneAt, delivery.DoneSeq = DeliveryDeferred, c.now, time.Time{}, 0
	if err := c.setTimer(TimerDeliver, delivery.ID, c.now); err != nil {
		return err
	}
	if err := deliveries.Put(c, delivery); err != nil || !failed || delivery.Ticket == 0 {
		return err
	}
	ticket, err := tickets.Get(c, key(delivery.Ticket))
	if err != nil {
		return err
	}
	if err := c.recount(ticket); err != nil { // others may have failed too
		return err
	}
	return tickets.Put(c, ticket)
}

// bounced marks the deliveries that a bounce tells of: the one whose envelope
// address it was sent to, or those of the returned mail.
func (c *command) bounced(m *Message, p placement, original string) error {
	if m.Kind != KindBounce || m.State == MessageHeld { // what nothing speaks for changes nothing
		return nil
	}
	var affected []Delivery
	proven := p.token != nil && p.token.Kind == TokenBounce // else anybody who saw the mail could have named its Message-ID
	if proven {
		delivery, err := deliveries.Get(c, key(p.token.Delivery))
		if err != nil {
			return err
		}
		affected = []Delivery{*delivery}
	} else if original != "" {
		returned, err := messages.First(c, "messageid", key(original))
		if err == nil && returned.Direction == Outbound {
			affected, err = deliveriesOf(c, returned.ID)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if len(affected) == 0 {
		c.trace.add(StepBounceUnmatched)
	}
	for _, delivery := range affected {
		b, ok := bounceOf(m, delivery.Recipient, len(affected) == 1)
		if !ok || !b.lasts() || !proven && !delivery.State.done() { // what still leaves, nobody else ends
			c.trace.add(StepBounceIgnored, "recipient", delivery.Recipient, "status", b.Status)
			continue
		}
		c.trace.add(StepBounceMatched, "recipient", delivery.Recipient, "status", b.Status, "note", b.Reason)
		attempt := Attempt{At: m.At, Host: m.Envelope.HELO, Enhanced: b.Status, Text: b.Reason}
		if delivery.State != DeliveryFailed { // a second report is no second failure, of which somebody would be told
			delivery.Attempts = append(delivery.Attempts, attempt)
			if err := c.endDelivery(&delivery, DeliveryFailed, attempt); err != nil {
				return err
			}
		}
		if !proven {
			continue
		}
		if err := c.suppress(&delivery, attempt); err != nil {
			return err
		}
	}
	return nil
}

// bounceOf finds what m says of recipient; alone, a report on whatever
// recipient is on this one, since forwarding renames them.
func bounceOf(m *Message, recipient string, alone bool) (Bounce, bool) {
	for _, b := range m.Bounces {
		if strings.EqualFold(b.Recipient, recipient) {
			return b, true
		}
	}
	if !alone {
		return Bounce{}, false
	}
	if len(m.Bounces) > 0 {
		return m.Bounces[0], true
	}
	return Bounce{Recipient: recipient, Status: "5.0.0", Reason: m.Snippet}, true
}
