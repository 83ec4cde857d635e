package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// DecodeAgain reads a received mail's text anew from its source in the given
// character set, for a mail that was read wrongly; "" lets the bytes decide
// again, which undoes it. What is known of the mail otherwise, its ticket
// among it, stays.
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
	read := Message{CharsetNotes: parsed.CharsetNotes, Defects: parsed.Defects}
	body := Body{MessageID: messageID, Text: parsed.Text, HTML: parsed.HTML, ReplyText: mail.SplitReply(parsed).New}
	body.bound(&read)
	read.Snippet = snippet(body.ReplyText, body.Text)
	var view *MessageView
	err = d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		if m.Direction != Inbound {
			return invalid("message", "decode_own", "message %s is one of ours; only a received mail can be decoded again", messageID)
		}
		m.CharsetNotes, m.Defects, m.Snippet = read.CharsetNotes, read.Defects, read.Snippet
		if err := c.putDecoded(m, body, charset); err != nil {
			return err
		}
		view, err = messageView(c, m, c.now)
		return err
	})
	return view, err
}

func (c *command) putDecoded(m *Message, body Body, charset string) error {
	if err := messages.Put(c, m); err != nil {
		return err
	}
	if err := bodies.Put(c, &body); err != nil {
		return err
	}
	if err := c.refreshSnippet(m.Ticket); err != nil {
		return err
	}
	if charset == "" {
		charset = "automatic"
	}
	_, err := c.record(Event{Kind: EventMessageDecoded, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"charset": charset}})
	return err
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
