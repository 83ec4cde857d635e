package helpdesk

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// GreylistState is who waits and who passed.
type GreylistState struct {
	Waiting, Passed int
	// Entries are those that were put off last, at most 100.
	Entries []GreylistEntry
	Allowed []GreylistAllowed
}

// GreylistEntry is a sender that was put off and has not come back in time yet.
type GreylistEntry struct {
	Network, Sender, Recipient string
	First                      time.Time // when it was put off
	From, Until                time.Time // between which it is let in
}

// GreylistAllowed is a network whose mail is not put off.
type GreylistAllowed struct {
	Network string // an IPv4 /24 or an IPv6 /64
	By      string // user ID
	At      time.Time
}

const (
	maxGreylistEntries = 100
	maxGreylistAllowed = 1000
)

var greylistAllowed = store.NewTable(store.Spec[GreylistAllowed]{Name: "greylistallowed", Version: 1,
	Key: func(g *GreylistAllowed) []byte { return key(g.Network) }})

// Greylisted says who waits for being taken.
func (d *Desk) Greylisted(ctx context.Context, a Actor) (state GreylistState, err error) {
	if err := a.mayAdminister("read the greylist"); err != nil {
		return state, err
	}
	delay := d.policy.Load().Greylisting.Delay
	err = d.view(ctx, func(r store.Reader) error {
		state = GreylistState{}
		for g, err := range greylist.Scan(r, store.Range{}) {
			switch {
			case err != nil:
				return err
			case !g.Until.After(d.now()):
			case g.Passed:
				state.Passed++
			default:
				state.Waiting++
				state.Entries = append(state.Entries, GreylistEntry{g.Network, g.Sender, g.Recipient, g.First, g.First.Add(delay), g.Until})
			}
		}
		for g, err := range greylistAllowed.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			state.Allowed = append(state.Allowed, *g)
		}
		return nil
	})
	slices.SortFunc(state.Entries, func(a, b GreylistEntry) int {
		return cmp.Or(b.First.Compare(a.First), cmp.Compare(a.Network, b.Network))
	})
	state.Entries = state.Entries[:min(len(state.Entries), maxGreylistEntries)]
	return state, err
}

// AllowGreylisted lets the network around an address pass from now on. Given is an
// address, or a network as GreylistEntry names it.
func (d *Desk) AllowGreylisted(ctx context.Context, a Actor, given string) error {
	if err := a.mayAdminister("let a network pass the greylist"); err != nil {
		return err
	}
	network, err := greylistNetwork(given)
	if err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		if has, err := greylistAllowed.Has(c, key(network)); err != nil || has {
			return err
		}
		n := 0
		for _, err := range greylistAllowed.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			n++
		}
		if n >= maxGreylistAllowed {
			return conflict("greylist_many", "%d networks pass already; remove some first", n)
		}
		if err := greylistAllowed.Put(c, &GreylistAllowed{Network: network, By: a.UserID, At: c.now}); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventGreylistAllowed, Data: map[string]string{"network": network}})
		return err
	})
}

// DisallowGreylisted takes back what AllowGreylisted let pass: a network as it is listed
// there. One that does not pass is no error.
func (d *Desk) DisallowGreylisted(ctx context.Context, a Actor, given string) error {
	if err := a.mayAdminister("put a network on the greylist again"); err != nil {
		return err
	}
	network, err := greylistNetwork(given)
	if err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		if has, err := greylistAllowed.Has(c, key(network)); err != nil || !has {
			return err
		}
		if err := greylistAllowed.Delete(c, key(network)); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventGreylistDisallowed, Data: map[string]string{"network": network}})
		return err
	})
}

// greylistNetwork is the network in which senders are told apart.
func greylistNetwork(given string) (string, error) {
	address := strings.TrimSpace(given)
	if prefix, err := netip.ParsePrefix(address); err == nil {
		address = prefix.Addr().String()
	}
	network := networkOf(address)
	if network == "" {
		return "", invalid("network", "greylist_network", "%q is no address; write one such as 192.0.2.7 or 2001:db8::7", given)
	}
	return network, nil
}
