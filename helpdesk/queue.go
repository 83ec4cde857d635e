package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Pause keeps mail to a domain in the queue until somebody ends it.
type Pause struct {
	Domain string
	By     Actor
	At     time.Time
}

var pauses = store.NewTable(store.Spec[Pause]{Name: "pause", Version: 1,
	Key: func(p *Pause) []byte { return key(p.Domain) }})

// Queue is what waits to leave, and what is kept from leaving.
type Queue struct {
	// Deliveries are those that are due first, at most as many as were asked for.
	Deliveries []Delivery
	// Total is how many there are in all, Destinations how many of them for each
	// domain.
	Total        int
	Destinations map[string]int
	Pauses       []Pause
}

// queueStates are the states of deliveries that wait or are under way.
var queueStates = []DeliveryState{DeliverySending, DeliveryDeferred, DeliveryWaiting}

// Queue returns what is yet to leave, to a domain or, for "", to all: at most
// limit deliveries (200 where zero).
func (d *Desk) Queue(ctx context.Context, a Actor, domain string, limit int) (q Queue, err error) {
	if err := a.may("see the queue", PermitSupervise); err != nil {
		return q, err
	}
	if limit <= 0 || limit > 1000 {
		limit = 200
	}
	domain = strings.ToLower(strings.TrimSpace(domain))
	err = d.view(ctx, func(r store.Reader) error {
		q = Queue{Destinations: map[string]int{}}
		for delivery, err := range queued(r) {
			if err != nil {
				return err
			}
			to := strings.ToLower(domainOf(delivery.Recipient))
			q.Destinations[to]++
			if domain == "" || to == domain {
				q.Deliveries = append(q.Deliveries, *delivery)
			}
		}
		q.Total = len(q.Deliveries)
		for p, err := range pauses.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			q.Pauses = append(q.Pauses, *p)
		}
		return nil
	})
	slices.SortStableFunc(q.Deliveries, func(a, b Delivery) int {
		return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID))
	})
	q.Deliveries = q.Deliveries[:min(limit, len(q.Deliveries))]
	return q, err
}

// queued are the deliveries that have not ended.
func queued(r store.Reader) func(yield func(*Delivery, error) bool) {
	return func(yield func(*Delivery, error) bool) {
		for _, state := range queueStates {
			for delivery, err := range deliveries.ScanIndex(r, "state", store.Prefix(key(string(state)))) {
				if !yield(delivery, err) {
					return
				}
			}
		}
	}
}

// QueuedDelivery returns the delivery that has not ended and whose ID begins with a text,
// however many there are. It is CodeNotFound where there is none, CodeConflict where there
// are several.
func (d *Desk) QueuedDelivery(ctx context.Context, a Actor, beginning string) (one Delivery, err error) {
	if err := a.may("see the queue", PermitSupervise); err != nil {
		return one, err
	}
	beginning = strings.ToUpper(strings.TrimSpace(beginning))
	several := 0
	err = d.view(ctx, func(r store.Reader) error {
		several = 0
		for delivery, err := range queued(r) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(delivery.ID, beginning) {
				one = *delivery
				several++
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return Delivery{}, err
	case several == 0:
		return Delivery{}, notFound("delivery in the queue whose ID begins with", beginning)
	case several > 1:
		return Delivery{}, &Error{Code: CodeConflict, Message: fmt.Sprintf("%d deliveries begin with %q; write more of the ID", several, beginning)}
	}
	return one, nil
}

// DeliveryRoute says from and to which address a delivery goes, and whether its
// destination is paused; empty where there is no such delivery any more.
func (d *Desk) DeliveryRoute(ctx context.Context, id string) (from, to string, paused bool, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		delivery, err := deliveries.Get(r, key(id))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		from, to = delivery.EnvelopeFrom, delivery.Recipient
		paused, err = pauses.Has(r, key(strings.ToLower(domainOf(to))))
		return err
	})
	return from, to, paused, err
}

// CancelDelivery takes a delivery out of the queue for good. Its ticket says that
// it failed, since its customer gets nothing.
func (d *Desk) CancelDelivery(ctx context.Context, a Actor, id string) error {
	if err := a.may("cancel a delivery", PermitSystem); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		delivery, err := deliveries.Get(c, key(id))
		if delivery, err = found(delivery, err, "delivery", id); err != nil {
			return err
		}
		if delivery.State != DeliveryDeferred && delivery.State != DeliveryWaiting {
			return conflict("delivery_not_queued", "delivery to %s is %s; only one that waits can be cancelled", delivery.Recipient, delivery.State)
		}
		attempt := Attempt{At: c.now, Enhanced: "5.0.0", Text: "cancelled in the queue by " + cmp.Or(a.Name, string(a.Kind))}
		delivery.Attempts = append(delivery.Attempts, attempt)
		return c.endDelivery(delivery, DeliveryFailed, attempt)
	})
}

// PauseDestination keeps mail to a domain in the queue.
func (d *Desk) PauseDestination(ctx context.Context, a Actor, domain string) error {
	if err := a.may("pause a destination", PermitSystem); err != nil {
		return err
	}
	domain = strings.ToLower(strings.TrimSpace(domain))
	if err := checkAddress("domain", "postmaster@"+domain); err != nil {
		return invalid("domain", "domain_invalid", "%q is not a domain; write it like example.com", domain)
	}
	return d.update(ctx, a, func(c *command) error {
		if has, err := pauses.Has(c, key(domain)); err != nil || has {
			return err
		}
		if err := pauses.Put(c, &Pause{Domain: domain, By: a, At: c.now}); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventDestinationPaused, Data: map[string]string{"domain": domain}})
		return err
	})
}

// resumeAtOnce bounds how many deliveries a resumption makes due; the others come
// with their own timers, minutes later.
const resumeAtOnce = 500

// ResumeDestination lets mail to a domain leave again, what waits at once.
func (d *Desk) ResumeDestination(ctx context.Context, a Actor, domain string) error {
	if err := a.may("resume a destination", PermitSystem); err != nil {
		return err
	}
	domain = strings.ToLower(strings.TrimSpace(domain))
	return d.update(ctx, a, func(c *command) error {
		p, err := pauses.Get(c, key(domain))
		if _, err = found(p, err, "paused destination", domain); err != nil {
			return err
		}
		if err := pauses.Delete(c, key(domain)); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventDestinationResumed, Data: map[string]string{"domain": domain}}); err != nil {
			return err
		}
		var due []*Delivery
		for delivery, err := range queued(c) {
			if err != nil {
				return err
			}
			if len(due) < resumeAtOnce && delivery.State != DeliverySending && strings.EqualFold(domainOf(delivery.Recipient), domain) && !delivery.NextAt.After(c.now) {
				due = append(due, delivery)
			}
		}
		for _, delivery := range due {
			if err := c.setTimer(TimerDeliver, delivery.ID, c.now); err != nil {
				return err
			}
		}
		return nil
	})
}

// Said is what the other side, or ours, said at the newest attempt; "" before the first.
func (d *Delivery) Said() string {
	if len(d.Attempts) == 0 {
		return ""
	}
	a := d.Attempts[len(d.Attempts)-1]
	return strings.TrimSpace(strings.Join(strings.Fields(a.Host+" "+a.Enhanced+" "+a.Text), " "))
}
