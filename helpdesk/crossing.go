package helpdesk

import "github.com/madoguchi/madoguchi/store"

// crosses stops a reply whose author does not know of what came meanwhile: words
// of the customer, or the reply of a colleague, which would make two. One that
// waited for its time is in nobody's hands: only the customer stops it.
func (c *command) crosses(r *Reply, t *Ticket) error {
	switch {
	case r.Seen == 0:
		return nil
	case t.CustomerSeq > r.Seen:
		return threadChanged()
	case r.held != nil:
		return nil
	}
	rng := store.Prefix(key(t.Number))
	rng.Start = key(t.Number, r.Seen+1)
	for e, err := range events.ScanIndex(c, "ticket", rng) {
		if err != nil {
			return err
		}
		if e.Kind != EventReplyPosted || e.Actor.UserID == "" || e.Actor.UserID == c.actor.UserID {
			continue
		}
		m, err := messages.Get(c, key(e.Message))
		if err != nil {
			return err
		}
		if m.State == MessageUndone || m.Ticket != t.Number {
			continue
		}
		colleague, err := newNames(c, c.actor).user(e.Actor.UserID)
		if err != nil {
			return err
		}
		return conflict("reply_crossed", "%s replied while you were writing; read the reply, then send if yours is still needed", colleague)
	}
	return nil
}

func threadChanged() error {
	return conflict("thread_changed", "the customer wrote again while you were writing; read the new message, then send")
}
