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
	Fields       FieldValues `json:"fields,omitempty"`
	Aliases      []string    `json:"aliases"`
	Participants []string    `json:"participants"`
	ThirdParties []string    `json:"third_parties"` // those of them to whom a mail was forwarded, or who came in with that
	Language     string      `json:"language"`
	Spam         bool        `json:"spam"`
	MergedInto   uint64      `json:"merged_into,omitempty"`
	Previous     uint64      `json:"previous,omitempty"`
	CreatedAt    time.Time   `json:"created_at"`
	UpdatedAt    time.Time   `json:"updated_at"`
	WaitingSince time.Time   `json:"waiting_since,omitzero"`
}

// ExportedMessage is a message; its files are in its mail.
type ExportedMessage struct {
	ID         string            `json:"id"`
	Ticket     uint64            `json:"ticket"`
	Direction  Direction         `json:"direction"`
	Channel    string            `json:"channel"`
	Kind       MessageKind       `json:"kind"`
	State      MessageState      `json:"state"`
	Reason     Reason            `json:"reason"`
	ThirdParty bool              `json:"third_party"`         // of the exchange with a third party, not with the customer
	Forwarded  string            `json:"forwarded,omitempty"` // the message that it passes on
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
}

// ExportedAddress is a mailbox.
type ExportedAddress struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// ExportedNote is an internal comment.
type ExportedNote struct {
	ID     string    `json:"id"`
	Ticket uint64    `json:"ticket"`
	Author string    `json:"author"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// ExportedContact is a contact: Email is the main address, Others are the further ones,
// and Company is the name of the company it belongs to now.
type ExportedContact struct {
	Email      string      `json:"email"`
	Others     []string    `json:"other_addresses"`
	Name       string      `json:"name"`
	Reading    string      `json:"reading"`
	Company    string      `json:"company"`
	Phone      string      `json:"phone"`
	Language   string      `json:"language"`
	TimeZone   string      `json:"time_zone"`
	Notes      string      `json:"notes"`
	Tags       []string    `json:"tags"`
	Fields     FieldValues `json:"fields,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	LastSeenAt time.Time   `json:"last_seen_at"`
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
