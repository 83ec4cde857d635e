package helpdesk

import (
	"context"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// RequireSecondFactor sets the roles whose users need more than a password to
// log in. Those who have nothing yet are logged out, and set it up at their next
// login; whoever decides it has it already, so that nobody locks themselves out.
func (d *Desk) RequireSecondFactor(ctx context.Context, a Actor, roles []Role) error {
	if err := a.may("decide who needs a second factor", PermitSystem); err != nil {
		return err
	}
	if err := a.provenLately("decide who needs a second factor", d.now()); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		s, err := readSettings(c)
		if err != nil {
			return err
		}
		var chosen []Role
		for _, role := range roles {
			if role, _, err = resolveRole(c, role); err != nil {
				return err
			}
			if !slices.Contains(chosen, role) {
				chosen = append(chosen, role)
			}
		}
		slices.Sort(chosen)
		before := s.SecondFactorRoles
		if s.SecondFactorRoles = chosen; slices.Equal(before, chosen) {
			return nil
		}
		if err := settings.Put(c, &s); err != nil {
			return err
		}
		if err := c.demandSecondFactor(chosen); err != nil {
			return err
		}
		names, err := roleNames(c, before, chosen)
		if err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSecondFactorRequired, Data: changesOf(change{"roles", names[0], names[1]})})
		return err
	})
}

// demandSecondFactor logs out whoever has one of the roles and no second factor.
func (c *command) demandSecondFactor(roles []Role) error {
	var lacking []*User
	for u, err := range users.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if !slices.Contains(roles, u.Role) || u.Disabled {
			continue
		}
		step, err := stepOf(c, u)
		if err != nil {
			return err
		}
		if !step.Enrol {
			continue
		}
		if u.ID == c.actor.UserID {
			return conflict("second_factor_own", "set up a second factor of your own first: this would log you out")
		}
		lacking = append(lacking, u)
	}
	for _, u := range lacking {
		if _, err := c.endSessions(u, nil); err != nil {
			return err
		}
	}
	return nil
}

// roleNames says lists of roles as the log does.
func roleNames(r store.Reader, lists ...[]Role) (names []string, err error) {
	for _, list := range lists {
		var said []string
		for _, role := range list {
			name := string(role)
			if !role.BuiltIn() {
				custom, err := optional(customRoles.Get(r, key(name)))
				if err != nil {
					return nil, err
				}
				if custom != nil {
					name = custom.Name
				}
			}
			said = append(said, name)
		}
		names = append(names, strings.Join(said, ", "))
	}
	return names, nil
}
