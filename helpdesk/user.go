package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Users returns every user, by name. Password hashes are left out.
func (d *Desk) Users(ctx context.Context, a Actor) ([]User, error) {
	if err := a.mayRead("users"); err != nil {
		return nil, err
	}
	var list []User
	err := d.view(ctx, func(r store.Reader) error {
		list = nil
		for u, err := range users.Scan(r, store.Range{}) {
			if err == nil {
				u, err = withRole(r, u)
			}
			if err != nil {
				return err
			}
			u.PasswordHash = ""
			list = append(list, *u)
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}

// NewUser is what is needed to make a user.
type NewUser struct {
	Email, Name, Password string
	Role                  Role // built in, or the ID or name of one of the house's own
	Locale                string
}

// CreateUser makes a user. Nobody makes one who may do more than themselves.
func (d *Desk) CreateUser(ctx context.Context, a Actor, n NewUser) (*User, error) {
	if err := a.may("create users", PermitUsers); err != nil {
		return nil, err
	}
	if err := a.provenLately("create users", d.now()); err != nil {
		return nil, err
	}
	u, err := n.user(d.passwords)
	if err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error { return c.createUser(u) })
	if err != nil {
		return nil, err
	}
	return u, nil
}

// user checks n and hashes the password: slow on purpose, so not within a
// transaction.
func (n NewUser) user(p *passwords) (*User, error) {
	u := &User{Email: strings.ToLower(strings.TrimSpace(n.Email)), Name: strings.TrimSpace(n.Name), Role: n.Role, Locale: n.Locale}
	if err := u.check(); err != nil {
		return nil, err
	}
	if err := checkPassword(n.Password); err != nil {
		return nil, err
	}
	u.PasswordHash = p.hash(n.Password)
	return u, nil
}

func (u *User) check() error {
	if err := checkAddress("email", u.Email); err != nil {
		return err
	}
	if u.ForwardTo != "" {
		if err := checkAddress("forward_to", u.ForwardTo); err != nil {
			return err
		}
	}
	if len(u.Signature) > maxLocalized {
		return invalid("signature", "localized_too_long", "the text has %d bytes; the limit is %d", len(u.Signature), maxLocalized)
	}
	switch {
	case u.Name == "":
		return invalid("name", "name_empty", "the user has no name")
	case strings.ContainsFunc(u.Name, func(r rune) bool { return r < ' ' }):
		return invalid("name", "name_invalid", "the name %q holds control characters", u.Name)
	case u.Locale != "" && u.Locale != "ja" && u.Locale != "en":
		return invalid("locale", "locale_unknown", "language %q is not one of ja, en", u.Locale)
	}
	return nil
}

func (c *command) createUser(u *User) error {
	u.ID, u.CreatedAt = c.desk.newID(), c.now
	return c.putUser(&User{}, u)
}

// putUser writes a user in place of what they were before, zero for a new one.
func (c *command) putUser(before, u *User) error {
	role, set, err := resolveRole(c, u.Role)
	if err != nil {
		return err
	}
	if u.Role = role; role != before.Role {
		if err := c.actor.mayGive(set); err != nil {
			return err
		}
	}
	if u, err = withRole(c, u); err != nil {
		return err
	}
	if err := users.Put(c, u); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return conflict("email_taken", "there is a user with the address %s already", u.Email)
		}
		return err
	}
	data := userChanges(before, u).with("user", u.Email)
	_, err = c.record(Event{Kind: EventUserSaved, Data: data})
	return err
}

// UserChange changes a user; nil fields stay as they are.
type UserChange struct {
	Name, Email, Locale, ForwardTo, Signature *string
	// Password is the new one. Who changes their own gives CurrentPassword too.
	Password, CurrentPassword *string
	Role                      *Role
	ForwardReplies, Disabled  *bool
	CalendarID                *string // of their own working hours, "" for the house's
}

// administrative reports whether only an admin may make this change.
func (ch *UserChange) administrative() bool {
	return ch.Role != nil || ch.Disabled != nil || ch.Email != nil || ch.CalendarID != nil
}

// ChangeUser changes a user. People change their own name, language,
// forwarding and password; admins change everything of everybody, but cannot
// leave the house without an admin.
func (d *Desk) ChangeUser(ctx context.Context, a Actor, id string, ch UserChange) (*User, error) {
	self := a.Kind == ActorUser && a.UserID == id
	if !self || ch.administrative() {
		if err := a.may("change users", PermitUsers); err != nil {
			return nil, err
		}
	} else if err := a.mayChangeOwn("change their profile"); err != nil {
		return nil, err
	}
	hash, err := d.newPassword(ctx, a, id, ch)
	if err != nil {
		return nil, err
	}
	var changed *User
	err = d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(id))
		if u, err = found(u, err, "user", id); err != nil {
			return err
		}
		if u, err = withRole(c, u); err != nil {
			return err
		}
		if !self { // who may do more is not changed by who may do less
			if err := a.mayGive(u.Granted); err != nil {
				return err
			}
		}
		version := u.ProfileVersion()
		if ch.administrative() {
			version = u.Version()
		}
		if err := c.unchanged("user", version); err != nil {
			return err
		}
		before := *u
		ch.apply(u)
		if ch.CalendarID != nil && *ch.CalendarID != "" && *ch.CalendarID != StandardCalendar {
			calendar, err := calendars.Get(c, key(*ch.CalendarID))
			if _, err = found(calendar, err, "calendar", *ch.CalendarID); err != nil {
				return err
			}
		}
		if hash != "" {
			u.PasswordHash = hash
		}
		if !self && opensWay(&before, u) {
			if err := a.provenLately("change how others log in", c.now); err != nil {
				return err
			}
		}
		if err := u.check(); err != nil {
			return err
		}
		if err := c.putUser(&before, u); err != nil {
			return err
		}
		if err := c.endSessionsAfter(&before, u); err != nil {
			return err
		}
		changed = u
		return c.keepAnAdmin()
	})
	return changed, err
}

// opensWay reports whether a change of a user lets somebody in, or further.
func opensWay(before, u *User) bool {
	return u.PasswordHash != before.PasswordHash || u.Role != before.Role || u.Email != before.Email || before.Disabled && !u.Disabled
}

// newPassword returns the hash of the password that ch sets, or "". Who changes
// their own proves that they know the present one, and is slowed down like
// whoever logs in: a browser that was left open must not tell it by trying.
func (d *Desk) newPassword(ctx context.Context, a Actor, id string, ch UserChange) (string, error) {
	if ch.Password == nil {
		return "", nil
	}
	if err := checkPassword(*ch.Password); err != nil {
		return "", err
	}
	if a.Kind != ActorUser || a.UserID != id {
		return d.passwords.hash(*ch.Password), nil
	}
	var u *User
	err := d.view(ctx, func(r store.Reader) (err error) {
		u, err = users.Get(r, key(id))
		return err
	})
	if err != nil {
		return "", err
	}
	tried := []bucket{{"own:" + id, freePlaceAttempts}}
	if err := d.tryLogin(ctx, tried); err != nil {
		return "", err
	}
	if ch.CurrentPassword == nil || !d.passwords.match(*ch.CurrentPassword, u.PasswordHash) {
		return "", invalid("current_password", "current_password", "the current password is wrong")
	}
	err = d.update(ctx, a, func(c *command) error { return c.forgiveAttempts(tried) })
	if err != nil {
		return "", err
	}
	return d.passwords.hash(*ch.Password), nil
}

func (ch *UserChange) apply(u *User) {
	set(&u.Name, ch.Name, strings.TrimSpace)
	set(&u.Email, ch.Email, func(s string) string { return strings.ToLower(strings.TrimSpace(s)) })
	set(&u.Locale, ch.Locale, nil)
	set(&u.Signature, ch.Signature, func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) })
	set(&u.ForwardTo, ch.ForwardTo, func(s string) string { return strings.ToLower(strings.TrimSpace(s)) })
	set(&u.Role, ch.Role, nil)
	set(&u.ForwardReplies, ch.ForwardReplies, nil)
	set(&u.Disabled, ch.Disabled, nil)
	set(&u.CalendarID, ch.CalendarID, nil)
}

func set[T any](field, value *T, clean func(T) T) {
	if value == nil {
		return
	}
	*field = *value
	if clean != nil {
		*field = clean(*value)
	}
}

// userChanges are the details of a change, without the password itself.
func userChanges(before, u *User) details {
	password := ""
	if before.PasswordHash != u.PasswordHash && before.ID != "" {
		password = "new"
	}
	return changesOf(change{"name", before.Name, u.Name}, change{"email", before.Email, u.Email},
		change{"role", roleLabel(before), roleLabel(u)}, change{"locale", before.Locale, u.Locale},
		change{"forward_replies", yesNo(before.ForwardReplies), yesNo(u.ForwardReplies)},
		change{"forward_to", before.ForwardTo, u.ForwardTo}, change{"disabled", yesNo(before.Disabled), yesNo(u.Disabled)},
		change{"password", "", password})
}

// roleLabel is a role as the log says it: by the name it has now.
func roleLabel(u *User) string { return cmp.Or(u.RoleName, string(u.Role)) }

func (c *command) keepAnAdmin() error {
	for u, err := range users.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if u.Role == RoleAdmin && !u.Disabled {
			return nil
		}
	}
	return conflict("last_admin", "this is the last admin; make another one first")
}
