package helpdesk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Limits of attempts to log in. After the free ones, each further one doubles
// the wait.
const (
	// freePlaceAttempts are for one account from one place: a browser that has
	// logged in to it before, or a network.
	freePlaceAttempts = 5
	// freeNetworkAttempts are for all accounts from one network, where many
	// colleagues may sit.
	freeNetworkAttempts = 30
	// freeAccountAttempts are for one account from all networks that it was never
	// logged in from.
	freeAccountAttempts = 30

	maxLoginWait    = 15 * time.Minute
	attemptLifetime = 24 * time.Hour
	// maxAttempts bounds the store: only the counts that were changed last are kept.
	maxAttempts = 20_000
)

// attempt counts the attempts of one kind that did not succeed. It is kept in
// the store, so that a restart forgives nothing.
type attempt struct {
	Key    string
	Count  int
	At     time.Time // of the last
	Until  time.Time // when the next one may come
	Serial uint64    // grows with each change in the table
}

var attempts = store.NewTable(store.Spec[attempt]{Name: "attempt", Version: 1,
	Key: func(a *attempt) []byte { return key(a.Key) },
	Indexes: []store.Index[attempt]{
		{Name: "serial", Unique: true, Keys: func(a *attempt) [][]byte { return one(key(a.Serial)) }},
	}})

// bucket is what attempts are counted by, and how many are free.
type bucket struct {
	key  string
	free int
}

// loginBuckets are what an attempt to log in to an account is counted by, the
// same whether there is such an account or not.
//
// Nobody can keep an account's owner out from elsewhere: a browser that they have
// logged in with is counted by itself, and their usual networks are not counted
// with the rest of the world. What is left is who comes with a new browser from a
// new network while others guess: they wait at most a quarter of an hour, or use
// a passkey, which is not counted by account since it cannot be guessed.
func loginBuckets(r store.Reader, u *User, account string, v Visitor) ([]bucket, error) {
	account = hashSecret(account)[:32]
	network := networkOf(v.IP)
	place := bucket{"place:" + account + ":" + network, freePlaceAttempts}
	everybody := bucket{"network:" + network, freeNetworkAttempts}
	if u != nil {
		known, err := deviceOf(r, u.ID, v)
		if err != nil {
			return nil, err
		}
		if known != nil {
			return []bucket{{"device:" + account + ":" + known.Hash[:32], freePlaceAttempts}}, nil
		}
		if usual, err := knowsNetwork(r, u.ID, v); err != nil || usual {
			return []bucket{place, everybody}, err
		}
	}
	return []bucket{place, everybody, {"account:" + account, freeAccountAttempts}}, nil
}

// tryLogin counts an attempt before it is known how it ends, so that many at
// once gain nothing; forgiveAttempts takes it back. It is CodeLimited with the
// time to wait while there is one.
func (d *Desk) tryLogin(ctx context.Context, buckets []bucket) error {
	err := d.update(ctx, System("login"), func(c *command) error {
		var wait time.Duration
		for _, b := range buckets {
			a, err := c.attempt(b.key)
			if err != nil {
				return err
			}
			// A clock that was set back must not lock anybody out for long.
			wait = max(wait, min(a.Until.Sub(c.now), maxLoginWait))
		}
		if wait > 0 {
			return waitError(wait)
		}
		for _, b := range buckets {
			if err := c.countAttempt(b); err != nil {
				return err
			}
		}
		return c.forgetAttempts()
	})
	if CodeOf(err) == CodeLimited {
		d.logins.count(loginLimited)
	}
	return err
}

func waitError(wait time.Duration) error {
	e := &Error{Code: CodeLimited, Wait: wait, Key: "error.login_wait", Args: []any{int(wait.Seconds()) + 1},
		Message: fmt.Sprintf("too many failed logins; try again in %s", wait.Round(time.Second))}
	if wait > 90*time.Second {
		e.Key, e.Args = "error.login_wait_minutes", []any{int((wait + time.Minute - 1) / time.Minute)}
	}
	return e
}

// attempt returns what is counted under a key, nothing after a day without one.
func (c *command) attempt(k string) (*attempt, error) {
	a, err := optional(attempts.Get(c, key(k)))
	if err != nil {
		return nil, err
	}
	if a == nil || c.now.Sub(a.At) >= attemptLifetime {
		return &attempt{Key: k}, nil
	}
	return a, nil
}

func (c *command) countAttempt(b bucket) error {
	a, err := c.attempt(b.key)
	if err != nil {
		return err
	}
	a.Count++
	a.At = c.now
	if over := a.Count - b.free; over > 0 {
		a.Until = c.now.Add(min(time.Second<<min(over, 20), maxLoginWait))
	}
	return c.putAttempt(a)
}

func (c *command) putAttempt(a *attempt) error {
	a.Serial = 1
	for last, err := range attempts.ScanIndex(c, "serial", store.Range{Reverse: true}) {
		if err != nil {
			return err
		}
		a.Serial = last.Serial + 1
		break
	}
	return attempts.Put(c, a)
}

// forgetAttempts keeps the counts that were changed last.
func (c *command) forgetAttempts() error {
	var old []string
	var newest uint64
	for a, err := range attempts.ScanIndex(c, "serial", store.Range{Reverse: true}) {
		if err != nil {
			return err
		}
		newest = a.Serial
		break
	}
	if newest <= maxAttempts {
		return nil
	}
	for a, err := range attempts.ScanIndex(c, "serial", store.Range{End: key(newest - maxAttempts)}) {
		if err != nil {
			return err
		}
		if old = append(old, a.Key); len(old) == forgetAtOnce {
			break
		}
	}
	for _, k := range old {
		if err := attempts.Delete(c, key(k)); err != nil {
			return err
		}
	}
	return nil
}

// forgiveAttempts takes an attempt back that succeeded, with those that failed
// before it at the same place. A network's count only loses the one: whoever has
// an account here must not pay for guesses at others with logins to their own.
func (c *command) forgiveAttempts(buckets []bucket) error {
	for _, b := range buckets {
		if !strings.HasPrefix(b.key, "network:") {
			if err := attempts.Delete(c, key(b.key)); err != nil {
				return err
			}
			continue
		}
		a, err := c.attempt(b.key)
		if err != nil || a.Count == 0 {
			return err
		}
		if a.Count--; a.Count <= b.free {
			a.Until = time.Time{}
		}
		if err := c.putAttempt(a); err != nil {
			return err
		}
	}
	return nil
}
