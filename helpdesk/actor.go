package helpdesk

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
	// Scope narrows a program's token within its user's role; "" is no narrowing.
	Scope Scope `cbor:",omitempty"`
}

// System is the actor for what the program does by itself; name says which part.
func System(name string) Actor { return Actor{Kind: ActorSystem, Name: name} }

// File is the actor for what the configuration file declares.
func File(name string) Actor { return Actor{Kind: ActorFile, Name: name} }

// Actor returns the actor that u is when logged in.
func (u *User) Actor() Actor {
	return Actor{Kind: ActorUser, UserID: u.ID, Name: u.Name, Role: u.Role}
}

// WithScope returns a narrowed to an API token's scope.
func (a Actor) WithScope(s Scope) Actor {
	a.Scope = s
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

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r.rank() > 0 }

// Includes reports whether r may do what other may.
func (r Role) Includes(other Role) bool { return r.rank() >= other.rank() }

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
func (s Scope) Valid() bool { return s != "" && s.rank() > 0 }

// may checks that a has at least role and, for a program's token, scope. The
// system and the configuration file may do everything.
func (a Actor) may(action string, role Role, scope Scope) error {
	if a.Kind == ActorSystem || a.Kind == ActorFile {
		return nil
	}
	if a.Kind != ActorUser || !a.Role.Includes(role) {
		return forbidden(action, a.Role)
	}
	if a.Scope.rank() < scope.rank() {
		return &Error{Code: CodeForbidden, Key: "error.scope",
			Message: "this token's scope \"" + string(a.Scope) + "\" does not allow to " + action + "; make one with scope \"" + string(scope) + "\""}
	}
	return nil
}

func (a Actor) mayRead(what string) error { return a.may("read "+what, RoleAgent, ScopeRead) }
func (a Actor) mayWork(action string) error {
	return a.may(action, RoleAgent, ScopeWrite)
}
func (a Actor) mayAdminister(action string) error {
	return a.may(action, RoleAdmin, ScopeAdmin)
}
