package helpdesk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// openImported makes the ticket for the entries that are imported into it.
func (c *command) openImported(t ImportedTicket, o ImportOptions, entries []importEntry, done *ImportOutcome) (*Ticket, error) {
	alias, err := c.importAlias(t, o, entries)
	if err != nil {
		return nil, err
	}
	pipeline, err := c.importPipeline(t, alias, done)
	if err != nil {
		return nil, err
	}
	ways, err := c.importWays(t, alias)
	if err != nil {
		return nil, err
	}
	previous, err := c.importPrevious(t)
	if err != nil {
		return nil, err
	}
	created := t.CreatedAt.UTC().Round(0)
	if created.IsZero() && len(entries) > 0 {
		created = entries[0].At
	}
	if created = storable(created); created.IsZero() {
		created = c.now
	}
	contact, err := c.importRequester(c.requester(t, entries), created, t, done)
	if err != nil {
		return nil, err
	}
	number, err := nextNumber(c)
	if err != nil {
		return nil, err
	}
	ticket := &Ticket{Number: number, Subject: t.Subject, ContactID: contact.ID, AliasID: alias.ID, Aliases: ways, PipelineID: pipeline.ID, Previous: previous,
		Tags: t.Tags, Priority: t.Priority, Trust: TrustUnknown, CreatedAt: created, OpenedAt: created, UpdatedAt: created, ImportedAt: c.now,
		Language: cmp.Or(t.Language, alias.Language), RulesDone: true}
	if t.Spam {
		ticket.Spam = &Spam{By: c.actor.UserID, At: c.now}
	}
	if updated := storable(t.UpdatedAt.UTC().Round(0)); updated.After(created) && updated.Before(c.now) {
		ticket.UpdatedAt = updated
	}
	if ticket.Tags, err = cleanTags(t.Tags); err != nil {
		ticket.Tags = nil
		done.Left = append(done.Left, fmt.Sprintf("its tags: %v", err))
	}
	stage := importStage(t, pipeline, done)
	ticket.StageID, ticket.Open = stage.ID, stage.Kind == StageOpen
	if err := errors.Join(c.giveImported(ticket, t, done), c.importFields(ticket, t, done), c.importCompany(contact, t, done)); err != nil {
		return nil, err
	}
	if err := importedItems.Put(c, &importedItem{Source: t.Source, Kind: importedTicketItem, ID: t.ID, Ticket: number}); err != nil {
		return nil, err
	}
	done.Opened = true
	_, err = c.record(Event{Kind: EventTicketImported, Ticket: number, Data: map[string]string{"source": t.Source, "id": t.ID, "subject": t.Subject}})
	return ticket, err
}

// giveImported gives the ticket to whom its source names, where they are here.
func (c *command) giveImported(ticket *Ticket, t ImportedTicket, done *ImportOutcome) error {
	if t.Assignee != "" {
		user, err := optional(users.First(c, "email", key(strings.ToLower(t.Assignee))))
		switch {
		case err != nil:
			return err
		case user == nil || user.Disabled:
			done.Left = append(done.Left, fmt.Sprintf("its assignee %s, who is no user here", t.Assignee))
		default:
			ticket.AssigneeID = user.ID
		}
	}
	if t.Team == "" {
		return nil
	}
	for team, err := range teams.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if strings.EqualFold(team.Name, t.Team) {
			ticket.TeamID = team.ID
			return nil
		}
	}
	done.Left = append(done.Left, fmt.Sprintf("its group %q, which is no team here", t.Team))
	return nil
}

// importAlias is the alias of an imported ticket: the first of ours that its mails
// name, else the one that the importer chose.
func (c *command) importAlias(t ImportedTicket, o ImportOptions, entries []importEntry) (*Alias, error) {
	if t.Alias != "" {
		alias, err := optional(aliases.First(c, "address", key(mailboxOf(t.Alias))))
		if err != nil || alias != nil {
			return alias, err
		}
	}
	for _, e := range entries {
		if e.arrival == nil {
			continue
		}
		m := &e.arrival.message
		for _, address := range slices.Concat(m.To, m.Cc, []Address{m.From}) {
			alias, err := optional(aliases.First(c, "address", key(mailboxOf(address.Email))))
			if err != nil || alias != nil {
				return alias, err
			}
		}
	}
	if o.Alias == "" {
		return nil, invalid("alias", "import_no_alias", "none of its mails is to an address of this house; name one that such tickets belong to (--alias support@example.com)")
	}
	alias, err := optional(aliases.First(c, "address", key(mailboxOf(o.Alias))))
	if err == nil && alias == nil {
		err = notFound("alias", o.Alias)
	}
	return alias, err
}

// requester is who an imported ticket is from.
func (c *command) requester(t ImportedTicket, entries []importEntry) Address {
	if t.Requester.Email != "" && checkAddress("requester", t.Requester.Email) == nil {
		from := Address{Name: t.Requester.Name, Email: strings.ToLower(t.Requester.Email)}
		for _, e := range entries {
			if from.Name == "" && e.arrival != nil && e.arrival.message.From.Email == from.Email {
				from.Name = e.arrival.message.From.Name
			}
		}
		return from
	}
	for _, e := range entries {
		if e.arrival == nil {
			continue
		}
		m := &e.arrival.message
		candidates := []Address{m.From}
		if e.Kind == ImportedOut || c.ours(m.From.Email) {
			candidates = m.To
		}
		for _, a := range candidates {
			if checkAddress("from", a.Email) == nil && !c.ours(a.Email) {
				return a
			}
		}
	}
	return Address{Name: t.Requester.Name, Email: standIn(t)}
}

// ours reports whether an address is an alias of the house or a user's.
func (c *command) ours(email string) bool {
	email = strings.ToLower(email)
	if is, err := isOurs(c, email); err != nil || is {
		return is
	}
	user, err := optional(users.First(c, "email", key(email)))
	return err == nil && user != nil
}

// importRequester finds or makes the contact of an imported ticket. When they were last
// seen is not moved: the house knows better.
func (c *command) importRequester(from Address, created time.Time, t ImportedTicket, done *ImportOutcome) (*Contact, error) {
	contact, err := contactOf(c, from.Email)
	switch {
	case err != nil:
		return nil, err
	case contact != nil && !created.Before(contact.CreatedAt):
		return contact, nil
	case contact != nil: // they first wrote before the house knew them
		contact.CreatedAt = created
		return contact, contacts.Put(c, contact)
	}
	contact = &Contact{ID: c.desk.newID(), Email: from.Email, Name: from.Name, CreatedAt: created, LastSeenAt: storable(t.UpdatedAt.UTC().Round(0))}
	done.Contact = true
	return contact, contacts.Put(c, contact)
}

// importMessage writes one message into the thread.
func (c *command) importMessage(ticket *Ticket, t ImportedTicket, e importEntry, done *ImportOutcome) error {
	m, body := e.arrival.message, e.arrival.body
	m.ID = c.desk.newID()
	body.MessageID = m.ID
	m.Ticket, m.State, m.Reason, m.At, m.NeverAnswer = ticket.Number, MessagePosted, ReasonImported, e.At, true
	m.ThirdParty, m.Bcc = e.ThirdParty, e.Bcc
	if e.Reason != "" {
		m.Reason, m.Automatic = e.Reason, true
	}
	if m.Date.IsZero() {
		m.Date = e.At
	}
	if e.Kind == ImportedOut || e.Kind == ImportedMail && c.ours(m.From.Email) {
		m.Direction, m.Kind = Outbound, KindPerson
		if m.Automatic {
			m.Kind = KindAutoReply
		}
		author := e.Author.Email
		if author == "" {
			author = m.From.Email
		}
		user, err := optional(users.First(c, "email", key(strings.ToLower(author))))
		if err != nil {
			return err
		}
		if user != nil {
			m.AuthorID = user.ID
		}
	}
	var err error
	if m.Forwarded, err = c.importedAs(t, e.Forwarded); err != nil {
		return err
	}
	if m.Seq, err = c.record(Event{Kind: EventMessageImported, Ticket: ticket.Number, Message: m.ID, Data: map[string]string{"from": m.From.Email}}); err != nil {
		return err
	}
	if e.Answered {
		m.Settled = m.Seq
	}
	switch {
	case m.Reason == ReasonAcknowledged || m.Settled != 0: // it answers nothing, and nobody waits
	case m.Direction == Outbound && m.ThirdParty:
		err = c.settleThirdParties(ticket, m.Seq)
	case m.Direction == Outbound:
		err = c.settle(ticket, m.Seq)
	case m.fromCustomer():
		ticket.WaitingSince = earlier(ticket.WaitingSince, m.At)
	}
	done.Messages++
	return errors.Join(err, raws.Put(c, key(m.ID), e.arrival.raw), bodies.Put(c, &body), messages.Put(c, &m),
		importedItems.Put(c, &importedItem{Source: t.Source, Kind: importedEntryItem, ID: e.ID, Ticket: ticket.Number, Item: m.ID}))
}

// importNote writes a note; one that is longer than a note may be becomes several.
func (c *command) importNote(ticket *Ticket, t ImportedTicket, e importEntry, done *ImportOutcome) error {
	text := strings.TrimSpace(e.Text)
	if text == "" {
		done.Left = append(done.Left, fmt.Sprintf("note %s: it is empty", e.ID))
		return nil
	}
	author := ""
	user, err := optional(users.First(c, "email", key(strings.ToLower(e.Author.Email))))
	switch {
	case err != nil:
		return err
	case user != nil:
		author = user.ID
	case e.Author != Address{}: // who it was stands in the note, as nobody here can
		text = strings.TrimSpace(e.Author.Name+" "+e.Author.Email) + ":\n" + text
	}
	first := ""
	for at := e.At; text != ""; at = at.Add(time.Millisecond) {
		part := text
		if len(part) > maxNote {
			end := maxNote
			for !utf8.RuneStart(text[end]) {
				end--
			}
			part = text[:end]
		}
		text = text[len(part):]
		n := &Note{ID: c.desk.newID(), Ticket: ticket.Number, AuthorID: author, Text: part, At: at}
		if n.Seq, err = c.record(Event{Kind: EventNoteImported, Ticket: ticket.Number, Data: map[string]string{"note": n.ID}}); err != nil {
			return err
		}
		if err := notes.Put(c, n); err != nil {
			return err
		}
		if first == "" {
			first = n.ID
		}
	}
	done.Notes++
	return importedItems.Put(c, &importedItem{Source: t.Source, Kind: importedEntryItem, ID: e.ID, Ticket: ticket.Number, Item: first})
}
