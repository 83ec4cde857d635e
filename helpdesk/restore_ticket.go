package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TicketCopy is everything of a ticket that a backup has of it.
type TicketCopy struct {
	Ticket   Ticket
	Contact  *Contact
	Messages []MessageCopy // in the order in which they came
	Notes    []Note
}

// MessageCopy is a message with what belongs to it alone.
type MessageCopy struct {
	Message    Message
	Body       Body
	Raw        []byte // nil for a logged reply
	Deliveries []Delivery
	Token      *Token // by which its answers come, where there is one
}

// RestoredTicket is what became of a TicketCopy.
type RestoredTicket struct {
	Ticket   uint64 // where it is now
	Made     bool   // it was not there any more
	Messages int    // that were put back
	Notes    int
	Known    int // messages and notes that are here, on this ticket or another
}

func (r *RestoredTicket) add(more RestoredTicket) {
	r.Ticket, r.Made = more.Ticket, r.Made || more.Made
	r.Messages, r.Notes, r.Known = r.Messages+more.Messages, r.Notes+more.Notes, r.Known+more.Known
}

// CopyTicket reads everything of a ticket, for RestoreTicket of another store.
func (d *Desk) CopyTicket(ctx context.Context, a Actor, number uint64) (out TicketCopy, err error) {
	if err := a.may("copy a ticket", PermitExport); err != nil {
		return out, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		out = TicketCopy{}
		t, err := tickets.Get(r, key(number))
		if errors.Is(err, store.ErrNotFound) {
			return notFound("ticket", number)
		}
		if err != nil {
			return err
		}
		if t.MergedInto != 0 {
			return conflict("restore_merged", "ticket %d was merged into ticket %d there; name that one", number, t.MergedInto)
		}
		out.Ticket = *t
		if out.Contact, err = optional(contacts.Get(r, key(t.ContactID))); err != nil {
			return err
		}
		thread, err := messagesOf(r, number)
		if err != nil {
			return err
		}
		slices.SortStableFunc(thread, bySeq)
		for _, m := range thread {
			c, err := copyMessage(r, m)
			if err != nil {
				return fmt.Errorf("copy message %s: %w", m.ID, err)
			}
			out.Messages = append(out.Messages, c)
		}
		list, err := notesOf(r, number)
		for _, n := range list {
			out.Notes = append(out.Notes, *n)
		}
		return err
	})
	return out, err
}

func copyMessage(r store.Reader, m *Message) (c MessageCopy, err error) {
	c.Message = *m
	body, err := bodies.Get(r, key(m.ID))
	if err != nil {
		return c, err
	}
	c.Body = *body
	if c.Raw, err = raws.Get(r, key(m.ID)); err != nil && (m.Reason != ReasonLogged || !errors.Is(err, store.ErrNotFound)) {
		return c, err
	}
	if c.Deliveries, err = deliveriesOf(r, m.ID); err != nil {
		return c, err
	}
	local, _, _ := strings.Cut(m.ReplyAddress, "@")
	if value, is := strings.CutPrefix(local, replyPrefix); is {
		c.Token, err = optional(tokens.Get(r, key(value)))
	}
	return c, err
}

// RestoreTicket puts back what is missing of a ticket: the ticket itself under its number,
// messages with their sources and the addresses of their answers, notes. What is here stays
// as it is, wherever it is by now. Nothing is sent, told to anybody or acted upon.
func (d *Desk) RestoreTicket(ctx context.Context, a Actor, t TicketCopy) (sum RestoredTicket, err error) {
	if err := a.mayAdminister("restore a ticket"); err != nil {
		return sum, err
	}
	if t.Ticket.Number == 0 {
		return sum, invalid("ticket", "restore_no_ticket", "name a ticket by its number")
	}
	rest := t.Messages
	for first := true; first || len(rest) > 0; first = false {
		part, size := rest, 0
		for i, m := range rest {
			if size += len(m.Raw); i > 0 && (i >= importAtOnce || size > importBytesAtOnce) {
				part = rest[:i]
				break
			}
		}
		rest = rest[len(part):]
		var done RestoredTicket
		err := d.update(ctx, a, func(c *command) (err error) {
			done, err = c.restoreTicket(t, part, len(rest) == 0)
			return err
		})
		if err != nil {
			return sum, fmt.Errorf("restore ticket %d: %w", t.Ticket.Number, err)
		}
		sum.add(done)
		t.Ticket.Number = sum.Ticket
	}
	return sum, nil
}

func (c *command) restoreTicket(t TicketCopy, part []MessageCopy, last bool) (done RestoredTicket, err error) {
	if erased, err := erasedTicket(c, t.Ticket.Number); err != nil || erased {
		return done, errors.Join(err, conflict("ticket_erased", "ticket %d was erased with its customer's data", t.Ticket.Number))
	}
	ticket, made, err := c.restoredTicket(t)
	if err != nil {
		return done, err
	}
	done = RestoredTicket{Ticket: ticket.Number, Made: made}
	for _, m := range part {
		if err := c.restoreMessage(ticket, m, &done); err != nil {
			return done, fmt.Errorf("message %s: %w", m.Message.ID, err)
		}
	}
	if last {
		if err := c.restoreNotes(ticket, t.Notes, &done); err != nil {
			return done, err
		}
	}
	if !made && done.Messages+done.Notes == 0 {
		return done, nil
	}
	if err := errors.Join(c.recount(ticket), c.recountMentions(ticket), c.setDue(ticket)); err != nil {
		return done, err
	}
	if made {
		ticket.UpdatedAt = t.Ticket.UpdatedAt
	}
	if _, err := c.record(Event{Kind: EventTicketRestored, Ticket: ticket.Number, Data: map[string]string{"subject": ticket.Subject, "messages": fmt.Sprint(done.Messages)}}); err != nil {
		return done, err
	}
	return done, tickets.Put(c, ticket)
}

// restoredTicket is the ticket that a copy is of: the one that is here, the one that it was
// merged into since, or a new one. Where its number is another ticket's by now, it gets a
// new number.
func (c *command) restoredTicket(t TicketCopy) (ticket *Ticket, made bool, err error) {
	number := t.Ticket.Number
	here, err := optional(tickets.Get(c, key(number)))
	if err != nil {
		return nil, false, err
	}
	if here != nil {
		if here.CreatedAt.Equal(t.Ticket.CreatedAt) {
			ticket, err = leadsTo(c, here)
			return ticket, false, err
		}
		if number, err = nextNumber(c); err != nil {
			return nil, false, err
		}
	}
	fresh := t.Ticket
	fresh.Number, fresh.Previous, fresh.MergedInto = number, 0, 0
	fresh.Snooze, fresh.AutoReply, fresh.DueAt, fresh.DueKind, fresh.Overdue = nil, nil, time.Time{}, "", false
	fresh.Drafters, fresh.Scheduled, fresh.Reviews = nil, 0, 0
	if err := c.restoreContact(&fresh, t.Contact); err != nil {
		return nil, false, err
	}
	if fresh.AssigneeID, err = c.activeUser(fresh.AssigneeID); err != nil {
		return nil, false, err
	}
	if fresh.TeamID, err = c.activeTeam(fresh.TeamID); err != nil {
		return nil, false, err
	}
	pipeline, err := optional(pipelines.Get(c, key(fresh.PipelineID)))
	if err != nil {
		return nil, false, err
	}
	if pipeline == nil {
		return &fresh, true, c.placeRebuilt(&fresh)
	}
	if _, there := pipeline.Stage(fresh.StageID); !there {
		fresh.StageID, fresh.Open = pipeline.Stages[0].ID, pipeline.Stages[0].Kind == StageOpen
	}
	return &fresh, true, nil
}

// restoreContact gives a ticket its contact as they are here, or else as they were.
func (c *command) restoreContact(t *Ticket, was *Contact) error {
	here, err := optional(contacts.Get(c, key(t.ContactID)))
	if err != nil {
		return err
	}
	if here != nil && here.MergedInto != "" {
		here, err = optional(contacts.Get(c, key(here.MergedInto)))
	}
	if err == nil && here == nil && was != nil {
		here, err = contactOf(c, was.Email)
	}
	switch {
	case err != nil:
		return err
	case here != nil:
		t.ContactID = here.ID
		return nil
	case was == nil:
		return notFound("contact", t.ContactID)
	}
	fresh := *was
	fresh.MergedInto = ""
	if has, err := companies.Has(c, key(fresh.CompanyID)); err != nil || !has {
		fresh.CompanyID = ""
		if err != nil {
			return err
		}
	}
	return contacts.Put(c, &fresh)
}

// restoreMessage puts a message back, unless it or the same mail is here.
func (c *command) restoreMessage(t *Ticket, was MessageCopy, done *RestoredTicket) error {
	m := was.Message
	known, err := messages.Has(c, key(m.ID))
	if err == nil && !known && m.Identity != "" {
		var same *Message
		same, err = sameMail(c, m.Identity)
		known = same != nil
	}
	if err != nil {
		return err
	}
	if known {
		done.Known++
		return nil
	}
	m.Ticket = t.Number
	if err := c.restoreSeq(&m); err != nil {
		return err
	}
	done.Messages++
	errs := []error{messages.Put(c, &m), bodies.Put(c, &was.Body)}
	if was.Raw != nil {
		errs = append(errs, raws.Put(c, key(m.ID), store.Compress(was.Raw)))
	}
	for _, d := range was.Deliveries {
		if has, err := deliveries.Has(c, key(d.ID)); err != nil || has {
			errs = append(errs, err)
			continue
		}
		d.Ticket = t.Number
		if !d.State.done() { // nothing is sent again
			d.State, d.DoneAt, d.NextAt = DeliveryCancelled, c.now, time.Time{}
		}
		errs = append(errs, deliveries.Put(c, &d))
	}
	if was.Token != nil {
		if has, err := tokens.Has(c, key(was.Token.Value)); err != nil || has {
			errs = append(errs, err)
		} else {
			errs = append(errs, tokens.Put(c, was.Token))
		}
	}
	return errors.Join(errs...)
}

// restoreSeq gives a message its place in the log: the event by which it came, or a new one
// where this house's log does not have it. Then its ledger does not have the mail either.
func (c *command) restoreSeq(m *Message) error {
	came, err := optional(events.Get(c, key(m.Seq)))
	if err != nil {
		return err
	}
	if came != nil && came.Message == m.ID {
		return nil
	}
	if m.Seq, err = c.record(Event{Kind: EventMessageRestored, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"from": m.From.Email}}); err != nil {
		return err
	}
	if m.Settled != 0 {
		m.Settled = m.Seq
	}
	if m.Direction == Inbound && m.Reason != ReasonLogged && m.Reason != ReasonImported {
		return c.account(m.At, 1, 0)
	}
	return nil
}

func (c *command) restoreNotes(t *Ticket, list []Note, done *RestoredTicket) error {
	for _, n := range list {
		has, err := notes.Has(c, key(n.ID))
		if err != nil {
			return err
		}
		if has {
			done.Known++
			continue
		}
		n.Ticket, n.Unread = t.Number, nil
		done.Notes++
		if err := notes.Put(c, &n); err != nil {
			return err
		}
	}
	return nil
}
