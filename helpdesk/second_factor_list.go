package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// FactorSummary is by what a user can prove who they are.
type FactorSummary struct {
	Password bool // they have one
	App      bool
	Passkeys int
	SignOn   bool // they are bound to an account at a sign-on provider
}

// Lacking reports whether a password alone lets the user in, and nothing that
// would do so better is set up.
func (f FactorSummary) Lacking() bool { return f.Password && !f.App && f.Passkeys == 0 }

// SecondFactors returns by what each user can prove who they are, by their IDs.
func (d *Desk) SecondFactors(ctx context.Context, a Actor) (list map[string]FactorSummary, err error) {
	if err := a.may("see how others log in", PermitUsers); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = map[string]FactorSummary{}
		for u, err := range users.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			f := FactorSummary{Password: u.PasswordHash != "" && !d.policy.Load().SignOn.Only}
			if f.App, err = secondFactors.Has(r, key(u.ID)); err != nil {
				return err
			}
			keys, err := passkeysOf(r, u.ID)
			if err != nil {
				return err
			}
			bound, err := identitiesOf(r, u.ID)
			if err != nil {
				return err
			}
			f.Passkeys, f.SignOn = len(keys), len(bound) > 0
			list[u.ID] = f
		}
		return nil
	})
	return list, err
}
