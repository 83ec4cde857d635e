package helpdesk

import (
	"errors"
	"time"
)

// ActorKind is what sort of thing caused an event.
type ActorKind string

// The actor kinds.
const (
	ActorUser     ActorKind = "user"
	ActorCustomer ActorKind = "customer"
	ActorSystem   ActorKind = "system"
	ActorModel    ActorKind = "model"
	ActorFile     ActorKind = "file" // the configuration file
)

// Actor is who acts. Commands check it; events remember it.
type Actor struct {
	Kind   ActorKind
	UserID string `cbor:",omitempty"`
	Name   string `cbor:",omitempty"`
	Role   Role   `cbor:",omitempty"`
	// Granted is what a role of the house's own allows. It is looked up when the
	// actor comes in and never stored.
	Granted PermissionSet `cbor:"-"`
	// Scope narrows a program's token within its user's role; "" is no narrowing.
	Scope Scope `cbor:",omitempty"`
	// From is the address of the browser or program that acts, where it is known.
	From string `cbor:",omitempty"`

	// session is the hash of the browser's session and provenAt when its user last
	// proved who they are; empty for a program's token. Neither is stored.
	session  string
	provenAt time.Time

	// having is the version of what it acts on, as it has seen it; "" where it does not say.
	having string
}

// System is the actor for what the program does by itself; name says which part.
func System(name string) Actor { return Actor{Kind: ActorSystem, Name: name} }

// File is the actor for what the configuration file declares.
func File(name string) Actor { return Actor{Kind: ActorFile, Name: name} }

// Actor returns the actor that u is when logged in. A user with a role of the
// house's own must come from the desk, which knows what that allows.
func (u *User) Actor() Actor {
	return Actor{Kind: ActorUser, UserID: u.ID, Name: u.Name, Role: u.Role, Granted: u.Granted}
}

// In returns a acting in a browser's session.
func (a Actor) In(s *Session) Actor {
	a.session, a.provenAt = s.Hash, s.proven()
	return a
}

// WithScope returns a narrowed to an API token's scope.
func (a Actor) WithScope(s Scope) Actor {
	a.Scope = s
	return a
}

// At returns a acting from a network address.
func (a Actor) At(remoteIP string) Actor {
	a.From = remoteIP
	return a
}

func (r Role) rank() int {
	switch r {
	case RoleAgent:
		return 1
	case RoleSupervisor:
		return 2
	case RoleAdmin:
		return 3
	}
	return 0
}

// BuiltIn reports whether r is one of the roles that every house has.
func (r Role) BuiltIn() bool { return r.rank() > 0 }

func (s Scope) rank() int {
	switch s {
	case ScopeRead:
		return 1
	case ScopeWrite:
		return 2
	case ScopeAdmin, "":
		return 3
	}
	return 0
}

// Valid reports whether s is one of the scopes.
func (s Scope) Valid() bool { return s == ScopeInbound || s != "" && s.rank() > 0 }

// covers reports whether a token of scope s may do what needs another scope.
func (s Scope) covers(needed Scope) bool {
	if needed == ScopeInbound {
		return s == ScopeInbound || s.rank() >= ScopeAdmin.rank()
	}
	return s.rank() >= needed.rank()
}

// Permissions are what a may do, not narrowed by a token's scope. The system
// and the configuration file may do everything.
func (a Actor) Permissions() PermissionSet {
	switch a.Kind {
	case ActorSystem, ActorFile:
		all, _ := RoleAdmin.builtIn()
		return all
	case ActorUser:
		if set, ok := a.Role.builtIn(); ok {
			return set
		}
		return a.Granted
	}
	return 0
}

// May reports whether a has a permission, by role and by scope: what it may
// not do need not be offered. Commands check again.
func (a Actor) May(p Permission) bool { return a.may(string(p), p) == nil }

// may checks that a has a permission and, for a program's token, its scope.
// action says what for, after "may not".
func (a Actor) may(action string, p Permission) error {
	if !a.Permissions().Has(p) {
		return &Error{Code: CodeForbidden, Key: "error.forbidden",
			Message: "role \"" + string(a.Role) + "\" may not " + action + ": it lacks the permission \"" + string(p) + "\""}
	}
	if a.Kind == ActorUser && !a.Scope.covers(p.scope()) {
		return refusedScope(a.Scope, p.scope(), action)
	}
	return nil
}

func (a Actor) mayRead(what string) error { return a.may("read "+what, PermitRead) }

// mayWork is for what belongs to daily work and has no permission of its own.
func (a Actor) mayWork(action string) error { return a.may(action, PermitEdit) }

// mayAdminister is for settings that have no permission of their own.
func (a Actor) mayAdminister(action string) error { return a.may(action, PermitSystem) }

// mayChangeOwn is for what everybody may do to what is their own, whatever
// their role; a program's token needs write scope.
func (a Actor) mayChangeOwn(action string) error {
	if a.Permissions() == 0 && a.UserID == "" {
		return a.may(action, PermitRead)
	}
	if a.Kind == ActorUser && a.Scope.rank() < ScopeWrite.rank() {
		return refusedScope(a.Scope, ScopeWrite, action)
	}
	return nil
}

// proofLifetime is how long after a login one may change how one gets in. A
// browser that was left open must not be made somebody else's for good.
const proofLifetime = 30 * time.Minute

// mayChangeOwnAccess is for changes to one's own way in: in a browser's session
// that began just now.
func (a Actor) mayChangeOwnAccess(action string, now time.Time) error {
	if err := a.mayChangeOwn(action); err != nil {
		return err
	}
	if a.session == "" {
		return proveAgain(action)
	}
	return a.provenLately(action, now)
}

// provenLately is for what opens a way in for somebody: a token, a new user, the
// password of another. A browser's session must have begun just now; programs and
// commands have no browser that could have been left open.
func (a Actor) provenLately(action string, now time.Time) error {
	if a.session == "" || now.Sub(a.provenAt) <= proofLifetime {
		return nil
	}
	return proveAgain(action)
}

func proveAgain(action string) error {
	return &Error{Code: CodeUnauthorized, Key: "error.prove_again", Message: "log in again to " + action + ": the last login is too long ago"}
}

const keyScope = "error.scope"

// IsScopeTooSmall reports whether err refuses what a token with more scope may do.
func IsScopeTooSmall(err error) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Key == keyScope
}

func refusedScope(has, needs Scope, action string) error {
	return &Error{Code: CodeForbidden, Key: keyScope,
		Message: "this token's scope \"" + string(has) + "\" is not enough to " + action + "; make one with scope \"" + string(needs) + "\""}
}

// mayGive checks that a has itself what a role allows: nobody raises anybody,
// themselves included, above themselves.
func (a Actor) mayGive(s PermissionSet) error {
	if s.Within(a.Permissions()) {
		return nil
	}
	lacking := (s &^ a.Permissions()).List()
	return &Error{Code: CodeForbidden, Key: "error.give_more", Message: "role \"" + string(a.Role) +
		"\" cannot give or take the permission \"" + string(lacking[0]) + "\", which it does not have itself"}
}
