package helpdesk

import "github.com/madoguchi/madoguchi/store"

func (r *Reply) once() Once { return Once{Key: r.IdempotencyKey, Digest: r.Digest} }

// sameKey is once for what decides itself what another request is: a draft may be changed
// and sent anew after it was taken back.
func (r *Reply) sameKey() Once {
	if r.Draft != "" {
		return Once{Key: r.IdempotencyKey}
	}
	return r.once()
}

// differ reports whether two requests are known to ask for different things.
func differ(digest, other string) bool { return digest != "" && other != "" && digest != other }

// repeated returns the message that an earlier command with the same key made. A
// program gets it also once it was undone: it repeats what it asked for before, and a
// person has decided since. A draft that is there was written by a person, who sends it.
// One that became a note is no reply, though its key is the same.
func (r *Reply) repeated(s store.Reader, a Actor) (*Message, error) {
	earlier, err := r.sameKey().earlier(s, a)
	if err != nil || earlier == nil {
		return nil, err
	}
	m, err := optional(messages.Get(s, key(earlier.Message)))
	if err != nil || m != nil && m.State == MessageUndone && r.Draft != "" {
		return nil, err
	}
	if m == nil {
		return nil, noReply(s, earlier.Message)
	}
	if r.Draft != "" && differ(earlier.Digest, r.Digest) {
		return nil, conflict("draft_sent", "this draft has been sent, with other words; send these anew")
	}
	if r.Digest != "" && earlier.Digest == "" && !r.became(m) {
		return nil, keyUsed(m.made())
	}
	return m, nil
}

// became tells whether a message that was handed in before digests were kept can be this reply.
func (r *Reply) became(m *Message) bool {
	if r.Opening != nil {
		return m.Reason == ReasonBegun
	}
	return m.Ticket == r.Ticket
}
