package helpdesk

import (
	"context"
	"errors"

	"github.com/madoguchi/madoguchi/store"
)

// Match is a ticket that a search found, with the message or note to be shown of it;
// both may be "".
type Match struct {
	Ticket        uint64
	Message, Note string // ids
}

// MatchView is a match with what is shown of it. Message, Body and Note are nil where
// none is asked for, and where it is gone or on another ticket.
type MatchView struct {
	Row     TicketRow
	Message *Message
	Body    *Body
	Note    *Note
}

// Matches returns what is shown of tickets that a search found, in its order and in
// one transaction, without those that are not there any more.
func (d *Desk) Matches(ctx context.Context, a Actor, list []Match) (views []MatchView, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		views = make([]MatchView, 0, len(list))
		names := newNames(r, a)
		for _, m := range list {
			t, err := tickets.Get(r, key(m.Ticket))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			v := MatchView{}
			if v.Row, err = names.row(t); err != nil {
				return err
			}
			if err := v.read(r, m); err != nil {
				return err
			}
			views = append(views, v)
		}
		return nil
	})
	return views, err
}

func (v *MatchView) read(r store.Reader, m Match) error {
	if m.Message != "" {
		message, err := optional(messages.Get(r, key(m.Message)))
		if err != nil || message == nil || message.Ticket != m.Ticket {
			return err
		}
		body, err := bodies.Get(r, key(m.Message))
		if err != nil {
			return err
		}
		v.Message, v.Body = message, body
	}
	if m.Note != "" {
		note, err := optional(notes.Get(r, key(m.Note)))
		if err != nil || note == nil || note.Ticket != m.Ticket {
			return err
		}
		v.Note = note
	}
	return nil
}
