package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Opening makes a Reply a mail that begins a ticket of its own.
type Opening struct {
	AliasID string // the alias that it leaves from
	Subject string
}

// maxSubject is in characters: what mail programs show of it is far less.
const maxSubject = 250

// clean checks an opening, and makes its subject one line.
func (o *Opening) clean() error {
	o.Subject = strings.Join(strings.Fields(strings.ToValidUTF8(o.Subject, "")), " ")
	switch n := utf8.RuneCountInString(o.Subject); {
	case o.AliasID == "":
		return invalid("alias", "alias_missing", "choose the address that the mail leaves from")
	case o.Subject == "":
		return invalid("subject", "subject_empty", "the subject is empty; say in a few words what the mail is about")
	case n > maxSubject:
		return invalid("subject", "subject_too_long", "the subject has %d characters; the limit is %d", n, maxSubject)
	}
	return nil
}

// cleanOpening checks what a mail that begins a ticket has besides a reply.
func (r *Reply) cleanOpening() error {
	if (r.Opening != nil) != (r.Ticket == 0) {
		return invalid("ticket", "bad_request", "a reply belongs to a ticket, and a new mail to none")
	}
	if r.Opening == nil {
		return nil
	}
	opening := *r.Opening
	r.Opening = &opening
	if err := opening.clean(); err != nil {
		return err
	}
	if len(r.To) == 0 {
		return invalid("to", "to_empty", "the mail has no recipient; enter one under To")
	}
	return nil
}

// Matter is what a text is written on: a ticket or, where Ticket is 0, a mail
// that is to begin one, of which not all may be known yet.
type Matter struct {
	Ticket  uint64
	AliasID string
	To      string // the first recipient's address
}

// ground is what a text is written on, as the store knows it.
type ground struct {
	ticket  *Ticket // one that is not there yet has no number
	alias   *Alias  // nil where it is gone, or not chosen
	contact *Contact
}

// groundOf reads the ticket of a matter with the alias that answers leave from,
// or makes one as a new mail would.
func groundOf(r store.Reader, m Matter) (g ground, err error) {
	if m.Ticket == 0 {
		if g.alias, err = optional(aliases.Get(r, key(m.AliasID))); err != nil {
			return g, err
		}
		return g, g.begin(r, Address{Email: m.To}, "")
	}
	if g.ticket, err = tickets.Get(r, key(m.Ticket)); err != nil {
		g.ticket, err = found(g.ticket, err, "ticket", m.Ticket)
		return g, err
	}
	if g.alias, err = optional(aliases.Get(r, key(g.ticket.AliasID))); err != nil {
		return g, err
	}
	g.contact, err = optional(contacts.Get(r, key(g.ticket.ContactID)))
	return g, err
}

// begin makes the ticket that a mail to somebody would begin.
func (g *ground) begin(r store.Reader, to Address, subject string) (err error) {
	g.ticket = &Ticket{Subject: subject, Trust: TrustUnknown}
	if g.alias != nil {
		g.ticket.AliasID, g.ticket.Language = g.alias.ID, g.alias.Language
	}
	if to.Email == "" {
		return nil
	}
	if g.contact, err = contactOf(r, to.Email); err != nil {
		return err
	}
	if g.contact == nil {
		g.contact = &Contact{Name: to.Name, Email: to.Email}
		return nil
	}
	g.ticket.ContactID = g.contact.ID
	for newest, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(g.contact.ID))) {
		if err != nil {
			return err
		}
		g.ticket.Language = cmp.Or(newest.Language, g.ticket.Language)
		break
	}
	return nil
}

// occasion is what a text of a user's is filled with here.
func (d *Desk) occasion(r store.Reader, g ground, userID string) (occasion, error) {
	o, err := d.occasionNow(r, g.ticket, g.alias, userID)
	if err != nil {
		return o, err
	}
	if o.contact == nil {
		o.contact = g.contact
	}
	o.language, err = ticketLanguage(r, g.ticket, g.alias)
	return o, err
}

// openingGround is what a mail that begins a ticket stands on; its alias must
// be able to send, and nobody writes to the house itself.
func openingGround(r store.Reader, reply *Reply) (g ground, err error) {
	if g.alias, err = senderAlias(r, reply.Opening.AliasID); err != nil {
		return g, err
	}
	for _, to := range reply.To {
		if ours, err := isOurs(r, strings.ToLower(to.Email)); err != nil || ours {
			return g, cmp.Or(err, invalid("to", "to_ourselves", "%s is an address of this helpdesk; mail to it would open a ticket here", to.Email))
		}
	}
	return g, g.begin(r, reply.To[0], reply.Opening.Subject)
}

// senderAlias is the alias with an id, which must be able to send.
func senderAlias(r store.Reader, id string) (*Alias, error) {
	alias, err := aliases.Get(r, key(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid("alias", "alias_gone", "the address that the mail was to leave from is gone; choose another")
	}
	if err == nil && alias.Disabled {
		return nil, invalid("alias", "sender_disabled", "alias %s is disabled; choose another, or enable it", alias.Address)
	}
	return alias, err
}

// openFor makes the ticket that a mail of ours begins, and says so in the log.
func (c *command) openFor(r *Reply, m *Message) (*Ticket, error) {
	g, err := openingGround(c, r)
	if err != nil {
		return nil, err
	}
	contact, err := c.contactFor(Address{Name: r.To[0].Name, Email: loweredAddress(r.To[0].Email)}, c.now)
	if err != nil {
		return nil, err
	}
	number, err := nextNumber(c)
	if err != nil {
		return nil, err
	}
	t := g.ticket
	t.Number, t.ContactID, t.CreatedAt, t.OpenedAt, t.UpdatedAt = number, contact.ID, c.now, c.now, c.now
	t.PipelineID, t.Tags, t.Aliases = g.alias.PipelineID, appendNew(nil, g.alias.Tags...), []string{g.alias.Address}
	if t.TeamID, err = c.activeTeam(g.alias.TeamID); err != nil {
		return nil, err
	}
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return nil, err
	}
	t.StageID, t.Open = pipeline.Stages[0].ID, pipeline.Stages[0].Kind == StageOpen
	m.Ticket = number
	_, err = c.record(Event{Kind: EventTicketCreated, Ticket: number, Message: m.ID,
		Data: map[string]string{"subject": t.Subject, "stage": pipeline.Stages[0].Name, "pipeline": pipeline.Name, "to": contact.Email}})
	return t, err
}

// withdraw takes a ticket out of all lists whose first mail was taken back
// before it left, where nothing else is on it. Its number is not used again.
func (c *command) withdraw(t *Ticket) error {
	if t.Messages > 0 || t.Held > 0 || len(t.Drafters) > 0 {
		return nil
	}
	for _, err := range notes.ScanIndex(c, "ticket", store.Prefix(key(t.Number))) {
		return err
	}
	if err := c.endSnooze(t); err != nil {
		return err
	}
	t.Withdrawn = true
	_, err := c.record(Event{Kind: EventTicketWithdrawn, Ticket: t.Number})
	return err
}

// acquaintances are the addresses of those whom a new mail goes to and with
// whom the house has exchanged mail.
func acquaintances(r store.Reader, addresses ...Address) (map[string]bool, error) {
	known := map[string]bool{}
	for _, a := range addresses {
		contact, err := contactOf(r, a.Email)
		if err != nil {
			return nil, err
		}
		if contact == nil {
			continue
		}
		n, err := countUpTo(tickets, r, "contact", key(contact.ID))
		if err != nil {
			return nil, err
		}
		known[strings.ToLower(a.Email)] = n > 0
	}
	return known, nil
}

// Senders returns the aliases that a new mail can leave from, by name.
func (d *Desk) Senders(ctx context.Context, a Actor) ([]Alias, error) {
	if err := a.may("write a mail", PermitReply); err != nil {
		return nil, err
	}
	list, err := d.Aliases(ctx, a)
	if err != nil {
		return nil, err
	}
	var senders []Alias
	for _, alias := range list {
		if !alias.Disabled {
			senders = append(senders, alias)
		}
	}
	return senders, nil
}

// Begun returns the ticket that the actor's mail with an idempotency key began
// or joined, 0 where there is none.
func (d *Desk) Begun(ctx context.Context, a Actor, k string) (ticket uint64, err error) {
	if err := a.mayRead("a draft"); err != nil {
		return 0, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		m, err := (&Reply{IdempotencyKey: k}).repeated(r, a)
		if m != nil && m.State != MessageUndone {
			ticket = m.Ticket
		}
		return err
	})
	return ticket, err
}
