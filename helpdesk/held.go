package helpdesk

import (
	"context"
	"errors"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// Resolution is an agent's decision on a held message.
type Resolution string

// The resolutions.
const (
	ResolveJoin   Resolution = "join"   // it belongs here; its author takes part from now on
	ResolveSplit  Resolution = "split"  // it is a matter of its own: a new ticket
	ResolveRefuse Resolution = "refuse" // it belongs nowhere; kept, out of sight
)

// ResolveHeld decides on a message in a confirmation strip and returns the
// number of the ticket it belongs to from now on.
func (d *Desk) ResolveHeld(ctx context.Context, a Actor, messageID string, r Resolution) (number uint64, err error) {
	if err := a.may("decide on a held message", PermitMerge); err != nil {
		return 0, err
	}
	err = d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		if m.State != MessageHeld {
			return conflict("not_held", "message %s is not held any more; somebody has decided already", messageID)
		}
		ticket, err := tickets.Get(c, key(m.Ticket))
		if err != nil {
			return err
		}
		ticket.Held--
		ticket.UpdatedAt = c.now
		switch r {
		case ResolveJoin:
			err = c.joinHeld(ticket, m)
		case ResolveSplit:
			err = c.splitHeld(ticket, m)
		case ResolveRefuse:
			err = c.refuseHeld(m)
		default:
			return invalid("resolution", "resolution_unknown", "resolution %q is not one of join, split, refuse", r)
		}
		if err != nil {
			return err
		}
		number = m.Ticket
		return tickets.Put(c, ticket)
	})
	return number, err
}

func (c *command) joinHeld(ticket *Ticket, m *Message) error {
	m.State, m.Reason = MessagePosted, ReasonJoined
	seq, err := c.record(Event{Kind: EventMessageJoined, Ticket: ticket.Number, Message: m.ID, Data: map[string]string{"from": m.From.Email}})
	if err != nil {
		return err
	}
	if err := c.join(ticket, m, seq); err != nil {
		return err
	}
	return messages.Put(c, m)
}

// wasTakenIn says that an agent let a message in, so that its author takes part from
// then on; a machine that reports does not.
func (m *Message) wasTakenIn() bool {
	return m.Reason == ReasonJoined && m.From.Email != "" && m.Kind != KindBounce && m.Kind != KindReport
}

func (c *command) splitHeld(from *Ticket, m *Message) error {
	m.State, m.Reason = MessagePosted, ReasonSplit
	ticket, err := c.splitTicket(from, m)
	if err != nil {
		return err
	}
	m.Ticket = ticket.Number
	seq, err := c.record(Event{Kind: EventMessageSplit, Ticket: ticket.Number, Message: m.ID,
		Data: map[string]string{"from": m.From.Email, "ticket": formatNumber(from.Number)}})
	if err != nil {
		return err
	}
	if _, err := c.record(Event{Kind: EventMessageSplit, Ticket: from.Number, Message: m.ID,
		Data: map[string]string{"from": m.From.Email, "to_ticket": formatNumber(ticket.Number)}}); err != nil {
		return err
	}
	if err := c.join(ticket, m, seq); err != nil {
		return err
	}
	if err := messages.Put(c, m); err != nil {
		return err
	}
	return tickets.Put(c, ticket)
}

// splitTicket opens a ticket for a message of another one, with its alias.
func (c *command) splitTicket(from *Ticket, m *Message) (*Ticket, error) {
	alias, err := aliases.Get(c, key(from.AliasID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid("ticket", "no_alias", "the alias of ticket %d is gone; a new ticket needs one", from.Number)
	}
	if err != nil {
		return nil, err
	}
	ticket, err := c.openTicket(m, nil, []*recipient{{address: alias.Address, alias: alias}})
	if err != nil {
		return nil, err
	}
	ticket.Aliases = []string{alias.Address}
	return ticket, nil
}

func (c *command) refuseHeld(m *Message) error {
	m.State = MessageRefused
	if _, err := c.record(Event{Kind: EventMessageRefused, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"from": m.From.Email}}); err != nil {
		return err
	}
	return messages.Put(c, m)
}

// moveTo puts a ticket into a stage and says so.
func (c *command) moveTo(t *Ticket, p *Pipeline, to Stage) error {
	if t.StageID == to.ID {
		return nil
	}
	from, _ := p.Stage(t.StageID)
	if !t.Open && to.Kind == StageOpen {
		t.OpenedAt = c.now
	}
	t.StageID, t.Open = to.ID, to.Kind == StageOpen
	seq, err := c.record(Event{Kind: EventTicketStage, Ticket: t.Number,
		Data: map[string]string{"from": from.Name, "to": to.Name, "kind": string(to.Kind)}})
	if err != nil || t.Open {
		return err
	}
	if err := c.endSnooze(t); err != nil {
		return err
	}
	return c.settle(t, seq)
}

// assign gives a ticket to a user, "" for nobody, and says so.
func (c *command) assign(t *Ticket, userID string) error {
	return c.assignBecause(t, userID, "", "")
}

// assignBecause is assign with what decided it: "rule" and the rule's name, or
// "away".
func (c *command) assignBecause(t *Ticket, userID, why, rule string) error {
	if t.AssigneeID == userID {
		return nil
	}
	data := map[string]string{}
	if why != "" {
		data["why"], data["rule"] = why, rule
	}
	for name, id := range map[string]string{"from": t.AssigneeID, "to": userID} {
		if id == "" {
			continue
		}
		user, err := users.Get(c, key(id))
		if errors.Is(err, store.ErrNotFound) && name == "from" {
			continue
		}
		if user, err = found(user, err, "user", id); err != nil {
			return err
		}
		if name == "to" && user.Disabled {
			return invalid("assignee", "user_disabled", "user %s is disabled and cannot be given tickets", user.Email)
		}
		data[name], data[name+"_id"] = user.Name, id
	}
	t.followed(t.AssigneeID) // whoever had it may want to know how it goes on
	t.AssigneeID = userID
	_, err := c.record(Event{Kind: EventTicketAssigned, Ticket: t.Number, Data: data})
	return err
}

// retag replaces a ticket's tags and says so.
func (c *command) retag(t *Ticket, tags []string) error {
	if slices.Equal(t.Tags, tags) {
		return nil
	}
	t.Tags = tags
	_, err := c.record(Event{Kind: EventTicketTags, Ticket: t.Number, Data: map[string]string{"tags": joinTags(tags)}})
	return err
}
