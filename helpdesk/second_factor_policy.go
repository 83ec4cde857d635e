package helpdesk

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// SecondFactorRule says that the users of a role need more than a password.
type SecondFactorRule struct {
	Role Role // built in, or the ID or name of one of the house's own
	// From is when that begins; until then they are asked to set it up at each login.
	// Zero, or a time that is past, is at once.
	From time.Time
}

// maxSecondFactorWait is how far away the beginning of a rule may be.
const maxSecondFactorWait = 90 * 24 * time.Hour

// RequireSecondFactor sets the roles whose users need more than a password to
// log in. Where that begins at once, those who have nothing yet are logged out, and
// set it up at their next login; whoever decides it has it already, so that nobody
// locks themselves out.
func (d *Desk) RequireSecondFactor(ctx context.Context, a Actor, rules []SecondFactorRule) error {
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
		if err := c.unchanged("rule", s.SecondFactorVersion()); err != nil {
			return err
		}
		before, began := s.secondFactorRules(), s.secondFactorBegan(c.now)
		s.SecondFactorRoles, s.SecondFactorFrom = nil, nil
		for _, rule := range rules {
			if err := c.addSecondFactorRule(&s, rule); err != nil {
				return err
			}
		}
		slices.Sort(s.SecondFactorRoles)
		if slices.Equal(before, s.secondFactorRules()) {
			return nil
		}
		if err := settings.Put(c, &s); err != nil {
			return err
		}
		if err := c.timeSecondFactor(before, &s); err != nil {
			return err
		}
		begin := slices.DeleteFunc(s.secondFactorBegan(c.now), func(role Role) bool { return slices.Contains(began, role) })
		if err := c.demandSecondFactor(begin); err != nil {
			return err
		}
		return c.recordSecondFactorRules(before, s.secondFactorRules())
	})
}

// addSecondFactorRule checks a rule and adds it to the settings.
func (c *command) addSecondFactorRule(s *Settings, rule SecondFactorRule) error {
	role, _, err := resolveRole(c, rule.Role)
	if err != nil {
		return err
	}
	if slices.Contains(s.SecondFactorRoles, role) {
		return nil
	}
	s.SecondFactorRoles = append(s.SecondFactorRoles, role)
	switch {
	case !rule.From.After(c.now):
		return nil
	case rule.From.After(c.now.Add(maxSecondFactorWait)):
		return invalid("from", "second_factor_wait", "a second factor is needed at the latest %d days from now", int(maxSecondFactorWait.Hours()/24))
	}
	if s.SecondFactorFrom == nil {
		s.SecondFactorFrom = map[Role]time.Time{}
	}
	s.SecondFactorFrom[role] = rule.From.UTC()
	return nil
}

// SecondFactorRule returns the rule of a role; false where it has none.
func (s *Settings) SecondFactorRule(role Role) (SecondFactorRule, bool) {
	return SecondFactorRule{role, s.SecondFactorFrom[role]}, slices.Contains(s.SecondFactorRoles, role)
}

func (s *Settings) secondFactorRules() (list []SecondFactorRule) {
	for _, role := range s.SecondFactorRoles {
		list = append(list, SecondFactorRule{role, s.SecondFactorFrom[role]})
	}
	return list
}

// secondFactorBegan are the roles whose rule holds at a time.
func (s *Settings) secondFactorBegan(now time.Time) (roles []Role) {
	for _, role := range s.SecondFactorRoles {
		if !s.SecondFactorFrom[role].After(now) {
			roles = append(roles, role)
		}
	}
	return roles
}

// timeSecondFactor sets a timer for each rule that begins later, in place of those
// that were there before.
func (c *command) timeSecondFactor(before []SecondFactorRule, s *Settings) error {
	for _, rule := range before {
		if err := c.clearTimer(TimerSecondFactor, string(rule.Role)); err != nil {
			return err
		}
	}
	for _, role := range slices.Sorted(maps.Keys(s.SecondFactorFrom)) {
		if err := c.setTimer(TimerSecondFactor, string(role), s.SecondFactorFrom[role]); err != nil {
			return err
		}
	}
	return nil
}

// BeginSecondFactor is the work of TimerSecondFactor: the rule of a role begins.
func (d *Desk) BeginSecondFactor(ctx context.Context, role string) error {
	return d.update(ctx, System("second factor"), func(c *command) error {
		s, err := readSettings(c)
		if err != nil {
			return err
		}
		if from := s.SecondFactorFrom[Role(role)]; from.After(c.now) {
			return c.setTimer(TimerSecondFactor, role, from)
		}
		if slices.Contains(s.SecondFactorRoles, Role(role)) {
			if err := c.demandSecondFactor([]Role{Role(role)}); err != nil {
				return err
			}
		}
		return c.clearTimer(TimerSecondFactor, role)
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
		step, err := stepOf(c, u, c.now)
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

func (c *command) recordSecondFactorRules(before, after []SecondFactorRule) error {
	var said [2]string
	for i, rules := range [][]SecondFactorRule{before, after} {
		var names []string
		for _, rule := range rules {
			name := string(rule.Role)
			if !rule.Role.BuiltIn() {
				custom, err := optional(customRoles.Get(c, key(name)))
				if err != nil {
					return err
				}
				if custom != nil {
					name = custom.Name
				}
			}
			if !rule.From.IsZero() {
				name += " (" + rule.From.Format(time.DateOnly) + ")"
			}
			names = append(names, name)
		}
		said[i] = strings.Join(names, ", ")
	}
	_, err := c.record(Event{Kind: EventSecondFactorRequired, Data: changesOf(change{"roles", said[0], said[1]})})
	return err
}
