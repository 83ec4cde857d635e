package helpdesk

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Erasure is the erasing of a person's data. It is carried out a few tickets at a time,
// goes on after a restart, and keeps neither name nor address once it is done.
type Erasure struct {
	ID    string // ULID
	By    string // user id
	At    time.Time
	State ErasureState
	// Contacts are the ids of the person's contacts: the one that was asked for, and
	// those that were merged into it. Their records stay, empty.
	Contacts []string
	// Addresses are those that what is left is recognised by; none once it is done.
	Addresses []string `cbor:",omitempty"`
	// After is the ticket, or the event, that was looked at last.
	After   uint64
	Tickets int // erased
	Mails   int // of those
	// Left are the tickets on which other customers are: their conversations stay.
	Left   []uint64
	DoneAt time.Time `cbor:",omitzero"`
}

// ErasureState says how far an erasure is.
type ErasureState string

// The states, in their order.
const (
	ErasingTickets ErasureState = "tickets"
	ErasingTraces  ErasureState = "traces" // what else names the person: the log, quarantine, notices
	ErasingIndexes ErasureState = "index"  // the search index and the vectors
	ErasureDone    ErasureState = "done"
)

var erasures = store.NewTable(store.Spec[Erasure]{Name: "erasure", Version: 1,
	Key: func(e *Erasure) []byte { return key(e.ID) }})

// ErasurePlan is what erasing a person's data would do.
type ErasurePlan struct {
	Contact Contact
	Tickets int // that would be erased
	// Left are tickets that stay, since another customer is on them.
	Left []Ticket
	// Cut says that only the newest tickets were looked at.
	Cut bool
}

// maxPlanned is how many tickets a plan looks at.
const maxPlanned = 1000

// PlanErasure says what EraseContact would do. Nothing is changed.
func (d *Desk) PlanErasure(ctx context.Context, a Actor, id string) (plan *ErasurePlan, err error) {
	if err := a.may("erase a person's data", PermitErase); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		contact, err := contactByID(r, id)
		if err != nil {
			return err
		}
		plan = &ErasurePlan{Contact: *contact}
		looked := 0
		for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(contact.ID))) {
			if err != nil {
				return err
			}
			if looked++; looked > maxPlanned {
				plan.Cut = true
				return nil
			}
			other, err := otherCustomer(r, t, contact.Addresses())
			if err != nil {
				return err
			}
			if other == nil {
				plan.Tickets++
			} else {
				plan.Left = append(plan.Left, *t)
			}
		}
		return nil
	})
	return plan, err
}

// EraseContact begins to erase a person's data, for good: their contact at once, then the
// tickets on which they are the only customer with everything on those, and what else
// names them. It is durable when this returns; WorkErasure carries it out. confirm has to
// be the contact's main address.
func (d *Desk) EraseContact(ctx context.Context, a Actor, id, confirm string) (e *Erasure, err error) {
	if err := a.may("erase a person's data", PermitErase); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		found, err := contactByID(c, id)
		if err != nil {
			return err
		}
		if loweredAddress(strings.TrimSpace(confirm)) != found.Email {
			return invalid("confirm", "erase_confirm", "%q is not the main address of the contact; type %s to confirm", confirm, found.Email)
		}
		e = &Erasure{ID: d.newID(), By: a.UserID, At: c.now, State: ErasingTickets}
		if err := c.eraseContacts(e, found); err != nil {
			return err
		}
		if err := c.setTimer(TimerErase, e.ID, c.now); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventErasureStarted, Data: map[string]string{"erasure": e.ID}}); err != nil {
			return err
		}
		return erasures.Put(c, e)
	})
	return e, err
}

// Erasures returns every erasure, the newest first.
func (d *Desk) Erasures(ctx context.Context, a Actor) (list []Erasure, err error) {
	if err := a.may("see erasures", PermitErase); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for e, err := range erasures.Scan(r, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			e.Addresses = nil
			list = append(list, *e)
		}
		return nil
	})
	return list, err
}

// Erasure returns one erasure, to see how far it is.
func (d *Desk) Erasure(ctx context.Context, a Actor, id string) (e *Erasure, err error) {
	if err := a.may("see erasures", PermitErase); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		e, err = erasures.Get(r, key(id))
		if e, err = found(e, err, "erasure", id); err != nil {
			return err
		}
		e.Addresses = nil
		return nil
	})
	return e, err
}

// eraseContacts empties a contact and those that were merged into it, and deletes what is
// kept by their addresses. What keeps the house from writing to them stays: who asked for
// no more mail, and who is blocked.
func (c *command) eraseContacts(e *Erasure, contact *Contact) error {
	ids := []string{contact.ID}
	var gone []*ContactMerging
	for i := 0; i < len(ids); i++ {
		for m, err := range contactMergings.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if m.From == ids[i] || m.Into == ids[i] {
				gone = append(gone, m)
			}
			if m.Into == ids[i] && m.UndoneAt.IsZero() && !slices.Contains(ids, m.From) {
				ids = append(ids, m.From)
			}
		}
	}
	for _, m := range gone {
		if err := contactMergings.Delete(c, key(m.ID)); err != nil {
			return err
		}
	}
	for _, id := range ids {
		was, err := contacts.Get(c, key(id))
		if err != nil {
			return err
		}
		e.Contacts, e.Addresses = append(e.Contacts, id), appendNew(e.Addresses, was.Addresses()...)
		if err := contacts.Put(c, &Contact{ID: id, ErasedAt: c.now}); err != nil {
			return err
		}
	}
	if err := c.eraseAcknowledged(e.Addresses); err != nil {
		return err
	}
	for _, address := range e.Addresses {
		if err := suppressions.Delete(c, key(address)); err != nil {
			return err
		}
		for t, err := range trustedSenders.Scan(c, store.Prefix(key(address))) {
			if err != nil {
				return err
			}
			if err := trustedSenders.Delete(c, key(t.Pattern, t.Proof.String())); err != nil {
				return err
			}
		}
	}
	return nil
}

// FinishErasure ends an erasure, once no index has anything of the person any more.
func (d *Desk) FinishErasure(ctx context.Context, id string) error {
	return d.update(ctx, System("erasure"), func(c *command) error {
		e, err := erasures.Get(c, key(id))
		if e, err = found(e, err, "erasure", id); err != nil {
			return err
		}
		if err := c.clearTimer(TimerErase, id); err != nil || e.State != ErasingIndexes {
			return err
		}
		e.State, e.DoneAt, e.Addresses = ErasureDone, c.now, nil
		if _, err := c.record(Event{Kind: EventErasureDone, Data: map[string]string{"erasure": e.ID, "tickets": strconv.Itoa(e.Tickets),
			"mails": strconv.Itoa(e.Mails), "left": strconv.Itoa(len(e.Left))}}); err != nil {
			return err
		}
		return erasures.Put(c, e)
	})
}

// Gone returns those of the messages that are not there.
func (d *Desk) Gone(ctx context.Context, ids []string) (gone []string, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		gone = nil
		for _, id := range ids {
			has, err := messages.Has(r, key(id))
			if err != nil {
				return err
			}
			if !has {
				gone = append(gone, id)
			}
		}
		return nil
	})
	return gone, err
}
