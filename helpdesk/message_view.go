package helpdesk

import (
	"context"
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// MessageView is a message with all that is shown with it.
type MessageView struct {
	Message    Message
	Body       Body      // zero where it was not read (Desk.TicketOutline)
	Analysis   *Analysis // nil while there is none
	Deliveries []Delivery
	AuthorName string
	Undoable   bool
	UndoUntil  time.Time
}

// ReadBodies reads the texts of those messages of an outline that wanted reports, of
// all where it is nil, into v. Those that were read before stay; a message that was
// deleted since has none.
func (d *Desk) ReadBodies(ctx context.Context, a Actor, v *TicketView, wanted func(*MessageView) bool) error {
	if err := a.mayRead("messages"); err != nil || v == nil {
		return err
	}
	return d.view(ctx, func(r store.Reader) error { return v.readBodies(r, wanted) })
}

func (v *TicketView) readBodies(r store.Reader, wanted func(*MessageView) bool) error {
	for _, list := range [][]MessageView{v.Messages, v.Held} {
		for i := range list {
			m := &list[i]
			if m.Body.MessageID != "" || wanted != nil && !wanted(m) {
				continue
			}
			body, err := bodies.Get(r, key(m.Message.ID))
			if errors.Is(err, store.ErrNotFound) {
				if _, gone := messages.Get(r, key(m.Message.ID)); errors.Is(gone, store.ErrNotFound) {
					continue
				}
			}
			if v.passOver(r, err) { // its words are lost, not who wrote when
				body, err = &Body{MessageID: m.Message.ID}, nil
			}
			if err != nil {
				return err
			}
			m.Body = *body
		}
	}
	return nil
}

func messageView(r store.Reader, m *Message, now time.Time) (*MessageView, error) {
	v := &MessageView{Message: *m}
	body, err := bodies.Get(r, key(m.ID))
	if err != nil {
		return nil, err
	}
	v.Body = *body
	return v, v.fill(r, now)
}

// fill adds what is kept beside a message, except its text.
func (v *MessageView) fill(r store.Reader, now time.Time) error {
	m := &v.Message
	analysis, err := analyses.Get(r, key(m.ID))
	if err == nil {
		v.Analysis = analysis
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if m.AuthorID != "" {
		author, err := users.Get(r, key(m.AuthorID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			v.AuthorName = author.Name
		}
	}
	if v.Deliveries, err = deliveriesOf(r, m.ID); err != nil {
		return err
	}
	for _, delivery := range v.Deliveries {
		if m.Direction == Outbound && delivery.State == DeliveryWaiting {
			v.Undoable, v.UndoUntil = delivery.NextAt.After(now), delivery.NextAt
		}
	}
	return nil
}

// Message returns a message by its id, of whatever ticket it is on now, or CodeNotFound.
func (d *Desk) Message(ctx context.Context, a Actor, id string) (*MessageView, error) {
	if err := a.mayRead("a message"); err != nil {
		return nil, err
	}
	var v *MessageView
	err := d.view(ctx, func(r store.Reader) error {
		m, err := messages.Get(r, key(id))
		if m, err = found(m, err, "message", id); err != nil {
			return err
		}
		v, err = messageView(r, m, d.now())
		return err
	})
	return v, err
}
