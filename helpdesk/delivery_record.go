package helpdesk

import "time"

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
	// Failure is why our side did not try, as KeepError gives it: Text is the same in English.
	Failure string `cbor:",omitempty"`
	OK      bool
}
