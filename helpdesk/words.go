package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// CustomerWords are what a customer wrote in one message, without what it
// quotes.
type CustomerWords struct {
	Message string
	Ticket  uint64
	Contact string // id
	Subject string
	Text    string // the new words, or the whole text where nothing is new
	At      time.Time
}

// CustomerWords returns the words of a message; nil where it is not one that a
// customer wrote into a thread, or of a ticket that is spam.
func (d *Desk) CustomerWords(ctx context.Context, messageID string) (words *CustomerWords, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		m, err := messages.Get(r, key(messageID))
		if errors.Is(err, store.ErrNotFound) {
			words = nil
			return nil
		}
		if err != nil {
			return err
		}
		t, err := tickets.Get(r, key(m.Ticket))
		if err == nil {
			words, err = customerWords(r, t, m)
		}
		return err
	})
	return words, err
}

// TicketWords returns the words of a ticket's customer messages, the oldest
// first; none of one that is spam, merged or not there.
func (d *Desk) TicketWords(ctx context.Context, number uint64) (list []CustomerWords, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		t, err := tickets.Get(r, key(number))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		thread, err := messagesOf(r, number)
		if err != nil {
			return err
		}
		for _, m := range thread {
			words, err := customerWords(r, t, m)
			if err != nil {
				return err
			}
			if words != nil {
				list = append(list, *words)
			}
		}
		return nil
	})
	return list, err
}

func customerWords(r store.Reader, t *Ticket, m *Message) (*CustomerWords, error) {
	if m.Direction != Inbound || m.State != MessagePosted || m.Kind != KindPerson || t.Spam != nil {
		return nil, nil
	}
	body, err := bodies.Get(r, key(m.ID))
	if passOver(r, err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &CustomerWords{Message: m.ID, Ticket: m.Ticket, Contact: t.ContactID, Subject: cmp.Or(strings.TrimSpace(m.Subject), t.Subject), At: m.At,
		Text: strings.TrimSpace(body.forModel())}
	if w.Subject == "" && w.Text == "" {
		return nil, nil
	}
	return w, nil
}

// LocateMessages returns the number of the ticket that each message is on now, 0
// where it is in no thread, or in spam.
func (d *Desk) LocateMessages(ctx context.Context, ids []string) (numbers []uint64, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		numbers = make([]uint64, len(ids))
		for i, id := range ids {
			m, err := messages.Get(r, key(id))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if m.State != MessagePosted {
				continue
			}
			t, err := tickets.Get(r, key(m.Ticket))
			if err != nil {
				return err
			}
			if t.Spam == nil && t.MergedInto == 0 {
				numbers[i] = t.Number
			}
		}
		return nil
	})
	return numbers, err
}

// AnsweredTicket is a ticket with what was asked on it and what a colleague
// answered. Neither text names its customer: in the answer, {{…}} stands for
// what is to be filled in, as in a template.
type AnsweredTicket struct {
	Row      TicketRow
	Question string
	Answer   string // "" where nobody has answered yet
}

// AnsweredTickets returns the tickets with these numbers, in this order, with
// their last question and answer. Those that are gone are passed over.
func (d *Desk) AnsweredTickets(ctx context.Context, a Actor, numbers []uint64) (list []AnsweredTicket, err error) {
	if err := a.mayRead("answered tickets"); err != nil {
		return nil, err
	}
	for _, number := range numbers {
		t, err := d.TicketOutline(ctx, a, number)
		if CodeOf(err) == CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		one := AnsweredTicket{Row: t.Row}
		example, ok, err := d.answerOn(ctx, a, t, "{{…}}")
		if err != nil {
			return nil, err
		}
		if ok {
			one.Question, one.Answer = example.Question, example.Answer
		} else {
			one.Question = t.Row.Ticket.Snippet
		}
		list = append(list, one)
	}
	return list, nil
}
