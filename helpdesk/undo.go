package helpdesk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Undo takes back a reply that has not left yet, and returns it. What was
// written is the actor's draft again, with its files. After the undo window it
// is a conflict.
func (d *Desk) Undo(ctx context.Context, a Actor, messageID string) (*MessageView, error) {
	if err := a.may("undo a reply", PermitReply); err != nil {
		return nil, err
	}
	raw, err := d.Source(ctx, a, messageID)
	if err != nil && CodeOf(err) != CodeNotFound {
		return nil, err
	}
	files := d.restoredFiles(raw)
	var undone *MessageView
	err = d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		if m.Direction != Outbound || m.Before == nil {
			return invalid("message", "not_a_reply", "message %s is not a reply", messageID)
		}
		if m.State != MessageUndone {
			if err := c.undo(m); err != nil {
				return err
			}
			if err := c.restoreDraft(m, files); err != nil {
				return err
			}
		}
		undone, err = messageView(c, m, d.now())
		return err
	})
	return undone, err
}

func (c *command) undo(m *Message) error {
	if left, err := c.hasLeft(m); err != nil {
		return err
	} else if left {
		return conflict("undo_too_late", "this reply has already left")
	}
	if err := c.cancelDeliveries(m); err != nil {
		return err
	}
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	if err := c.countUse(m.Templates, -1); err != nil {
		return err
	}
	if err := c.unreplied(m); err != nil {
		return err
	}
	ticket.UpdatedAt = c.now
	m.State = MessageUndone
	if err := messages.Put(c, m); err != nil {
		return err
	}
	if _, err := c.record(Event{Kind: EventReplyUndone, Ticket: ticket.Number, Message: m.ID}); err != nil {
		return err
	}
	if len(m.Moved) == 0 { // what it changed is its first ticket's
		if err := c.giveBack(ticket, m.Before); err != nil {
			return err
		}
	}
	if ticket.Open { // else somebody closed it, which settles too
		if err := c.unsettle(ticket, m.Seq); err != nil {
			return err
		}
	}
	if err := c.recount(ticket); err != nil {
		return err
	}
	if m.Before.Opening != nil {
		if err := c.withdraw(ticket); err != nil {
			return err
		}
	}
	return tickets.Put(c, ticket)
}

// hasLeft reports whether a mail's delivery has begun.
func (c *command) hasLeft(m *Message) (bool, error) {
	for delivery, err := range deliveries.ScanIndex(c, "message", store.Prefix(key(m.ID))) {
		if err != nil || delivery.State != DeliveryWaiting {
			return true, err
		}
	}
	return false, nil
}

// giveBack undoes what a reply changed of its ticket, unless somebody changed
// it again.
func (c *command) giveBack(t *Ticket, b *Before) error {
	if b.ClosedInto != "" && t.StageID == b.ClosedInto {
		if err := c.moveBack(t, b.StageID); err != nil {
			return err
		}
	}
	if b.AssignedTo == "" || t.AssigneeID != b.AssignedTo {
		return nil
	}
	before, err := c.activeUser(b.AssigneeID)
	if err != nil {
		return err
	}
	return c.assign(t, before)
}

func (c *command) moveBack(t *Ticket, stageID string) error {
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return err
	}
	stage, ok := pipeline.Stage(stageID)
	if !ok {
		return nil
	}
	return c.moveTo(t, pipeline, stage)
}

// LoggedReply is a customer's answer that came another way, by phone say.
type LoggedReply struct {
	Ticket     uint64
	Text       string
	Channel    string    // "phone", "chat", "mail", "visit" or "other"
	ReceivedAt time.Time // now when zero
	Once       Once      // of a request that may come again
}

// Channels are the ways by which a logged reply may have come.
var Channels = []string{"phone", "chat", "mail", "visit", "other"}

// LogReply adds an answer that came another way to the thread, as the
// customer's. The same request again is the same message.
func (d *Desk) LogReply(ctx context.Context, a Actor, l LoggedReply) (*Message, error) {
	if err := a.may("log a reply", PermitReply); err != nil {
		return nil, err
	}
	if strings.TrimSpace(l.Text) == "" {
		return nil, invalid("text", "text_empty", "the text is empty; write what the customer said")
	}
	if !slices.Contains(Channels, l.Channel) {
		return nil, invalid("channel", "channel_unknown", "channel %q is not one of %s", l.Channel, strings.Join(Channels, ", "))
	}
	l.ReceivedAt = storable(l.ReceivedAt)
	var logged *Message
	err := d.update(ctx, a, func(c *command) (err error) {
		if logged, err = c.loggedBefore(l.Once); logged != nil || err != nil {
			return err
		}
		ticket, err := workable(c, l.Ticket)
		if err != nil {
			return err
		}
		contact, err := contacts.Get(c, key(ticket.ContactID))
		if err != nil {
			return err
		}
		logged, err = c.logReply(ticket, contact, l)
		return err
	})
	return logged, err
}

// loggedBefore is the message that the same request was logged as before, nil where it
// was not.
func (c *command) loggedBefore(once Once) (*Message, error) {
	earlier, err := c.firstTime(once)
	if err != nil || earlier == nil {
		return nil, err
	}
	m, err := optional(messages.Get(c, key(earlier.Message)))
	switch {
	case err != nil:
		return nil, err
	case m == nil || m.Reason != ReasonLogged:
		return nil, usedFor(c, earlier.Message)
	}
	return m, nil
}

func (c *command) logReply(t *Ticket, contact *Contact, l LoggedReply) (*Message, error) {
	m := &Message{ID: c.desk.newID(), Ticket: t.Number, Direction: Inbound, Channel: l.Channel, Kind: KindPerson,
		State: MessagePosted, Reason: ReasonLogged, From: Address{Name: contact.Name, Email: contact.Email},
		Subject: t.Subject, At: l.ReceivedAt.UTC(), Snippet: snippet(l.Text), AuthorID: c.actor.UserID, NeverAnswer: true}
	if l.ReceivedAt.IsZero() {
		m.At = c.now
	}
	m.Date = m.At
	if err := bodies.Put(c, &Body{MessageID: m.ID, Text: l.Text, ReplyText: l.Text}); err != nil {
		return nil, err
	}
	seq, err := c.record(Event{Kind: EventReplyLogged, Ticket: t.Number, Message: m.ID, Data: map[string]string{"channel": l.Channel}})
	if err != nil {
		return nil, err
	}
	t.Messages++
	m.Seq = seq
	t.Snippet, t.UpdatedAt, t.CustomerSeq = m.Snippet, c.now, seq
	t.WaitingSince = earlier(t.WaitingSince, m.At)
	if err := c.wakeTicket(t, WokenByCustomer); err != nil {
		return nil, err
	}
	if err := c.stopScheduled(t); err != nil {
		return nil, err
	}
	if !t.Open {
		if err := c.reopen(t); err != nil {
			return nil, err
		}
	}
	if err := c.coverAbsence(t); err != nil {
		return nil, err
	}
	if err := messages.Put(c, m); err != nil {
		return nil, err
	}
	if err := c.remember(l.Once, m.ID); err != nil {
		return nil, err
	}
	return m, tickets.Put(c, t)
}
