package helpdesk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/store"
)

// Options are what the house decides at start.
type Options struct {
	// Hostname ends the Message-IDs we write where no alias's domain is known.
	Hostname string
	// TokenLifetime is how long a reply address lives; 90 days when zero.
	TokenLifetime time.Duration
	// UndoWindow is how long a posted reply can be taken back; 10 s when zero,
	// none when negative.
	UndoWindow time.Duration
	// SessionLifetime is how long a browser stays logged in at most; 30 days when
	// zero. SessionIdle is how long it stays so without being used; 7 days when zero.
	SessionLifetime, SessionIdle time.Duration
	// Policy is what may change later.
	Policy
	// GiveUpAfter is how long a deferred delivery is tried; 5 days when zero
	// (RFC 5321, section 4.5.4.1).
	GiveUpAfter time.Duration
	// AcknowledgementsPerDomain is how many acknowledgements go to one domain in
	// an hour at most; 30 when zero.
	AcknowledgementsPerDomain int
	// PasswordMemory is what argon2id takes to hash one password, in KiB; 65,536
	// when zero. Stored hashes keep what they were made with.
	PasswordMemory int
	// PublicURL is the web's own address, beginning with https:// and without a
	// slash at its end; "" where there is none that customers could reach.
	PublicURL string
	Log       *slog.Logger
	// Program is the version of the program, kept with the data that it upgrades.
	Program string
	// PrivateWebhooks says that webhooks may be on networks of the house's own,
	// where http:// will do; WebhookPatience is how long one may fail before it is
	// given up, DefaultWebhookPatience when zero.
	PrivateWebhooks bool
	WebhookPatience time.Duration
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&o.TokenLifetime, 90*24*time.Hour)
	set(&o.UndoWindow, 10*time.Second)
	set(&o.SessionLifetime, 30*24*time.Hour)
	set(&o.SessionIdle, 7*24*time.Hour)
	set(&o.GiveUpAfter, 5*24*time.Hour)
	o.Policy = o.Policy.withDefaults()
	set(&o.WebhookPatience, DefaultWebhookPatience)
	if o.AcknowledgementsPerDomain == 0 {
		o.AcknowledgementsPerDomain = 30
	}
	if o.PasswordMemory == 0 {
		o.PasswordMemory = argonMemory
	}
	o.UndoWindow = max(o.UndoWindow, 0)
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Desk is the helpdesk over one store. Its methods are safe for use by many
// goroutines; the store serialises what must be.
type Desk struct {
	// Now is the clock; tests replace it before the first use.
	Now func() time.Time

	db        store.Engine
	counted   countedViews
	options   Options                // but for its Policy
	policy    atomic.Pointer[Policy] // the one in force
	log       *slog.Logger
	wake      *wakeups
	recent    *recentEvents
	logins    *loginTally
	seals     *seals
	passwords *passwords
	ids       *ulid.LockedMonotonicReader
	zones     *zones
	refusals  *refusals
	damages   *damages
	clock     clock
}

// Open returns the helpdesk kept in db, which the caller goes on owning and
// closes after the last use of the desk. Where the store was written by a program
// with other indexes, they are made anew first.
func Open(ctx context.Context, db store.Engine, o Options) (*Desk, error) {
	o = o.withDefaults()
	d := &Desk{Now: time.Now, db: db, options: o, log: o.Log, wake: newWakeups(), recent: &recentEvents{}, logins: newLoginTally(), seals: newSeals(), zones: &zones{}, refusals: newRefusals(), damages: &damages{},
		passwords: newPasswords(o.PasswordMemory),
		ids:       &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}}
	d.policy.Store(&o.Policy)
	err := db.View(ctx, func(r store.Reader) error {
		last, err := lastSeq(r)
		d.wake.event(last)
		if err != nil || last == 0 {
			return err
		}
		if newest, err := events.Get(r, key(last)); !passOver(r, err) && err == nil {
			d.clock.newest = newest.At
		}
		return nil
	})
	if err == nil {
		err = d.upgradeData(ctx)
	}
	if err == nil {
		err = d.upgrade(ctx)
	}
	if err == nil {
		err = d.upgradeLedger(ctx)
	}
	if err == nil {
		err = d.upgradeAliases(ctx)
	}
	if err == nil {
		err = d.upgradeContacts(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open helpdesk: %w", err)
	}
	return d, nil
}

// now is the clock in UTC, at the store's resolution.
func (d *Desk) now() time.Time { return d.Now().UTC().Round(0) }

// newID returns a ULID: unique, and sorted by order of making, also where the clock is set
// back in between.
func (d *Desk) newID() string {
	return ulid.MustNew(d.clock.forward(ulid.Timestamp(d.now())), d.ids).String()
}

// command is one command's transaction: what it writes, and as whom.
type command struct {
	store.Tx
	desk   *Desk
	actor  Actor
	now    time.Time
	last   uint64  // the newest event written, for the wake-up
	timers bool    // a timer was set
	trace  *trace  // of a rehearsal; nil otherwise
	clocks *clocks // working hours and due times, read once they are asked for
	events []Event // what was recorded, in order
	newest *Ticket // as it was put last; never changed
}

// update runs one command as one transaction and, once it is durable, wakes
// those who follow the log or the timers. fn may run more than once and does
// no I/O.
func (d *Desk) update(ctx context.Context, a Actor, fn func(*command) error) error {
	var c *command
	err := d.db.Update(ctx, func(tx store.Tx) error {
		c = &command{Tx: tx, desk: d, actor: a, now: d.now()}
		if err := fn(c); err != nil {
			return err
		}
		return c.tellOf(c.events)
	})
	if err != nil {
		d.noteDamage(err)
		return err
	}
	if c.last > 0 {
		d.recent.keep(c.events)
		d.wake.event(c.last)
	}
	if c.timers {
		d.wake.timer()
	}
	return nil
}

// mergedInto is the ticket that the one with the number has become part of, else
// that ticket itself.
func mergedInto(r store.Reader, number uint64) (*Ticket, error) {
	for {
		t, err := tickets.Get(r, key(number))
		if t, err = found(t, err, "ticket", number); err != nil || t.MergedInto == 0 {
			return t, err
		}
		number = t.MergedInto
	}
}

// workable returns a ticket that can be worked on: there, and not merged.
func workable(r store.Reader, number uint64) (*Ticket, error) {
	t, err := tickets.Get(r, key(number))
	if t, err = found(t, err, "ticket", number); err != nil {
		return nil, err
	}
	if !t.ErasedAt.IsZero() {
		return nil, conflict("ticket_erased", "ticket %d was erased with its customer's data", number)
	}
	if t.MergedInto != 0 {
		return nil, conflict("ticket_merged", "ticket %d was merged into ticket %d; work there", number, t.MergedInto)
	}
	if t.Withdrawn {
		return nil, conflict("ticket_withdrawn", "ticket %d was taken back with the mail that began it", number)
	}
	return t, nil
}

// view runs a query on a consistent state.
func (d *Desk) view(ctx context.Context, fn func(store.Reader) error) error {
	err := d.db.View(ctx, func(r store.Reader) error { return fn(watched{r, d}) })
	d.noteDamage(err)
	return err
}

// found turns the store's absence of a record into the domain's.
func found[T any](record *T, err error, what string, id any) (*T, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound(what, id)
	}
	return record, err
}
