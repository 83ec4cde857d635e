package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// A transaction takes this much of a ticket: what is larger goes on in the next.
const (
	importAtOnce      = 40       // entries
	importBytesAtOnce = 16 << 20 // of mails
)

// ImportTicket writes a ticket of another system with its dates, or what is new of one
// that was imported before. Nothing of it is answered, acknowledged, told to anybody or
// read by the model, no rule acts on it, and nothing is due by its old dates.
func (d *Desk) ImportTicket(ctx context.Context, a Actor, t ImportedTicket, o ImportOptions) (ImportOutcome, error) {
	if err := a.mayAdminister("import tickets"); err != nil {
		return ImportOutcome{}, err
	}
	if t.Source == "" || t.ID == "" {
		return ImportOutcome{}, invalid("id", "import_no_id", "a ticket without a source and an id there cannot be imported: it could not be recognised again")
	}
	var sum ImportOutcome
	entries := d.examineImported(t, o, &sum)
	for first := true; first || len(entries) > 0; first = false {
		batch, rest := nextImport(entries)
		var done ImportOutcome
		err := d.update(ctx, a, func(c *command) error {
			done = ImportOutcome{}
			return c.importTicket(t, o, batch, &done)
		})
		if err != nil {
			return sum, fmt.Errorf("import ticket %s of %s: %w", t.ID, t.Source, err)
		}
		sum.add(done)
		entries = rest
	}
	return sum, nil
}

func (o *ImportOutcome) add(more ImportOutcome) {
	if more.Ticket != 0 {
		o.Ticket = more.Ticket
	}
	o.Opened, o.Contact = o.Opened || more.Opened, o.Contact || more.Contact
	o.Messages, o.Notes, o.Known = o.Messages+more.Messages, o.Notes+more.Notes, o.Known+more.Known
	for _, left := range more.Left {
		o.Left = appendNew(o.Left, left)
	}
}

// importEntry is an entry with everything worked out that needs no store.
type importEntry struct {
	ImportedEntry
	arrival *arrival // nil for a note, and for what was logged
}

func nextImport(entries []importEntry) (batch, rest []importEntry) {
	size := 0
	for i, e := range entries {
		if e.arrival != nil {
			size += len(e.Raw)
		}
		if i > 0 && (i >= importAtOnce || size > importBytesAtOnce) {
			return entries[:i], entries[i:]
		}
	}
	return entries, nil
}

// examineImported parses the mails, and composes those that are none yet. What cannot
// be is left out.
func (d *Desk) examineImported(t ImportedTicket, o ImportOptions, sum *ImportOutcome) (entries []importEntry) {
	for _, e := range t.Entries {
		e.At = storable(e.At.UTC().Round(0))
		if e.At.IsZero() {
			e.At = t.CreatedAt.UTC()
		}
		entry := importEntry{ImportedEntry: e}
		if e.Kind != ImportedNote && e.Kind != ImportedLogged {
			if len(e.Raw) == 0 {
				raw, err := d.composeImported(t, o, e)
				if err != nil {
					sum.Left = append(sum.Left, fmt.Sprintf("message %s: %v", e.ID, err))
					continue
				}
				entry.Raw = raw
			}
			parsed := mail.Parse(entry.Raw)
			if date := storable(parsed.Date); len(e.Raw) > 0 && e.At.IsZero() {
				entry.At = date
			}
			entry.arrival = d.examine(Incoming{Raw: entry.Raw, Message: parsed, ReceivedAt: entry.At})
			if entry.At.IsZero() {
				entry.At = d.now()
				entry.arrival.message.At = entry.At
			}
		}
		entries = append(entries, entry)
	}
	return entries
}

// nowhere is the domain of addresses that a source does not give (RFC 2606): nothing
// is ever delivered there.
const nowhere = ".invalid"

// standIn is an address for somebody who has none in a source.
func standIn(t ImportedTicket) string {
	return "no-address-" + strings.ToLower(hashSecret(t.Source + "\n" + t.ID)[:12]) + "@" + "imported" + nowhere
}

// composeImported makes a mail of an entry. The same entry gives the same mail.
func (d *Desk) composeImported(t ImportedTicket, o ImportOptions, e ImportedEntry) ([]byte, error) {
	address := func(a Address) mail.Address {
		if checkAddress("from", a.Email) != nil {
			a.Email = standIn(t)
		}
		return mail.Address{Name: a.Name, Address: a.Email}
	}
	list := func(addresses []Address) (out []mail.Address) {
		for _, a := range addresses {
			if checkAddress("to", a.Email) == nil {
				out = append(out, mail.Address{Name: a.Name, Address: a.Email})
			}
		}
		return out
	}
	draft := mail.Draft{From: address(e.Author), To: list(e.To), Cc: list(e.Cc), Subject: e.Subject, Date: e.At, MessageID: e.MessageID,
		InReplyTo: e.InReplyTo, Text: e.Text, HTML: e.HTML}
	if len(draft.To) == 0 && len(draft.Cc) == 0 { // of a call, for instance
		to := Address{Email: o.Alias}
		if e.Kind == ImportedOut {
			to = t.Requester
		}
		draft.To = []mail.Address{address(to)}
	}
	if draft.Subject == "" {
		draft.Subject = t.Subject
	}
	if draft.MessageID == "" {
		draft.MessageID = "import-" + hashSecret(t.Source + "\n" + t.ID + "\n" + e.ID)[:32] + "@" + d.options.Hostname
	}
	for _, f := range e.Files {
		draft.Attachments = append(draft.Attachments, mail.Attachment{Filename: f.Filename, ContentType: f.ContentType, ContentID: f.ContentID,
			Inline: f.ContentID != "", Data: f.Data})
	}
	return mail.Compose(draft)
}

// importTicket writes a batch of a ticket's entries.
func (c *command) importTicket(t ImportedTicket, o ImportOptions, entries []importEntry, done *ImportOutcome) error {
	fresh, err := c.notImported(t, entries, done)
	if err != nil {
		return err
	}
	ticket, err := c.importedBefore(t, fresh)
	if err != nil {
		return err
	}
	if ticket == nil {
		if len(fresh) == 0 && done.Known > 0 {
			return nil // all of it is elsewhere already
		}
		if ticket, err = c.openImported(t, o, fresh, done); err != nil || ticket == nil {
			return err
		}
	}
	done.Ticket = ticket.Number
	last := ticket.UpdatedAt
	for _, e := range fresh {
		switch {
		case e.Kind == ImportedLogged:
			err = c.importLogged(ticket, t, e, done)
		case e.arrival == nil:
			err = c.importNote(ticket, t, e, done)
		default:
			err = c.importMessage(ticket, t, e, done)
		}
		if err != nil {
			return err
		}
		if e.At.After(last) {
			last = e.At
		}
	}
	if !ticket.Open {
		if err := c.settle(ticket, c.last); err != nil {
			return err
		}
	}
	if err := c.recount(ticket); err != nil {
		return err
	}
	ticket.UpdatedAt = last
	if len(fresh) > 0 {
		ticket.ImportedSeq = c.last
	}
	return tickets.Put(c, ticket)
}

// notImported leaves out what is here already: imported before, or the same mail that
// came another way, or that an archive has in two folders.
func (c *command) notImported(t ImportedTicket, entries []importEntry, done *ImportOutcome) (fresh []importEntry, err error) {
	ids, mails := map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		known, err := importedItems.Has(c, key(t.Source, importedEntryItem, e.ID))
		if err != nil {
			return nil, err
		}
		identity := ""
		if e.arrival != nil {
			identity = e.arrival.message.Identity
		}
		if !known && identity != "" {
			same, err := sameMail(c, identity)
			if err != nil {
				return nil, err
			}
			known = same != nil || mails[identity]
		}
		if known || ids[e.ID] {
			done.Known++
			continue
		}
		ids[e.ID] = true
		if identity != "" {
			mails[identity] = true
		}
		fresh = append(fresh, e)
	}
	return fresh, nil
}

// importedBefore is the ticket that an imported one is here already, or that its
// mails answer; nil for none.
func (c *command) importedBefore(t ImportedTicket, entries []importEntry) (*Ticket, error) {
	item, err := optional(importedItems.Get(c, key(t.Source, importedTicketItem, t.ID)))
	if err != nil {
		return nil, err
	}
	number := uint64(0)
	if item != nil {
		number = item.Ticket
	}
	for _, e := range entries {
		if number != 0 || e.arrival == nil {
			continue
		}
		m := &e.arrival.message
		for _, id := range slices.Concat(m.InReplyTo, m.References) {
			before, err := optional(messages.First(c, "messageid", key(id)))
			if err != nil {
				return nil, err
			}
			if before != nil && before.Reason == ReasonImported { // never into what is being worked on
				number = before.Ticket
				break
			}
		}
	}
	if number == 0 {
		return nil, nil
	}
	ticket, err := tickets.Get(c, key(number))
	if err != nil {
		return nil, err
	}
	return leadsTo(c, ticket)
}

// NoteImport writes into the audit log that an import was done, and what it brought.
func (d *Desk) NoteImport(ctx context.Context, a Actor, source string, tickets, messages, left int) error {
	if err := a.mayAdminister("import tickets"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventImportDone, Data: map[string]string{"source": source,
			"tickets": fmt.Sprint(tickets), "messages": fmt.Sprint(messages), "left": fmt.Sprint(left)}})
		return err
	})
}

// verifyImported follows what was imported to its ticket.
func verifyImported(_ context.Context, r store.Reader) (problems []string, err error) {
	for i, err := range importedItems.Scan(r, store.Range{}) {
		if err != nil {
			return problems, err
		}
		if has, err := tickets.Has(r, key(i.Ticket)); err != nil || !has {
			problems = append(problems, fmt.Sprintf("%s %s of %s was imported into ticket %d, which does not exist (%v)", i.Kind, i.ID, i.Source, i.Ticket, err))
		}
	}
	return problems, nil
}
