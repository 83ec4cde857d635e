package helpdesk

import "time"

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
	// ThirdParties are those of them who came in with a mail that was forwarded, or
	// with an answer to one: their mail is not the customer's.
	ThirdParties []string `cbor:",omitempty"`
	// Previous is the closed ticket that this one continues, or 0.
	Previous uint64
	// MergedInto is the ticket that this one became part of, or 0. Such a ticket
	// has no messages and is in no list; its number says where they are.
	MergedInto uint64
	// Withdrawn says that the mail of ours which began it was taken back before it
	// left: it is empty, and in no list.
	Withdrawn bool `cbor:",omitempty"`
	// ErasedAt is when the data of its customer was erased: it is empty, and in no list,
	// as one that was withdrawn.
	ErasedAt time.Time `cbor:",omitzero"`

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
