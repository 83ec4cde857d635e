package helpdesk

import "github.com/madoguchi/madoguchi/store"

// noteOfDraft is the note that a draft of the actor has become already, nil
// where it has not.
func (c *command) noteOfDraft(draft string) (*Note, error) {
	if draft == "" {
		return nil, nil
	}
	earlier, err := optional(idempotencies.Get(c, key(c.actor.UserID, draft)))
	if err != nil || earlier == nil || earlier.Message == "" {
		return nil, err
	}
	note, err := optional(notes.Get(c, key(earlier.Message)))
	if err != nil || note != nil {
		return note, err
	}
	sent, err := messages.Has(c, key(earlier.Message))
	switch {
	case err != nil:
		return nil, err
	case sent:
		return nil, conflict("draft_sent", "this draft has become a reply already; write the note anew")
	}
	return nil, notFound("note", earlier.Message) // it was erased
}

// noReply says why what a key stands for is no message.
func noReply(s store.Reader, id string) error {
	noted, err := notes.Has(s, key(id))
	switch {
	case err != nil:
		return err
	case noted:
		return conflict("draft_noted", "this draft has become a note already, under the same key; write the reply anew")
	}
	return notFound("message", id) // it was erased
}

// draftNoted ends the draft that has become a note of its ticket.
func (c *command) draftNoted(t *Ticket, n *Note, draft string) error {
	if draft == "" {
		return nil
	}
	if err := idempotencies.Put(c, &idempotency{Actor: c.actor.UserID, Key: draft, Message: n.ID}); err != nil {
		return err
	}
	return c.endDraft(t, c.actor.UserID, draft, nil)
}
