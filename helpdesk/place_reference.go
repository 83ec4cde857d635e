package helpdesk

import (
	"iter"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// maxReferences bounds the ids of other mails that are kept of a mail and looked
// up for it: a stranger may write any number.
const maxReferences = 100

// answered returns the In-Reply-To and References of an answer to m. A mail that has no
// References lends the one id of its In-Reply-To instead; of several nobody can say which
// was the parent (RFC 5322, section 3.6.4).
func (m *Message) answered() (inReplyTo, references []string) {
	if m.MessageID == "" {
		return nil, nil
	}
	before := m.References
	if len(before) == 0 && len(m.InReplyTo) == 1 {
		before = m.InReplyTo
	}
	return []string{m.MessageID}, appendNew(slices.Clone(before), m.MessageID)
}

// boundedReferences keeps what a long thread is recognised by: its first id and
// the newest.
func boundedReferences(ids []string) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return len(id) > maxID })
	if len(ids) <= maxReferences {
		return ids
	}
	return append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
}

// maxNamesakes bounds the messages of one Message-ID that are looked at.
const maxNamesakes = 20

// namesakes yields the messages with a Message-ID, the first to arrive first:
// senders use an id again, and strangers may use one that they have seen.
func namesakes(r store.Reader, id string) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		n := 0
		for m, err := range readable(r, messages.ScanIndex(r, "messageid", store.Prefix(key(id)))) {
			if n++; n > maxNamesakes || !yield(m, err) {
				return
			}
		}
	}
}

// placeByReference returns an empty reason when no reference is known. Of the
// messages of one id it takes that in whose ticket the sender takes part.
func (c *command) placeByReference(m *Message, a *arrival, references []string) (p placement, err error) {
	for _, id := range references[:min(len(references), maxReferences)] {
		if p, err = c.placeByID(m, a, id); err != nil || p.reason != "" {
			return p, err
		}
	}
	return p, nil
}

func (c *command) placeByID(m *Message, a *arrival, id string) (first placement, err error) {
	unknown := true
	for known, err := range namesakes(c, id) {
		if err != nil {
			return first, err
		}
		unknown = false
		if known.State == MessageRefused || known.State == MessageHeld {
			c.trace.add(StepReferenceIgnored, "id", id, "ticket", formatNumber(known.Ticket), "state", string(known.State))
			continue
		}
		ticket, err := tickets.Get(c, key(known.Ticket))
		if passOver(c, err) { // a damaged ticket must not keep the customer's mail out
			continue
		}
		if err != nil {
			return first, err
		}
		c.trace.add(StepReferenceFound, "id", id, "ticket", formatNumber(ticket.Number), "message", known.ID)
		p, err := c.admit(m, a, placement{ticket: ticket, via: known.ID, state: MessagePosted, reason: ReasonReference}, ReasonStrangerRef)
		if err != nil || p.state == MessagePosted {
			return p, err
		}
		if first.reason == "" {
			first = p
		}
	}
	if unknown {
		c.trace.add(StepReferenceUnknown, "id", id)
	}
	return first, nil
}
