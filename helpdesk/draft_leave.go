package helpdesk

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Sending says when a reply leaves.
type Sending struct {
	At time.Time // zero: at once
	// Regardless sends even if the customer writes before.
	Regardless bool
}

// Sent is what became of a reply: the message that was posted, or the draft
// that leaves later or waits for a second person.
type Sent struct {
	Message *Message
	Draft   *Draft
}

// Send posts a reply as Reply does, schedules it, or, where the alias asks for a
// second person, requests their approval.
func (d *Desk) Send(ctx context.Context, a Actor, r Reply, when Sending) (Sent, error) {
	if err := a.may("reply", PermitReply); err != nil {
		return Sent{}, err
	}
	if !when.At.IsZero() && !when.At.After(d.now()) {
		return Sent{}, invalid("at", "send_time_past", "the time to send at, %s, has passed; choose a later one", when.At.Format(time.RFC3339))
	}
	if when.At.IsZero() {
		m, err := d.reply(ctx, a, r, nil)
		if keyed(err) != "approval_needed" {
			return Sent{Message: m}, err
		}
	}
	return d.hold(ctx, a, r, when, nil)
}

// keyed is the catalogue's key of a refusal, "" of any other error.
func keyed(err error) string {
	var e *Error
	if !errors.As(err, &e) || len(e.Key) < len("error.") {
		return ""
	}
	return e.Key[len("error."):]
}

// hold keeps a reply that is complete but does not leave yet, as a draft: it is
// checked now, so that nothing but a change of the world can stop it later. also
// runs in the same transaction.
func (d *Desk) hold(ctx context.Context, a Actor, r Reply, when Sending, also func(*command) error) (Sent, error) {
	posted, err := d.gather(ctx, a, &r)
	if err != nil || posted != nil {
		return Sent{Message: posted}, err
	}
	err = d.view(ctx, func(s store.Reader) error {
		o, err := d.prepareReply(s, a, r)
		if err == nil { // whoever writes until it leaves must not get it instead
			r.To, r.Cc, r.Bcc, r.answers = o.message.To, o.message.Cc, o.message.Bcc, o.message.Via
		}
		return err
	})
	if err != nil {
		return Sent{}, err
	}
	files := d.keptFiles(r.Attachments)
	var held *Draft
	err = d.update(ctx, a, func(c *command) (err error) {
		if held, err = c.holds(r.sameKey()); err != nil {
			return err
		}
		if held != nil && r.Draft != "" && differ(held.Ready.Digest, r.Digest) {
			return leaving(held)
		}
		if held != nil && r.Digest != "" && held.Ready.Digest == "" && held.Ticket != r.Ticket {
			return keyUsed(held.asked())
		}
		if held != nil {
			return nil
		}
		if held, err = c.hold(r, when, files); err != nil || also == nil {
			return err
		}
		return also(c)
	})
	return Sent{Draft: held}, err
}

// keptFiles makes the files of a reply ready for its draft.
func (d *Desk) keptFiles(list []Upload) (kept []restored) {
	for _, f := range list {
		blob := store.Compress(f.Data)
		info := blob.Info()
		kept = append(kept, restored{DraftFile{ID: d.newID(), Filename: fileName(f.Filename), ContentType: f.ContentType, ContentID: f.ContentID,
			Size: info.Size, SHA256: hex.EncodeToString(info.SHA256[:]), At: d.now()}, blob})
	}
	return kept
}

func (c *command) hold(r Reply, when Sending, files []restored) (*Draft, error) {
	g, err := replyGround(c, &r)
	if err != nil {
		return nil, err
	}
	t, alias := g.ticket, g.alias
	if err := c.crosses(&r, t); err != nil {
		return nil, err
	}
	id := cmp.Or(r.Draft, c.desk.newID())
	draft, err := optional(drafts.Get(c, key(id)))
	switch {
	case err != nil:
		return nil, err
	case draft == nil:
		draft = &Draft{ID: id, CreatedAt: c.now}
	case draft.UserID != c.actor.UserID:
		return nil, c.takenBy(draft)
	case draft.State != DraftWriting:
		return nil, leaving(draft)
	case draft.overtakes(r.Copy):
		return nil, overtaken()
	}
	if err := c.replaceFiles(draft, files); err != nil {
		return nil, err
	}
	draft.Ticket, draft.UserID, draft.Text, draft.HTML, draft.Quote = t.Number, c.actor.UserID, r.Text, r.HTML, r.Quote
	draft.To, draft.Cc, draft.Bcc = typed(r.To), typed(r.Cc), typed(r.Bcc)
	draft.Kind, draft.Forward = DraftReply, r.Forward
	if r.Opening != nil {
		draft.Kind, draft.AliasID, draft.Subject = DraftMail, r.Opening.AliasID, r.Opening.Subject
	}
	draft.Ready = &Ready{To: r.To, Cc: r.Cc, Bcc: r.Bcc, Answers: r.answers, Close: r.Close, Signature: r.Signature, Templates: r.Templates, Key: cmp.Or(r.IdempotencyKey, id), Digest: r.Digest}
	draft.Signature, draft.Templates = r.Signature, r.Templates
	draft.Seen, draft.SendAt, draft.Regardless = max(r.Seen, t.CustomerSeq), when.At, when.Regardless
	draft.Returned, draft.UpdatedAt = nil, c.now
	draft.State = DraftScheduled
	if alias.Approval {
		draft.State = DraftReview
	}
	if err := c.putLeaving(draft); err != nil {
		return nil, err
	}
	kind, data := EventReplyScheduled, map[string]string{}
	if !when.At.IsZero() {
		data["at"] = when.At.UTC().Format(time.RFC3339)
	}
	if alias.Approval {
		kind = EventApprovalRequested
	}
	return draft, c.recordDraft(kind, draft, data)
}

func (c *command) replaceFiles(draft *Draft, files []restored) error {
	for _, f := range draft.Files {
		if err := draftFiles.Delete(c, draft.fileKey(f.ID)); err != nil {
			return err
		}
	}
	draft.Files = nil
	for _, f := range files {
		if err := draftFiles.Put(c, draft.fileKey(f.file.ID), f.blob); err != nil {
			return err
		}
		draft.Files = append(draft.Files, f.file)
	}
	return nil
}

// putLeaving writes a draft whose state changed, with its timer and what its
// ticket says of it.
func (c *command) putLeaving(draft *Draft) error {
	var err error
	if draft.State == DraftScheduled {
		err = c.setTimer(TimerSend, draft.ID, draft.SendAt)
	} else {
		err = c.clearTimer(TimerSend, draft.ID)
	}
	if err != nil {
		return err
	}
	if err := drafts.Put(c, draft); err != nil || draft.Ticket == 0 {
		return err
	}
	t, err := tickets.Get(c, key(draft.Ticket))
	if err != nil {
		return err
	}
	if _, err := c.countDrafts(t); err != nil {
		return err
	}
	t.UpdatedAt = c.now
	return tickets.Put(c, t)
}

// sendable is the reply that a complete draft becomes.
func (draft *Draft) sendable() Reply {
	r := Reply{Ticket: draft.Ticket, Text: draft.Text, HTML: draft.HTML, Quote: draft.Quote, Forward: draft.Forward, Draft: draft.ID, IdempotencyKey: draft.ID, held: draft}
	if draft.Kind == DraftMail {
		r.Opening = &Opening{AliasID: draft.AliasID, Subject: draft.Subject}
	}
	if !draft.Regardless {
		r.Seen = draft.Seen
	}
	if ready := draft.Ready; ready != nil {
		r.To, r.Cc, r.Bcc, r.Close = ready.To, ready.Cc, ready.Bcc, ready.Close
		r.Signature, r.Templates, r.answers = ready.Signature, ready.Templates, ready.Answers
		r.IdempotencyKey, r.Digest = ready.Key, ready.Digest
	}
	return r
}

// toWriting gives a draft back to its author, with the reason where they did
// not ask for it.
func (c *command) toWriting(draft *Draft, why *Returned) {
	draft.State, draft.SendAt, draft.Approved, draft.Returned, draft.UpdatedAt = DraftWriting, time.Time{}, "", why, c.now
}

// RecallDraft gives a draft that was to leave back to its author: a scheduled
// one by whoever may reply, one that waits for approval by its author alone.
func (d *Desk) RecallDraft(ctx context.Context, a Actor, id string) (draft *Draft, err error) {
	if err := a.may("recall a reply", PermitReply); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if draft, err = c.draft(id); err != nil || draft.State == DraftWriting {
			return err
		}
		if draft.State == DraftReview && draft.UserID != a.UserID {
			return c.takenBy(draft)
		}
		c.toWriting(draft, nil)
		if err := c.recordDraft(EventDraftWithdrawn, draft, nil); err != nil {
			return err
		}
		return c.putLeaving(draft)
	})
	return draft, err
}

// SendNow sends a scheduled reply before its time, as its author's.
func (d *Desk) SendNow(ctx context.Context, a Actor, id string) (*Message, error) {
	if err := a.may("send a reply", PermitReply); err != nil {
		return nil, err
	}
	draft, author, err := d.leavingDraft(ctx, id)
	if err != nil {
		return nil, err
	}
	if draft.State != DraftScheduled {
		return nil, conflict("draft_not_scheduled", "this draft is not scheduled any more")
	}
	if err := mayStillReply(author); err != nil {
		return nil, err
	}
	return d.reply(ctx, author.Actor(), draft.sendable(), nil)
}

func (d *Desk) leavingDraft(ctx context.Context, id string) (draft *Draft, author *User, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		if draft, err = drafts.Get(r, key(id)); err != nil {
			draft, err = found(draft, err, "draft", id)
			return err
		}
		if author, err = users.Get(r, key(draft.UserID)); err != nil {
			return err
		}
		author, err = withRole(r, author)
		return err
	})
	return draft, author, err
}

// SendScheduled works on a TimerSend: it sends the draft as its author's reply.
// The draft and its timer go in the transaction that posts the reply, so that a
// crash sends it neither twice nor never. What can no longer be sent goes back to
// its author, who is told why.
func (d *Desk) SendScheduled(ctx context.Context, id string) error {
	draft, author, err := d.leavingDraft(ctx, id)
	if CodeOf(err) == CodeNotFound || err == nil && draft.State != DraftScheduled {
		return d.update(ctx, System("schedule"), func(c *command) error { return c.clearTimer(TimerSend, id) })
	}
	if err != nil {
		return err
	}
	if err = mayStillReply(author); err == nil {
		_, err = d.reply(ctx, author.Actor(), draft.sendable(), nil)
	}
	if code := CodeOf(err); code == "" || code == CodeInternal || code == CodeTemporary {
		return err
	}
	return d.update(ctx, System("schedule"), func(c *command) error {
		current, lookup := optional(drafts.Get(c, key(id)))
		if lookup != nil || current == nil || current.State != DraftScheduled { // recalled meanwhile
			return lookup
		}
		switch keyed(err) {
		case "draft_changed": // it is due again with its new words
			return c.setTimer(TimerSend, id, current.SendAt)
		case "approval_needed": // the alias asks for it since
			current.State = DraftReview
			if err := c.recordDraft(EventApprovalRequested, current, nil); err != nil {
				return err
			}
		case "thread_changed":
			return c.stop(current, ReturnedByCustomer, nil)
		default:
			return c.stop(current, ReturnedFailed, err)
		}
		return c.putLeaving(current)
	})
}

// mayStillReply checks the author of what leaves without them: who was shut out since
// does not write in the house's name any more.
func mayStillReply(author *User) error {
	if author.Disabled {
		return conflict("bulk_reply_author", "%s can no longer log in, so nothing is sent in their name", author.Name)
	}
	return author.Actor().may("reply", PermitReply)
}

// stop gives a scheduled draft back because it can not be sent as planned.
func (c *command) stop(draft *Draft, why string, failed error) error {
	returned := &Returned{Why: why, At: c.now}
	if failed != nil {
		returned.Text, returned.Failure = failed.Error(), KeepError(failed)
	}
	c.toWriting(draft, returned)
	if err := c.recordDraft(EventReplyStopped, draft, map[string]string{"why": why, "text": returned.Text, "failure": returned.Failure}); err != nil {
		return err
	}
	return c.putLeaving(draft)
}

// stopScheduled gives back what was to leave by itself, because the ticket's
// customer has written. The ticket is written afterwards.
func (c *command) stopScheduled(t *Ticket) error {
	return c.giveBackScheduled(t, ReturnedByCustomer, func(draft *Draft) bool { return !draft.Regardless })
}

func (c *command) giveBackScheduled(t *Ticket, why string, meant func(*Draft) bool) error {
	if t.Scheduled == 0 {
		return nil
	}
	var stopped []*Draft
	for draft, err := range drafts.ScanIndex(c, "ticket", store.Prefix(key(t.Number))) {
		if err != nil {
			return err
		}
		if draft.State == DraftScheduled && meant(draft) {
			stopped = append(stopped, draft)
		}
	}
	for _, draft := range stopped {
		c.toWriting(draft, &Returned{Why: why, At: c.now})
		if err := errors.Join(c.clearTimer(TimerSend, draft.ID), drafts.Put(c, draft)); err != nil {
			return err
		}
		if err := c.recordDraft(EventReplyStopped, draft, map[string]string{"why": why}); err != nil {
			return err
		}
	}
	_, err := c.countDrafts(t)
	return err
}

// mayLeave checks that a reply leaves as its alias wants it.
func (r *Reply) mayLeave(alias *Alias) error {
	if alias.Approval && (r.held == nil || r.held.Approved == "") && (r.bulk == nil || r.bulk.Approved == "") {
		return conflict("approval_needed", "replies from %s need a second person's approval; request it", alias.Address)
	}
	return nil
}

// Why a draft came back.
const (
	ReturnedByCustomer = "customer_wrote"
	ReturnedRefused    = "refused"
	ReturnedFailed     = "failed"
	ReturnedSpam       = "spam" // the ticket was marked as spam
)
