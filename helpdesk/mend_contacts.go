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

// lostContact is somebody whose record is not there and who is known from the log.
type lostContact struct {
	Contact
	into   *lostContact // a lost one that this one was merged into
	wanted bool         // a ticket is theirs, or the log says that they were written down
}

// now follows merges.
func (p *lostContact) now() *lostContact {
	for p.into != nil {
		p = p.into
	}
	return p
}

// contactSearch reads the log as the commands wrote it, for the people whose records are
// lost: who opened tickets, and what was changed of them by hand.
type contactSearch struct {
	store.Reader
	named  map[string]*lostContact // by each address
	list   []*lostContact
	opened map[uint64]*lostContact // tickets that are there and whose contact is not
	fields []Field
}

// mendContacts makes lost contacts anew, each with the id by which tickets name them, and
// returns how many.
func (d *Desk) mendContacts(ctx context.Context, a Actor) (made int, err error) {
	var s *contactSearch
	if err := d.view(ctx, func(r store.Reader) (err error) {
		s = &contactSearch{Reader: r, named: map[string]*lostContact{}, opened: map[uint64]*lostContact{}}
		if s.fields, err = fieldsOf(r, FieldOfContact); err != nil {
			return err
		}
		if err := s.readLog(ctx); err != nil {
			return err
		}
		return s.readTickets()
	}); err != nil {
		return 0, fmt.Errorf("look for lost contacts: %w", err)
	}
	s.Reader = nil // what was found is written in transactions of its own
	if err := d.update(ctx, a, func(c *command) error { return c.giveLost(s.opened) }); err != nil {
		return 0, fmt.Errorf("give tickets their contacts: %w", err)
	}
	for part := range slices.Chunk(s.list, mendAtOnce) {
		wrote := 0
		if err := d.update(ctx, a, func(c *command) (err error) {
			wrote, err = c.writeLost(part)
			return err
		}); err != nil {
			return made, fmt.Errorf("make lost contacts anew: %w", err)
		}
		made += wrote
	}
	return made, nil
}

func (s *contactSearch) readLog(ctx context.Context) error {
	for e, err := range readable(s.Reader, events.Scan(s, store.Range{})) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && e.Data[erasedBy] == "" {
			switch e.Kind {
			case EventTicketCreated, EventTicketImported:
				err = s.open(e)
			case EventContactSaved, EventContactField:
				err = s.save(e)
			case EventContactMerged:
				err = s.merge(e)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// open is what opening a ticket did to its contact (contactFor).
func (s *contactSearch) open(e *Event) error {
	t, err := legible(s, tickets.Get, key(e.Ticket))
	if err != nil {
		return err
	}
	if t != nil {
		if has, err := contacts.Has(s, key(t.ContactID)); err != nil || has {
			return err
		}
	}
	m, err := legible(s, messages.Get, key(e.Message))
	if err != nil {
		return err
	}
	at := e.At
	if m == nil && t != nil { // imported: its customer was not the one who wrote the event's mail
		if m, err = firstFromOutside(s, t.Number); err != nil {
			return err
		}
		at = t.CreatedAt
	}
	if m == nil {
		return nil
	}
	if t != nil {
		s.opened[t.Number] = s.contactOf(m, at)
		return nil
	}
	if there, err := contactOf(s, m.customer().Email); err != nil || there != nil {
		return err
	}
	s.contactOf(m, at)
	return nil
}

// contactOf is the lost contact with whom a message began a ticket.
func (s *contactSearch) contactOf(m *Message, at time.Time) *lostContact {
	from := m.customer()
	p := s.named[from.Email]
	if p == nil {
		p = s.add(from.Email, at)
	}
	if from.Name != "" && !p.NameKept {
		p.Name = from.Name
	}
	p.CreatedAt, p.LastSeenAt, p.wanted = earlier(p.CreatedAt, at), seenLater(p.LastSeenAt, at), true
	return p
}

func (s *contactSearch) add(email string, at time.Time) *lostContact {
	p := &lostContact{Contact: Contact{Email: email, CreatedAt: at}}
	s.named[email] = p
	s.list = append(s.list, p)
	return p
}

// save does to a lost contact what its event says was changed.
func (s *contactSearch) save(e *Event) error {
	email := e.Data["contact"]
	p := s.named[email]
	for _, address := range splitTags(e.Data["addresses"+beforeSuffix]) {
		if p == nil {
			p = s.named[address]
		}
	}
	if p == nil {
		if there, err := contactOf(s, email); err != nil || there != nil {
			return err
		}
		p = s.add(email, e.At)
	}
	p.wanted = true
	if e.Kind == EventContactField {
		p.fill(s.fields, e.Data)
		return nil
	}
	if list, changed := e.Data["addresses"+afterSuffix]; changed {
		for _, address := range p.Addresses() {
			delete(s.named, address)
		}
		p.Email, p.Others = email, slices.DeleteFunc(splitTags(list), func(a string) bool { return a == email })
		for _, address := range p.Addresses() {
			s.named[address] = p
		}
	}
	return p.apply(s, e.Data)
}

// merge does again what merging two contacts did, unless that was undone.
func (s *contactSearch) merge(e *Event) error {
	m, err := legible(s, contactMergings.Get, key(e.Data["merging"]))
	if err != nil || m == nil || !m.UndoneAt.IsZero() {
		return err
	}
	if has, err := contacts.Has(s, key(m.Into)); err != nil || has {
		return errors.Join(err, s.mergedAway(m)) // its addresses are that one's
	}
	into := s.named[e.Data["contact"]]
	if into == nil {
		into = s.add(e.Data["contact"], e.At)
	}
	into.ID, into.wanted = m.Into, true
	other := s.named[m.Email]
	from, err := legible(s, contacts.Get, key(m.From))
	switch {
	case err != nil:
		return err
	case from == nil && other == nil:
		from = m.from()
	case from == nil:
		from = &other.Contact
	}
	into.take(from)
	into.Others = without(appendNew(nil, into.Others...), []string{into.Email})
	if other != nil {
		other.ID, other.MergedInto, other.into = m.From, m.Into, into
	}
	for _, address := range into.Addresses() {
		s.named[address] = into
	}
	return nil
}

// mergedAway makes anew what was merged into somebody who is there, so that it can be undone.
func (s *contactSearch) mergedAway(m *ContactMerging) error {
	has, err := contacts.Has(s, key(m.From))
	if err != nil || has {
		return err
	}
	p := &lostContact{Contact: *m.from(), wanted: true}
	p.ID, p.MergedInto = m.From, m.Into
	s.list = append(s.list, p)
	return nil
}

// from is what a merging tells of the contact that it was of.
func (m *ContactMerging) from() *Contact {
	return &Contact{Email: m.Email, Others: without(m.Addresses, []string{m.Email}), Name: m.Name, CreatedAt: m.At}
}

// readTickets finds whose tickets those are that the log says nothing of.
func (s *contactSearch) readTickets() error {
	for t, err := range readable(s.Reader, tickets.Scan(s, store.Range{})) {
		if err != nil {
			return err
		}
		p := s.opened[t.Number]
		if p == nil {
			if has, err := contacts.Has(s, key(t.ContactID)); err != nil || has {
				if err != nil {
					return err
				}
				continue
			}
			m, err := firstFromOutside(s, t.Number)
			if err != nil {
				return err
			}
			if m == nil {
				continue // nothing tells whose it is: Verify names it
			}
			p = s.contactOf(m, t.CreatedAt)
			s.opened[t.Number] = p
		}
		if p = p.now(); p.ID == "" {
			p.ID = t.ContactID
		}
	}
	return nil
}

// firstFromOutside is the mail that began a ticket, as far as its messages tell: the first of
// somebody outside, else our first.
func firstFromOutside(r store.Reader, number uint64) (first *Message, err error) {
	for m, err := range readable(r, messages.ScanIndex(r, "ticket", store.Prefix(key(number)))) {
		if err != nil {
			return nil, err
		}
		if m.Direction == Inbound {
			return m, nil
		}
		if first == nil && len(m.To) > 0 {
			first = m
		}
	}
	return first, nil
}

// customer is whom a message is from or to.
func (m *Message) customer() Address {
	if m.Direction == Outbound && len(m.To) > 0 {
		return Address{Name: m.To[0].Name, Email: strings.ToLower(m.To[0].Email)}
	}
	return m.From
}

// legible is a record that is there and can be read, or nil.
func legible[T any](r store.Reader, get func(store.Reader, []byte) (*T, error), k []byte) (*T, error) {
	record, err := optional(get(r, k))
	if passOver(r, err) {
		return nil, nil
	}
	return record, err
}
