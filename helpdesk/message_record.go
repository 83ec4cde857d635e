package helpdesk

import (
	"strings"
	"time"
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
	// ThirdParty says that it is of the exchange with somebody to whom a mail was
	// forwarded, and not with the customer; Forwarded is the message that it passes
	// on, or "".
	ThirdParty bool   `cbor:",omitempty"`
	Forwarded  string `cbor:",omitempty"`

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
	// Unsent is why an agent's mail was not sent as a reply, as KeepError gives it: the last of the Defects is the same in English.
	Unsent string `cbor:",omitempty"`

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
	Notice         bool `cbor:",omitempty"` // another house like this one tells its people of something

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

// nullSender reports whether a session brought the mail with an empty sender, as
// reports and automatic answers have (RFC 5321, section 4.5.5). What was read from a
// file has no envelope at all.
func (e Envelope) nullSender() bool { return e.Received != "" && e.MailFrom == "" }

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
