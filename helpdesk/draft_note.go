package helpdesk

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
	if err == nil && note == nil {
		err = conflict("draft_sent", "this draft has become a reply already; write the note anew")
	}
	return note, err
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
