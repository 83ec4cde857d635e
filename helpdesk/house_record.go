package helpdesk

import (
	"slices"
	"time"
)

// Role names what a user may do: a built-in role, each of which includes the
// ones before it, or the ID of a CustomRole.
type Role string

// The roles: an agent works tickets, a supervisor also sees and steers all
// work, an admin also changes the house (aliases, pipelines, users).
const (
	RoleAgent      Role = "agent"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
)

// User is a person of the house.
type User struct {
	ID    string
	Email string // lower case, unique
	Name  string
	Role  Role
	// Granted and RoleName are what the role allows and how a role of the
	// house's own is called; the desk fills them in when it reads a user.
	Granted      PermissionSet `cbor:"-"`
	RoleName     string        `cbor:"-"`
	PasswordHash string        // argon2id, PHC string format
	Locale       string        // "ja", "en", or "" for the browser's
	// Signature is the user's own, which {{agent.signature}} stands for; it stands
	// below answers from aliases that have none.
	Signature string
	// ForwardReplies sends a copy of each customer's reply on the user's
	// tickets to ForwardTo, or to Email where that is empty.
	ForwardReplies bool
	ForwardTo      string
	Disabled       bool
	// CalendarID is that of the user's own working hours, "" for the house's.
	CalendarID string
	Away       *Absence `cbor:",omitempty"` // nil while the user is there
	CreatedAt  time.Time
}

// Alias is an address that accepts mail from anyone.
type Alias struct {
	ID      string
	Address string // lower case, unique
	// Former are addresses that it had: tickets from then say that they came by them.
	Former []string `cbor:",omitempty"`
	Name   string   // display name of mail that leaves from it
	// Brand is the shop or brand that the alias speaks for, "" for none.
	Brand      string
	PipelineID string
	OwnerID    string // assignee of new tickets, or ""
	TeamID     string // team of new tickets, or ""
	Tags       []string
	Language   string // "ja", "en", or "" where unknown
	// Signature stands below answers, in any language that Signatures has none for.
	Signature  string
	Signatures []Localized
	// ForwardTo replaces the assignee's own address for copies of customers'
	// replies on this alias; "" keeps each user's choice.
	ForwardTo string
	// Acknowledgement is the text that a person's first mail is answered with at
	// once, automatically, where Acknowledgements has none in the mail's language;
	// without any of them nothing is sent.
	Acknowledgement  string
	Acknowledgements []Localized
	// Approval lets replies leave only when a second person has approved them.
	Approval  bool
	Managed   bool // declared in the configuration file, which owns it
	Disabled  bool
	CreatedAt time.Time
}

// Ways are the addresses by which its tickets came: its own first, then those that it
// had.
func (a *Alias) Ways() []string { return append([]string{a.Address}, a.Former...) }

func (a *Alias) clone() *Alias {
	copied := *a
	copied.Former = slices.Clone(a.Former)
	copied.Tags, copied.Signatures = slices.Clone(a.Tags), slices.Clone(a.Signatures)
	copied.Acknowledgements = slices.Clone(a.Acknowledgements)
	return &copied
}

// StageKind says whether tickets in a stage are being worked on.
type StageKind string

// The stage kinds.
const (
	StageOpen   StageKind = "open"
	StageClosed StageKind = "closed"
)

// Stage is one step of a pipeline.
type Stage struct {
	ID   string
	Name string
	Kind StageKind
}

// Pipeline is a queue of tickets and its steps. New tickets enter its first
// stage.
type Pipeline struct {
	ID     string
	Name   string // unique
	Stages []Stage
	// Reopen moves a closed ticket to ReopenStage when its customer answers;
	// off, the answer becomes a new ticket that links to the old one.
	Reopen      bool
	ReopenStage string
	Managed     bool
	Position    int
	CreatedAt   time.Time
}

func (p *Pipeline) clone() *Pipeline {
	copied := *p
	copied.Stages = slices.Clone(p.Stages)
	return &copied
}

// Stage returns the stage with the given id, or false.
func (p *Pipeline) Stage(id string) (Stage, bool) {
	for _, s := range p.Stages {
		if s.ID == id {
			return s, true
		}
	}
	return Stage{}, false
}

// FirstOf returns the first stage of a kind, or false.
func (p *Pipeline) FirstOf(kind StageKind) (Stage, bool) {
	for _, s := range p.Stages {
		if s.Kind == kind {
			return s, true
		}
	}
	return Stage{}, false
}

// APIToken lets a program act for a user.
type APIToken struct {
	Hash      string // SHA-256 of the token, hex
	UserID    string
	Name      string // what it is for; "" where nobody said
	Scope     Scope
	CreatedAt time.Time
	Ends      time.Time // zero for one that does not end
	// UsedAt and UsedFrom are of the last use that was written down.
	UsedAt   time.Time
	UsedFrom string
}

// Scope limits what an API token may do, within its user's role.
type Scope string

// The scopes; each includes the ones before it.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
	// ScopeInbound stands beside them: a relay's, which hands in mail and can do
	// nothing else. Its word is taken for where the mail came from.
	ScopeInbound Scope = "inbound"
)

// Settings are the house's own, one record.
type Settings struct {
	Domain    string // the first alias's domain
	Name      string // of the organisation
	SetupHash string // SHA-256 of the one-time setup link's secret; "" once used
	SetUpAt   time.Time
	// SecondFactorRoles are the roles whose users need more than a password.
	SecondFactorRoles []Role `cbor:",omitempty"`
	// SecondFactorFrom is from when on, where that was not at once.
	SecondFactorFrom map[Role]time.Time `cbor:",omitempty"`
}
