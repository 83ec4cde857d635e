package helpdesk

import (
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// Once is what a program's request is known by, so that it has its effect once
// however often it is repeated, and is answered as it was the first time.
type Once struct {
	Key    string // unique among the user's requests; "" where none is known again
	Digest string // of what is asked for: something else under the same key is refused; "" takes it for the same
}

// earlier is what the actor's request made the first time, nil where this is the first.
// Something else under the same key is a conflict.
func (o Once) earlier(r store.Reader, a Actor) (*idempotency, error) {
	if o.Key == "" {
		return nil, nil
	}
	earlier, err := optional(idempotencies.Get(r, key(a.UserID, o.Key)))
	if err != nil || earlier == nil || earlier.Message == "" {
		return nil, err
	}
	// What was handed in before digests were kept has none, nor has what was written by hand.
	if o.Digest != "" && earlier.Digest != "" && o.Digest != earlier.Digest {
		return nil, usedFor(r, earlier.Message)
	}
	return earlier, nil
}

// holds is the draft that the same request became and that has not left yet, nil where
// there is none. Something else under the same key is a conflict.
func (c *command) holds(o Once) (*Draft, error) {
	if o.Key == "" {
		return nil, nil
	}
	for draft, err := range drafts.ScanIndex(c, "user", store.Prefix(key(c.actor.UserID))) {
		if err != nil {
			return nil, err
		}
		if draft.Ready == nil || draft.Ready.Key != o.Key || draft.State == DraftWriting {
			continue
		}
		if o.Digest != "" && draft.Ready.Digest != "" && o.Digest != draft.Ready.Digest {
			return nil, keyUsed(draft.asked())
		}
		return draft, nil
	}
	return nil, nil
}

// firstTime is earlier for what is never held: a draft with the same key is something else.
func (c *command) firstTime(o Once) (*idempotency, error) {
	earlier, err := o.earlier(c, c.actor)
	if err != nil || earlier != nil {
		return earlier, err
	}
	held, err := c.holds(o)
	if err != nil || held == nil {
		return nil, err
	}
	return nil, keyUsed(held.asked())
}

// remember keeps what the actor's request made, within the transaction that makes it.
func (c *command) remember(o Once, made string) error {
	if o.Key == "" {
		return nil
	}
	return idempotencies.Put(c, &idempotency{Actor: c.actor.UserID, Key: o.Key, Digest: o.Digest, Message: made})
}

// begunBulkReply is the one that the same request of the actor's began, nil where there is none. Something else under
// the same key is a conflict.
func (c *command) begunBulkReply(o Once, tickets int) (*BulkReply, error) {
	if o.Key == "" {
		return nil, nil
	}
	before, err := optional(bulkReplies.First(c, "once", key(c.actor.UserID, o.Key)))
	if err != nil || before == nil {
		return nil, err
	}
	// Of what was begun before digests were kept only the number of tickets is known.
	if before.Total != tickets || o.Digest != "" && before.Digest != "" && o.Digest != before.Digest {
		return nil, keyUsed(fmt.Sprintf("a reply to %d tickets", before.Total))
	}
	return before, nil
}

// usedFor says what a key stands for, to a program that takes it for something else.
func usedFor(r store.Reader, made string) error {
	m, err := optional(messages.Get(r, key(made)))
	if err != nil {
		return err
	}
	if m != nil {
		return keyUsed(m.made())
	}
	n, err := optional(notes.Get(r, key(made)))
	if err != nil {
		return err
	}
	if n != nil {
		return keyUsed(fmt.Sprintf("a note on ticket %d", n.Ticket))
	}
	return keyUsed("what was erased since")
}

// made is a message in the words of an error.
func (m *Message) made() string {
	switch m.Reason {
	case ReasonBegun:
		return fmt.Sprintf("a mail that began ticket %d", m.Ticket)
	case ReasonLogged:
		return fmt.Sprintf("a logged reply on ticket %d", m.Ticket)
	}
	return fmt.Sprintf("a reply on ticket %d", m.Ticket)
}

// asked is a draft that leaves later in the words of an error.
func (draft *Draft) asked() string {
	if draft.Ticket == 0 {
		return "a mail that has not left yet"
	}
	return fmt.Sprintf("a reply on ticket %d that has not left yet", draft.Ticket)
}

func keyUsed(what string) error {
	return &Error{Code: CodeConflict, Field: "Idempotency-Key", Key: "error.written_already",
		Message: fmt.Sprintf("this Idempotency-Key was used for %s, and this request asks for something else; take a new key for each", what)}
}
