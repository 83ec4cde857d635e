package helpdesk

import (
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// ImportedTicket is a ticket, or a thread of mails, of another system.
type ImportedTicket struct {
	// Source names the system, and tells two of a kind apart ("zendesk",
	// "mbox"); ID is the ticket's there. Together they are imported once.
	Source, ID string
	Subject    string
	Open       bool
	Priority   Priority
	Tags       []string
	Assignee   string  // address of a user, or ""
	Team       string  // its name, or ""
	Requester  Address // the customer; where empty, the first who wrote
	Company    string  // of the customer, or ""
	// What only an export of this program says. Alias is the address that answers leave from, Aliases
	// those by which it came, Pipeline and Stage are names: what is none here is left out, and said.
	// Previous is the ID of the ticket that it continues.
	Alias, Pipeline, Stage string
	Aliases                []string
	Language               string // of the customer, ISO 639-1
	Previous               string
	Spam                   bool
	// Fields are the values of custom fields by name; those that are none here are left out.
	Fields    FieldValues
	CreatedAt time.Time
	UpdatedAt time.Time
	Entries   []ImportedEntry // the oldest first
}

// ImportedKind is what an entry of an imported ticket is.
type ImportedKind string

// The kinds of entries.
const (
	ImportedMail ImportedKind = ""     // a mail; its author tells who wrote to whom
	ImportedIn   ImportedKind = "in"   // from the customer
	ImportedOut  ImportedKind = "out"  // to the customer
	ImportedNote ImportedKind = "note" // never leaves the house
	// ImportedLogged came another way than by mail, and somebody wrote it down: there is no mail of it.
	ImportedLogged ImportedKind = "logged"
)

// ImportedEntry is a message or a note of another system. It has either the mail as
// it was, or what one is composed of.
type ImportedEntry struct {
	ID     string // within the source
	Kind   ImportedKind
	At     time.Time
	Author Address
	Raw    []byte

	To, Cc     []Address
	Subject    string
	Text, HTML string
	MessageID  string // without brackets, or ""
	InReplyTo  string
	Files      []Upload

	// What only an export of this program says. Author of a mail that went out, and of what was logged, is
	// then the user. From is who said what was logged, Channel how; Bcc got a mail unseen.
	From       Address
	Channel    string
	Bcc        []Address
	Answered   bool   // of a customer's: nobody waits for an answer to it any more
	Reason     Reason // ReasonAcknowledged or ReasonService of what went out by itself, or ""
	ThirdParty bool   // of the exchange with a third party
	Forwarded  string // the ID of the entry that it passes on, or ""
}

// ImportOptions are what an importer chooses.
type ImportOptions struct {
	// Alias is the address of tickets that were written to none of ours.
	Alias string
}

// ImportOutcome is what became of an imported ticket.
type ImportOutcome struct {
	Ticket   uint64 // 0 where nothing of it was imported
	Opened   bool   // it was not there yet
	Messages int    // that were imported
	Notes    int
	Known    int      // entries that were there already
	Contact  bool     // its contact was made
	Left     []string // what was left out, and why
}

// importedItem remembers what was imported, so that it is imported once.
type importedItem struct {
	Source, Kind, ID string
	Ticket           uint64
	Item             string // the message or note it became
}

const (
	importedTicketItem = "ticket"
	importedEntryItem  = "entry"
)

var importedItems = store.NewTable(store.Spec[importedItem]{Name: "imported", Version: 1,
	Key: func(i *importedItem) []byte { return key(i.Source, i.Kind, i.ID) }})
