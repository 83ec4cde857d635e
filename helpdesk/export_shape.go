package helpdesk

import "time"

// ExportedTicket is a ticket by names, not by ids.
type ExportedTicket struct {
	Number       uint64      `json:"number"`
	Subject      string      `json:"subject"`
	Contact      string      `json:"contact"` // main address
	Pipeline     string      `json:"pipeline"`
	Stage        string      `json:"stage"`
	Open         bool        `json:"open"`
	Assignee     string      `json:"assignee"` // address
	Team         string      `json:"team"`
	Priority     string      `json:"priority"`
	Tags         []string    `json:"tags"`
	Fields       FieldValues `json:"fields,omitempty"` // by the fields' names; choices by theirs
	Alias        string      `json:"alias"`            // the address that answers leave from
	Aliases      []string    `json:"aliases"`
	Participants []string    `json:"participants"`
	ThirdParties []string    `json:"third_parties"` // those of them to whom a mail was forwarded, or who came in with that
	Language     string      `json:"language"`
	Spam         bool        `json:"spam"`
	MergedInto   uint64      `json:"merged_into,omitempty"`
	Previous     uint64      `json:"previous,omitempty"`
	Withdrawn    bool        `json:"withdrawn,omitempty"` // the mail that began it was taken back: it is empty
	ErasedAt     time.Time   `json:"erased_at,omitzero"`  // when its customer's data was erased: it is empty
	Snoozed      bool        `json:"snoozed,omitempty"`
	SnoozedUntil time.Time   `json:"snoozed_until,omitzero"`
	CreatedAt    time.Time   `json:"created_at"`
	UpdatedAt    time.Time   `json:"updated_at"`
	WaitingSince time.Time   `json:"waiting_since,omitzero"`
}

// ExportedMessage is a message; its files are in its mail.
type ExportedMessage struct {
	ID         string            `json:"id"`
	Seq        uint64            `json:"seq"` // the event by which it came into the thread: the order of a thread
	Ticket     uint64            `json:"ticket"`
	Direction  Direction         `json:"direction"`
	Channel    string            `json:"channel"`
	Kind       MessageKind       `json:"kind"`
	State      MessageState      `json:"state"`
	Reason     Reason            `json:"reason"`
	ThirdParty bool              `json:"third_party"`         // of the exchange with a third party, not with the customer
	Forwarded  string            `json:"forwarded,omitempty"` // the message that it passes on
	Automatic  bool              `json:"automatic,omitempty"` // nobody wrote it: an acknowledgement, a smart service
	Answered   bool              `json:"answered,omitempty"`  // of a customer's: nobody waits for an answer to it any more
	Author     string            `json:"author,omitempty"`    // the user's address
	From       ExportedAddress   `json:"from"`
	To         []ExportedAddress `json:"to"`
	Cc         []ExportedAddress `json:"cc"`
	Bcc        []ExportedAddress `json:"bcc,omitempty"`
	Subject    string            `json:"subject"`
	At         time.Time         `json:"at"`
	Date       time.Time         `json:"date,omitzero"` // as the sender wrote it
	MessageID  string            `json:"message_id"`
	InReplyTo  []string          `json:"in_reply_to"`
	References []string          `json:"references"`
	Text       string            `json:"text"`
	ReplyText  string            `json:"reply_text"`
	Files      []string          `json:"files"`
	Sender     string            `json:"envelope_from"`
	// Raw is the mail, nil where there is none. Mbox says where an exporter has put it.
	Raw  []byte     `json:"raw,omitempty"`
	Mbox *MboxPlace `json:"mbox,omitempty"`
}

// MboxPlace is where a mail is in an export.
type MboxPlace struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	// SHA256 is of the mail as it was received, in hexadecimal: the file has its lines ended by LF.
	SHA256 string `json:"sha256"`
}

// ExportedAddress is a mailbox.
type ExportedAddress struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// ExportedNote is an internal comment.
type ExportedNote struct {
	ID         string    `json:"id"`
	Seq        uint64    `json:"seq,omitempty"` // the event that says it was written
	Ticket     uint64    `json:"ticket"`
	Author     string    `json:"author"`      // the user's address, "" where it is of nobody here
	AuthorName string    `json:"author_name"` // as it is now
	Mentions   []string  `json:"mentions"`    // addresses of users
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
}

// ExportedContact is a contact: Email is the main address, Others are the further ones,
// and Company is the name of the company it belongs to now.
type ExportedContact struct {
	Email    string      `json:"email"`
	Others   []string    `json:"other_addresses"`
	Name     string      `json:"name"`
	NameKept bool        `json:"name_kept,omitempty"` // a person of the house wrote it: mail changes it no more
	Reading  string      `json:"reading"`
	Company  string      `json:"company"`
	Phone    string      `json:"phone"`
	Language string      `json:"language"`
	TimeZone string      `json:"time_zone"`
	Notes    string      `json:"notes"`
	Tags     []string    `json:"tags"`
	Fields   FieldValues `json:"fields,omitempty"` // by the fields' names; choices by theirs
	// NeverAnswer keeps everything automatic from answering the person.
	NeverAnswer bool      `json:"never_answer,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	LastSeenAt  time.Time `json:"last_seen_at"`
}

// ExportedCompany is a company; its contacts name it.
type ExportedCompany struct {
	Name      string    `json:"name"`
	Domains   []string  `json:"domains"`
	Notes     string    `json:"notes"`
	CreatedAt time.Time `json:"created_at"`
}

// ExportedUser is a person of the house: no export has anything that lets one in.
type ExportedUser struct {
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"` // the name of one
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
}

// ExportedEvent is one line of the event log.
type ExportedEvent struct {
	Seq     uint64            `json:"seq"`
	At      time.Time         `json:"at"`
	Kind    EventKind         `json:"kind"`
	Ticket  uint64            `json:"ticket,omitempty"`
	Message string            `json:"message,omitempty"`
	Actor   string            `json:"actor"`
	Data    map[string]string `json:"data,omitempty"`
}
