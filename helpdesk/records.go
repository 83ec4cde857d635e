package helpdesk

import (
	"strings"
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
	Name    string // display name of mail that leaves from it
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

// Address is a mailbox with its display name.
type Address struct {
	Name  string
	Email string
}

// Ticket is one customer matter. Number counts 1, 2, 3…
type Ticket struct {
	Number     uint64
	Subject    string
	ContactID  string
	PipelineID string
	StageID    string
	Open       bool // the kind of its stage
	AssigneeID string
	TeamID     string `cbor:",omitempty"`
	Tags       []string
	// Fields are the values of custom fields.
	Fields FieldValues `cbor:",omitempty"`
	// AliasID is the alias that answers leave from; Aliases are the addresses
	// through which its mails came, in order of first use.
	AliasID string
	Aliases []string
	// Participants are the addresses, in lower case, whose mail may join.
	Participants []string
	// Previous is the closed ticket that this one continues, or 0.
	Previous uint64
	// MergedInto is the ticket that this one became part of, or 0. Such a ticket
	// has no messages and is in no list; its number says where they are.
	MergedInto uint64
	// Withdrawn says that the mail of ours which began it was taken back before it
	// left: it is empty, and in no list.
	Withdrawn bool `cbor:",omitempty"`

	Snippet        string // the start of the newest message's new words
	CreatedAt      time.Time
	UpdatedAt      time.Time
	WaitingSince   time.Time // of the oldest unanswered customer message; zero when it is not our turn
	Messages       int       // in the thread, both directions
	Held           int       // in the confirmation strip
	DeliveryFailed bool      // the newest reply did not arrive
	Trust          Trust     // of the newest customer message
	ReplyType      string    // from the newest analysis, or ""
	// AutoAssignee is whom its alias or a rule gave it to; a rule may choose
	// somebody else, but nothing takes it from whom a person chose. RulesDone says
	// that the rules which wait for the model were asked.
	AutoAssignee string
	RulesDone    bool
	// Answered says that a person of the house has replied to it.
	Answered bool
	// ImportedAt is when it came from another system; zero: it began here. What its
	// customer waited for before that is due at no time.
	ImportedAt time.Time `cbor:",omitzero"`
	// ImportedSeq is the newest event of that: nobody need look at what is older.
	ImportedSeq uint64 `cbor:",omitempty"`
	// OpenedAt is when it was opened, again if it was closed meanwhile.
	OpenedAt time.Time
	// DueAt is when the house wants it answered, or solved, at the latest, and
	// DueKind which of these; zero where nothing is due. Overdue says that the
	// moment has passed, with an event.
	DueAt   time.Time
	DueKind DueKind
	Overdue bool
	// CustomerSeq is the event of the newest customer message: what a reply's
	// author must have seen.
	CustomerSeq uint64
	Priority    Priority
	// Snooze is set while the ticket rests. WokenSeq is the event that woke it,
	// for those who have not looked since.
	Snooze   *Snooze `cbor:",omitempty"`
	WokenSeq uint64  `cbor:",omitempty"`
	// Followers are the users who want to know what happens here; Unfollowed
	// those who said that they no longer do.
	Followers  []string `cbor:",omitempty"`
	Unfollowed []string `cbor:",omitempty"`
	// Mentioned are the users whom its notes mention, by id, and UnreadMentions
	// those of them who have not looked since.
	Mentioned      []string `cbor:",omitempty"`
	UnreadMentions []string `cbor:",omitempty"`
	// Language is what the customer writes, ISO 639-1: as the newest analysis
	// says, else as the alias does; "" where unknown.
	Language string `cbor:",omitempty"`
	// AutoReply is where it stands with a smart service; nil where none is at work.
	AutoReply *AutoReply `cbor:",omitempty"`
	// Spam is set while the ticket is set aside as spam.
	Spam *Spam `cbor:",omitempty"`
	// Invited are the participants that none of the messages names: those of the
	// ticket that this one continues.
	Invited []string
	// Drafters are the users with something on it that is not sent, sorted;
	// Scheduled of these leave by themselves, Reviews wait for a second person.
	Drafters  []string
	Scheduled int
	Reviews   int
}

// Trust condenses Authentication to what the eye needs.
type Trust string

// The degrees of trust in a sender's address.
const (
	TrustVerified Trust = "verified" // DMARC passed, or an aligned signature where there is no policy
	TrustUnknown  Trust = "unknown"  // nothing proven, nothing refuted
	TrustFailed   Trust = "failed"   // the domain's policy says that this is not from there
)

// Direction is the way of a message, seen from the house.
type Direction string

// The directions.
const (
	Inbound  Direction = "in"
	Outbound Direction = "out"
)

// MessageState is where a message stands.
type MessageState string

// The message states. Only Posted messages are part of the thread; Held ones
// wait in the confirmation strip.
const (
	MessagePosted  MessageState = "posted"
	MessageHeld    MessageState = "held"
	MessageRefused MessageState = "refused"
	MessageUndone  MessageState = "undone"
	// MessageRelayed is an agent's own mail that answered a copy; the reply it
	// became is a message of its own.
	MessageRelayed MessageState = "relayed"
)

// MessageKind says whether a person wrote a message.
type MessageKind string

// The message kinds.
const (
	KindPerson    MessageKind = "person"
	KindAutoReply MessageKind = "auto_reply"
	KindBounce    MessageKind = "bounce"
	KindReport    MessageKind = "report"
	KindList      MessageKind = "list"
)

// Reason says why a message is where it is. Words live in the interface.
type Reason string

// The reasons.
const (
	ReasonNew           Reason = "new"            // no token, no known reference
	ReasonToken         Reason = "token"          // sent to the ticket's reply address
	ReasonReference     Reason = "reference"      // answers a message of the ticket
	ReasonClosed        Reason = "closed"         // belongs to a closed ticket that does not reopen
	ReasonForward       Reason = "forward"        // a forwarded mail starts its own ticket
	ReasonStrangerToken Reason = "stranger_token" // held: reply address used by a stranger
	ReasonStrangerRef   Reason = "stranger_ref"   // held: reference used by a stranger
	ReasonFailedAuth    Reason = "failed_auth"    // held: a participant's address that fails its domain's policy
	ReasonAgentUnproven Reason = "agent_unproven" // held: an agent's address without proof
	ReasonAgentMail     Reason = "agent_mail"     // an agent answered a copy by mail
	ReasonBounceAddress Reason = "bounce_address" // sent to a delivery's envelope address
	ReasonPosted        Reason = "posted"         // written in the web inbox or through the API
	ReasonBegun         Reason = "begun"          // the same, and its ticket begins with it
	ReasonLogged        Reason = "logged"         // logged by hand
	ReasonJoined        Reason = "joined"         // taken from the confirmation strip by an agent
	ReasonSplit         Reason = "split"          // split from another ticket by an agent
	ReasonAcknowledged  Reason = "acknowledged"   // sent by itself in answer to a first mail
	ReasonService       Reason = "service"        // sent by a smart service in answer to a first mail
	ReasonImported      Reason = "imported"       // from another system, with its dates
	ReasonPostmaster    Reason = "postmaster"     // written to the postmaster
	ReasonBlocked       Reason = "blocked"        // the sender is blocked: its own ticket, in spam
	ReasonFiltered      Reason = "filtered"       // a filter takes it for spam: its own ticket, in spam
)

// Message is one mail in or out, or a reply logged by hand. Its text is in its
// Body, its bytes as received in the raw store, both under the same id.
type Message struct {
	ID        string // ULID
	Ticket    uint64
	Direction Direction
	Channel   string // "mail", or how a logged reply came: "phone", "chat", "other"
	Kind      MessageKind
	State     MessageState
	Reason    Reason
	Via       string // the message whose token or reference led here, or the one it answers
	// Seq is the event by which it came into the thread: clocks jump, the log
	// does not, so this is the order of a thread for all that is computed.
	Seq uint64
	// Settled is the event that answered a customer's message, a reply or the
	// ticket's closing; while it is 0 the customer waits.
	Settled uint64
	Moved   []Moved // from ticket to ticket by hand, the newest last

	From       Address
	To         []Address
	Cc         []Address
	Bcc        []Address `cbor:",omitempty"` // of our own: who is in it stays in the house
	ReplyTo    string
	Subject    string
	Date       time.Time // as the sender wrote it; zero when absent
	At         time.Time // received, or posted
	MessageID  string    // without brackets
	InReplyTo  []string
	References []string
	// ThreadIndex is Outlook's conversation index, base64, or "".
	ThreadIndex string

	Attachments  []Attachment
	Snippet      string
	CharsetNotes []string
	Defects      []string

	// Inbound only.
	Signed         string      `cbor:",omitempty"` // "S/MIME", "OpenPGP" or "": claimed, not verified
	Encrypted      string      `cbor:",omitempty"`
	Invitation     *Invitation `cbor:",omitempty"`
	Envelope       Envelope
	Paths          []string // the addresses of ours through which it came, duplicates included
	Identity       string   // hash by which a second arrival is recognised
	Authentication Authentication
	Filters        []FilterResult `cbor:",omitempty"` // of filters
	Bounces        []Bounce
	NeverAnswer    bool // nothing automatic may answer it

	// Outbound only.
	AuthorID     string // the user who wrote or logged it
	ReplyAddress string // reply+<token>@domain
	Automatic    bool
	Templates    []string `cbor:",omitempty"` // ids of those it was written with
	BulkReply    string   `cbor:",omitempty"` // id of the one that it is part of
	// Before is what an undo gives back.
	Before *Before `cbor:",omitempty"`
}

// Before is what a reply changed of its ticket: from what, and to what. What
// somebody else changed since is not given back.
type Before struct {
	Opening    *Opening `cbor:",omitempty"` // of the mail that began the ticket
	StageID    string
	ClosedInto string // the stage that the reply closed the ticket into, or ""
	AssigneeID string
	AssignedTo string // whom the reply gave the ticket to, or ""
	Quote      bool   // the composer's choice
	// Signature is the one that the author chose, nil for the usual one.
	Signature *Localized `cbor:",omitempty"`
	// LastReply is when the author had last replied; zero: never.
	LastReply time.Time
}

// Envelope is what the SMTP session said of a mail.
type Envelope struct {
	RemoteIP   string
	HELO       string
	MailFrom   string
	Recipients []string
	TLS        string
	Protocol   string
	Received   string // the trace field of RFC 5321, section 4.4
}

// Bounce is one failed recipient in a delivery report.
type Bounce struct {
	Recipient string
	Status    string // RFC 3463
	// Action is "failed" or "delayed" (RFC 3464, section 2.3.3): what was tried for
	// too long has failed with a status that begins with 4. "" in older records.
	Action string `cbor:",omitempty"`
	Reason string
}

// lasts reports whether the recipient gets nothing any more.
func (b Bounce) lasts() bool {
	if b.Action != "" {
		return b.Action == "failed"
	}
	return !strings.HasPrefix(b.Status, "4.") && !strings.HasPrefix(b.Status, "2.")
}

// Authentication is what was found out about a sender, in the words of RFC
// 8601.
type Authentication struct {
	SPF    AuthResult
	DKIM   []AuthResult
	DMARC  AuthResult
	ARC    string
	Policy string // the From domain's DMARC policy: "none", "quarantine", "reject", or ""
	// AlignedBy names the mechanism that proved the From domain: "dkim", "spf", "arc" or "".
	AlignedBy string
	// Forwarder is the trusted domain that proved it ("arc"), or "".
	Forwarder string `cbor:",omitempty"`
	// Vouched says that the house received the mail though it fails.
	Vouched Vouching `cbor:",omitempty"`
	// Results is the value of the Authentication-Results field (RFC 8601).
	Results string
}

// AuthResult is one mechanism's verdict.
type AuthResult struct {
	Result string
	Domain string
	Reason string
}

// Vouching is why a mail was received though something spoke against it.
type Vouching string

// The reasons.
const (
	VouchedTrusted  Vouching = "trusted"  // its sender is trusted with the proof it came with
	VouchedReleased Vouching = "released" // somebody released it from quarantine
)

// Trust condenses a. What the house vouches for is not refuted by a policy, and
// not proven by that either: nothing automatic answers it.
func (a Authentication) Trust() Trust {
	switch {
	case a.Vouched != "" && a.DMARC.Result != "pass":
		return TrustUnknown
	case a.DMARC.Result == "pass" || a.AlignedBy != "":
		return TrustVerified
	case a.DMARC.Result == "fail" && a.Policy != "none" && a.Policy != "":
		return TrustFailed
	case a.DMARC.Result == "permerror":
		return TrustFailed
	}
	return TrustUnknown
}

// Body is a message's text, kept apart so that lists need not load it.
type Body struct {
	MessageID string // the message's ID
	Text      string
	HTML      string // as it came: hostile, never shown before it is sanitised
	ReplyText string // the new words, without quote and signature
}

// Note is an internal comment; it never leaves the house.
type Note struct {
	ID       string
	Ticket   uint64
	AuthorID string
	Text     string
	Mentions []string // user ids
	At       time.Time
	// Seq is the event that says it was written, and Unread those mentioned who
	// have not looked at the ticket since.
	Seq    uint64   `cbor:",omitempty"`
	Unread []string `cbor:",omitempty"`
}

// TokenKind says what mail to a token's address is.
type TokenKind string

// The token kinds.
const (
	TokenReply  TokenKind = "reply"  // a customer's answer
	TokenAgent  TokenKind = "agent"  // an agent's answer to a copy
	TokenBounce TokenKind = "bounce" // the fate of a delivery
)

// Token binds an address of ours to one outgoing message. Mail to it goes to
// the ticket on which that message is now.
type Token struct {
	Value     string // 16 characters, lower case
	Kind      TokenKind
	Ticket    uint64 // on which it was made
	Message   string // the message that carries it
	User      string // for TokenAgent
	Delivery  string // for TokenBounce
	Alias     string // where to write once it has expired
	ExpiresAt time.Time
}

// DeliveryState is the fate of a delivery so far.
type DeliveryState string

// The delivery states.
const (
	DeliveryWaiting   DeliveryState = "waiting"   // inside the undo window
	DeliverySending   DeliveryState = "sending"   // being tried; too late to undo
	DeliveryDeferred  DeliveryState = "deferred"  // a temporary failure; tried again at NextAt
	DeliverySent      DeliveryState = "sent"      // taken by the next server
	DeliveryFailed    DeliveryState = "failed"    // given up, or refused for good
	DeliveryCancelled DeliveryState = "cancelled" // undone before it left
)

// Delivery is one outgoing message to one recipient.
type Delivery struct {
	ID           string
	Message      string // the message it carries, or copies
	Answers      string `cbor:",omitempty"` // the message that this one answers, where there is one
	Ticket       uint64
	Recipient    string
	Copy         bool   // a copy of a customer's mail for an agent, or a notice
	Notice       string `cbor:",omitempty"` // the notice that it tells a user of
	Report       bool   `cbor:",omitempty"` // a report to the recipient's server; gone once it is done
	RawID        string // of the composed mail in the raw store
	EnvelopeFrom string
	State        DeliveryState
	Attempts     []Attempt
	NextAt       time.Time
	CreatedAt    time.Time
	DoneAt       time.Time
	DoneSeq      uint64 // the event that says how it ended
	Warned       bool   `cbor:",omitempty"` // its author was told that it is late
}

// Attempt is one try of a delivery.
type Attempt struct {
	At       time.Time
	Host     string
	TLS      string
	Code     int    // SMTP reply, 0 when there was none
	Enhanced string // RFC 3463
	Text     string // what the peer, or our side, said
	OK       bool
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
