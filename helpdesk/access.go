package helpdesk

import (
	"context"
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// tokenPrefix marks API tokens, so that a leaked one is recognised.
const tokenPrefix = "mdg_"

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
		if t.Ended(d.now()) {
			return unauthorized("token_ended", "this token ended on "+t.Ends.Format(time.DateOnly)+"; make a new one")
		}
		s = t.Scope
		u, err = activeUser(r, t.UserID)
		return err
	})
	return u, s, err
}
