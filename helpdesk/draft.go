package helpdesk

import (
	"context"
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
	// Signature stands below, nil for the usual one; Templates are the ids of those
	// that it was written with.
	Signature *Localized `cbor:",omitempty"`
	Templates []string   `cbor:",omitempty"`
	Files     []DraftFile
	// Seen is the newest event of the ticket that its author had seen.
	Seen uint64

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
	Close       bool
	Signature   *Localized `cbor:",omitempty"`
	Templates   []string
	Key         string // the idempotency key with which it was handed in
}

// Returned says why a draft that was to leave is being written again.
type Returned struct {
	Why  string // ReturnedByCustomer and the like
	By   string // the user who refused it
	Text string // what they said, or what failed
	At   time.Time
}

// Limits of a draft, besides those of a reply.
const (
	maxDraftFiles  = 100
	maxDraftFields = 64 << 10 // bytes, of recipients and subject
	maxDraftID     = 64
	// draftRest is how long a draft that holds nothing but files is kept.
	draftRest = 7 * 24 * time.Hour
)

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
		return invalid("text", "reply_too_long", "the draft has %d bytes; the limit is %d", len(d.Text)+len(d.HTML), maxReplyText)
	case d.Signature != nil && len(d.Signature.Text)+len(d.Signature.HTML) > maxDraftFields:
		return invalid("signature", "reply_too_long", "the signature has %d bytes; the limit is %d", len(d.Signature.Text)+len(d.Signature.HTML), maxDraftFields)
	case len(d.Templates) > maxDraftFiles:
		return invalid("templates", "reply_too_long", "the draft names %d templates; the limit is %d", len(d.Templates), maxDraftFiles)
	case len(d.To)+len(d.Cc)+len(d.Bcc)+len(d.Subject) > maxDraftFields:
		return invalid("to", "reply_too_long", "recipients and subject have %d bytes; the limit is %d", len(d.To)+len(d.Cc)+len(d.Bcc)+len(d.Subject), maxDraftFields)
	}
	return nil
}

// mayDraft is the permission that the draft will need when it is sent.
func (a Actor) mayDraft(kind DraftKind) error {
	if kind == DraftNote {
		return a.may("draft a note", PermitNote)
	}
	return a.may("draft a reply", PermitReply)
}

// SaveDraft keeps what the actor is writing: what can be typed of the draft;
// its files stay as they are. A draft without words and files is deleted. One
// that was sent meanwhile is a conflict ("draft_sent"), and so is one that
// somebody took over.
func (d *Desk) SaveDraft(ctx context.Context, a Actor, draft Draft) (*Draft, error) {
	if err := a.mayDraft(draft.Kind); err != nil {
		return nil, err
	}
	if err := draft.check(); err != nil {
		return nil, err
	}
	var saved *Draft
	err := d.update(ctx, a, func(c *command) error {
		current, err := c.writableDraft(&draft)
		if err != nil {
			return err
		}
		current.AliasID, current.Subject, current.Text, current.HTML = draft.AliasID, draft.Subject, draft.Text, draft.HTML
		current.To, current.Cc, current.Bcc, current.Quote, current.Seen = draft.To, draft.Cc, draft.Bcc, draft.Quote, draft.Seen
		current.Signature, current.Templates = draft.Signature, draft.Templates
		current.UpdatedAt = c.now
		saved = current
		if current.empty() && current.Returned == nil {
			return c.dropDraft(current)
		}
		return c.putDraft(current)
	})
	return saved, err
}

// writableDraft is the stored draft with the id of want, or the beginning of
// one, if the actor may go on writing it.
func (c *command) writableDraft(want *Draft) (*Draft, error) {
	current, err := optional(drafts.Get(c, key(want.ID)))
	if err != nil {
		return nil, err
	}
	if current != nil {
		switch {
		case current.UserID != c.actor.UserID:
			return nil, c.takenBy(current)
		case current.State != DraftWriting:
			return nil, leaving(current)
		}
		return current, nil
	}
	sent, err := idempotencies.Has(c, key(c.actor.UserID, want.ID))
	if err != nil {
		return nil, err
	}
	if sent {
		return nil, conflict("draft_sent", "this draft has been sent")
	}
	if want.Ticket != 0 {
		if _, err := workable(c, want.Ticket); err != nil {
			return nil, err
		}
	}
	return &Draft{ID: want.ID, Kind: want.Kind, Ticket: want.Ticket, UserID: c.actor.UserID, State: DraftWriting, Seen: want.Seen, AliasID: want.AliasID, CreatedAt: c.now}, nil
}

// leaving says why a draft cannot be changed.
func leaving(d *Draft) error {
	if d.State == DraftReview {
		return conflict("draft_review", "this draft waits for approval; withdraw the request to edit it")
	}
	return conflict("draft_scheduled", "this draft is scheduled to be sent; cancel that to edit it")
}

func (c *command) takenBy(d *Draft) error {
	name, err := newNames(c, c.actor).user(d.UserID)
	if err != nil {
		return err
	}
	return conflict("draft_taken", "this draft is now written by %s", name)
}

// putDraft writes a draft and keeps its ticket in step.
func (c *command) putDraft(d *Draft) error {
	if err := drafts.Put(c, d); err != nil {
		return err
	}
	return c.draftsChanged(d.Ticket)
}

// dropDraft removes a draft with all that belongs to it.
func (c *command) dropDraft(d *Draft) error {
	if err := c.deleteDraft(d); err != nil {
		return err
	}
	return c.draftsChanged(d.Ticket)
}

// deleteDraft is dropDraft for who writes the ticket.
func (c *command) deleteDraft(d *Draft) error {
	for _, f := range d.Files {
		if err := draftFiles.Delete(c, d.fileKey(f.ID)); err != nil {
			return err
		}
	}
	for _, kind := range []TimerKind{TimerDraft, TimerSend} {
		if err := c.clearTimer(kind, d.ID); err != nil {
			return err
		}
	}
	return drafts.Delete(c, key(d.ID))
}

// draftsChanged brings a ticket in step with its drafts, if they say anything
// new of it.
func (c *command) draftsChanged(number uint64) error {
	if number == 0 {
		return nil
	}
	t, err := tickets.Get(c, key(number))
	if err != nil {
		return err
	}
	if changed, err := c.countDrafts(t); err != nil || !changed {
		return err
	}
	return tickets.Put(c, t)
}

// countDrafts writes into t what its drafts say of it, and tells whether that
// is new.
func (c *command) countDrafts(t *Ticket) (changed bool, err error) {
	found, err := draftTallyOf(c, t.Number)
	if err != nil {
		return false, err
	}
	changed = !found.agrees(t)
	t.Drafters, t.Scheduled, t.Reviews = found.drafters, found.scheduled, found.reviews
	return changed, nil
}

// draftTally is what the drafts of a ticket say of it.
type draftTally struct {
	drafters           []string // ids of those who have one that was not sent
	scheduled, reviews int
}

func draftTallyOf(r store.Reader, number uint64) (t draftTally, err error) {
	for d, err := range drafts.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return t, err
		}
		t.drafters = appendNew(t.drafters, d.UserID)
		switch d.State {
		case DraftScheduled:
			t.scheduled++
		case DraftReview:
			t.reviews++
		}
	}
	slices.Sort(t.drafters)
	return t, nil
}

func (t *draftTally) agrees(ticket *Ticket) bool {
	return slices.Equal(t.drafters, ticket.Drafters) && t.scheduled == ticket.Scheduled && t.reviews == ticket.Reviews
}

// endDraft removes the draft of author that was just sent from its ticket,
// which is written afterwards. read is the draft as it was when it was made into
// what is sent, for one that left by itself: it must not have changed since.
func (c *command) endDraft(t *Ticket, author, id string, read *Draft) error {
	if id == "" {
		return nil
	}
	draft, err := optional(drafts.Get(c, key(id)))
	switch {
	case err != nil:
		return err
	case read != nil && (draft == nil || draft.State != read.State || !draft.UpdatedAt.Equal(read.UpdatedAt)):
		return conflict("draft_changed", "this draft was changed or recalled meanwhile")
	case draft == nil:
		return nil
	case read == nil && draft.State != DraftWriting:
		return leaving(draft)
	case draft.UserID != author:
		return c.takenBy(draft)
	case draft.Ticket != t.Number:
		return c.dropDraft(draft)
	}
	if err := c.deleteDraft(draft); err != nil {
		return err
	}
	_, err = c.countDrafts(t)
	return err
}

// DiscardDraft deletes a draft of the actor, in whatever state it is.
func (d *Desk) DiscardDraft(ctx context.Context, a Actor, id string) error {
	if err := a.mayRead("a draft"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		draft, err := optional(drafts.Get(c, key(id)))
		if err != nil || draft == nil {
			return err
		}
		if err := a.mayDraft(draft.Kind); err != nil {
			return err
		}
		if draft.UserID != a.UserID {
			return c.takenBy(draft)
		}
		if draft.State != DraftWriting {
			if err := c.recordDraft(EventDraftWithdrawn, draft, nil); err != nil {
				return err
			}
		}
		return c.dropDraft(draft)
	})
}

// TakeDraft makes the actor the author of a colleague's draft, and returns it.
func (d *Desk) TakeDraft(ctx context.Context, a Actor, id string) (taken *Draft, err error) {
	if err := a.mayRead("a draft"); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if taken, err = c.draft(id); err != nil || taken.UserID == a.UserID {
			return err
		}
		if err := a.mayDraft(taken.Kind); err != nil {
			return err
		}
		if taken.State != DraftWriting {
			return leaving(taken)
		}
		before := taken.UserID
		taken.UserID, taken.Signature, taken.UpdatedAt = a.UserID, nil, c.now // it is signed by whoever sends it
		if err := c.recordDraft(EventDraftTaken, taken, map[string]string{"from": before}); err != nil {
			return err
		}
		return c.putDraft(taken)
	})
	return taken, err
}

func (c *command) draft(id string) (*Draft, error) {
	draft, err := drafts.Get(c, key(id))
	return found(draft, err, "draft", id)
}

// recordDraft writes an event about a draft.
func (c *command) recordDraft(kind EventKind, d *Draft, data map[string]string) error {
	if data == nil {
		data = map[string]string{}
	}
	data["draft"] = d.ID
	if _, there := data["author"]; !there {
		data["author"] = d.UserID
	}
	if d.Kind == DraftMail {
		data["subject"] = d.Subject
	}
	_, err := c.record(Event{Kind: kind, Ticket: d.Ticket, Data: data})
	return err
}

// DraftView is a draft with its author's name.
type DraftView struct {
	Draft
	AuthorName string
	Alias      string // the address that a DraftMail leaves from, "" while none is chosen
}

// Draft returns one draft.
func (d *Desk) Draft(ctx context.Context, a Actor, id string) (v *DraftView, err error) {
	if err := a.mayRead("a draft"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		draft, err := drafts.Get(r, key(id))
		if draft, err = found(draft, err, "draft", id); err != nil {
			return err
		}
		v, err = draftView(r, newNames(r, a), draft)
		return err
	})
	return v, err
}

// Drafts returns the drafts of a ticket, oldest first.
func (d *Desk) Drafts(ctx context.Context, a Actor, ticket uint64) (list []DraftView, err error) {
	return d.listDrafts(ctx, a, "ticket", key(ticket), nil)
}

// MailDrafts returns the drafts of mails that open a ticket: the actor's own,
// and those of others that wait for a second person.
func (d *Desk) MailDrafts(ctx context.Context, a Actor) (list []DraftView, err error) {
	return d.listDrafts(ctx, a, "mail", nil, func(draft *Draft) bool { return draft.UserID == a.UserID || draft.State == DraftReview })
}

func (d *Desk) listDrafts(ctx context.Context, a Actor, index string, prefix []byte, wanted func(*Draft) bool) (list []DraftView, err error) {
	if err := a.mayRead("drafts"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		n := newNames(r, a)
		for draft, err := range drafts.ScanIndex(r, index, store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			if wanted != nil && !wanted(draft) {
				continue
			}
			v, err := draftView(r, n, draft)
			if err != nil {
				return err
			}
			list = append(list, *v)
		}
		return nil
	})
	return list, err
}

func draftView(r store.Reader, n *names, draft *Draft) (*DraftView, error) {
	author, err := n.user(draft.UserID)
	if err != nil {
		return nil, err
	}
	v := &DraftView{Draft: *draft, AuthorName: author}
	if draft.AliasID == "" {
		return v, nil
	}
	alias, err := optional(aliases.Get(r, key(draft.AliasID)))
	if err == nil && alias != nil {
		v.Alias = alias.Address
	}
	return v, err
}
