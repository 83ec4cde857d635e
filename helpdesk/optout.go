package helpdesk

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// OptOut is an address that asked for no more mail that goes to many. Answers to
// its own questions reach it as before.
type OptOut struct {
	Address string // lower case
	At      time.Time
	Message string // the mail that offered it
	Ticket  uint64
}

// optOutKey signs the links by which one asks. It is made on first use and stays:
// links in mails have no end.
type optOutKey struct{ Secret []byte }

var (
	optOuts = store.NewTable(store.Spec[OptOut]{Name: "opt_out", Version: 1,
		Key: func(o *OptOut) []byte { return key(o.Address) }})
	optOutKeys = store.NewTable(store.Spec[optOutKey]{Name: "opt_out_key", Version: 1,
		Key: func(*optOutKey) []byte { return key("house") }})
)

// OptOutPath is where the links of mails lead, below the web's own address.
const OptOutPath = "/unsubscribe/"

// ensureOptOutKey makes the key where there is none.
func (d *Desk) ensureOptOutKey(ctx context.Context) error {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return d.update(ctx, System("opt out"), func(c *command) error {
		if has, err := optOutKeys.Has(c, key("house")); err != nil || has {
			return err
		}
		return optOutKeys.Put(c, &optOutKey{secret})
	})
}

// optOutToken names a mail and proves that we made it: nobody can ask for
// somebody else by guessing.
func optOutToken(secret []byte, message, address string) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s %s", message, strings.ToLower(address))
	return message + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

func (d *Desk) optOutLink(r store.Reader, message, address string) (string, error) {
	k, err := optOutKeys.Get(r, key("house"))
	if err != nil {
		return "", fmt.Errorf("read the key of opt-out links: %w", err)
	}
	return d.options.PublicURL + OptOutPath + optOutToken(k.Secret, message, address), nil
}

func optedOut(r store.Reader, address string) (*OptOut, error) {
	return optional(optOuts.Get(r, key(strings.ToLower(address))))
}

// readOptOut finds who a link is for; the error is one of not found.
func readOptOut(r store.Reader, token string) (*OptOut, error) {
	gone := &Error{Code: CodeNotFound, Key: "error.opt_out_unknown", Message: "this link is not one of ours, or its mail is no longer kept"}
	id, _, _ := strings.Cut(token, ".")
	m, err := messages.Get(r, key(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	k, err := optOutKeys.Get(r, key("house"))
	if errors.Is(err, store.ErrNotFound) || m.BulkReply == "" || len(m.To) != 1 {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal([]byte(token), []byte(optOutToken(k.Secret, m.ID, m.To[0].Email))) {
		return nil, gone
	}
	return &OptOut{Address: strings.ToLower(m.To[0].Email), Message: m.ID, Ticket: m.Ticket}, nil
}

// OptOutOf says who a mail's link is for, and whether they have asked already. It
// changes nothing: programs follow links to look at them.
func (d *Desk) OptOutOf(ctx context.Context, token string) (address, from string, done bool, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		o, err := readOptOut(r, token)
		if err != nil {
			return err
		}
		m, err := messages.Get(r, key(o.Message))
		if err != nil {
			return err
		}
		before, err := optedOut(r, o.Address)
		address, from, done = o.Address, cmp.Or(m.From.Name, m.From.Email), before != nil
		return err
	})
	return address, from, done, err
}

// OptOut keeps that the recipient of a mail wants no more of its kind. Asking
// again changes nothing.
func (d *Desk) OptOut(ctx context.Context, token string) error {
	return d.update(ctx, Actor{Kind: ActorCustomer}, func(c *command) error {
		o, err := readOptOut(c, token)
		if err != nil {
			return err
		}
		before, err := optedOut(c, o.Address)
		if err != nil || before != nil {
			return err
		}
		if c.actor.Name == "" {
			c.actor.Name = o.Address
		}
		o.At = c.now
		if err := optOuts.Put(c, o); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventAddressOptedOut, Ticket: o.Ticket, Message: o.Message, Data: map[string]string{"recipient": o.Address}})
		return err
	})
}

// OptOuts returns the addresses that asked, the newest first.
func (d *Desk) OptOuts(ctx context.Context, a Actor) ([]OptOut, error) {
	if err := a.mayRead("suppressed addresses"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, optOuts, func(a, b OptOut) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Address, b.Address))
	})
}

// LiftOptOut lets mail that goes to many reach an address again, as when the
// customer asks for it.
func (d *Desk) LiftOptOut(ctx context.Context, a Actor, address string) error {
	if err := a.may("lift a suppression", PermitSuppressions); err != nil {
		return err
	}
	address = strings.ToLower(strings.TrimSpace(address))
	return d.update(ctx, a, func(c *command) error {
		o, err := optOuts.Get(c, key(address))
		if _, err = found(o, err, "suppressed address", address); err != nil {
			return err
		}
		if err := optOuts.Delete(c, key(address)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventAddressOptedIn, Data: map[string]string{"recipient": address}})
		return err
	})
}
