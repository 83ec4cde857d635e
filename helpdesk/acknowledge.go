package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// An acknowledgement tells a customer that a first mail has arrived. It is the
// only answer that nobody wrote, so it obeys RFC 3834:
//
//   - It goes to the author alone, and only when the author is the envelope
//     sender or is proven (section 4): a forged From gets nothing from us.
//   - It says so itself with Auto-Submitted (section 3.1.7), and in its subject
//     (section 3.1.5).
//   - Its envelope sender is a delivery's own bounce address, not the null one:
//     section 3.3 allows an address that answers to nothing automatically, and
//     so a bounce shows the agent that the customer cannot be reached.
//   - It is rare: once a day to an address, and a limited number an hour to a
//     domain (section 2).

// acknowledgeLater sets the timer for the acknowledgement of the mail that has
// just opened a ticket, where its alias has one and the mail may be answered.
func (c *command) acknowledgeLater(t *Ticket, m *Message) error {
	alias, err := optional(aliases.Get(c, key(t.AliasID)))
	if err != nil || alias == nil || !alias.acknowledges() || !m.acknowledgeable() {
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

// acknowledgeable reports whether a person wrote m from an address that an
// answer may safely go to.
func (m *Message) acknowledgeable() bool {
	if m.Kind != KindPerson || m.NeverAnswer || m.State != MessagePosted || m.Direction != Inbound {
		return false
	}
	if m.Reason == ReasonPostmaster || m.Reason == ReasonLogged || checkAddress("to", m.From.Email) != nil {
		return false
	}
	switch m.Authentication.Trust() {
	case TrustVerified:
		return m.Envelope.MailFrom != ""
	case TrustFailed:
		return false
	}
	return strings.EqualFold(m.Envelope.MailFrom, m.From.Email)
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
	if err != nil || !m.acknowledgeable() {
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
	occasion, err := occasionOf(r, ticket, alias, "", d.Now())
	if err != nil {
		return nil, err
	}
	if occasion.language, err = messageLanguage(r, m, alias); err != nil {
		return nil, err
	}
	return d.newAcknowledgement(&occasion, m), nil
}

// newAcknowledgement writes it in the language of the mail that it answers.
func (d *Desk) newAcknowledgement(on *occasion, m *Message) *outgoing {
	ticket, alias := on.ticket, on.alias
	now, domain := d.now(), domainOf(alias.Address)
	id := d.newID()
	token := Token{Value: newToken(), Kind: TokenReply, Ticket: ticket.Number, Message: id, Alias: alias.Address, ExpiresAt: now.Add(d.options.TokenLifetime)}
	bounce := token
	bounce.Value, bounce.Kind = newToken(), TokenBounce
	words, _ := alias.acknowledgement(on.language)
	words = on.values().complete(words)
	o := &outgoing{token: token, bounces: []Token{bounce}, body: Body{MessageID: id, Text: words.Text, ReplyText: words.Text, HTML: words.HTML}}
	text, html := on.signature().below(words.Text, words.HTML)
	o.message = Message{
		ID: id, Ticket: ticket.Number, Direction: Outbound, Channel: "mail", Kind: KindAutoReply, Automatic: true,
		State: MessagePosted, Reason: ReasonAcknowledged, Via: m.ID,
		From: Address{Name: alias.Name, Email: alias.Address}, To: []Address{m.From}, Subject: acknowledgementSubject(cmp.Or(words.Language, alias.Language), m.Subject),
		At: now, Date: now, MessageID: strings.ToLower(id) + "." + newToken() + "@" + domain,
		ReplyAddress: replyAddress(token.Value, domain), Snippet: snippet(o.body.Text), NeverAnswer: true,
	}
	out := &o.message
	if m.MessageID != "" {
		out.InReplyTo, out.References = []string{m.MessageID}, appendNew(append([]string(nil), m.References...), m.MessageID)
	}
	o.draft = mail.Draft{
		From: mailAddress(out.From), ReplyTo: mail.Address{Name: out.From.Name, Address: out.ReplyAddress}, To: mailAddresses(out.To),
		Subject: out.Subject, Date: now, MessageID: out.MessageID, InReplyTo: m.MessageID, References: out.References, Text: text, HTML: html,
		Header: append([]mail.Field{{Name: "Auto-Submitted", Value: "auto-replied"}, {Name: "X-Auto-Response-Suppress", Value: "All"}},
			threadFields(ticket, m, now)...),
	}
	return o
}

func acknowledgementSubject(language, subject string) string {
	prefix := "Auto: "
	if language == "ja" {
		prefix = "自動返信: "
	}
	return strings.TrimSpace(prefix + mail.PlainSubject(subject))
}

// postAcknowledgement writes the acknowledgement, if the limits allow it.
func (c *command) postAcknowledgement(o *outgoing, raw store.Blob) error {
	m, body, token := o.message, o.body, o.token
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	if ticket.MergedInto != 0 { // between composing and now: its customer has company there
		return nil
	}
	refusal, err := c.limitAcknowledgements(strings.ToLower(m.To[0].Email))
	if err != nil {
		return err
	}
	if refusal != "" {
		return c.skipAcknowledgement(&m, refusal)
	}
	if err := errors.Join(tokens.Put(c, &token), raws.Put(c, key(m.ID), raw), bodies.Put(c, &body)); err != nil {
		return err
	}
	delivery := &Delivery{ID: c.desk.newID(), Message: m.ID, Ticket: m.Ticket, Recipient: m.To[0].Email, RawID: m.ID,
		State: DeliveryDeferred, NextAt: c.now, CreatedAt: c.now}
	if err := c.putDelivery(delivery, o.bounces[0]); err != nil {
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

// acknowledged remembers when acknowledgements went to an address or a domain.
type acknowledged struct {
	To    string // "address:" or "domain:" and the name
	Times []time.Time
	Until time.Time // when none of them counts any more
}

const (
	addressPause = 24 * time.Hour
	domainPause  = time.Hour
)

// limitAcknowledgements counts one more to an address, or says why it must not
// be sent.
func (c *command) limitAcknowledgements(address string) (refusal string, err error) {
	if err := c.forgetAcknowledged(); err != nil {
		return "", err
	}
	limits := []struct {
		to    string
		limit int
		pause time.Duration
	}{
		{"address:" + address, 1, addressPause},
		{"domain:" + domainOf(address), c.desk.options.AcknowledgementsPerDomain, domainPause},
	}
	var changed []*acknowledged
	for _, l := range limits {
		sent, err := optional(acknowledgements.Get(c, key(l.to)))
		if err != nil {
			return "", err
		}
		if sent == nil {
			sent = &acknowledged{To: l.to}
		}
		sent.Times = since(sent.Times, c.now, l.pause)
		if len(sent.Times) >= l.limit {
			return fmt.Sprintf("%s has had %d in %v, the limit", strings.SplitN(l.to, ":", 2)[1], len(sent.Times), l.pause), nil
		}
		sent.Times, sent.Until = append(sent.Times, c.now), c.now.Add(l.pause)
		changed = append(changed, sent)
	}
	for _, sent := range changed {
		if err := acknowledgements.Put(c, sent); err != nil {
			return "", err
		}
	}
	return "", nil
}

// since returns the times less than a pause away, on either side: a clock that
// was set back must not lift a limit.
func since(times []time.Time, now time.Time, pause time.Duration) (kept []time.Time) {
	for _, at := range times {
		if now.Sub(at).Abs() < pause {
			kept = append(kept, at)
		}
	}
	return kept
}

func (c *command) forgetAcknowledged() error {
	var over []string
	for sent, err := range acknowledgements.ScanIndex(c, "until", store.Range{End: key(c.now)}) {
		if err != nil {
			return err
		}
		over = append(over, sent.To)
	}
	for _, to := range over {
		if err := acknowledgements.Delete(c, key(to)); err != nil {
			return err
		}
	}
	return nil
}
