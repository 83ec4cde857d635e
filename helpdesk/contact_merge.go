package helpdesk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// ContactMerging is a merge of two contacts that are one person, remembered so
// that it can be undone.
type ContactMerging struct {
	ID         string // ULID
	From, Into string // ids of contacts
	Email      string // the main address of From
	Tickets    []uint64
	Addresses  []string
	// Took is what Into had nothing of and took over: empty where it had its own.
	// Its Tags and Others are those that were added.
	Took Contact
	// NotesBefore and NotesAfter are Into's notes, which were put together.
	NotesBefore, NotesAfter string
	Name                    string // of From
	By                      string // user id
	At                      time.Time
	UndoneBy                string
	UndoneAt                time.Time // zero while it stands
}

var contactMergings = store.NewTable(store.Spec[ContactMerging]{Name: "contactmerging", Version: 1,
	Key: func(m *ContactMerging) []byte { return key(m.ID) },
	Indexes: []store.Index[ContactMerging]{
		{Name: "into", Keys: func(m *ContactMerging) [][]byte { return when(m.UndoneAt.IsZero(), key(m.Into, m.At)) }},
	}})

// maxMergedTickets bounds the transaction of a merge.
const maxMergedTickets = 5000

// MergeContacts makes the contact from part of the contact into: its addresses
// and tickets are into's, and mail from any of the addresses joins the tickets
// in which another of them takes part. UndoMergeContacts takes it back.
func (d *Desk) MergeContacts(ctx context.Context, a Actor, from, into string) (merging *ContactMerging, err error) {
	if err := a.may("merge contacts", PermitContacts); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		merging, err = c.mergeContacts(from, into)
		return err
	})
	return merging, err
}

func (c *command) mergeContacts(fromID, intoID string) (*ContactMerging, error) {
	into, err := livingContact(c, intoID)
	if err != nil {
		return nil, err
	}
	from, err := livingContact(c, fromID)
	if err != nil {
		return nil, err
	}
	if from.ID == into.ID {
		return nil, invalid("from", "contact_same", "%s is this very contact; choose another one", from.Email)
	}
	if n := len(from.Addresses()) + len(into.Addresses()); n > maxContactAddresses {
		return nil, invalid("from", "contact_addresses", "%d addresses; the limit is %d", n, maxContactAddresses)
	}
	m := &ContactMerging{ID: c.desk.newID(), From: from.ID, Into: into.ID, Email: from.Email, Name: from.Name, Addresses: from.Addresses(),
		NotesBefore: into.Notes, By: c.actor.UserID, At: c.now}
	list, err := ticketsOfContact(c, from.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		m.Tickets = append(m.Tickets, t.Number)
	}
	m.Took = into.take(from)
	m.NotesAfter = into.Notes
	from.MergedInto = into.ID
	if err := contacts.Put(c, from); err != nil { // first: its addresses become free
		return nil, err
	}
	if err := contacts.Put(c, into); err != nil {
		return nil, err
	}
	if err := c.giveTickets(list, from, into); err != nil {
		return nil, err
	}
	if err := contactMergings.Put(c, m); err != nil {
		return nil, err
	}
	_, err = c.record(Event{Kind: EventContactMerged, Data: map[string]string{"contact": into.Email, "from": from.Email, "merging": m.ID}})
	return m, err
}

func ticketsOfContact(r store.Reader, id string) (list []*Ticket, err error) {
	for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(id))) {
		if err != nil {
			return nil, err
		}
		if len(list) == maxMergedTickets {
			return nil, conflict("contact_large", "the contact has more than %d tickets; merge the other way round", maxMergedTickets)
		}
		list = append(list, t)
	}
	return list, nil
}

// take makes c take over what other has and it has not, and returns that.
func (c *Contact) take(other *Contact) (took Contact) {
	for _, text := range []struct{ mine, theirs, took *string }{
		{&c.Name, &other.Name, &took.Name}, {&c.Reading, &other.Reading, &took.Reading}, {&c.Phone, &other.Phone, &took.Phone},
		{&c.Language, &other.Language, &took.Language}, {&c.TimeZone, &other.TimeZone, &took.TimeZone},
	} {
		if *text.mine == "" && *text.theirs != "" {
			*text.mine, *text.took = *text.theirs, *text.theirs
		}
	}
	if !c.CompanyKept && other.CompanyKept {
		c.CompanyID, c.CompanyKept = other.CompanyID, true
		took.CompanyID, took.CompanyKept = other.CompanyID, true
	}
	for _, tag := range other.Tags {
		if len(c.Tags) < maxTags && !slices.Contains(c.Tags, tag) {
			c.Tags, took.Tags = append(c.Tags, tag), append(took.Tags, tag)
		}
	}
	for id, values := range other.Fields {
		if len(c.Fields[id]) > 0 {
			continue
		}
		if c.Fields == nil {
			c.Fields = FieldValues{}
		}
		if took.Fields == nil {
			took.Fields = FieldValues{}
		}
		c.Fields[id], took.Fields[id] = values, values
	}
	if other.Notes != "" {
		c.Notes = strings.TrimSpace(c.Notes + "\n\n" + other.Notes)
	}
	c.Others = append(slices.Clone(c.Others), other.Addresses()...)
	took.NeverAnswer = other.NeverAnswer && !c.NeverAnswer
	c.NeverAnswer = c.NeverAnswer || other.NeverAnswer
	took.CreatedAt = c.CreatedAt
	c.CreatedAt, c.LastSeenAt = earlier(c.CreatedAt, other.CreatedAt), seenLater(c.LastSeenAt, other.LastSeenAt)
	return took
}

// giveTickets makes tickets those of another contact, and says so on each.
func (c *command) giveTickets(list []*Ticket, from, into *Contact) error {
	for _, t := range list {
		t.ContactID = into.ID
		if _, err := c.record(Event{Kind: EventTicketContact, Ticket: t.Number, Data: map[string]string{"from": from.Email, "to": into.Email}}); err != nil {
			return err
		}
		if err := tickets.Put(c, t); err != nil {
			return err
		}
	}
	return nil
}

// UndoMergeContacts takes a merge back: the addresses are a contact of their own
// again, with its tickets and those that were opened from them since. What
// somebody changed on the other contact meanwhile stays as it is.
func (d *Desk) UndoMergeContacts(ctx context.Context, a Actor, id string) (merging *ContactMerging, err error) {
	if err := a.may("undo a merge of contacts", PermitContacts); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		merging, err = c.undoMergeContacts(id)
		return err
	})
	return merging, err
}

func (c *command) undoMergeContacts(id string) (*ContactMerging, error) {
	m, err := contactMergings.Get(c, key(id))
	if m, err = found(m, err, "merge of contacts", id); err != nil {
		return nil, err
	}
	if !m.UndoneAt.IsZero() {
		return nil, conflict("contact_merge_undone", "this merge is undone already")
	}
	into, err := livingContact(c, m.Into)
	if err != nil {
		return nil, err
	}
	if slices.Contains(m.Addresses, into.Email) {
		return nil, conflict("contact_main_address", "%s is the main address; choose another one first", into.Email)
	}
	from, err := contacts.Get(c, key(m.From))
	if err != nil {
		return nil, err
	}
	back, err := c.returningTickets(m)
	if err != nil {
		return nil, err
	}
	from.MergedInto = ""
	if from.CompanyID != "" {
		has, err := companies.Has(c, key(from.CompanyID))
		if err != nil {
			return nil, err
		}
		if !has { // it was deleted meanwhile
			from.CompanyID, from.CompanyKept = "", false
		}
	}
	if err := c.keepOwnAddresses(from, into); err != nil {
		return nil, err
	}
	into.giveBack(m, from)
	if err := contacts.Put(c, into); err != nil { // first: the addresses become free
		return nil, err
	}
	if err := contacts.Put(c, from); err != nil {
		return nil, err
	}
	if err := c.giveTickets(back, into, from); err != nil {
		return nil, err
	}
	m.UndoneBy, m.UndoneAt = c.actor.UserID, c.now
	if err := contactMergings.Put(c, m); err != nil {
		return nil, err
	}
	_, err = c.record(Event{Kind: EventContactUnmerged, Data: map[string]string{"contact": into.Email, "from": from.Email}})
	return m, err
}

// keepOwnAddresses leaves to a contact that comes back those of its addresses
// that nobody else has got meanwhile.
func (c *command) keepOwnAddresses(from, into *Contact) error {
	free := func(address string) (bool, error) {
		owner, err := contactOf(c, address)
		return owner == nil || owner.ID == into.ID, err
	}
	var list []string
	for _, address := range from.Addresses() {
		ok, err := free(address)
		if err != nil {
			return err
		}
		if ok {
			list = append(list, address)
		}
	}
	if len(list) == 0 {
		return conflict("contact_address_gone", "each address of %s belongs to another contact now; there is nothing to take back", from.Email)
	}
	from.Email, from.Others = list[0], list[1:]
	return nil
}

// giveBack takes off c what it took over in a merge and still has as it was.
func (c *Contact) giveBack(m *ContactMerging, from *Contact) {
	took := &m.Took
	for _, text := range []struct{ mine, took *string }{{&c.Name, &took.Name}, {&c.Reading, &took.Reading}, {&c.Phone, &took.Phone},
		{&c.Language, &took.Language}, {&c.TimeZone, &took.TimeZone}} {
		if *text.took != "" && *text.mine == *text.took {
			*text.mine = ""
		}
	}
	if took.CompanyKept && c.CompanyKept && c.CompanyID == took.CompanyID {
		c.CompanyID, c.CompanyKept = "", false
	}
	c.Tags = without(c.Tags, took.Tags)
	for id, values := range took.Fields {
		if slices.Equal(c.Fields[id], values) {
			c.Fields = maps.Clone(c.Fields)
			delete(c.Fields, id)
		}
	}
	if c.Notes == m.NotesAfter {
		c.Notes = m.NotesBefore
	}
	c.Others = without(c.Others, from.Addresses())
	c.NeverAnswer = c.NeverAnswer && !took.NeverAnswer
	if !took.CreatedAt.IsZero() {
		c.CreatedAt = took.CreatedAt
	}
}

// returningTickets are those that a merge took along and that are still there,
// and those that were opened since by mail from one of its addresses.
func (c *command) returningTickets(m *ContactMerging) (back []*Ticket, err error) {
	list, err := ticketsOfContact(c, m.Into)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		returns := slices.Contains(m.Tickets, t.Number)
		if !returns {
			first, err := firstOfTicket(c, t.Number)
			if err != nil {
				return nil, err
			}
			returns = first != nil && first.Direction == Inbound && slices.Contains(m.Addresses, first.From.Email)
		}
		if returns {
			back = append(back, t)
		}
	}
	return back, nil
}

// firstOfTicket is the oldest message of a ticket, or nil.
func firstOfTicket(r store.Reader, number uint64) (*Message, error) {
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		return m, err
	}
	return nil, nil
}

// verifyContacts follows each ticket to its contact, and each merged contact to
// one that is there.
func verifyContacts(ctx context.Context, r store.Reader) (problems []string, err error) {
	for c, err := range readable(r, contacts.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		if c.CompanyID != "" && c.MergedInto == "" {
			if has, err := companies.Has(r, key(c.CompanyID)); err != nil || !has {
				problems = append(problems, fmt.Sprintf("contact %s is of company %s, which does not exist (%v)", c.Email, c.CompanyID, err))
			}
		}
		if c.MergedInto == "" {
			continue
		}
		if _, err := contactNow(r, c); err != nil {
			problems = append(problems, fmt.Sprintf("contact %s is merged: %v", c.Email, err))
		}
		for t, err := range readable(r, tickets.ScanIndex(r, "contact", store.Prefix(key(c.ID)))) {
			if err != nil {
				return problems, err
			}
			problems = append(problems, fmt.Sprintf("ticket %d is of contact %s, which is merged", t.Number, c.Email))
		}
	}
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if has, err := contacts.Has(r, key(t.ContactID)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("ticket %d is of contact %s, which does not exist (%v)", t.Number, t.ContactID, err))
		}
	}
	return problems, nil
}

// contactNow follows merges to the contact that one is part of now.
func contactNow(r store.Reader, c *Contact) (*Contact, error) {
	for range 100 {
		if c.MergedInto == "" {
			return c, nil
		}
		next, err := contacts.Get(r, key(c.MergedInto))
		if err != nil {
			return nil, err
		}
		c = next
	}
	return nil, fmt.Errorf("contact %s is merged into itself by a circle", c.Email)
}
