package helpdesk

import (
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Limits of a draft, besides those of a reply.
const (
	maxDraftFiles  = 100
	maxDraftFields = 64 << 10 // bytes, of recipients and subject
	maxDraftID     = 64
	// draftRest is how long a draft that holds nothing but files is kept.
	draftRest = 7 * 24 * time.Hour
)

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
	return d.SaveDraftFrom(ctx, a, draft, DraftCopy{})
}

// SaveDraftFrom is SaveDraft for words that were made of a copy of the draft. Where other
// words were saved from another page since, it is a conflict ("draft_elsewhere").
func (d *Desk) SaveDraftFrom(ctx context.Context, a Actor, draft Draft, of DraftCopy) (*Draft, error) {
	if err := a.mayDraft(draft.Kind); err != nil {
		return nil, err
	}
	if err := draft.check(); err != nil {
		return nil, err
	}
	if len(of.Page) > maxDraftID {
		return nil, invalid("page", "draft_id", "the page's name has %d bytes; the limit is %d", len(of.Page), maxDraftID)
	}
	var saved *Draft
	err := d.update(ctx, a, func(c *command) error {
		current, err := c.writableDraft(&draft)
		if err != nil {
			return err
		}
		if current.overtakes(of) && current.Stamp() != draft.Stamp() {
			return conflict("draft_elsewhere", "this draft was changed on another page since; save these words as another draft")
		}
		current.Page = of.Page
		current.AliasID, current.Subject, current.Text, current.HTML = draft.AliasID, draft.Subject, draft.Text, draft.HTML
		current.To, current.Cc, current.Bcc, current.Quote, current.Seen = draft.To, draft.Cc, draft.Bcc, draft.Quote, draft.Seen
		current.Forward = draft.Forward
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
	ended, err := optional(idempotencies.Get(c, key(c.actor.UserID, want.ID)))
	switch {
	case err != nil:
		return nil, err
	case ended != nil && ended.Message == "":
		return nil, conflict("draft_discarded", "this draft has been discarded")
	case ended != nil:
		return nil, conflict("draft_sent", "this draft has been sent")
	}
	number := want.Ticket
	if number != 0 {
		t, err := mergedInto(c, number) // while it was written
		if err != nil {
			return nil, err
		}
		number = t.Number
		if _, err := workable(c, number); err != nil {
			return nil, err
		}
	}
	return &Draft{ID: want.ID, Kind: want.Kind, Ticket: number, UserID: c.actor.UserID, State: DraftWriting, Seen: want.Seen, AliasID: want.AliasID, CreatedAt: c.now}, nil
}

// overtaken says why a draft is not sent.
func overtaken() error {
	return conflict("draft_overtaken", "this draft was changed on another page since; look at it, or send these words without it")
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
// what is sent, for one that left by itself: it must not have changed since; of is the
// copy that a person sent otherwise.
func (c *command) endDraft(t *Ticket, author, id string, read *Draft, of DraftCopy) error {
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
	case read == nil && draft.overtakes(of):
		return overtaken()
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
		// A save that is still under way must not bring it back.
		if err := idempotencies.Put(c, &idempotency{Actor: a.UserID, Key: id}); err != nil {
			return err
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
		d.describe(data)
	}
	_, err := c.record(Event{Kind: kind, Ticket: d.Ticket, Data: data})
	return err
}
