package helpdesk

import (
	"context"
	"errors"

	"github.com/madoguchi/madoguchi/store"
)

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
