package helpdesk

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// PushSubscription is a browser that wants to be told though no page is open
// (Push API, section 8): where its push service takes messages, and the keys that
// they are encrypted for.
type PushSubscription struct {
	ID        string // SHA-256 of the endpoint, hex
	UserID    string
	Endpoint  string
	P256DH    string // base64url
	Auth      string // base64url
	Browser   string // what it calls itself
	CreatedAt time.Time
}

// PushKeys are the house's own for Web Push (VAPID, RFC 8292), base64url.
type PushKeys struct {
	Public  string
	Private string
}

// maxPushEndpoint is in bytes; maxSubscriptions is how many browsers one user may have.
const (
	maxPushEndpoint  = 2048
	maxSubscriptions = 20
)

// PushKeys returns the house's keys; they are made on first use and stay.
func (d *Desk) PushKeys(ctx context.Context) (*PushKeys, error) {
	keys, err := d.readPushKeys(ctx)
	if err != nil || keys != nil {
		return keys, err
	}
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	err = d.update(ctx, System("push"), func(c *command) error {
		has, err := pushKeys.Has(c, key("house"))
		if err != nil || has {
			return err
		}
		return pushKeys.Put(c, &PushKeys{Public: encode(private.PublicKey().Bytes()), Private: encode(private.Bytes())})
	})
	if err != nil {
		return nil, err
	}
	return d.readPushKeys(ctx)
}

func (d *Desk) readPushKeys(ctx context.Context) (keys *PushKeys, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		keys, err = pushKeys.Get(r, key("house"))
		if errors.Is(err, store.ErrNotFound) {
			keys, err = nil, nil
		}
		return err
	})
	return keys, err
}

// SubscribePush lets notices reach one of the actor's browsers. The same endpoint
// again replaces what was known of it, whoever's it was.
func (d *Desk) SubscribePush(ctx context.Context, a Actor, s PushSubscription) (*PushSubscription, error) {
	if err := a.may("be told by a browser", PermitRead); err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(s.Endpoint)
	if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil || len(s.Endpoint) > maxPushEndpoint {
		return nil, invalid("endpoint", "push_endpoint", "the push service's address must begin with https://")
	}
	for name, want := range map[string]int{"p256dh": 65, "auth": 16} {
		value := map[string]string{"p256dh": s.P256DH, "auth": s.Auth}[name]
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil || len(data) != want {
			return nil, invalid(name, "push_keys", "the browser's key %q is not one of %d bytes in base64url", name, want)
		}
	}
	sum := sha256.Sum256([]byte(s.Endpoint))
	s.ID, s.UserID = hex.EncodeToString(sum[:]), a.UserID
	if len(s.Browser) > 300 {
		s.Browser = s.Browser[:300]
	}
	err = d.update(ctx, a, func(c *command) error {
		s.CreatedAt = c.now
		list, err := subscriptionsOf(c, a.UserID)
		if err != nil {
			return err
		}
		for i := 0; i <= len(list)-maxSubscriptions; i++ { // the oldest go
			if err := pushSubscriptions.Delete(c, key(list[i].ID)); err != nil {
				return err
			}
		}
		return pushSubscriptions.Put(c, &s)
	})
	return &s, err
}

// UnsubscribePush ends what SubscribePush began. An unknown endpoint is no error.
func (d *Desk) UnsubscribePush(ctx context.Context, a Actor, endpoint string) error {
	if err := a.may("be told by a browser", PermitRead); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(endpoint))
	return d.update(ctx, a, func(c *command) error { return c.dropSubscription(hex.EncodeToString(sum[:]), a.UserID) })
}

// DropPush forgets a subscription whose push service says that it is gone
// (RFC 8030, section 7.3).
func (d *Desk) DropPush(ctx context.Context, id string) error {
	return d.update(ctx, System("push"), func(c *command) error { return c.dropSubscription(id, "") })
}

func (c *command) dropSubscription(id, user string) error {
	s, err := pushSubscriptions.Get(c, key(id))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user != "" && s.UserID != user) {
		return nil
	}
	if err != nil {
		return err
	}
	return pushSubscriptions.Delete(c, key(id))
}

func subscriptionsOf(r store.Reader, user string) (list []PushSubscription, err error) {
	for s, err := range pushSubscriptions.ScanIndex(r, "user", store.Prefix(key(user))) {
		if err != nil {
			return nil, err
		}
		list = append(list, *s)
	}
	return list, nil
}

// pushLater sets a timer for each browser of the notice's user.
func (c *command) pushLater(n *Notice, at time.Time) error {
	list, err := subscriptionsOf(c, n.UserID)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := c.quietTimer(TimerPush, n.ID+"|"+s.ID, at); err != nil {
			return err
		}
	}
	return nil
}

// Push is one message to one browser.
type Push struct {
	Subscription PushSubscription
	Notice       NoticeView
	Locale       string // the user's, "" where unknown
}

// StartPush returns what a push timer, whose id is a notice's and a
// subscription's, is about; nil where there is nothing left to tell: it was read
// meanwhile, or the browser is gone.
func (d *Desk) StartPush(ctx context.Context, id string) (*Push, error) {
	notice, subscription, _ := strings.Cut(id, "|")
	var push *Push
	err := d.view(ctx, func(r store.Reader) error {
		push = nil
		n, err := notices.Get(r, key(notice))
		if err == nil && n.ReadAt.After(n.At) { // at once is: not shown in the web
			return nil
		}
		if err != nil {
			return gone(err)
		}
		s, err := pushSubscriptions.Get(r, key(subscription))
		if err != nil {
			return gone(err)
		}
		user, err := toldUser(r, n)
		if err != nil || user == nil {
			return gone(err)
		}
		view, err := noticeView(r, n)
		if err != nil {
			return err
		}
		push = &Push{Subscription: *s, Notice: *view, Locale: user.Locale}
		return nil
	})
	return push, err
}

// EndPush ends the push timer of an id, whether the push was sent or never can be.
func (d *Desk) EndPush(ctx context.Context, id string) error {
	return d.update(ctx, System("push"), func(c *command) error { return c.clearTimer(TimerPush, id) })
}

// gone turns the absence of a record into none.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
