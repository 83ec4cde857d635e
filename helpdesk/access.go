package helpdesk

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Login checks a password and opens a session, whose token goes into a cookie.
// Anything wrong is CodeUnauthorized, without saying what; too many failures
// are CodeTemporary with the time to wait.
func (d *Desk) Login(ctx context.Context, email, password, remoteIP string) (token string, u *User, err error) {
	email = strings.ToLower(strings.TrimSpace(email))
	keys := []string{"user:" + email, "ip:" + remoteIP}
	if wait := d.logins.wait(d.now(), keys...); wait > 0 {
		return "", nil, &Error{Code: CodeTemporary, Key: "error.login_wait", Args: []any{int(wait.Seconds()) + 1},
			Message: "too many failed logins; try again in " + wait.Round(time.Second).String()}
	}
	u, err = d.userByEmail(ctx, email)
	if err != nil && CodeOf(err) != CodeNotFound {
		return "", nil, err
	}
	hash := d.passwords.absent()
	if err == nil && !u.Disabled {
		hash = u.PasswordHash
	}
	if !d.passwords.match(password, hash) {
		d.logins.failed(d.now(), keys...)
		d.log.InfoContext(ctx, "login failed", "ip", remoteIP)
		if err := d.recordFailedLogin(ctx, u, remoteIP); err != nil {
			return "", nil, err
		}
		return "", nil, &Error{Code: CodeUnauthorized, Key: "error.login_failed", Message: "the address or the password is wrong"}
	}
	d.logins.succeeded(keys...)
	token, err = d.openSession(ctx, u, remoteIP)
	return token, u, err
}

func (d *Desk) openSession(ctx context.Context, u *User, remoteIP string) (string, error) {
	token, hash := newSecret()
	err := d.update(ctx, u.Actor().At(remoteIP), func(c *command) error {
		if _, err := c.record(Event{Kind: EventLogin, Data: map[string]string{"user": u.Email}}); err != nil {
			return err
		}
		if err := c.forgetExpiredSessions(); err != nil {
			return err
		}
		return sessions.Put(c, &Session{Hash: hash, UserID: u.ID, CreatedAt: c.now, ExpiresAt: c.now.Add(d.options.SessionLifetime)})
	})
	return token, err
}

func (c *command) forgetExpiredSessions() error {
	var expired []string
	for s, err := range sessions.ScanIndex(c, "expiry", store.Range{End: key(c.now)}) {
		if err != nil {
			return err
		}
		expired = append(expired, s.Hash)
	}
	for _, hash := range expired {
		if err := sessions.Delete(c, key(hash)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) userByEmail(ctx context.Context, email string) (u *User, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		u, err = users.First(r, "email", key(email))
		if u, err = found(u, err, "user", email); err != nil {
			return err
		}
		u, err = withRole(r, u)
		return err
	})
	return u, err
}

func unauthorized(key, message string) error {
	return &Error{Code: CodeUnauthorized, Key: "error." + key, Message: message}
}

// UserBySession returns whose session token is, or CodeUnauthorized.
func (d *Desk) UserBySession(ctx context.Context, token string) (u *User, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		session, err := sessions.Get(r, key(hashSecret(token)))
		if errors.Is(err, store.ErrNotFound) || (err == nil && !session.ExpiresAt.After(d.now())) {
			return unauthorized("session_over", "the session is over; log in again")
		}
		if err != nil {
			return err
		}
		u, err = activeUser(r, session.UserID)
		return err
	})
	return u, err
}

func activeUser(r store.Reader, id string) (*User, error) {
	u, err := users.Get(r, key(id))
	if errors.Is(err, store.ErrNotFound) || (err == nil && u.Disabled) {
		return nil, unauthorized("user_gone", "this user can no longer log in")
	}
	if err != nil {
		return nil, err
	}
	return withRole(r, u)
}

// Logout ends a session. An unknown one is no error.
func (d *Desk) Logout(ctx context.Context, token string) error {
	return d.update(ctx, System("logout"), func(c *command) error {
		return sessions.Delete(c, key(hashSecret(token)))
	})
}

// tokenPrefix marks API tokens, so that a leaked one is recognised.
const tokenPrefix = "mdg_"

// CreateToken makes an API token that acts for a user within a scope. It is
// returned once and kept only as a hash. Users make their own; admins make
// anybody's.
func (d *Desk) CreateToken(ctx context.Context, a Actor, userID string, s Scope) (string, error) {
	if a.Kind != ActorUser || a.UserID != userID || a.Scope != "" {
		if err := a.may("make tokens for others", PermitTokens); err != nil {
			return "", err
		}
	}
	if !s.Valid() {
		return "", invalid("scope", "scope_unknown", "scope %q is not one of read, write, admin", s)
	}
	secret, _ := newSecret()
	token := tokenPrefix + secret
	err := d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(userID))
		if u, err = found(u, err, "user", userID); err != nil {
			return err
		}
		if u, err = withRole(c, u); err != nil {
			return err
		}
		if err := a.mayGive(u.Granted); err != nil {
			return err
		}
		if err := apiTokens.Put(c, &APIToken{Hash: hashSecret(token), UserID: userID, Scope: s, CreatedAt: c.now}); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventTokenCreated, Data: map[string]string{"user": u.Email, "scope": string(s)}})
		return err
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// UserByToken returns for whom an API token acts and how far, or
// CodeUnauthorized.
func (d *Desk) UserByToken(ctx context.Context, token string) (u *User, s Scope, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		t, err := apiTokens.Get(r, key(hashSecret(token)))
		if errors.Is(err, store.ErrNotFound) {
			return unauthorized("token_unknown", "this token is not valid; make one with: madoguchi token create")
		}
		if err != nil {
			return err
		}
		s = t.Scope
		u, err = activeUser(r, t.UserID)
		return err
	})
	return u, s, err
}
