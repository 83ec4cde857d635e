package helpdesk

import (
	"context"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// PersonPart is a piece of what is kept of one person, in the shapes of a whole export. One
// field is set, and Ticket with what is on it.
type PersonPart struct {
	Contact *ExportedContact
	Ticket  *ExportedTicket // begins a ticket where it is alone
	Message *ExportedMessage
	Note    *ExportedNote
	Event   *ExportedEvent
	// Review says that it is of others, or of the house itself: somebody looks through it
	// before the person gets it.
	Review bool
}

// ExportPerson hands what is kept of a person to write, the contact first: their tickets
// with everything on them, and of other customers' tickets the mails that they wrote or
// got. One mail is in memory at a time. That it was asked for is in the log.
func (d *Desk) ExportPerson(ctx context.Context, a Actor, id string, write func(PersonPart) error) error {
	if err := a.may("export a person's data", PermitErase); err != nil {
		return err
	}
	p := &personExport{desk: d, ctx: ctx, write: write}
	err := d.update(ctx, a, func(c *command) error {
		contact, err := contactByID(c, id)
		if err != nil {
			return err
		}
		p.id, p.addresses = contact.ID, contact.Addresses()
		_, err = c.record(Event{Kind: EventExported, Data: map[string]string{"what": "person", "contact": contact.ID}})
		return err
	})
	if err != nil {
		return err
	}
	if err := p.page(func(e *exporter) error {
		contact, err := contacts.Get(e, key(p.id))
		if err == nil {
			_, err = e.contact(contact)
		}
		return err
	}); err != nil {
		return err
	}
	numbers, err := p.tickets()
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if err := p.ticket(number); err != nil {
			return err
		}
	}
	return nil
}

// personExport takes out one person's data.
type personExport struct {
	desk      *Desk
	ctx       context.Context
	write     func(PersonPart) error
	id        string // of the contact
	addresses []string
	on        *ExportedTicket // that it is at
}

// isTheirs reports whether an address is the person's.
func (p *personExport) isTheirs(email string) bool {
	return slices.Contains(p.addresses, loweredAddress(email))
}

// page makes records in one transaction, and hands them on after it.
func (p *personExport) page(take func(*exporter) error) error {
	var page *ExportPage
	err := p.desk.view(p.ctx, func(r store.Reader) error {
		page = &ExportPage{}
		return take(&exporter{Reader: r, page: page, users: map[string]*User{}, fields: map[FieldOwner][]Field{}})
	})
	if err != nil {
		return err
	}
	var parts []PersonPart
	for i := range page.Contacts {
		parts = append(parts, PersonPart{Contact: &page.Contacts[i]})
	}
	for i := range page.Tickets {
		p.on = p.withoutOthers(&page.Tickets[i])
		parts = append(parts, PersonPart{Ticket: p.on})
	}
	for i := range page.Messages {
		m := &page.Messages[i]
		parts = append(parts, PersonPart{Ticket: p.on, Message: m, Review: !p.partyTo(m)})
		m.Bcc = []ExportedAddress{} // whom else it went to is not for the person
	}
	for i := range page.Notes {
		parts = append(parts, PersonPart{Ticket: p.on, Note: &page.Notes[i], Review: true})
	}
	for i := range page.Events {
		parts = append(parts, PersonPart{Ticket: p.on, Event: &page.Events[i], Review: true})
	}
	for _, part := range parts {
		if err := p.write(part); err != nil {
			return err
		}
	}
	return nil
}

// withoutOthers leaves out of a ticket who else takes part in it.
func (p *personExport) withoutOthers(t *ExportedTicket) *ExportedTicket {
	other := func(email string) bool { return !p.isTheirs(email) }
	t.Participants, t.ThirdParties = slices.DeleteFunc(slices.Clone(t.Participants), other), slices.DeleteFunc(slices.Clone(t.ThirdParties), other)
	if other(t.Contact) {
		t.Contact = ""
	}
	return t
}

// partyTo reports whether the person wrote a mail, or got it.
func (p *personExport) partyTo(m *ExportedMessage) bool {
	return slices.ContainsFunc(slices.Concat([]ExportedAddress{m.From}, m.To, m.Cc, m.Bcc), func(a ExportedAddress) bool { return p.isTheirs(a.Email) })
}

// tickets are the numbers of the person's own tickets, and of those in which they take part.
func (p *personExport) tickets() (numbers []uint64, err error) {
	for after, last := uint64(0), false; !last; {
		var found []uint64
		next := after
		err := p.desk.view(p.ctx, func(r store.Reader) error {
			found, next, last = nil, after, true
			looked := 0
			for t, err := range tickets.Scan(r, store.Range{Start: key(after + 1)}) {
				if err != nil {
					return err
				}
				if looked++; looked > exportLooksAtOnce {
					last = false
					return nil
				}
				next = t.Number
				if t.ErasedAt.IsZero() && (t.ContactID == p.id || slices.ContainsFunc(slices.Concat(t.Participants, t.ThirdParties), p.isTheirs)) {
					found = append(found, t.Number)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		numbers, after = append(numbers, found...), next
	}
	return numbers, nil
}

// ticket takes out what is on a ticket: of another customer's the person's own mails.
func (p *personExport) ticket(number uint64) error {
	own := false
	if err := p.page(func(e *exporter) error {
		t, err := tickets.Get(e, key(number))
		if err != nil {
			return err
		}
		own = t.ContactID == p.id
		if _, err := e.ticket(t); err != nil || own {
			return err
		}
		out := &e.page.Tickets[0] // the matter is another's
		*out = ExportedTicket{Number: out.Number, CreatedAt: out.CreatedAt, UpdatedAt: out.UpdatedAt}
		return nil
	}); err != nil {
		return err
	}
	if err := p.messages(number, own); err != nil || !own {
		return err
	}
	return p.page(func(e *exporter) error {
		for n, err := range notes.ScanIndex(e, "ticket", store.Prefix(key(number))) {
			if err == nil {
				_, err = e.note(n)
			}
			if err != nil {
				return err
			}
		}
		for v, err := range events.ScanIndex(e, "ticket", store.Prefix(key(number))) {
			if err == nil {
				_, err = e.event(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// messages takes out the mails of a ticket, each in a transaction of its own; all of them, or
// those that the person wrote or got.
func (p *personExport) messages(number uint64, all bool) error {
	var ids []string
	if err := p.desk.view(p.ctx, func(r store.Reader) error {
		ids = nil
		for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
			if err != nil {
				return err
			}
			if m.State == MessagePosted || m.State == MessageHeld {
				ids = append(ids, m.ID)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, id := range ids {
		if err := p.page(func(e *exporter) error {
			m, err := optional(messages.Get(e, key(id)))
			if err != nil || m == nil { // deleted meanwhile
				return err
			}
			if _, err = e.message(m); err == nil && !all && !p.partyTo(&e.page.Messages[0]) {
				e.page.Messages = nil
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
