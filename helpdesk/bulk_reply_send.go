package helpdesk

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// SendBulkReply sends what was written, or asks a second person where the alias
// of one of the tickets wants that. From then on it goes on by itself, by
// WorkBulkReply.
func (d *Desk) SendBulkReply(ctx context.Context, a Actor, id string) (b *BulkReply, err error) {
	if err := a.may("reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	_, check, err := d.PreviewBulkReply(ctx, a, id, 0)
	if err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.writtenBulkReply(id); err != nil {
			return err
		}
		switch {
		case strings.TrimSpace(b.Words.Text) == "":
			return invalid("text", "reply_empty", "the reply is empty; write a text or attach a file")
		case check.Reach == 0:
			return conflict("bulk_reply_nobody", "none of the %d tickets can get this reply", b.Total)
		}
		b.Returned, b.ReturnedBy = "", ""
		if !check.Approval {
			return c.postBulkReply(b, a)
		}
		b.State, b.ChangedAt = BulkReplyReview, c.now
		if _, err := c.record(b.event(EventBulkReplyAsked, a)); err != nil {
			return err
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

func (b *BulkReply) event(kind EventKind, by Actor) Event {
	return Event{Kind: kind, Actor: by, Data: map[string]string{"bulk_reply": b.ID, "author": b.By, "tickets": strconv.Itoa(b.Total), "subject": snippet(b.Words.Text)}}
}

// postBulkReply begins to post it.
func (c *command) postBulkReply(b *BulkReply, by Actor) error {
	b.State, b.Next, b.ChangedAt = BulkReplyPosting, 0, c.now
	b.LeavesAt = c.now.Add(bulkReplyUndo * c.desk.options.UndoWindow)
	if _, err := c.record(b.event(EventBulkReplySent, by)); err != nil {
		return err
	}
	if err := c.setTimer(TimerBulkReply, b.ID, c.now.Add(bulkTimer)); err != nil {
		return err
	}
	return bulkReplies.Put(c, b)
}

// ApproveBulkReply lets a bulk reply leave that waits for a second person: never
// its author.
func (d *Desk) ApproveBulkReply(ctx context.Context, a Actor, id string) (b *BulkReply, err error) {
	if err := a.may("approve a reply", PermitApprove); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.reviewedBulkReply(id); err != nil {
			return err
		}
		b.Approved = a.UserID
		return c.postBulkReply(b, a)
	})
	return b, err
}

// ReturnBulkReply sends one that waits for a second person back to its author,
// with what is to be changed.
func (d *Desk) ReturnBulkReply(ctx context.Context, a Actor, id, comment string) (b *BulkReply, err error) {
	if err := a.may("send back a reply", PermitApprove); err != nil {
		return nil, err
	}
	if comment = strings.TrimSpace(comment); comment == "" {
		return nil, invalid("comment", "comment_empty", "say what is to be changed")
	}
	if len(comment) > maxComment {
		return nil, invalid("comment", "comment_too_long", "the comment has %d bytes; the limit is %d", len(comment), maxComment)
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.reviewedBulkReply(id); err != nil {
			return err
		}
		b.State, b.Returned, b.ReturnedBy, b.ChangedAt = BulkReplyWriting, comment, a.UserID, c.now
		if _, err := c.record(b.event(EventBulkReplyReturned, a)); err != nil {
			return err
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

func (c *command) reviewedBulkReply(id string) (*BulkReply, error) {
	b, err := bulkReplyOf(c, id)
	switch {
	case err != nil:
		return nil, err
	case b.State != BulkReplyReview:
		return nil, conflict("draft_not_in_review", "this reply does not wait for approval any more")
	case b.By == c.actor.UserID:
		return nil, conflict("approval_own", "a reply is approved by somebody other than its author")
	}
	return b, nil
}

// WorkBulkReply posts the next few replies, or takes some back, and tells how far
// it is. Several may call it: each ticket is dealt with once.
func (d *Desk) WorkBulkReply(ctx context.Context, id string) (b *BulkReply, err error) {
	for range bulkReplyChunk {
		if b, err = d.stepBulkReply(ctx, id); err != nil || b.State != BulkReplyPosting && b.State != BulkReplyUndoing {
			return b, err
		}
	}
	return b, nil
}

// FinishBulkReply is the work of a TimerBulkReply: it goes on until it is done.
func (d *Desk) FinishBulkReply(ctx context.Context, id string) error {
	for {
		b, err := d.WorkBulkReply(ctx, id)
		if err != nil || b.State == BulkReplyPosted || b.State == BulkReplyUndone {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// errBulkReplyMoved says that another worker has dealt with a ticket meanwhile.
var errBulkReplyMoved = errors.New("another worker was here")

// stepBulkReply deals with one ticket.
func (d *Desk) stepBulkReply(ctx context.Context, id string) (b *BulkReply, err error) {
	var reply Reply
	var author Actor
	var refusal error
	err = d.view(ctx, func(r store.Reader) error {
		if b, err = bulkReplyOf(r, id); err != nil || b.State != BulkReplyPosting {
			return err
		}
		item, err := bulkReplyItems.Get(r, key(id, uint64(b.Next)))
		if err != nil {
			return err
		}
		if author, err = bulkReplyAuthor(r, b); err != nil {
			return err
		}
		if reply, _, refusal = b.replyTo(r, d, item.Ticket); refusal == nil {
			reply.Attachments, err = b.attachments(r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.State == BulkReplyUndoing {
		return d.takeBackOne(ctx, id)
	}
	if b.State != BulkReplyPosting {
		return b, nil
	}
	at := b.Next
	if refusal == nil {
		_, refusal = d.reply(ctx, author, reply, func(c *command) (err error) {
			b, err = c.settleBulkReplyItem(id, at, nil)
			return err
		})
	}
	var known *Error
	if errors.As(refusal, &known) && known.Code != CodeInternal && known.Code != CodeTemporary {
		refusal = d.update(ctx, System("bulk reply"), func(c *command) (err error) {
			b, err = c.settleBulkReplyItem(id, at, known)
			return err
		})
	}
	if errors.Is(refusal, errBulkReplyMoved) {
		b, _, refusal = d.BulkReply(ctx, System("bulk reply"), id)
	}
	return b, refusal
}

// settleBulkReplyItem writes what became of a ticket, in the transaction that
// posts its reply, and steps on.
func (c *command) settleBulkReplyItem(id string, at int, refused *Error) (*BulkReply, error) {
	b, err := bulkReplyOf(c, id)
	if err != nil {
		return nil, err
	}
	if b.State != BulkReplyPosting || b.Next != at {
		return nil, errBulkReplyMoved // also where it is being taken back by now
	}
	item, err := bulkReplyItems.Get(c, key(id, uint64(at)))
	if err != nil {
		return nil, err
	}
	if refused != nil {
		item.Problem, item.Args, item.Text = refused.Key, refused.Args, refused.Message
		b.Refused++
	} else {
		for _, e := range c.events {
			if e.Kind == EventReplyPosted {
				item.Message = e.Message
			}
		}
		b.Posted++
	}
	if err := bulkReplyItems.Put(c, item); err != nil {
		return nil, err
	}
	if b.Next++; b.Next < b.Total {
		return b, bulkReplies.Put(c, b)
	}
	return b, c.endBulkReply(b, BulkReplyPosted)
}

func (c *command) endBulkReply(b *BulkReply, state BulkReplyState) error {
	b.State = state
	return errors.Join(c.clearTimer(TimerBulkReply, b.ID), bulkReplies.Put(c, b))
}

// UndoBulkReply takes back what has not left yet, and stops what is not posted.
// The text can then be sent again from a new one.
func (d *Desk) UndoBulkReply(ctx context.Context, a Actor, id string) (b *BulkReply, err error) {
	if err := a.may("take back a reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = bulkReplyOf(c, id); err != nil {
			return err
		}
		if err := a.may("take back a reply", PermitReply); err != nil {
			return err
		}
		if b.State != BulkReplyPosting && b.State != BulkReplyPosted {
			return conflict("bulk_undone", "this change is undone already")
		}
		if !b.LeavesAt.After(c.now) {
			return conflict("undo_too_late", "this reply has already left")
		}
		b.State = BulkReplyUndoing
		if _, err := c.record(b.event(EventBulkReplyUndone, a)); err != nil {
			return err
		}
		if err := c.setTimer(TimerBulkReply, id, c.now.Add(bulkTimer)); err != nil {
			return err
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

// takeBackOne takes back the newest reply that is left.
func (d *Desk) takeBackOne(ctx context.Context, id string) (b *BulkReply, err error) {
	err = d.update(ctx, System("bulk reply"), func(c *command) error {
		if b, err = bulkReplyOf(c, id); err != nil || b.State != BulkReplyUndoing {
			return err
		}
		if c.actor, err = bulkReplyAuthor(c, b); err != nil {
			return err
		}
		if b.Next == 0 {
			return c.endBulkReply(b, BulkReplyUndone)
		}
		b.Next--
		item, err := bulkReplyItems.Get(c, key(id, uint64(b.Next)))
		if err != nil {
			return err
		}
		if item.Message != "" {
			if err := c.takeBackItem(b, item); err != nil {
				return err
			}
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

func (c *command) takeBackItem(b *BulkReply, item *BulkReplyItem) error {
	m, err := messages.Get(c, key(item.Message))
	if err != nil {
		return err
	}
	if m.State == MessageUndone {
		b.TakenBack++
		return nil
	}
	left, err := c.hasLeft(m)
	if err != nil {
		return err
	}
	if left {
		b.Left++
		item.Left = true
		return bulkReplyItems.Put(c, item)
	}
	b.TakenBack++
	return c.undo(m)
}
