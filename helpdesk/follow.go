package helpdesk

import (
	"context"
	"slices"
)

// Follow makes the actor one of those who are told what happens on a ticket,
// or no longer. Who stopped following is not made to follow again by taking
// part.
func (d *Desk) Follow(ctx context.Context, a Actor, number uint64, on bool) (*Ticket, error) {
	if err := a.mayWork("follow a ticket"); err != nil {
		return nil, err
	}
	if a.UserID == "" {
		return nil, invalid("user", "follow_nobody", "only a user can follow a ticket")
	}
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error { return c.follow(t, on) })
}

// follow makes the actor follow t, or no longer.
func (c *command) follow(t *Ticket, on bool) error {
	user := c.actor.UserID
	if slices.Contains(t.Followers, user) == on {
		return nil
	}
	kind := EventTicketUnfollowed
	if on {
		kind = EventTicketFollowed
		t.Followers = append(t.Followers, user)
		t.Unfollowed = without(t.Unfollowed, []string{user})
	} else {
		t.Followers = without(t.Followers, []string{user})
		t.Unfollowed = appendNew(t.Unfollowed, user)
	}
	_, err := c.record(Event{Kind: kind, Ticket: t.Number})
	return err
}

// followed lets users follow a ticket because they took part in it.
func (t *Ticket) followed(ids ...string) {
	for _, id := range ids {
		if id != "" && !slices.Contains(t.Unfollowed, id) {
			t.Followers = appendNew(t.Followers, id)
		}
	}
}

// changeTicket runs one change of one ticket.
func (d *Desk) changeTicket(ctx context.Context, a Actor, number uint64, change func(*command, *Ticket) error) (changed *Ticket, err error) {
	err = d.update(ctx, a, func(c *command) error {
		t, err := workable(c, number)
		if err != nil {
			return err
		}
		if err := change(c, t); err != nil {
			return err
		}
		changed = t
		return tickets.Put(c, t)
	})
	return changed, err
}
