package helpdesk

import (
	"context"
	"errors"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// UndoMerge takes a merge back: what came from the ticket returns to it, with
// the mails and replies that answered it since.
func (d *Desk) UndoMerge(ctx context.Context, a Actor, id string) (*Moving, error) {
	return d.undoMoving(ctx, a, id, MovingTicket)
}

// UndoMove takes a move back: the message returns to the ticket it came from,
// with the mails and replies that answered it since. A ticket that was opened
// for it and has nothing else is merged there too.
func (d *Desk) UndoMove(ctx context.Context, a Actor, id string) (*Moving, error) {
	return d.undoMoving(ctx, a, id, MovingMessage)
}

func (d *Desk) undoMoving(ctx context.Context, a Actor, id string, kind MovingKind) (*Moving, error) {
	if err := a.may("undo a move", PermitMerge); err != nil {
		return nil, err
	}
	var moving *Moving
	err := d.update(ctx, a, func(c *command) (err error) {
		moving, err = movings.Get(c, key(id))
		if moving, err = found(moving, err, string(kind), id); err != nil {
			return err
		}
		if moving.Kind != kind {
			return invalid("id", "moving_kind", "%s is no %s", id, kind)
		}
		if !moving.UndoneAt.IsZero() {
			return conflict("moving_undone", "this %s is undone already", kind)
		}
		return c.undoMoving(moving)
	})
	if err != nil {
		return nil, err
	}
	return moving, nil
}

func (c *command) undoMoving(m *Moving) error {
	into, err := workable(c, m.Into)
	if err != nil {
		return err
	}
	from, err := c.returnTarget(m)
	if err != nil {
		return err
	}
	going, err := c.returning(m)
	if err != nil {
		return err
	}
	kind, messageID := EventTicketUnmerged, ""
	if m.Kind == MovingMessage {
		kind, messageID = EventMessageReturned, m.Messages[0]
	}
	if err := c.recordOnBoth(kind, m, messageID); err != nil {
		return err
	}
	for _, message := range going {
		m.unmark(c, message)
		if m.Opened {
			via, err := optional(messages.Get(c, key(message.Via)))
			if err != nil {
				return err
			}
			message.ThirdParty = message.Direction == Inbound && via != nil && via.ThirdParty
		}
		if err := c.relocate(message, from); err != nil {
			return err
		}
	}
	if err := c.returnNotes(m); err != nil {
		return err
	}
	if err := c.returnDrafts(m); err != nil {
		return err
	}
	if err := c.restAsBefore(m, from, into); err != nil {
		return err
	}
	into.Aliases, into.Tags, into.Invited = without(into.Aliases, m.Aliases), without(into.Tags, m.Tags), without(into.Invited, m.Invited)
	m.UndoneBy, m.UndoneAt = c.actor.UserID, c.now
	if err := movings.Put(c, m); err != nil {
		return err
	}
	if err := c.closeEmptied(m, into); err != nil {
		return err
	}
	return c.moved(from, into)
}

// returnTarget is the ticket that a moving's messages go back to.
func (c *command) returnTarget(m *Moving) (*Ticket, error) {
	if m.Kind == MovingMessage {
		return workable(c, m.From)
	}
	from, err := tickets.Get(c, key(m.From))
	if err != nil {
		return nil, err
	}
	contact, err := contactByID(c, from.ContactID) // it may have been merged meanwhile
	if err != nil {
		return nil, err
	}
	from.MergedInto, from.ContactID = 0, contact.ID
	pipeline, err := pipelines.Get(c, key(from.PipelineID))
	if err != nil {
		return nil, err
	}
	stage, ok := pipeline.Stage(from.StageID)
	if !ok { // it was removed meanwhile
		stage = pipeline.Stages[0]
	}
	from.StageID, from.Open = stage.ID, stage.Kind == StageOpen
	return from, nil
}

// returning are the messages that go back: those moved that are still there,
// and what came later as an answer to one of them.
func (c *command) returning(m *Moving) (going []*Message, err error) {
	list, err := messagesOf(c, m.Into)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, bySeq)
	returns := map[string]bool{}
	for _, message := range list {
		moved := len(message.Moved) > 0 && message.Moved[len(message.Moved)-1].ID == m.ID
		if moved || message.Seq > m.Seq && returns[message.Via] {
			returns[message.ID] = true
			going = append(going, message)
		}
	}
	if len(going) == 0 {
		return nil, conflict("moved_on", "nothing of it is on ticket %d any more; undo what was moved later first", m.Into)
	}
	return going, nil
}

// unmark takes the moving back off a message, or says on one that came later
// why it goes along.
func (m *Moving) unmark(c *command, message *Message) {
	if n := len(message.Moved); n > 0 && message.Moved[n-1].ID == m.ID {
		message.Moved = message.Moved[:n-1]
		return
	}
	message.Moved = append(message.Moved, Moved{ID: m.ID, From: m.Into, By: c.actor.UserID, At: c.now, Seq: c.last})
}

func (c *command) returnNotes(m *Moving) error {
	for _, id := range m.Notes {
		note, err := notes.Get(c, key(id))
		if err != nil {
			return err
		}
		if note.Ticket != m.Into {
			continue
		}
		note.Ticket = m.From
		if err := notes.Put(c, note); err != nil {
			return err
		}
	}
	return nil
}

// returnDrafts gives back what is still being written.
func (c *command) returnDrafts(m *Moving) error {
	for _, id := range m.Drafts {
		draft, err := optional(drafts.Get(c, key(id)))
		if err != nil {
			return err
		}
		if draft == nil || draft.Ticket != m.Into {
			continue
		}
		draft.Ticket = m.From
		if err := drafts.Put(c, draft); err != nil {
			return err
		}
	}
	return nil
}

// restAsBefore puts back on hold what the moving took off it, unless a customer has written
// there since, somebody has laid it aside anew, or the time has come meanwhile.
func (c *command) restAsBefore(m *Moving, from, into *Ticket) error {
	for _, side := range []struct {
		ticket *Ticket
		rest   *Snooze
	}{{from, m.FromRest}, {into, m.IntoRest}} {
		t := side.ticket
		if side.rest == nil || t.Snooze != nil || t == into && t.WokenSeq != m.Woke || side.rest.check(t, c.now) != nil {
			continue
		}
		found, err := tallyOf(c, t.Number)
		if err != nil {
			return err
		}
		if found.wroteAfter(m.Seq) {
			continue
		}
		if err := c.rest(t, *side.rest); err != nil {
			return err
		}
	}
	return nil
}

// wroteAfter reports whether a customer has written since an event.
func (t *tally) wroteAfter(seq uint64) bool {
	return slices.ContainsFunc(t.thread, func(m *Message) bool { return m.fromCustomer() && m.Seq > seq })
}

// closeEmptied merges a ticket that was opened for a message, and has none any
// more, into the one that the message returned to.
func (c *command) closeEmptied(m *Moving, into *Ticket) error {
	if !m.Opened {
		return nil
	}
	left, err := messagesOf(c, into.Number)
	if err != nil || len(left) > 0 {
		return err
	}
	if _, err := c.relocateNotes(into.Number, m.From); err != nil {
		return err
	}
	if _, err := c.relocateDrafts(into.Number, m.From); err != nil {
		return err
	}
	into.MergedInto = m.From
	return c.endSnooze(into)
}

func without(list, taken []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(v string) bool { return slices.Contains(taken, v) })
}

// optional turns the absence of a record into nil.
func optional[T any](record *T, err error) (*T, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return record, err
}
