package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Suppression is an address that refused mail for good: nothing is sent to it
// until an admin lifts it. Servers that go on sending to such addresses lose
// their reputation, and agents would wait for answers that cannot come.
type Suppression struct {
	Address  string // lower case
	Reason   string // what the other side said
	Status   string // RFC 3463
	Delivery string // the one that was refused
	At       time.Time
}

// hardStatuses say that the mailbox or its domain does not exist or is closed
// (RFC 3463, RFC 7505). A full mailbox, a policy or a size may change.
var hardStatuses = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

// suppress remembers that a delivery was refused for good, if its status says
// so, and ends what else waits to be tried again to that address.
func (c *command) suppress(delivery *Delivery, attempt Attempt) error {
	address := strings.ToLower(delivery.Recipient)
	if !slices.Contains(hardStatuses, attempt.Enhanced) {
		return nil
	}
	if has, err := suppressions.Has(c, key(address)); err != nil || has {
		return err
	}
	s := &Suppression{Address: address, Reason: attempt.Text, Status: attempt.Enhanced, Delivery: delivery.ID, At: c.now}
	if err := suppressions.Put(c, s); err != nil {
		return err
	}
	if _, err := c.record(Event{Kind: EventAddressSuppressed, Ticket: delivery.Ticket, Message: delivery.Message,
		Data: map[string]string{"recipient": address, "status": s.Status, "text": s.Reason}}); err != nil {
		return err
	}
	var queued []*Delivery
	for other, err := range deliveries.ScanIndex(c, "deferred", store.Prefix(key(address))) {
		if err != nil {
			return err
		}
		queued = append(queued, other)
	}
	for _, other := range queued {
		if err := c.failSuppressed(other, s); err != nil {
			return err
		}
	}
	return nil
}

// failSuppressed ends a delivery to a suppressed address without trying it.
func (c *command) failSuppressed(delivery *Delivery, s *Suppression) error {
	attempt := Attempt{At: c.now, Enhanced: s.Status, Text: "not tried: " + s.String(),
		Failure: KeepError(&Error{Key: "delivery.kept.suppressed", Args: []any{s.Status, s.Reason}})}
	delivery.Attempts = append(delivery.Attempts, attempt)
	return c.endDelivery(delivery, DeliveryFailed, attempt)
}

// String says in a sentence why nothing is sent to the address.
func (s *Suppression) String() string {
	return fmt.Sprintf("%s refused mail for good on %s (%s %s)", s.Address, s.At.Format(time.DateOnly), s.Status, s.Reason)
}

func suppressionOf(r store.Reader, address string) (*Suppression, error) {
	return optional(suppressions.Get(r, key(loweredAddress(address))))
}

// checkSuppressed refuses recipients that are suppressed.
func checkSuppressed(r store.Reader, list []string) error {
	for _, address := range list {
		s, err := suppressionOf(r, address)
		if err != nil {
			return err
		}
		if s != nil {
			return &Error{Code: CodeConflict, Field: "to", Key: "error.suppressed", Args: []any{s.Address, s.Status, s.Reason},
				Message: s.String() + "; write to another address, or ask an admin to lift the suppression"}
		}
	}
	return nil
}

// Suppressions returns every suppressed address, the newest first.
func (d *Desk) Suppressions(ctx context.Context, a Actor) ([]Suppression, error) {
	if err := a.mayRead("suppressed addresses"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, suppressions, func(a, b Suppression) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Address, b.Address))
	})
}

// LiftSuppression lets mail go to an address again. Deliveries that failed
// meanwhile can then be retried.
func (d *Desk) LiftSuppression(ctx context.Context, a Actor, address string) error {
	if err := a.may("lift a suppression", PermitSuppressions); err != nil {
		return err
	}
	address = loweredAddress(strings.TrimSpace(address))
	return d.update(ctx, a, func(c *command) error {
		s, err := suppressions.Get(c, key(address))
		if _, err = found(s, err, "suppressed address", address); err != nil {
			return err
		}
		if err := suppressions.Delete(c, key(address)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventAddressLifted, Data: map[string]string{"recipient": address}})
		return err
	})
}
