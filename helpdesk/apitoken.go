package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// tokenIDLength is how many characters of a token's hash name it in lists;
// minTokenID is how few may name it where they are enough.
const (
	tokenIDLength = 12
	minTokenID    = 4
)

// ID names the token without giving it away: the beginning of its hash.
func (t *APIToken) ID() string { return t.Hash[:min(tokenIDLength, len(t.Hash))] }

// Tokens returns the API tokens, oldest first: an admin sees everybody's,
// others their own.
func (d *Desk) Tokens(ctx context.Context, a Actor) ([]APIToken, error) {
	if err := a.mayRead("tokens"); err != nil {
		return nil, err
	}
	list, err := scanAll(ctx, d, apiTokens, func(a, b APIToken) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Hash, b.Hash))
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(t APIToken) bool { return !a.maySeeToken(&t) }), nil
}

// maySeeToken reports whether a token is a's own, or a administers all.
func (a Actor) maySeeToken(t *APIToken) bool {
	return a.May(PermitTokens) || (a.Kind == ActorUser && a.UserID == t.UserID)
}

// RevokeToken makes a token useless at once, and returns what it was. id is
// its ID or a beginning of its hash, at least 4 characters, that no other token
// has. People revoke their own tokens, though not by a token of less than write
// scope; admins revoke anybody's.
func (d *Desk) RevokeToken(ctx context.Context, a Actor, id string) (*APIToken, error) {
	if err := a.mayChangeOwn("revoke a token"); err != nil {
		return nil, err
	}
	id = strings.ToLower(strings.TrimSpace(id))
	if len(id) < minTokenID || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, invalid("id", "token_id", "%q does not name a token; give its ID as the list of tokens shows it, or at least %d characters of that", id, minTokenID)
	}
	var revoked *APIToken
	err := d.update(ctx, a, func(c *command) (err error) {
		if revoked, err = c.tokenByID(id); err != nil {
			return err
		}
		if err := errors.Join(apiTokens.Delete(c, key(revoked.Hash)), c.clearTimer(TimerToken, revoked.Hash)); err != nil {
			return err
		}
		u, err := users.Get(c, key(revoked.UserID))
		if err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventTokenRevoked, Data: map[string]string{"token": revoked.ID(), "user": u.Email, "scope": string(revoked.Scope)}})
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// tokenByID finds the one token whose hash begins with id, among those that the
// actor may see: nobody learns of another's by guessing.
func (c *command) tokenByID(id string) (*APIToken, error) {
	var found *APIToken
	for t, err := range apiTokens.Scan(c, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(t.Hash, id) || !c.actor.maySeeToken(t) {
			continue
		}
		if found != nil {
			return nil, conflict("token_ambiguous", "more than one token begins with %q; give more characters of its ID", id)
		}
		found = t
	}
	if found == nil {
		return nil, notFound("token", id)
	}
	return found, nil
}
