package helpdesk

import "github.com/madoguchi/madoguchi/store"

// notedBefore is the note that the same request, or the actor's draft, has become
// already, nil where it has not.
func (c *command) notedBefore(once Once, draft string) (*Note, error) {
	look := c.firstTime
	if draft != "" { // it is this one that may be held
		look = func(o Once) (*idempotency, error) { return Once{Key: o.Key}.earlier(c, c.actor) }
	}
	earlier, err := look(once)
	if err != nil || earlier == nil {
		return nil, err
	}
	note, err := optional(notes.Get(c, key(earlier.Message)))
	if note != nil && draft != "" && differ(earlier.Digest, once.Digest) {
		return nil, conflict("draft_noted", "this draft has become a note already, with other words; write the note anew")
	}
	if err != nil || note != nil {
		return note, err
	}
	sent, err := messages.Has(c, key(earlier.Message))
	switch {
	case err != nil:
		return nil, err
	case sent && draft != "":
		return nil, conflict("draft_sent", "this draft has become a reply already; write the note anew")
	case sent:
		return nil, usedFor(c, earlier.Message)
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
