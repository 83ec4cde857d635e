package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// CustomRole is a role of the house's own: a name and what it allows. Its ID is
// the Role of its users.
type CustomRole struct {
	ID          string
	Name        string // unique
	Permissions []Permission
	CreatedAt   time.Time
}

// Set is what the role allows.
func (r *CustomRole) Set() PermissionSet { return NewPermissionSet(r.Permissions...) }

var customRoles = store.NewTable(store.Spec[CustomRole]{Name: "role", Version: 1,
	Key: func(r *CustomRole) []byte { return key(r.ID) },
	Indexes: []store.Index[CustomRole]{
		{Name: "name", Unique: true, Keys: func(r *CustomRole) [][]byte { return one(key(strings.ToLower(r.Name))) }},
	}})

// RoleView is a role as it is shown.
type RoleView struct {
	ID      Role
	Name    string // of a role of the house's own; built-in ones are named by the catalogue
	BuiltIn bool
	Set     PermissionSet
	Users   int
}

// Roles returns the built-in roles and those of the house's own, by name.
func (d *Desk) Roles(ctx context.Context, a Actor) (list []RoleView, err error) {
	if err := a.mayRead("roles"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for _, role := range []Role{RoleAgent, RoleSupervisor, RoleAdmin} {
			set, _ := role.builtIn()
			list = append(list, RoleView{ID: role, BuiltIn: true, Set: set})
		}
		for role, err := range customRoles.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			list = append(list, RoleView{ID: Role(role.ID), Name: role.Name, Set: role.Set()})
		}
		for u, err := range users.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(list, func(v RoleView) bool { return v.ID == u.Role }); i >= 0 {
				list[i].Users++
			}
		}
		return nil
	})
	const builtIn = 3
	if len(list) > builtIn {
		slices.SortStableFunc(list[builtIn:], func(a, b RoleView) int { return cmp.Compare(a.Name, b.Name) })
	}
	return list, err
}

// Limits of roles.
const (
	maxRoleName = 60 // characters
	maxRoles    = 50
)

// SaveRoles creates the roles without an ID and replaces the others, all or
// none. Nobody gives or takes a permission that they do not have.
func (d *Desk) SaveRoles(ctx context.Context, a Actor, roles ...CustomRole) (saved []CustomRole, err error) {
	if err := a.may("change roles", PermitRoles); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		saved = nil
		if err := c.unchangedRoles(roles); err != nil {
			return err
		}
		for _, role := range roles {
			role, err := c.saveRole(role)
			if err != nil {
				return err
			}
			saved = append(saved, *role)
		}
		return nil
	})
	return saved, err
}

// unchangedRoles refuses to replace roles that are not any more as the actor has seen them.
func (c *command) unchangedRoles(roles []CustomRole) error {
	if c.actor.having == "" {
		return nil
	}
	var now []CustomRole
	for _, role := range roles {
		if role.ID == "" {
			continue
		}
		known, err := c.customRole(role.ID)
		if err != nil {
			return err
		}
		now = append(now, *known)
	}
	return c.unchanged("roles", RolesVersion(now))
}

func (c *command) saveRole(role CustomRole) (*CustomRole, error) {
	role.Name = strings.Join(strings.Fields(role.Name), " ")
	switch {
	case role.Name == "":
		return nil, invalid("name", "name_empty", "the role has no name")
	case utf8.RuneCountInString(role.Name) > maxRoleName:
		return nil, invalid("name", "role_name_long", "the name %q has more than %d characters", role.Name, maxRoleName)
	case Role(strings.ToLower(role.Name)).BuiltIn():
		return nil, conflict("role_taken", "there is a role %q already", role.Name)
	}
	for _, p := range role.Permissions {
		if !p.Valid() {
			return nil, invalid("permissions", "permission_unknown", "there is no permission %q", p)
		}
	}
	role.Permissions = role.Set().List()
	before := &CustomRole{}
	if role.ID == "" {
		n, err := countUpTo(customRoles, c, "name", nil)
		if err != nil {
			return nil, err
		}
		if n >= maxRoles {
			return nil, conflict("too_many_roles", "there are %d roles; the limit is %d", n, maxRoles)
		}
		role.ID, role.CreatedAt = c.desk.newID(), c.now
	} else {
		found, err := c.customRole(role.ID)
		if err != nil {
			return nil, err
		}
		before, role.CreatedAt = found, found.CreatedAt
	}
	changed := before.Set() ^ role.Set()
	if before.Name == role.Name && changed == 0 && before.ID != "" {
		return &role, nil
	}
	if err := c.actor.mayGive(changed); err != nil {
		return nil, err
	}
	if err := customRoles.Put(c, &role); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return nil, conflict("role_taken", "there is a role %q already", role.Name)
		}
		return nil, err
	}
	_, err := c.record(Event{Kind: EventRoleSaved, Data: changesOf(
		change{"name", before.Name, role.Name},
		change{"permissions", joinPermissions(before.Permissions), joinPermissions(role.Permissions)}).with("role", role.Name)})
	return &role, err
}

func joinPermissions(list []Permission) string {
	var names []string
	for _, p := range list {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (c *command) customRole(id string) (*CustomRole, error) {
	role, err := customRoles.Get(c, key(id))
	return found(role, err, "role", id)
}

// DeleteRole removes a role of the house's own, once nobody has it.
func (d *Desk) DeleteRole(ctx context.Context, a Actor, id string) error {
	return deleteRecord(ctx, d, a, "delete roles", PermitRoles, id, (*command).customRole, func(c *command, role *CustomRole) error {
		if err := c.actor.mayGive(role.Set()); err != nil {
			return err
		}
		for u, err := range users.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if u.Role == Role(id) {
				return conflict("role_in_use", "role %q is that of %s; give them another one first", role.Name, u.Name)
			}
		}
		if err := customRoles.Delete(c, key(id)); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventRoleDeleted, Data: map[string]string{"role": role.Name, "permissions": joinPermissions(role.Permissions)}})
		return err
	})
}

// resolveRole returns the role that is named by its id or its name, and what it
// allows.
func resolveRole(r store.Reader, name Role) (Role, PermissionSet, error) {
	if set, ok := name.builtIn(); ok {
		return name, set, nil
	}
	role, err := customRoles.Get(r, key(string(name)))
	if errors.Is(err, store.ErrNotFound) {
		role, err = customRoles.First(r, "name", key(strings.ToLower(strings.TrimSpace(string(name)))))
	}
	if errors.Is(err, store.ErrNotFound) {
		return "", 0, invalid("role", "role_unknown", "there is no role %q; use agent, supervisor, admin or the name of a role of the house", name)
	}
	if err != nil {
		return "", 0, err
	}
	return Role(role.ID), role.Set(), nil
}

// withRole fills in what a user's role allows and how it is called. A role that
// is not there any more allows nothing.
func withRole(r store.Reader, u *User) (*User, error) {
	u.Granted, u.RoleName = 0, ""
	if u.Role.BuiltIn() {
		u.Granted, _ = u.Role.builtIn()
		return u, nil
	}
	role, err := customRoles.Get(r, key(string(u.Role)))
	if errors.Is(err, store.ErrNotFound) {
		return u, nil
	}
	if err == nil {
		u.Granted, u.RoleName = role.Set(), role.Name
	}
	return u, err
}
