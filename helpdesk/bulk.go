package helpdesk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// BulkChange is one change of many tickets; nil and empty fields leave them as
// they are.
type BulkChange struct {
	Stage    *string // id or name of a stage; tickets of other pipelines refuse
	Close    bool    // into the first closed stage of each ticket's pipeline
	Assignee *string // id or address of a user, "" for nobody
	Tag      []string
	Untag    []string
	Priority *Priority
	Spam     *bool
	Hold     *Snooze // its Until and Note
	Wake     bool
	Follow   *bool // of whoever asks
}

// empty reports whether the change changes nothing.
func (ch *BulkChange) empty() bool {
	return ch.Stage == nil && !ch.Close && ch.Assignee == nil && len(ch.Tag)+len(ch.Untag) == 0 && ch.Priority == nil && ch.Spam == nil &&
		ch.Hold == nil && !ch.Wake && ch.Follow == nil
}

// needs are the permissions for what changes.
func (ch *BulkChange) needs() (list []Permission) {
	for permission, asked := range map[Permission]bool{
		PermitStage: ch.Stage != nil || ch.Close, PermitAssign: ch.Assignee != nil, PermitSpam: ch.Spam != nil,
		PermitEdit: len(ch.Tag)+len(ch.Untag) > 0 || ch.Priority != nil || ch.Hold != nil || ch.Wake} {
		if asked {
			list = append(list, permission)
		}
	}
	return list
}

// BulkState says how far a bulk change is.
type BulkState string

// The states of a bulk change.
const (
	BulkWorking BulkState = "working"
	BulkDone    BulkState = "done"
	BulkUndoing BulkState = "undoing"
	BulkUndone  BulkState = "undone"
)

// Bulk is a change of many tickets, done a few at a time, and remembered so
// that it can be undone as one.
type Bulk struct {
	ID     string // ULID
	By     string // user id
	At     time.Time
	Change BulkChange
	State  BulkState
	Total  int
	// Next is the item to be worked on next; while undoing, the one before it.
	Next    int
	Changed int
	Same    int // were as wanted already
	Refused int
	// Returned and Kept count while it is undone: tickets that have again what they
	// had, and those that somebody changed since.
	Returned int
	Kept     int
}

// BulkOutcome says what became of one ticket.
type BulkOutcome string

// The outcomes.
const (
	BulkPending  BulkOutcome = ""
	BulkChanged  BulkOutcome = "changed"
	BulkSame     BulkOutcome = "same"
	BulkRefused  BulkOutcome = "refused"
	BulkReturned BulkOutcome = "returned"
	BulkKept     BulkOutcome = "kept"
)

// BulkItem is one ticket of a bulk change.
type BulkItem struct {
	Bulk    string
	Index   uint64
	Ticket  uint64
	Outcome BulkOutcome
	// Problem and Args name the refusal in the catalogue, Message says it in English.
	Problem string `cbor:",omitempty"`
	Args    []any  `cbor:",omitempty"`
	Message string `cbor:",omitempty"`
	// Was and Is are what the change can change, before and after it.
	Was, Is *bulkFacts `cbor:",omitempty"`
	Settled uint64     `cbor:",omitempty"` // the event of closing
}

// bulkFacts are what of a ticket a bulk change can change.
type bulkFacts struct {
	StageID    string
	AssigneeID string
	Tags       []string
	Priority   Priority
	Spam       bool
	Rest       *Snooze `cbor:",omitempty"`
	Followed   bool    // by whoever asked
}

func (b *Bulk) factsOf(t *Ticket) *bulkFacts {
	return &bulkFacts{t.StageID, t.AssigneeID, slices.Clone(t.Tags), t.Priority, t.Spam != nil, t.Snooze, slices.Contains(t.Followers, b.By)}
}

func (f *bulkFacts) equal(other *bulkFacts) bool {
	return f.StageID == other.StageID && f.AssigneeID == other.AssigneeID && f.Priority == other.Priority && f.Spam == other.Spam &&
		f.Followed == other.Followed && f.Rest.same(other.Rest) && slices.Equal(f.Tags, other.Tags)
}

// Limits of a bulk change.
const (
	MaxBulk   = 5000 // tickets
	bulkChunk = 50   // tickets a transaction
)

// StartBulk begins a change of many tickets: it is durable when this returns
// and is carried out by WorkBulk, by whoever asked or else by a timer.
func (d *Desk) StartBulk(ctx context.Context, a Actor, numbers []uint64, change BulkChange) (*Bulk, error) {
	if err := a.may("change many tickets", PermitBulk); err != nil {
		return nil, err
	}
	for _, p := range change.needs() {
		if err := a.may("change this of tickets", p); err != nil {
			return nil, err
		}
	}
	numbers = appendNew(nil, numbers...)
	switch {
	case len(numbers) == 0:
		return nil, invalid("tickets", "bulk_none", "no ticket is selected")
	case len(numbers) > MaxBulk:
		return nil, invalid("tickets", "bulk_many", "%d tickets are selected; the limit is %d", len(numbers), MaxBulk)
	case change.empty():
		return nil, invalid("change", "bulk_nothing", "nothing is to be changed")
	}
	bulk := &Bulk{ID: d.newID(), By: a.UserID, Change: change, State: BulkWorking, Total: len(numbers)}
	err := d.update(ctx, a, func(c *command) error {
		bulk.At = c.now
		if err := bulk.Change.check(c); err != nil {
			return err
		}
		for i, number := range numbers {
			if err := bulkItems.Put(c, &BulkItem{Bulk: bulk.ID, Index: uint64(i), Ticket: number}); err != nil {
				return err
			}
		}
		if err := c.setTimer(TimerBulk, bulk.ID, c.now.Add(bulkTimer)); err != nil {
			return err
		}
		return bulks.Put(c, bulk)
	})
	return bulk, err
}

// bulkTimer is when the timer takes over: whoever started it works first.
const bulkTimer = 5 * time.Second

// check refuses what would fail on every ticket, and names users by id.
func (ch *BulkChange) check(c *command) (err error) {
	if ch.Assignee != nil {
		id, err := userIDOf(c, *ch.Assignee)
		if err != nil {
			return err
		}
		if active, err := c.activeUser(id); err != nil || active != id {
			if err != nil {
				return err
			}
			return invalid("assignee", "user_disabled", "user %s is disabled and cannot be given tickets", *ch.Assignee)
		}
		ch.Assignee = &id
	}
	if ch.Priority != nil && !slices.Contains(Priorities, *ch.Priority) {
		return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", *ch.Priority)
	}
	if ch.Hold != nil {
		if err := ch.Hold.check(nil, c.now); err != nil {
			return err
		}
	}
	if ch.Follow != nil && c.actor.UserID == "" {
		return invalid("user", "follow_nobody", "only a user can follow a ticket")
	}
	if ch.Tag, err = cleanTags(ch.Tag); err != nil {
		return err
	}
	ch.Untag, err = cleanTags(ch.Untag)
	return err
}

// WorkBulk changes the next few tickets, or gives them back, and tells how far
// it is. Several may call it: each ticket is dealt with once.
func (d *Desk) WorkBulk(ctx context.Context, id string) (*Bulk, error) {
	var bulk *Bulk
	err := d.update(ctx, System("bulk"), func(c *command) (err error) {
		bulk, err = bulks.Get(c, key(id))
		if bulk, err = found(bulk, err, "bulk change", id); err != nil {
			return err
		}
		if c.actor, err = bulkActor(c, bulk); err != nil {
			return err
		}
		switch bulk.State {
		case BulkWorking:
			return c.workBulk(bulk)
		case BulkUndoing:
			return c.undoBulk(bulk)
		}
		return c.clearTimer(TimerBulk, id)
	})
	return bulk, err
}

// FinishBulk is the work of a TimerBulk: it goes on until the change is done.
func (d *Desk) FinishBulk(ctx context.Context, id string) error {
	for {
		bulk, err := d.WorkBulk(ctx, id)
		if err != nil || bulk.State == BulkDone || bulk.State == BulkUndone {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// bulkActor is whoever started it.
func bulkActor(r store.Reader, b *Bulk) (Actor, error) {
	user, err := users.Get(r, key(b.By))
	if errors.Is(err, store.ErrNotFound) {
		return System("bulk"), nil
	}
	if err != nil {
		return Actor{}, err
	}
	return user.Actor(), nil
}

func (c *command) workBulk(b *Bulk) error {
	for end := min(b.Next+bulkChunk, b.Total); b.Next < end; b.Next++ {
		item, err := bulkItems.Get(c, key(b.ID, uint64(b.Next)))
		if err != nil {
			return err
		}
		if err := c.changeItem(b, item); err != nil {
			return err
		}
		switch item.Outcome {
		case BulkChanged:
			b.Changed++
		case BulkSame:
			b.Same++
		case BulkRefused:
			b.Refused++
		}
		if err := bulkItems.Put(c, item); err != nil {
			return err
		}
	}
	if b.Next < b.Total {
		return bulks.Put(c, b)
	}
	return c.endBulk(b, BulkDone)
}

func (c *command) endBulk(b *Bulk, state BulkState) error {
	b.State = state
	if err := c.clearTimer(TimerBulk, b.ID); err != nil {
		return err
	}
	return bulks.Put(c, b)
}

// Bulk returns a bulk change with the tickets that refused or were kept, at
// most 100 of them.
func (d *Desk) Bulk(ctx context.Context, a Actor, id string) (b *Bulk, troubled []BulkItem, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		troubled = nil
		b, err = bulks.Get(r, key(id))
		if b, err = found(b, err, "bulk change", id); err != nil {
			return err
		}
		for item, err := range bulkItems.Scan(r, store.Prefix(key(id))) {
			if err != nil {
				return err
			}
			if item.Outcome == BulkRefused || item.Outcome == BulkKept {
				troubled = append(troubled, *item)
			}
			if len(troubled) == 100 {
				break
			}
		}
		return nil
	})
	return b, troubled, err
}
