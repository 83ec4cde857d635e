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
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error {
		if slices.Contains(t.Followers, a.UserID) == on {
			return nil
		}
		kind := EventTicketUnfollowed
		if on {
			kind = EventTicketFollowed
			t.Followers = append(t.Followers, a.UserID)
			t.Unfollowed = without(t.Unfollowed, []string{a.UserID})
		} else {
			t.Followers = without(t.Followers, []string{a.UserID})
			t.Unfollowed = appendNew(t.Unfollowed, a.UserID)
		}
		_, err := c.record(Event{Kind: kind, Ticket: number})
		return err
	})
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
