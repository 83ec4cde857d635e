package helpdesk

import (
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// DraftKind says what a draft becomes.
type DraftKind string

// The draft kinds.
const (
	DraftReply DraftKind = "reply" // an answer to a ticket's customer
	DraftNote  DraftKind = "note"  // an internal comment
	DraftMail  DraftKind = "mail"  // a mail that opens a ticket
)

// DraftState is where a draft stands.
type DraftState string

// The draft states. Only one that is being written changes with each save.
const (
	DraftWriting   DraftState = "writing"
	DraftScheduled DraftState = "scheduled" // leaves by itself at SendAt
	DraftReview    DraftState = "review"    // waits for a second person
)

// Draft is what somebody is writing and has not sent. Its author alone changes
// it; every agent may read it, and take it over.
type Draft struct {
	ID     string // chosen by whoever begins it, so that saving twice makes one
	Kind   DraftKind
	Ticket uint64 // 0 for DraftMail
	UserID string // its author
	State  DraftState

	AliasID     string // of a DraftMail: where it leaves from
	Subject     string // of a DraftMail
	Text, HTML  string
	To, Cc, Bcc string // as typed, so perhaps not yet an address
	Quote       bool
	Forward     string `cbor:",omitempty"` // the message that it passes on
	// Signature stands below, nil for the usual one; Templates are the ids of those
	// that it was written with.
	Signature *Localized `cbor:",omitempty"`
	Templates []string   `cbor:",omitempty"`
	Files     []DraftFile
	// Seen is the newest event of the ticket that its author had seen.
	Seen uint64
	// Page names the page of a browser that saved it last, "" where nobody said.
	Page string `cbor:",omitempty"`

	// Ready is what is sent, once the author has said so: the recipients as they
	// were read, and whether the ticket is closed.
	Ready *Ready `cbor:",omitempty"`
	// SendAt is when a scheduled draft leaves; zero otherwise, or at once.
	SendAt time.Time
	// Approved is the user who approved it, "" for nobody.
	Approved string
	// Regardless sends even if the customer writes meanwhile.
	Regardless bool
	// Returned says why it is being written again; nil when it never left.
	Returned  *Returned `cbor:",omitempty"`
	CreatedAt time.Time
	UpdatedAt time.Time
}

// DraftFile is a file that was uploaded for a draft. Its bytes are in the
// store under the draft's and its own id.
type DraftFile struct {
	ID          string
	Filename    string
	ContentType string
	// ContentID names an image that the HTML shows as "cid:" and this (RFC
	// 2392); "" for an attachment.
	ContentID string
	Size      int64
	SHA256    string
	At        time.Time
}

// Ready is what a draft becomes when it leaves.
type Ready struct {
	To, Cc, Bcc []Address
	Answers     string `cbor:",omitempty"` // the message that it answers
	Close       bool
	Signature   *Localized `cbor:",omitempty"`
	Templates   []string
	Key         string // the idempotency key with which it was handed in
	Digest      string `cbor:",omitempty"` // of what was asked for with it
}

// Returned says why a draft that was to leave is being written again.
type Returned struct {
	Why  string // ReturnedByCustomer and the like
	By   string // the user who refused it
	Text string // what they said, or what failed
	// Failure is what failed as KeepError gives it, for whoever reads it in another language.
	Failure string
	At      time.Time
}

var drafts = store.NewTable(store.Spec[Draft]{Name: "draft", Version: 1,
	Key: func(d *Draft) []byte { return key(d.ID) },
	Indexes: []store.Index[Draft]{
		{Name: "ticket", Keys: func(d *Draft) [][]byte { return when(d.Ticket != 0, key(d.Ticket, d.ID)) }},
		{Name: "user", Keys: func(d *Draft) [][]byte { return one(key(d.UserID, d.ID)) }},
		{Name: "mail", Keys: func(d *Draft) [][]byte { return when(d.Ticket == 0, key(string(d.State), d.ID)) }},
	}})

// draftFiles holds the bytes of uploads.
var draftFiles = store.Blobs{Name: "draft"}

// empty reports whether nothing would be lost with the draft.
func (d *Draft) empty() bool { return !d.written() && len(d.Files) == 0 }

// written reports whether there are words in it.
func (d *Draft) written() bool {
	return strings.TrimSpace(d.Text) != "" || strings.TrimSpace(d.HTML) != "" || d.Kind == DraftMail && strings.TrimSpace(d.Subject+d.To) != ""
}

func (d *Draft) check() error {
	switch {
	case len(d.ID) < 10 || len(d.ID) > maxDraftID || strings.ContainsFunc(d.ID, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	}):
		return invalid("id", "draft_id", "the draft's id %q is not 10 to %d letters, digits and hyphens", d.ID, maxDraftID)
	case d.Kind != DraftReply && d.Kind != DraftNote && d.Kind != DraftMail:
		return invalid("kind", "draft_kind", "a draft of kind %q is not one of reply, note, mail", d.Kind)
	case (d.Kind == DraftMail) != (d.Ticket == 0):
		return invalid("ticket", "draft_kind", "a draft of kind %q does not belong to ticket %d", d.Kind, d.Ticket)
	case len(d.Text)+len(d.HTML) > maxReplyText:
		return invalid("text", "reply_too_long", "the draft has %d bytes; the limit is %d", Bytes(len(d.Text)+len(d.HTML)), Bytes(maxReplyText))
	case d.Signature != nil && len(d.Signature.Text)+len(d.Signature.HTML) > maxDraftFields:
		return invalid("signature", "reply_too_long", "the signature has %d bytes; the limit is %d", Bytes(len(d.Signature.Text)+len(d.Signature.HTML)), Bytes(maxDraftFields))
	case len(d.Templates) > maxDraftFiles:
		return invalid("templates", "reply_too_long", "the draft names %d templates; the limit is %d", len(d.Templates), maxDraftFiles)
	case len(d.To)+len(d.Cc)+len(d.Bcc)+len(d.Subject) > maxDraftFields:
		return invalid("to", "reply_too_long", "recipients and subject have %d bytes; the limit is %d", Bytes(len(d.To)+len(d.Cc)+len(d.Bcc)+len(d.Subject)), Bytes(maxDraftFields))
	}
	return nil
}

// describe says in an event which new mail it is about. A subject without the address of
// whoever it is for would outlive their erasure.
func (d *Draft) describe(data map[string]string) {
	data["subject"] = ""
	if to := d.recipients(); strings.Contains(to, "@") {
		data["subject"], data["to"] = d.Subject, to
	}
}

// recipients are all of a draft, as they were typed.
func (d *Draft) recipients() string {
	return strings.Join(slices.DeleteFunc([]string{d.To, d.Cc, d.Bcc}, func(typed string) bool { return typed == "" }), ", ")
}
