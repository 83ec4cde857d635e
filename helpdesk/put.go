package helpdesk

import (
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// put writes an inbound message where p says, and its ticket.
func (c *command) put(m *Message, p placement, recipients []*recipient) error {
	ticket := p.ticket
	if ticket == nil {
		var err error
		if ticket, err = c.openTicket(m, p.previous, recipients); err != nil {
			return err
		}
	}
	if p.blocked != "" || p.filter != "" {
		if err := c.setSpam(ticket, p.blocked, p.filter); err != nil {
			return err
		}
	}
	m.Ticket, m.State, m.Reason, m.Via = ticket.Number, p.state, p.reason, p.via
	c.trace.placed(m, p.ticket == nil)
	for _, r := range recipients {
		if r.token == nil {
			ticket.Aliases = appendNew(ticket.Aliases, r.alias.Address)
		}
	}
	kind := EventMessageReceived
	switch m.State {
	case MessageHeld:
		ticket.Held++
		kind = EventMessageHeld
	case MessageRelayed:
		kind = EventMessageRelayed
		if err := c.setTimer(TimerRelay, m.ID, c.now); err != nil {
			return err
		}
	case MessageRefused:
		kind = EventMessageRefused
	}
	seq, err := c.record(Event{Kind: kind, Ticket: ticket.Number, Message: m.ID,
		Data: map[string]string{"from": m.From.Email, "reason": string(m.Reason), "kind": string(m.Kind)}})
	if err != nil {
		return err
	}
	m.Seq, ticket.UpdatedAt = seq, c.now
	if m.State == MessagePosted {
		if err := c.admitPosted(ticket, m, p.ticket == nil); err != nil {
			return err
		}
	}
	if p.ticket == nil && ticket.Spam == nil {
		if err := c.acknowledgeLater(ticket, m, recipients); err != nil {
			return err
		}
		if err := c.matchLater(ticket, m); err != nil {
			return err
		}
	}
	if err := messages.Put(c, m); err != nil {
		return err
	}
	return tickets.Put(c, ticket)
}

// admitPosted lets a posted message act on its ticket, which it has perhaps just
// opened.
func (c *command) admitPosted(t *Ticket, m *Message, opened bool) error {
	if opened && t.Spam == nil {
		if err := c.applyRules(t, m); err != nil {
			return err
		}
	}
	return c.join(t, m, m.Seq)
}

// openTicket makes the ticket for a first message.
func (c *command) openTicket(m *Message, previous *Ticket, recipients []*recipient) (*Ticket, error) {
	contact, err := c.contactFor(m.From, m.At)
	if err != nil {
		return nil, err
	}
	number, err := nextNumber(c)
	if err != nil {
		return nil, err
	}
	t := &Ticket{Number: number, Subject: m.Subject, ContactID: contact.ID, CreatedAt: c.now, OpenedAt: c.now, UpdatedAt: c.now, Trust: m.Authentication.Trust()}
	alias := recipients[0].alias
	if i := slices.IndexFunc(recipients, func(r *recipient) bool { return r.token == nil }); i >= 0 {
		alias = recipients[i].alias
	}
	switch {
	case alias != nil:
		err = c.bindTo(t, alias)
	case previous != nil: // its alias is gone; the ticket it continues still knows the way
		t.AliasID, t.PipelineID = previous.AliasID, previous.PipelineID
	}
	if err != nil {
		return nil, err
	}
	for _, r := range recipients {
		if r.token == nil {
			t.Tags = appendNew(t.Tags, r.alias.Tags...)
		}
	}
	if previous != nil {
		err = c.continues(t, previous)
	} else {
		t.AutoAssignee = t.AssigneeID
	}
	if err != nil {
		return nil, err
	}
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return nil, err
	}
	t.StageID, t.Open = pipeline.Stages[0].ID, pipeline.Stages[0].Kind == StageOpen
	c.trace.opened(t, pipeline)
	_, err = c.record(Event{Kind: EventTicketCreated, Ticket: t.Number, Message: m.ID,
		Data: map[string]string{"subject": t.Subject, "stage": pipeline.Stages[0].Name, "pipeline": pipeline.Name}})
	return t, err
}

// bindTo gives a new ticket what its alias says.
func (c *command) bindTo(t *Ticket, alias *Alias) (err error) {
	t.AliasID, t.PipelineID, t.Tags, t.Language = alias.ID, alias.PipelineID, slices.Clone(alias.Tags), alias.Language
	if t.TeamID, err = c.activeTeam(alias.TeamID); err != nil {
		return err
	}
	t.AssigneeID, err = c.activeUser(alias.OwnerID)
	return err
}

// continues gives a new ticket the people of the one that it continues.
func (c *command) continues(t, previous *Ticket) (err error) {
	t.Previous = previous.Number
	t.Participants, t.Invited = slices.Clone(previous.Participants), slices.Clone(previous.Participants)
	if t.AssigneeID, err = c.activeUser(previous.AssigneeID); err != nil {
		return err
	}
	if previous.TeamID != "" {
		t.TeamID, err = c.activeTeam(previous.TeamID)
	}
	return err
}

// join lets a posted inbound message act on its ticket.
func (c *command) join(t *Ticket, m *Message, seq uint64) error {
	t.Messages++
	m.Seq = seq
	var err error
	if m.ThirdParty, err = c.ofThirdParty(t, m); err != nil {
		return err
	}
	before := len(t.Participants)
	if m.wasTakenIn() {
		t.Participants = appendNew(t.Participants, m.From.Email)
	}
	if !m.fromCustomer() {
		if t.Messages == 1 {
			t.Snippet = m.Snippet
		}
		return nil
	}
	t.Snippet, t.CustomerSeq = m.Snippet, seq
	if m.vouches() {
		t.Trust = m.Authentication.Trust()
	}
	t.WaitingSince = earlier(t.WaitingSince, m.At)
	if err := c.addParticipants(t, m); err != nil {
		return err
	}
	if err := c.bringsIn(t, m, before); err != nil {
		return err
	}
	if err := c.wakeTicket(t, WokenByCustomer); err != nil {
		return err
	}
	if err := c.stopScheduled(t); err != nil {
		return err
	}
	if !t.Open {
		if err := c.reopen(t); err != nil {
			return err
		}
	}
	if t.Spam != nil {
		return nil
	}
	if err := c.coverAbsence(t); err != nil {
		return err
	}
	return c.copyToAssignee(t, m)
}

// maxParticipants bounds what one mail to a crowd can add.
const maxParticipants = 200

// addParticipants lets those whom a customer wrote to, or named to answer to,
// take part; never an address of ours.
func (c *command) addParticipants(t *Ticket, m *Message) error {
	list := []string{m.From.Email, m.ReplyTo}
	for _, a := range slices.Concat(m.To, m.Cc) {
		list = append(list, a.Email)
	}
	for _, email := range list {
		if email == "" || len(t.Participants) >= maxParticipants || slices.Contains(t.Participants, email) {
			continue
		}
		if ours, err := isOurs(c, email); err != nil || ours {
			if err != nil {
				return err
			}
			continue
		}
		t.Participants = append(t.Participants, email)
	}
	return nil
}

func isOurs(r store.Reader, email string) (bool, error) {
	email = mailboxOf(email)
	if strings.HasPrefix(email, replyPrefix) || strings.HasPrefix(email, bouncePrefix) {
		if ours, err := aliases.HasIndexed(r, "domain", key(domainOf(email))); err != nil || ours {
			return ours, err
		}
	}
	return aliases.HasIndexed(r, "address", key(email))
}

func (c *command) reopen(t *Ticket) error {
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return err
	}
	stage, ok := pipeline.Stage(pipeline.ReopenStage)
	if !ok || stage.Kind != StageOpen {
		if stage, ok = pipeline.FirstOf(StageOpen); !ok {
			return nil
		}
	}
	t.StageID, t.Open, t.OpenedAt = stage.ID, true, c.now
	_, err = c.record(Event{Kind: EventTicketReopened, Ticket: t.Number, Data: map[string]string{"to": stage.Name}})
	return err
}

// activeUser returns id when it is that of a user who can be given work, or "".
func (c *command) activeUser(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	user, err := users.Get(c, key(id))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return "", nil
	}
	return id, err
}

func nextNumber(r store.Reader) (uint64, error) {
	last, err := lastNumber(tickets.FirstKey(r, store.Range{Reverse: true}))
	return last + 1, err
}

func appendNew[T comparable](list []T, more ...T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

func lowered(a mail.Address) Address {
	return Address{Name: a.Name, Email: loweredAddress(a.Address)}
}

func addresses(list []mail.Address) []Address {
	var out []Address
	for _, a := range list {
		out = append(out, lowered(a))
	}
	return out
}
