package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// DecodeAgain reads a received mail anew from its source: its text, subject and
// names in the given character set, for a mail that was read wrongly, and its
// files and invitation by today's rules, for one that an earlier version stored.
// "" lets the bytes decide again, which undoes the former. An analysis that is
// there is asked for anew. The mail's addresses, its ticket and the reasons for
// it stay.
func (d *Desk) DecodeAgain(ctx context.Context, a Actor, messageID, charset string) (*MessageView, error) {
	if err := a.may("decode a message again", PermitEdit); err != nil {
		return nil, err
	}
	raw, err := d.Source(ctx, a, messageID)
	if err != nil {
		return nil, err
	}
	parsed, err := mail.ParseAs(raw, charset)
	if err != nil {
		return nil, invalid("charset", "charset_unknown", "%s", err)
	}
	if charset == "" {
		charset = "automatic"
	}
	again := rereading{parsed: parsed, replyText: mail.SplitReply(parsed).New, charset: charset}
	var view *MessageView
	err = d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		if m.Direction != Inbound {
			return invalid("message", "decode_own", "message %s is one of ours; only a received mail can be decoded again", messageID)
		}
		if err := c.reread(m, again); err != nil {
			return err
		}
		view, err = messageView(c, m, c.now)
		return err
	})
	return view, err
}

// rereading is what was read of a source again.
type rereading struct {
	parsed    *mail.Message
	replyText string
	charset   string
}

// reread puts what was read again in the place of what was read before.
func (c *command) reread(m *Message, again rereading) error {
	before := *m
	m.CharsetNotes, m.Defects, m.Subject = again.parsed.CharsetNotes, again.parsed.Defects, again.parsed.Subject
	body := Body{MessageID: m.ID, Text: again.parsed.Text, HTML: again.parsed.HTML, ReplyText: again.replyText}
	body.bound(m)
	m.Snippet = snippet(body.ReplyText, body.Text)
	m.To, m.Cc = renamed(m.To, again.parsed.To), renamed(m.Cc, again.parsed.Cc)
	m.From = renamed([]Address{m.From}, []mail.Address{again.parsed.From})[0]
	m.addSpecialParts(again.parsed)
	m.bound()
	if err := messages.Put(c, m); err != nil {
		return err
	}
	if err := bodies.Put(c, &body); err != nil {
		return err
	}
	if err := c.retell(&before, m); err != nil {
		return err
	}
	_, err := analyses.Get(c, key(m.ID))
	switch {
	case err == nil && m.State == MessagePosted:
		err = c.setTimer(TimerAnalyse, m.ID, c.now)
	case errors.Is(err, store.ErrNotFound):
		err = nil // whoever analyses it first reads the new words
	}
	if err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventMessageDecoded, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"charset": again.charset}})
	return err
}

// renamed gives addresses the names that were read for them again.
func renamed(list []Address, again []mail.Address) []Address {
	names := map[string]string{}
	for _, a := range again {
		names[loweredAddress(a.Address)] = a.Name
	}
	list = slices.Clone(list)
	for i, a := range list {
		if name, ok := names[strings.ToLower(a.Email)]; ok {
			list[i].Name = name
		}
	}
	return list
}

// retell lets the ticket and the contact that were named after a message follow
// it. Where somebody gave them another name, that stays.
func (c *command) retell(before, m *Message) error {
	if err := c.refreshSnippet(m.Ticket); err != nil {
		return err
	}
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	first, err := messages.First(c, "ticket", key(m.Ticket))
	if err != nil {
		return err
	}
	if first.ID == m.ID && ticket.Subject == before.Subject && m.Subject != before.Subject {
		ticket.Subject = m.Subject
		if err := tickets.Put(c, ticket); err != nil {
			return err
		}
	}
	if m.From.Name == before.From.Name || m.From.Name == "" {
		return nil
	}
	contact, err := contacts.First(c, "email", key(m.From.Email))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || contact.Name != before.From.Name {
		return err
	}
	contact.Name = m.From.Name
	return contacts.Put(c, contact)
}

// refreshSnippet takes a ticket's snippet anew from its messages.
func (c *command) refreshSnippet(number uint64) error {
	ticket, err := tickets.Get(c, key(number))
	if err != nil {
		return err
	}
	said, err := tallyOf(c, number)
	if err != nil || ticket.Snippet == said.snippet {
		return err
	}
	ticket.Snippet = said.snippet
	return tickets.Put(c, ticket)
}

// Charsets lists the character sets to offer for DecodeAgain.
func Charsets() []string { return mail.Charsets() }
