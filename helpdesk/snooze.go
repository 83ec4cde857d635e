package helpdesk

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Snooze says that a ticket rests: it is in none of the lists of work until
// its time comes or its customer writes.
type Snooze struct {
	Until time.Time // zero: until the customer writes
	Note  string    // why, in the agent's words
	By    string    // user id
	At    time.Time
}

// WakeReason says why a ticket came back from its rest.
type WakeReason string

// The reasons to wake.
const (
	WokenByTime     WakeReason = "time"
	WokenByCustomer WakeReason = "customer"
	WokenByFailure  WakeReason = "failure" // a reply did not arrive
	WokenByHand     WakeReason = "hand"
)

// Limits of a snooze.
const (
	maxSnooze     = 2 * 365 * 24 * time.Hour
	maxSnoozeNote = 500 // bytes
)

// Snooze lays a ticket aside until a time, or until the customer writes where
// until is zero. A closed ticket cannot be snoozed.
func (d *Desk) Snooze(ctx context.Context, a Actor, number uint64, until time.Time, note string) (*Ticket, error) {
	return d.Change(ctx, a, number, Change{Snooze: &Snooze{Until: until, Note: note}})
}

// Wake brings a snoozed ticket back at once. One that is awake stays so.
func (d *Desk) Wake(ctx context.Context, a Actor, number uint64) (*Ticket, error) {
	return d.Change(ctx, a, number, Change{Wake: true})
}

// snooze lets a ticket rest as s says, and says so.
func (c *command) snooze(t *Ticket, s Snooze) error {
	s.Until, s.Note, s.By, s.At = s.Until.UTC().Truncate(time.Second), strings.TrimSpace(s.Note), c.actor.UserID, c.now
	if err := s.check(t, c.now); err != nil {
		return err
	}
	return c.rest(t, s)
}

// rest lays a ticket aside, and says so.
func (c *command) rest(t *Ticket, s Snooze) error {
	t.Snooze, t.WokenSeq = &s, 0
	data := map[string]string{"note": s.Note}
	if err := c.clearTimer(TimerWake, formatNumber(t.Number)); err != nil {
		return err
	}
	if !s.Until.IsZero() {
		data["until"] = s.Until.Format(time.RFC3339)
		if err := c.setTimer(TimerWake, formatNumber(t.Number), s.Until); err != nil {
			return err
		}
	}
	_, err := c.record(Event{Kind: EventTicketSnoozed, Ticket: t.Number, Data: data})
	return err
}

// check refuses a rest that a ticket cannot have; of no ticket where t is nil,
// only one that none can.
func (s *Snooze) check(t *Ticket, now time.Time) error {
	switch {
	case len(s.Note) > maxSnoozeNote:
		return invalid("note", "snooze_note_long", "the reason has %d bytes; the limit is %d", len(s.Note), maxSnoozeNote)
	case !s.Until.IsZero() && !s.Until.After(now):
		return invalid("until", "snooze_past", "%s has passed; give a time to come", s.Until.Format(time.RFC3339))
	case s.Until.After(now.Add(maxSnooze)):
		return invalid("until", "snooze_far", "%s is more than two years away", s.Until.Format(time.RFC3339))
	case t != nil && t.Spam != nil:
		return conflict("snooze_spam", "ticket %d is spam; say that it is not before putting it on hold", t.Number)
	case t != nil && !t.Open:
		return conflict("snooze_closed", "ticket %d is closed; open it again before putting it on hold", t.Number)
	}
	return nil
}

// same reports whether a rests as b does, whoever said so; nil is awake.
func (s *Snooze) same(other *Snooze) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.Until.Equal(other.Until) && s.Note == other.Note
}

// wakeTicket ends a ticket's rest and says why; where it is awake nothing happens.
func (c *command) wakeTicket(t *Ticket, why WakeReason) error {
	if t.Snooze == nil {
		return nil
	}
	if err := c.endSnooze(t); err != nil {
		return err
	}
	seq, err := c.record(Event{Kind: EventTicketWoken, Ticket: t.Number, Data: map[string]string{"why": string(why)}})
	if why != WokenByHand {
		t.WokenSeq = seq
	}
	t.UpdatedAt = c.now
	return err
}

// endSnooze forgets a ticket's rest without a word: something else says it.
func (c *command) endSnooze(t *Ticket) error {
	if t.Snooze == nil {
		return nil
	}
	t.Snooze = nil
	return c.clearTimer(TimerWake, formatNumber(t.Number))
}

// WakeDue is the work of a wake timer, whose id is a ticket's number: the ticket
// comes back when its time has come.
func (d *Desk) WakeDue(ctx context.Context, id string) error {
	return d.update(ctx, System("snooze"), func(c *command) error {
		number, _ := parseNumber(id) // 0, which no ticket has, for what is no number
		t, err := tickets.Get(c, key(number))
		if errors.Is(err, store.ErrNotFound) || (err == nil && (t.Snooze == nil || t.Snooze.Until.IsZero())) {
			return c.clearTimer(TimerWake, id)
		}
		if err != nil {
			return err
		}
		if t.Snooze.Until.After(c.now) { // it was put off again, or the clock went back
			return c.setTimer(TimerWake, id, t.Snooze.Until)
		}
		if t.Spam != nil { // nobody waits for it
			err = c.endSnooze(t)
		} else {
			err = errors.Join(c.releaseFromDisabled(t), c.wakeTicket(t, WokenByTime))
		}
		if err != nil {
			return err
		}
		return tickets.Put(c, t)
	})
}
