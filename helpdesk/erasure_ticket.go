package helpdesk

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// otherCustomer is somebody else who wrote on a ticket, or was written to, as a customer;
// nil where the ticket is one person's alone. Third parties, who were asked about the
// matter, are no customers.
func otherCustomer(r store.Reader, t *Ticket, addresses []string) (*Address, error) {
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
		if err != nil {
			return nil, err
		}
		if m.ThirdParty || m.State != MessagePosted && m.State != MessageHeld {
			continue
		}
		if m.fromCustomer() && !slices.Contains(addresses, m.From.Email) {
			return &m.From, nil
		}
		to := slices.Concat(m.To, m.Cc, m.Bcc)
		theirs := func(a Address) bool { return slices.Contains(addresses, loweredAddress(a.Email)) }
		if m.Direction == Outbound && len(to) > 0 && !slices.ContainsFunc(to, theirs) {
			return &to[0], nil
		}
	}
	return nil, nil
}

// eraseTicket empties a ticket for good. Its number stays, and says that it was erased.
// One with another customer becomes theirs.
func (c *command) eraseTicket(e *Erasure, number uint64, made []string) error {
	t, err := tickets.Get(c, key(number))
	if err != nil || !t.ErasedAt.IsZero() || !slices.Contains(e.Contacts, t.ContactID) {
		return err
	}
	other, err := otherCustomer(c, t, e.Addresses)
	if err != nil {
		return err
	}
	if other != nil {
		return c.leaveTicket(e, t, *other)
	}
	list, err := messagesOf(c, number)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := c.eraseMessage(e, m); err != nil {
			return err
		}
	}
	for _, value := range made {
		if err := tokens.Delete(c, key(value)); err != nil {
			return err
		}
	}
	if err := c.eraseOnTicket(number); err != nil {
		return err
	}
	if err := c.eraseHistory(e, number, list); err != nil {
		return err
	}
	e.Tickets++
	if _, err := c.record(Event{Kind: EventTicketErased, Ticket: number, Data: map[string]string{"erasure": e.ID}}); err != nil {
		return err
	}
	return tickets.Put(c, &Ticket{Number: number, ContactID: t.ContactID, PipelineID: t.PipelineID, StageID: t.StageID, Open: t.Open, Priority: t.Priority,
		MergedInto: t.MergedInto, Withdrawn: true, ErasedAt: c.now, Trust: TrustUnknown, CreatedAt: t.CreatedAt, OpenedAt: t.OpenedAt, UpdatedAt: c.now})
}

// leaveTicket gives a ticket that stays to the other customer on it.
func (c *command) leaveTicket(e *Erasure, t *Ticket, other Address) error {
	other.Email = loweredAddress(other.Email)
	contact, err := contactOf(c, other.Email)
	if err != nil {
		return err
	}
	if contact == nil {
		contact = &Contact{ID: c.desk.newID(), Email: other.Email, Name: other.Name, CreatedAt: t.CreatedAt, LastSeenAt: t.UpdatedAt}
		if err := contacts.Put(c, contact); err != nil {
			return err
		}
	}
	t.ContactID = contact.ID
	e.Left = append(e.Left, t.Number)
	if _, err := c.record(Event{Kind: EventTicketKept, Ticket: t.Number, Data: map[string]string{"erasure": e.ID, "to": contact.Email}}); err != nil {
		return err
	}
	return tickets.Put(c, t)
}

// eraseMessage deletes a message with all that is kept of it, and counts its mail as erased.
func (c *command) eraseMessage(e *Erasure, m *Message) error {
	list, err := deliveriesOf(c, m.ID)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := c.eraseDelivery(&d); err != nil {
			return err
		}
	}
	for _, kind := range []TimerKind{TimerCopy, TimerRelay, TimerAcknowledge, TimerAnalyse} {
		if err := c.clearTimer(kind, m.ID); err != nil {
			return err
		}
	}
	if err := c.eraseToken(replyPrefix, m.ReplyAddress); err != nil {
		return err
	}
	if err := c.eraseAnalysis(m.ID); err != nil {
		return err
	}
	if m.Direction == Inbound && m.Reason != ReasonLogged && m.Reason != ReasonImported {
		if err := c.accountErased(m.At); err != nil {
			return err
		}
		e.Mails++
	}
	for _, remove := range []func() error{
		func() error { return raws.Delete(c, key(m.ID)) },
		func() error { return bodies.Delete(c, key(m.ID)) },
		func() error { return messages.Delete(c, key(m.ID)) },
	} {
		if err := remove(); err != nil {
			return err
		}
	}
	return c.eraseBulkReply(m)
}

func (c *command) eraseDelivery(d *Delivery) error {
	if err := c.clearTimer(TimerDeliver, d.ID); err != nil {
		return err
	}
	if err := c.eraseToken(bouncePrefix, d.EnvelopeFrom); err != nil {
		return err
	}
	if d.RawID != "" {
		if err := raws.Delete(c, key(d.RawID)); err != nil {
			return err
		}
	}
	return deliveries.Delete(c, key(d.ID))
}

// eraseToken deletes the token in an address of ours, where there is one.
func (c *command) eraseToken(prefix, address string) error {
	local, _, _ := strings.Cut(address, "@")
	value, is := strings.CutPrefix(local, prefix)
	if !is || value == "" {
		return nil
	}
	return tokens.Delete(c, key(value))
}

func (c *command) eraseAnalysis(id string) error {
	a, err := optional(analyses.Get(c, key(id)))
	if err != nil || a == nil {
		return err
	}
	if a.Counted != nil && !a.Counted.Out {
		if err := c.countDay(a, -1); err != nil {
			return err
		}
	}
	return analyses.Delete(c, key(id))
}

// eraseBulkReply takes a message out of the bulk reply that it was part of.
func (c *command) eraseBulkReply(m *Message) error {
	if m.BulkReply == "" {
		return nil
	}
	for item, err := range bulkReplyItems.Scan(c, store.Prefix(key(m.BulkReply))) {
		if err != nil {
			return err
		}
		if item.Message == m.ID {
			return bulkReplyItems.Put(c, erasedBulkReplyItem(item))
		}
	}
	return nil
}

// eraseOnTicket deletes the notes, drafts and timers of a ticket, and what its moves and
// merges took along.
func (c *command) eraseOnTicket(number uint64) error {
	list, err := notesOf(c, number)
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := notes.Delete(c, key(n.ID)); err != nil {
			return err
		}
	}
	var written []*Draft
	for draft, err := range drafts.ScanIndex(c, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return err
		}
		written = append(written, draft)
	}
	for _, draft := range written {
		if err := c.deleteDraft(draft); err != nil {
			return err
		}
	}
	for _, kind := range []TimerKind{TimerWake, TimerMatch, TimerAutoReply, TimerOverdue} {
		if err := c.clearTimer(kind, formatNumber(number)); err != nil {
			return err
		}
	}
	var moved []*Moving
	for m, err := range movings.ScanIndex(c, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return err
		}
		moved = append(moved, m)
	}
	for _, m := range moved {
		m.Invited, m.Tags = nil, nil
		if m.UndoneAt.IsZero() { // there is nothing that could be taken back
			m.UndoneBy, m.UndoneAt = c.actor.UserID, c.now
		}
		if err := movings.Put(c, m); err != nil {
			return err
		}
	}
	return nil
}

// eraseHistory takes out of the log what it says of a ticket, and of messages that came
// to it from others.
func (c *command) eraseHistory(e *Erasure, number uint64, list []*Message) error {
	came := map[uint64][]string{}
	for _, m := range list {
		for _, moved := range m.Moved {
			came[moved.From] = append(came[moved.From], m.ID)
		}
	}
	var named []*Event
	collect := func(ticket uint64, concerns func(*Event) bool) error {
		for event, err := range events.ScanIndex(c, "ticket", store.Prefix(key(ticket))) {
			if err != nil {
				return err
			}
			if concerns(event) {
				named = append(named, event)
			}
		}
		return nil
	}
	if err := collect(number, func(*Event) bool { return true }); err != nil {
		return err
	}
	for from, ids := range came {
		if from == number {
			continue
		}
		if err := collect(from, func(event *Event) bool { return slices.Contains(ids, event.Message) }); err != nil {
			return err
		}
	}
	for _, event := range named {
		if err := c.redact(e, event); err != nil {
			return err
		}
	}
	return nil
}
