package helpdesk

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// NewToken is an API token that is to be made.
type NewToken struct {
	UserID string
	Name   string // what it is for
	Scope  Scope
	Ends   time.Time // zero for one that does not end
}

const (
	maxTokenName = 60
	maxTokens    = 200 // of one user
	// tokenWarning is how long before its end a token's user is told.
	tokenWarning = 7 * 24 * time.Hour
)

// Ended reports whether the token is of no use any more.
func (t *APIToken) Ended(now time.Time) bool { return !t.Ends.IsZero() && !t.Ends.After(now) }

// Ending reports whether the token ends soon enough to be told of.
func (t *APIToken) Ending(now time.Time) bool {
	return !t.Ends.IsZero() && t.Ends.Before(now.Add(tokenWarning))
}

// CreateToken makes an API token without a name or an end.
func (d *Desk) CreateToken(ctx context.Context, a Actor, userID string, s Scope) (string, error) {
	return d.IssueToken(ctx, a, NewToken{UserID: userID, Scope: s})
}

// IssueToken makes an API token that acts for a user within a scope. It is
// returned once and kept only as a hash. Users make their own; admins make
// anybody's.
func (d *Desk) IssueToken(ctx context.Context, a Actor, n NewToken) (string, error) {
	if a.Kind != ActorUser || a.UserID != n.UserID || a.Scope != "" {
		if err := a.may("make tokens for others", PermitTokens); err != nil {
			return "", err
		}
	} else if err := a.mayRead("what a token is for"); err != nil {
		return "", err
	}
	if err := a.provenLately("make a token", d.now()); err != nil {
		return "", err
	}
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	switch {
	case !n.Scope.Valid():
		return "", invalid("scope", "scope_unknown", "scope %q is not one of read, write, admin, inbound", n.Scope)
	case utf8.RuneCountInString(n.Name) > maxTokenName:
		return "", invalid("name", "token_name_long", "the name %q has more than %d characters", n.Name, maxTokenName)
	case !n.Ends.IsZero() && !n.Ends.After(d.now()):
		return "", invalid("ends", "token_end_past", "the token would have ended on %s already", n.Ends.Format(time.DateOnly))
	}
	secret, _ := newSecret()
	token := tokenPrefix + secret
	err := d.update(ctx, a, func(c *command) error { return c.issueToken(n, hashSecret(token)) })
	if err != nil {
		return "", err
	}
	return token, nil
}

func (c *command) issueToken(n NewToken, hash string) error {
	u, err := users.Get(c, key(n.UserID))
	if u, err = found(u, err, "user", n.UserID); err != nil {
		return err
	}
	if u, err = withRole(c, u); err != nil {
		return err
	}
	if err := c.actor.mayGive(u.Granted); err != nil {
		return err
	}
	has := 0
	for _, err := range apiTokens.ScanIndexKeys(c, "user", store.Prefix(key(u.ID))) {
		if err != nil {
			return err
		}
		if has++; has == maxTokens {
			return conflict("token_limit", "%s has %d tokens; revoke those that nobody uses", u.Email, maxTokens)
		}
	}
	t := &APIToken{Hash: hash, UserID: n.UserID, Name: n.Name, Scope: n.Scope, CreatedAt: c.now, Ends: n.Ends.UTC()}
	data := details{"user": u.Email, "scope": string(n.Scope), "token": t.ID()}
	if n.Name != "" {
		data["name"] = n.Name
	}
	if n.Ends.IsZero() {
		t.Ends = time.Time{}
	} else {
		data["ends"] = t.Ends.Format(time.DateOnly)
		warn := t.Ends.Add(-tokenWarning)
		if warn.Before(c.now) { // a short one needs no warning, only its end
			warn = t.Ends
		}
		if err := c.quietTimer(TimerToken, hash, warn); err != nil {
			return err
		}
	}
	if err := apiTokens.Put(c, t); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventTokenCreated, Data: data})
	return err
}

// TokenEnding is the work of a token's timer: its user is told that it ends soon,
// and again when it has ended.
func (d *Desk) TokenEnding(ctx context.Context, hash string) error {
	return d.update(ctx, System("tokens"), func(c *command) error {
		t, err := apiTokens.Get(c, key(hash))
		if errors.Is(err, store.ErrNotFound) {
			return c.clearTimer(TimerToken, hash)
		}
		if err != nil {
			return err
		}
		u, err := users.Get(c, key(t.UserID))
		if err != nil {
			return err
		}
		kind, timer := EventTokenEnding, func() error { return c.quietTimer(TimerToken, hash, t.Ends) }
		if t.Ended(c.now) {
			kind, timer = EventTokenEnded, func() error { return c.clearTimer(TimerToken, hash) }
		}
		if err := timer(); err != nil || u.Disabled {
			return err
		}
		_, err = c.record(Event{Kind: kind, Data: details{"token": t.ID(), "user": u.Email, "owner": u.ID, "name": t.Name,
			"subject": t.Label(), "ends": t.Ends.Format(time.DateOnly)}})
		return err
	})
}

// Label names the token for people: by its name, else by its ID.
func (t *APIToken) Label() string {
	if t.Name != "" {
		return t.Name
	}
	return t.ID()
}
