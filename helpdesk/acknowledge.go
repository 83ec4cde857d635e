package helpdesk

import (
	"cmp"
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// An acknowledgement tells a customer that a first mail has arrived. It obeys
// the rules of all that nobody wrote: see automatic.go.

// acknowledgeLater sets the timer for the acknowledgement of the mail that has
// just opened a ticket, where its alias has one and the mail may be answered.
func (c *command) acknowledgeLater(t *Ticket, m *Message, recipients []*recipient) error {
	alias, err := c.aliasOf(t, recipients)
	if err != nil || alias == nil || !alias.acknowledges() || !m.answerable() {
		return err
	}
	if ours, err := isOurs(c, m.From.Email); err != nil || ours {
		return err
	}
	if unwanted, err := silent(c, m.From.Email); err != nil || unwanted {
		return err
	}
	return c.setTimer(TimerAcknowledge, m.ID, c.now)
}

// aliasOf is the ticket's alias, nil where it is gone; mostly one of the recipients,
// which have been read.
func (c *command) aliasOf(t *Ticket, recipients []*recipient) (*Alias, error) {
	for _, r := range recipients {
		if r.alias != nil && r.alias.ID == t.AliasID {
			return r.alias, nil
		}
	}
	return optional(aliases.Get(c, key(t.AliasID)))
}

// Acknowledge works on a TimerAcknowledge: it composes and queues the
// acknowledgement of a mail, unless somebody answered meanwhile or its sender
// has had one lately.
func (d *Desk) Acknowledge(ctx context.Context, messageID string) error {
	var o *outgoing
	err := d.view(ctx, func(r store.Reader) (err error) {
		o, err = d.prepareAcknowledgement(r, messageID)
		return err
	})
	if err != nil {
		return fmt.Errorf("acknowledge message %s: %w", messageID, err)
	}
	var raw []byte
	var refusal string
	if o != nil {
		if raw, err = mail.Compose(o.draft); err != nil { // an address that no mail can name: it stays so
			refusal = err.Error()
		}
	}
	return d.update(ctx, System("acknowledge"), func(c *command) error {
		wanted, err := timers.Has(c, key(string(TimerAcknowledge), messageID))
		if err != nil || !wanted { // done meanwhile
			return err
		}
		if err := c.clearTimer(TimerAcknowledge, messageID); err != nil || o == nil {
			return err
		}
		if refusal != "" {
			return c.skipAcknowledgement(&o.message, refusal)
		}
		return c.postAcknowledgement(o, store.Compress(raw))
	})
}

// prepareAcknowledgement returns nil where none is wanted any more.
func (d *Desk) prepareAcknowledgement(r store.Reader, messageID string) (*outgoing, error) {
	m, err := messages.Get(r, key(messageID))
	if err != nil || !m.answerable() {
		return nil, err
	}
	ticket, err := tickets.Get(r, key(m.Ticket))
	if err != nil || ticket.Spam != nil {
		return nil, err
	}
	alias, err := optional(aliases.Get(r, key(ticket.AliasID)))
	if err != nil || alias == nil || alias.Disabled || !alias.acknowledges() {
		return nil, err
	}
	suppressed, err := suppressionOf(r, m.From.Email)
	if err != nil || suppressed != nil {
		return nil, err
	}
	if unwanted, err := silent(r, m.From.Email); err != nil || unwanted {
		return nil, err
	}
	found, err := tallyOf(r, ticket.Number)
	if err != nil {
		return nil, err
	}
	for _, other := range found.thread {
		if other.Direction == Outbound && other.Via == m.ID { // an agent was quicker
			return nil, nil
		}
	}
	occasion, err := d.occasionNow(r, ticket, alias, "")
	if err != nil {
		return nil, err
	}
	if occasion.language, err = messageLanguage(r, m, alias); err != nil {
		return nil, err
	}
	return d.newAcknowledgement(&occasion, m), nil
}

// newAcknowledgement writes it in the language of the mail that it answers, as far as
// there is a text in it: names, dates and the subject's mark are in that of the text.
func (d *Desk) newAcknowledgement(on *occasion, m *Message) *outgoing {
	words, _ := on.alias.acknowledgement(on.language)
	on.language = cmp.Or(words.Language, letterLanguage(words.Text, on.alias.Language))
	words = on.values().complete(words)
	words.Language = on.language
	return d.newAutomatic(on, m, automatic{words: words, reason: ReasonAcknowledged, subject: automaticSubject(on.language, m.Subject)})
}

// postAcknowledgement writes the acknowledgement, if the limits allow it.
func (c *command) postAcknowledgement(o *outgoing, raw store.Blob) error {
	m := o.message
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	if ticket.MergedInto != 0 { // between composing and now: its customer has company there
		return nil
	}
	refusal, err := c.limitAutomatic(acknowledgementLimits(c.desk, withoutSubaddress(m.To[0].Email)))
	if err != nil {
		return err
	}
	if refusal != nil {
		return c.skipAcknowledgement(&m, refusal.String())
	}
	if err := c.putAutomatic(o, raw); err != nil {
		return err
	}
	if m.Seq, err = c.record(Event{Kind: EventAcknowledged, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"to": m.To[0].Email}}); err != nil {
		return err
	}
	if err := messages.Put(c, &m); err != nil {
		return err
	}
	ticket.Messages++ // and nothing else: the customer still waits for a person
	return tickets.Put(c, ticket)
}

// skipAcknowledgement says on the ticket why it was not sent.
func (c *command) skipAcknowledgement(m *Message, why string) error {
	_, err := c.record(Event{Kind: EventAcknowledgementSkipped, Ticket: m.Ticket, Message: m.Via,
		Data: map[string]string{"recipient": m.To[0].Email, "text": why}})
	return err
}

func acknowledgementLimits(d *Desk, address string) []automaticLimit {
	return []automaticLimit{
		{"address:" + address, 1, addressPause},
		{"domain:" + domainOf(address), d.options.AcknowledgementsPerDomain, domainPause},
	}
}
