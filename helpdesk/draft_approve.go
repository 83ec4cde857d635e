package helpdesk

import (
	"context"
	"slices"
	"strings"
	"time"
)

// maxComment is in bytes.
const maxComment = 16 << 10

// Approve lets a reply leave that waits for a second person: never its author.
// It goes out as its author's, at once or at the time it was scheduled for.
// edited is what the second person made of it, nil for nothing; its files stay
// as they are. seen is the newest event that the second person has seen: a
// customer's message after it stops the reply.
func (d *Desk) Approve(ctx context.Context, a Actor, id string, seen uint64, edited *Reply) (Sent, error) {
	if err := a.may("approve a reply", PermitApprove); err != nil {
		return Sent{}, err
	}
	draft, author, err := d.leavingDraft(ctx, id)
	if err != nil {
		return Sent{}, err
	}
	if err := draft.reviewable(a); err != nil {
		return Sent{}, err
	}
	if err := mayStillReply(author); err != nil {
		return Sent{}, err
	}
	if edited != nil {
		draft.edit(edited)
	}
	draft.Approved = a.UserID
	if draft.SendAt.After(d.now()) {
		draft, err = d.approveLater(ctx, a, draft, seen)
		return Sent{Draft: draft}, err
	}
	r := draft.sendable()
	if r.Seen = seen; draft.Kind == DraftMail {
		r.Seen = 0
	}
	m, err := d.reply(ctx, author.Actor(), r, func(c *command) error {
		return c.recordApproval(a, draft, edited != nil)
	})
	return Sent{Message: m}, err
}

// reviewable checks that a may decide on the draft.
func (draft *Draft) reviewable(a Actor) error {
	switch {
	case draft.State != DraftReview:
		return conflict("draft_not_in_review", "this reply does not wait for approval any more")
	case draft.UserID == a.UserID:
		return conflict("approval_own", "a reply is approved by somebody other than its author")
	}
	return nil
}

func (draft *Draft) edit(by *Reply) {
	draft.Text, draft.HTML = by.Text, by.HTML
	if by.Opening != nil && draft.Kind == DraftMail {
		draft.AliasID, draft.Subject = by.Opening.AliasID, by.Opening.Subject
	}
	ready := *draft.Ready
	if by.To != nil {
		ready.To, ready.Cc, ready.Bcc = by.To, by.Cc, by.Bcc
	}
	if by.Signature != nil {
		ready.Signature, draft.Signature = by.Signature, by.Signature
	}
	ready.Templates = appendNew(slices.Clone(ready.Templates), by.Templates...)
	draft.Ready, draft.Templates = &ready, ready.Templates
	draft.To, draft.Cc, draft.Bcc = typed(ready.To), typed(ready.Cc), typed(ready.Bcc)
}

// approveLater schedules an approved draft for the time that its author chose.
func (d *Desk) approveLater(ctx context.Context, a Actor, approved *Draft, seen uint64) (draft *Draft, err error) {
	err = d.update(ctx, a, func(c *command) error {
		if draft, err = c.draft(approved.ID); err != nil {
			return err
		}
		if err := draft.reviewable(a); err != nil {
			return err
		}
		if draft.Kind == DraftReply {
			t, err := workable(c, draft.Ticket)
			if err != nil {
				return err
			}
			if seen > 0 && t.CustomerSeq > seen {
				return threadChanged()
			}
		}
		edited := draft.Text != approved.Text || draft.HTML != approved.HTML
		draft.Text, draft.HTML, draft.Ready, draft.To, draft.Cc, draft.Bcc = approved.Text, approved.HTML, approved.Ready, approved.To, approved.Cc, approved.Bcc
		draft.AliasID, draft.Subject = approved.AliasID, approved.Subject
		draft.State, draft.Approved, draft.Seen, draft.UpdatedAt = DraftScheduled, a.UserID, max(draft.Seen, seen), c.now
		if err := c.recordApproval(a, draft, edited); err != nil {
			return err
		}
		return c.putLeaving(draft)
	})
	return draft, err
}

// recordApproval writes who approved, whoever the reply is posted as.
func (c *command) recordApproval(by Actor, draft *Draft, edited bool) error {
	data := map[string]string{"draft": draft.ID, "author": draft.UserID}
	if edited {
		data["edited"] = "yes"
	}
	if draft.State == DraftScheduled && !draft.SendAt.IsZero() {
		data["at"] = draft.SendAt.Format(time.RFC3339)
	}
	ticket := draft.Ticket
	if draft.Kind == DraftMail {
		draft.describe(data)
		if n := len(c.events); n > 0 { // it has just begun its ticket
			ticket = c.events[n-1].Ticket
		}
	}
	_, err := c.record(Event{Kind: EventReplyApproved, Actor: by, Ticket: ticket, Data: data})
	return err
}

// SendBack returns a reply that waits for a second person to its author, with
// what is to be changed.
func (d *Desk) SendBack(ctx context.Context, a Actor, id, comment string) (draft *Draft, err error) {
	if err := a.may("send back a reply", PermitApprove); err != nil {
		return nil, err
	}
	comment = strings.TrimSpace(comment)
	if comment == "" {
		return nil, invalid("comment", "comment_empty", "say what is to be changed")
	}
	if len(comment) > maxComment {
		return nil, invalid("comment", "comment_too_long", "the comment has %d bytes; the limit is %d", len(comment), maxComment)
	}
	err = d.update(ctx, a, func(c *command) error {
		if draft, err = c.draft(id); err != nil {
			return err
		}
		if err := draft.reviewable(a); err != nil {
			return err
		}
		c.toWriting(draft, &Returned{Why: ReturnedRefused, By: a.UserID, Text: comment, At: c.now})
		if err := c.recordDraft(EventApprovalRefused, draft, map[string]string{"comment": comment}); err != nil {
			return err
		}
		return c.putLeaving(draft)
	})
	return draft, err
}
