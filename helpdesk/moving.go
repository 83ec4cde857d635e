package helpdesk

import (
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Moved says by whom and when a message was moved to the ticket it is on.
type Moved struct {
	ID   string // of the Moving
	From uint64
	By   string // user id
	At   time.Time
	Seq  uint64 // the event of the move
}

// MovingKind says what was moved.
type MovingKind string

// The kinds of moving.
const (
	MovingMessage MovingKind = "move"  // one message
	MovingTicket  MovingKind = "merge" // all that a ticket had
)

// Moving is a move of a message or a merge of tickets, remembered so that it
// can be undone.
type Moving struct {
	ID       string // ULID
	Kind     MovingKind
	From     uint64
	Into     uint64
	Opened   bool // Into was opened for it
	Messages []string
	Notes    []string
	Drafts   []string
	// Aliases, Tags and Invited are what Into took over of From.
	Aliases []string
	Tags    []string
	Invited []string
	// FromRest and IntoRest are the holds that the moving ended: that of a ticket which was
	// merged, and that of one which it woke, with the event Woke.
	FromRest *Snooze `cbor:",omitempty"`
	IntoRest *Snooze `cbor:",omitempty"`
	Woke     uint64  `cbor:",omitempty"`
	By       string  // user id
	At       time.Time
	Seq      uint64 // its event; what came later arrived afterwards
	UndoneBy string
	UndoneAt time.Time // zero while it stands
}

// Movings returns the moves and merges that a ticket had part in, oldest
// first, undone ones included.
func (d *Desk) Movings(ctx context.Context, a Actor, ticket uint64) (list []Moving, err error) {
	if err := a.mayRead("a ticket"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for m, err := range movings.ScanIndex(r, "ticket", store.Prefix(key(ticket))) {
			if err != nil {
				return err
			}
			list = append(list, *m)
		}
		return nil
	})
	return list, err
}

// Merge makes the ticket from part of the ticket into: its messages, notes and
// tags go there, and all mail that answers them. The number from stays valid
// and leads to into. UndoMerge takes it back.
func (d *Desk) Merge(ctx context.Context, a Actor, from, into uint64) (*Moving, error) {
	if err := a.may("merge tickets", PermitMerge); err != nil {
		return nil, err
	}
	if from == into {
		return nil, invalid("into", "merge_itself", "ticket %d cannot be merged into itself; give another number", from)
	}
	var moving *Moving
	err := d.update(ctx, a, func(c *command) error {
		source, err := workable(c, from)
		if err != nil {
			return err
		}
		target, err := workable(c, into)
		if err != nil {
			return err
		}
		if err := target.takesIn(source); err != nil {
			return err
		}
		moving = &Moving{ID: d.newID(), Kind: MovingTicket, From: from, Into: into, By: a.UserID, At: c.now}
		return c.merge(moving, source, target)
	})
	return moving, err
}

func (c *command) merge(m *Moving, from, into *Ticket) error {
	list, err := messagesOf(c, from.Number)
	if err != nil {
		return err
	}
	m.Aliases, m.Tags, m.Invited = missing(into.Aliases, from.Aliases), missing(into.Tags, from.Tags), missing(into.Invited, from.Invited)
	into.Aliases, into.Tags = append(into.Aliases, m.Aliases...), append(into.Tags, m.Tags...)
	into.Invited = append(into.Invited, m.Invited...)
	if err := c.recordOnBoth(EventTicketMerged, m, ""); err != nil {
		return err
	}
	for _, message := range list {
		m.Messages = append(m.Messages, message.ID)
		message.Moved = append(message.Moved, m.mark(from.Number))
		if err := c.relocate(message, into); err != nil {
			return err
		}
	}
	if m.Notes, err = c.relocateNotes(from.Number, into.Number); err != nil {
		return err
	}
	if !from.WaitingSince.IsZero() {
		if err := c.wakeFor(m, from, into); err != nil {
			return err
		}
	}
	m.FromRest = from.Snooze
	if err := c.endSnooze(from); err != nil {
		return err
	}
	into.followed(from.Followers...)
	if m.Drafts, err = c.relocateDrafts(from.Number, into.Number); err != nil {
		return err
	}
	from.MergedInto = into.Number
	if err := movings.Put(c, m); err != nil {
		return err
	}
	return c.moved(from, into)
}

// Move puts one message of a thread on another ticket, or on a new one where to
// is 0. What answers that message from now on goes with it. UndoMove takes it
// back.
func (d *Desk) Move(ctx context.Context, a Actor, messageID string, to uint64) (*Moving, error) {
	if err := a.may("move a message", PermitMerge); err != nil {
		return nil, err
	}
	var moving *Moving
	err := d.update(ctx, a, func(c *command) error {
		message, err := messages.Get(c, key(messageID))
		if message, err = found(message, err, "message", messageID); err != nil {
			return err
		}
		from, err := workable(c, message.Ticket)
		if err != nil {
			return err
		}
		if err := c.mayMove(message, from, to); err != nil {
			return err
		}
		moving = &Moving{ID: d.newID(), Kind: MovingMessage, From: from.Number, Into: to, By: a.UserID, At: c.now, Messages: []string{messageID}}
		return c.move(moving, message, from)
	})
	return moving, err
}

func (c *command) mayMove(m *Message, from *Ticket, to uint64) error {
	switch {
	case m.State != MessagePosted:
		return conflict("not_in_thread", "message %s is %s; only messages of the thread can be moved", m.ID, m.State)
	case to == from.Number:
		return invalid("to", "move_to_itself", "message %s is on ticket %d already", m.ID, to)
	case from.Messages+from.Held == 1:
		return conflict("last_message", "this is all that ticket %d has; merge the ticket instead", from.Number)
	case to == 0 && m.Direction == Outbound:
		return invalid("to", "reply_opens_nothing", "a reply cannot open a ticket; move it to one that exists")
	case m.Direction == Inbound:
		return nil
	}
	list, err := deliveriesOf(c, m.ID)
	for _, delivery := range list {
		if delivery.State == DeliveryWaiting {
			return conflict("move_too_early", "this reply can still be undone; move it when it has left")
		}
	}
	return err
}

func (c *command) move(m *Moving, message *Message, from *Ticket) error {
	into, err := c.moveTarget(m, message, from)
	if err != nil {
		return err
	}
	m.Into = into.Number
	var ways []string // of the ticket's, those by which this message came
	for _, path := range message.Paths {
		if slices.Contains(from.Aliases, path) {
			ways = append(ways, path)
		}
	}
	m.Aliases = missing(into.Aliases, ways)
	into.Aliases = append(into.Aliases, m.Aliases...)
	if err := c.recordOnBoth(EventMessageMoved, m, message.ID); err != nil {
		return err
	}
	message.Moved = append(message.Moved, m.mark(from.Number))
	if message.fromCustomer() && message.Settled == 0 {
		if err := c.wakeFor(m, from, into); err != nil {
			return err
		}
	}
	if m.Opened { // the matter is its author's own there
		message.ThirdParty = false
	}
	if err := c.relocate(message, into); err != nil {
		return err
	}
	if err := movings.Put(c, m); err != nil {
		return err
	}
	return c.moved(from, into)
}

// takesIn refuses what would be out of sight on a ticket that is spam.
func (t *Ticket) takesIn(from *Ticket) error {
	if t.Spam != nil && from.Spam == nil {
		return conflict("merge_spam", "ticket %d is spam; say that it is not before anything is moved there", t.Number)
	}
	return nil
}

// wakeFor brings a resting ticket back that takes in a customer who waits: nobody
// has laid that one aside, unless where it comes from.
func (c *command) wakeFor(m *Moving, from, into *Ticket) error {
	if from.Snooze != nil || into.Snooze == nil {
		return nil
	}
	m.IntoRest = into.Snooze
	err := c.wakeTicket(into, WokenByCustomer)
	m.Woke = into.WokenSeq
	return err
}

func (c *command) moveTarget(m *Moving, message *Message, from *Ticket) (*Ticket, error) {
	if m.Into != 0 {
		into, err := workable(c, m.Into)
		if err != nil {
			return nil, err
		}
		return into, into.takesIn(from)
	}
	m.Opened = true
	into, err := c.splitTicket(from, message)
	if err != nil {
		return nil, err
	}
	into.AssigneeID, err = c.activeUser(from.AssigneeID) // who works on it goes on
	return into, err
}
