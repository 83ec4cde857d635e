package helpdesk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
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

// QueueQuery asks for a page of the queue.
type QueueQuery struct {
	Domain string // only mail to it, "" for all
	Limit  int    // 200 when zero, at most 1000
	After  string // where the page before ended
}

// Queue is what waits to leave, and what is kept from leaving.
type Queue struct {
	// Deliveries are a page of those that were asked for, what is due first before the others.
	Deliveries []Delivery
	Next       string // where the next page starts, "" at the end
	// Total is how many were asked for in all, Destinations how many there are for each
	// domain.
	Total        int
	Destinations map[string]int
	Pauses       []Pause
}

// queued tells whether a delivery waits or is under way.
func (d *Delivery) queued() bool {
	return d.State == DeliverySending || d.State == DeliveryDeferred || d.State == DeliveryWaiting
}

// destination is the domain that a delivery goes to.
func (d *Delivery) destination() string { return strings.ToLower(domainOf(d.Recipient)) }

// queueIndexes are two indexes of what is yet to leave, in the order in which it is due: of
// all, and by destination. What has left is in neither, so they stay as long as the queue.
var queueIndexes = []store.Index[Delivery]{
	{Name: "due", Keys: func(d *Delivery) [][]byte { return when(d.queued(), key(d.NextAt, d.ID)) }},
	{Name: "destination", Keys: func(d *Delivery) [][]byte { return when(d.queued(), key(d.destination(), d.NextAt, d.ID)) }},
}

// Queue returns a page of what is yet to leave. The records of the page are read, of all
// others no more than the keys that count them. A damaged one is passed over.
func (d *Desk) Queue(ctx context.Context, a Actor, query QueueQuery) (q Queue, err error) {
	if err := a.may("see the queue", PermitSupervise); err != nil {
		return q, err
	}
	if query.Limit <= 0 || query.Limit > 1000 {
		query.Limit = 200
	}
	query.Domain = strings.ToLower(strings.TrimSpace(query.Domain))
	index, rng, err := query.rest()
	if err != nil {
		return q, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		q = Queue{}
		for delivery, err := range readable(r, deliveries.ScanIndex(r, index, rng)) {
			if err != nil {
				return err
			}
			if len(q.Deliveries) == query.Limit {
				last := q.Deliveries[query.Limit-1]
				q.Next = base64.RawURLEncoding.EncodeToString(key(last.NextAt, last.ID))
				break
			}
			q.Deliveries = append(q.Deliveries, *delivery)
		}
		if q.Destinations, q.Total, err = countDestinations(r); err != nil {
			return err
		}
		if query.Domain != "" {
			q.Total = q.Destinations[query.Domain]
		}
		for p, err := range pauses.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			q.Pauses = append(q.Pauses, *p)
		}
		return nil
	})
	return q, err
}

// rest is what is to be read, and of which index. Where a page ended is a place, not a
// delivery: that may have left since.
func (q *QueueQuery) rest() (index string, rng store.Range, err error) {
	index, rng = "due", store.Range{}
	if q.Domain != "" {
		index, rng = "destination", store.Prefix(key(q.Domain))
	}
	if q.After == "" {
		return index, rng, nil
	}
	place, err := base64.RawURLEncoding.DecodeString(q.After)
	if parts := store.Decode(place); err == nil {
		parts.Time()
		parts.Text()
		err = parts.Err()
	}
	if err != nil {
		return index, rng, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start with what is due first", q.After)
	}
	rng.Start = slices.Concat(rng.Start, place, []byte{0xff})
	return index, rng, nil
}

// countDestinations counts what is yet to leave by its destination, and all together.
func countDestinations(r store.Reader) (counts map[string]int, total int, err error) {
	counts = map[string]int{}
	var name string
	var same []byte // what the keys of one destination begin with
	n := 0
	for entry, err := range deliveries.ScanIndexKeys(r, "destination", store.Range{}) {
		if err != nil {
			return nil, 0, err
		}
		if same == nil || !bytes.HasPrefix(entry.Index, same) {
			if n > 0 {
				counts[name] = n
			}
			parts := store.Decode(entry.Index)
			if name = parts.Text(); parts.Err() != nil {
				return nil, 0, parts.Err()
			}
			same, n = key(name), 0
		}
		n++
		total++
	}
	if n > 0 {
		counts[name] = n
	}
	return counts, total, nil
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
		begins := store.Key{}.TextPrefix(beginning)
		var found []byte
		for entry, err := range deliveries.ScanIndexKeys(r, "due", store.Range{}) {
			if err != nil {
				return err
			}
			if bytes.HasPrefix(entry.Primary, begins) {
				found = bytes.Clone(entry.Primary)
				several++
			}
		}
		if several != 1 {
			return nil
		}
		delivery, err := deliveries.Get(r, found)
		if err == nil {
			one = *delivery
		}
		return err
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
		failure := &Error{Key: "delivery.kept.cancelled"}
		if a.Kind == ActorUser {
			failure = &Error{Key: "delivery.kept.cancelled_by", Args: []any{a.Name}}
		}
		attempt := Attempt{At: c.now, Enhanced: "5.0.0", Text: "cancelled in the queue by " + cmp.Or(a.Name, string(a.Kind)), Failure: KeepError(failure)}
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
		for delivery, err := range deliveries.ScanIndex(c, "destination", store.Range{Start: key(domain), End: key(domain, c.now.Add(1))}) {
			if err != nil {
				return err
			}
			if delivery.State != DeliverySending {
				due = append(due, delivery)
			}
			if len(due) == resumeAtOnce {
				break
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
