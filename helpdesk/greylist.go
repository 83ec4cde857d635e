package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Greylisting says how a mail that nothing speaks for is put off (RFC 6647). What
// is zero stands for DefaultGreylisting.
type Greylisting struct {
	// Delay is how long a sender that is new has to wait before it is taken.
	Delay time.Duration
	// Within is how long after its first attempt it may come back; later it is new.
	Within time.Duration
	// Keep is how long one that came back is remembered after its last mail.
	Keep time.Duration
	// Most is how many triplets are kept; where there are more, those that end
	// first make room.
	Most int
}

// DefaultGreylisting waits less than mail servers do before they try again, and
// remembers who writes once a month.
func DefaultGreylisting() Greylisting {
	return Greylisting{Delay: 5 * time.Minute, Within: 24 * time.Hour, Keep: 35 * 24 * time.Hour, Most: 100_000}
}

func (g Greylisting) withDefaults() Greylisting {
	d := DefaultGreylisting()
	return Greylisting{cmp.Or(g.Delay, d.Delay), cmp.Or(g.Within, d.Within), cmp.Or(g.Keep, d.Keep), cmp.Or(g.Most, d.Most)}
}

// sweepEvery is how often, and sweepAtOnce how many at a time, triplets are
// deleted that have ended.
const (
	sweepEvery  = time.Hour
	sweepAtOnce = 1000
)

// greylisted is a triplet: who tried to write to whom from where.
type greylisted struct {
	Network   string // an IPv4 /24 or an IPv6 /64
	Sender    string // of the envelope, lower case; empty for a bounce
	Recipient string
	First     time.Time // when it was first put off
	Passed    bool      // it came back in time
	Until     time.Time // when it is forgotten
}

// greylistSize counts the triplets, so that their number is bounded at no cost.
type greylistSize struct{ Triplets int }

var (
	greylist = store.NewTable(store.Spec[greylisted]{Name: "greylisted", Version: 1,
		Key: func(g *greylisted) []byte { return key(g.Network, g.Sender, g.Recipient) },
		Indexes: []store.Index[greylisted]{
			{Name: "until", Keys: func(g *greylisted) [][]byte { return one(key(g.Until, g.Network, g.Sender, g.Recipient)) }},
		}})
	greylistSizes = store.NewTable(store.Spec[greylistSize]{Name: "greylistsize", Version: 1,
		Key: func(*greylistSize) []byte { return key("greylisted") }})
)

// Greylist says for how long a mail has to wait before its sender may bring it
// again; zero lets it in. Whoever is proven, known here as a contact, in a network that
// an admin let pass, or answers one of our own mails never waits, nor does what came
// by no network.
func (d *Desk) Greylist(ctx context.Context, in Incoming) (wait time.Duration, err error) {
	network := networkOf(in.Envelope.RemoteIP)
	if network == "" || in.Authentication.Trust() == TrustVerified {
		return 0, nil
	}
	known := false
	err = d.view(ctx, func(r store.Reader) (err error) {
		if known, err = greylistAllowed.Has(r, key(network)); err != nil || known {
			return err
		}
		known, err = d.knownToGreylist(r, in)
		return err
	})
	if err != nil || known {
		return 0, err
	}
	err = d.update(ctx, System("greylist"), func(c *command) error {
		wait = 0
		for _, recipient := range in.Envelope.Recipients {
			one, err := c.greylist(network, strings.ToLower(in.Envelope.MailFrom), strings.ToLower(recipient))
			if err != nil {
				return err
			}
			wait = max(wait, one)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("greylist a mail from %s: %w", network, err)
	}
	return wait, nil
}

// knownToGreylist looks for what speaks for a mail: a reply address of ours among its
// recipients, or an author who is a contact, unless the address is forged.
func (d *Desk) knownToGreylist(r store.Reader, in Incoming) (bool, error) {
	for _, address := range in.Envelope.Recipients {
		to, err := findRecipient(r, address, d.now())
		var refused *RecipientError
		if err != nil && !errors.As(err, &refused) {
			return false, err
		}
		if err == nil && to.token != nil {
			return true, nil
		}
	}
	if in.Message == nil || in.Message.From.Address == "" || in.Authentication.Trust() == TrustFailed {
		return false, nil
	}
	_, err := contacts.First(r, "email", key(loweredAddress(in.Message.From.Address)))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// greylist looks at one triplet, and keeps it.
func (c *command) greylist(network, sender, recipient string) (time.Duration, error) {
	o := c.desk.policy.Load().Greylisting
	g, err := optional(greylist.Get(c, key(network, sender, recipient)))
	if err != nil {
		return 0, err
	}
	switch {
	case g == nil:
		g = &greylisted{Network: network, Sender: sender, Recipient: recipient, First: c.now, Until: c.now.Add(o.Within)}
		if err := c.growGreylist(1); err != nil {
			return 0, err
		}
	case !g.Until.After(c.now): // the sweep has not come by yet
		*g = greylisted{Network: network, Sender: sender, Recipient: recipient, First: c.now, Until: c.now.Add(o.Within)}
	case g.Passed || !c.now.Before(g.First.Add(o.Delay)):
		g.Passed, g.Until = true, c.now.Add(o.Keep)
	}
	if err := greylist.Put(c, g); err != nil || g.Passed {
		return 0, err
	}
	return g.First.Add(o.Delay).Sub(c.now), nil
}

// growGreylist counts triplets, makes room for a new one, and sees that a sweep
// comes.
func (c *command) growGreylist(by int) error {
	size, err := optional(greylistSizes.Get(c, key("greylisted")))
	if err != nil {
		return err
	}
	if size == nil {
		size = &greylistSize{}
	}
	for size.Triplets+by > c.desk.policy.Load().Greylisting.Most {
		n, err := c.forgetGreylisted(1, time.Time{})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		size.Triplets -= n
	}
	size.Triplets += by
	if has, err := timers.Has(c, key(string(TimerGreylist), "sweep")); err != nil {
		return err
	} else if !has {
		if err := c.setTimer(TimerGreylist, "sweep", c.now.Add(sweepEvery)); err != nil {
			return err
		}
	}
	return greylistSizes.Put(c, size)
}

// forgetGreylisted deletes up to limit triplets that end before a time, the
// first to end first; the zero time stands for any.
func (c *command) forgetGreylisted(limit int, before time.Time) (int, error) {
	var ended []*greylisted
	for g, err := range greylist.ScanIndex(c, "until", store.Range{}) {
		if err != nil {
			return 0, err
		}
		if len(ended) == limit || !before.IsZero() && g.Until.After(before) {
			break
		}
		ended = append(ended, g)
	}
	for _, g := range ended {
		if err := greylist.Delete(c, key(g.Network, g.Sender, g.Recipient)); err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}

// SweepGreylist deletes the triplets that have ended: the work of TimerGreylist.
func (d *Desk) SweepGreylist(ctx context.Context, id string) error {
	return d.update(ctx, System("greylist"), func(c *command) error {
		n, err := c.forgetGreylisted(sweepAtOnce, c.now)
		if err != nil {
			return err
		}
		size, err := optional(greylistSizes.Get(c, key("greylisted")))
		if err != nil || size == nil {
			return errors.Join(err, c.clearTimer(TimerGreylist, id))
		}
		size.Triplets -= n
		if err := greylistSizes.Put(c, size); err != nil {
			return err
		}
		switch {
		case size.Triplets <= 0:
			return c.clearTimer(TimerGreylist, id)
		case n == sweepAtOnce:
			return c.setTimer(TimerGreylist, id, c.now)
		}
		return c.setTimer(TimerGreylist, id, c.now.Add(sweepEvery))
	})
}

// verifyGreylist counts the triplets anew.
func verifyGreylist(_ context.Context, r store.Reader) (problems []string, err error) {
	n := 0
	for _, err := range greylist.ScanIndexKeys(r, "until", store.Range{}) {
		if err != nil {
			return nil, err
		}
		n++
	}
	size, err := optional(greylistSizes.Get(r, key("greylisted")))
	if err != nil {
		return nil, err
	}
	counted := 0
	if size != nil {
		counted = size.Triplets
	}
	if counted != n {
		problems = append(problems, fmt.Sprintf("greylist: %d triplets are counted, %d are there", counted, n))
	}
	if has, err := timers.Has(r, key(string(TimerGreylist), "sweep")); err == nil && !has && n > 0 {
		problems = append(problems, "greylist: no timer will delete what has ended")
	}
	return problems, nil
}
