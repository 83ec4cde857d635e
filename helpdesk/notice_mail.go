package helpdesk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// NoticeWords says a notice in the language of its user: a line and a text.
type NoticeWords func(locale string, n NoticeView) (subject, text string)

// MailNotice is the work of a notice timer, whose id is a notice's: the notice
// goes to its user's own mailbox, unless it was read meanwhile. An answer to it
// goes nowhere: its address does not exist.
func (d *Desk) MailNotice(ctx context.Context, id string, words NoticeWords) error {
	var o *outgoingCopy
	err := d.view(ctx, func(r store.Reader) (err error) {
		o, err = d.prepareNotice(r, id, words)
		return err
	})
	if code := CodeOf(err); err != nil && code != CodeInvalid { // without an alias there is nobody to send as
		return fmt.Errorf("mail notice %s: %w", id, err)
	}
	var raw []byte
	if o != nil {
		if raw, err = mail.Compose(o.draft); err != nil {
			return fmt.Errorf("compose notice %s: %w", id, err)
		}
	}
	return d.update(ctx, System("notice"), func(c *command) error {
		wanted, err := timers.Has(c, key(string(TimerNotice), id))
		if err != nil || !wanted { // read, or done meanwhile
			return err
		}
		if err := c.clearTimer(TimerNotice, id); err != nil || o == nil {
			return err
		}
		refusal, err := c.limitAutomatic(o.limits)
		if err != nil {
			return err
		}
		if refusal != nil {
			d.log.Warn("a notice is not mailed, and left in the web", "why", refusal.String(), "notice", id)
			return c.leaveUnread(id)
		}
		if err := raws.Put(c, key(o.delivery.RawID), store.Compress(raw)); err != nil {
			return err
		}
		delivery := o.delivery
		if delivery.Ticket == 0 {
			return c.putHouseDelivery(&delivery)
		}
		return c.putDelivery(&delivery, o.bounce)
	})
}

func (d *Desk) prepareNotice(r store.Reader, id string, words NoticeWords) (*outgoingCopy, error) {
	n, err := notices.Get(r, key(id))
	if err != nil {
		return nil, gone(err)
	}
	user, err := toldUser(r, n)
	if err != nil || user == nil {
		return nil, gone(err)
	}
	view, err := noticeView(r, n)
	if err != nil {
		return nil, err
	}
	if ours, err := isOurs(r, user.Email); err != nil || ours {
		if ours { // it would come back as a ticket, of which somebody is to be told
			d.log.Warn("a notice is not mailed: the user's address is one of our own", "user", user.Email, "kind", n.Kind, "ticket", n.Ticket)
		}
		return nil, err
	}
	about, err := subjectOf(r, n)
	if err != nil {
		return nil, err
	}
	if n.echoes(about, user) {
		d.log.Info("a notice is not mailed: it would go round", "user", user.Email, "kind", n.Kind, "ticket", n.Ticket, "message", about.ID)
		return nil, nil
	}
	o := &outgoingCopy{limits: n.noticeLimit(about, user), delivery: Delivery{ID: d.newID(), Ticket: n.Ticket, Recipient: user.Email, Copy: true, Notice: n.ID,
		State: DeliveryDeferred, CreatedAt: d.now(), NextAt: d.now()}}
	o.delivery.RawID = o.delivery.ID
	alias, err := d.noticeAlias(r, n, o)
	if err != nil || alias == nil {
		return nil, err
	}
	domain := domainOf(alias.Address)
	noReply := "no-reply@" + domain
	if n.Ticket == 0 {
		o.delivery.EnvelopeFrom = noReply
	}
	zone, err := d.houseZone(r)
	if err != nil {
		return nil, err
	}
	subject, text := words(user.Locale, *view)
	o.draft = mail.Draft{
		From:      mail.Address{Name: aliasName(alias), Address: alias.Address},
		ReplyTo:   mail.Address{Address: noReply},
		To:        []mail.Address{{Name: user.Name, Address: user.Email}},
		Subject:   subject,
		Date:      d.now().In(zone),
		MessageID: strings.ToLower(o.delivery.ID) + "." + newToken() + "@" + domain,
		Text:      text,
		HTML:      mail.StyleLetter(mail.HTMLFromText(text), user.Locale),
		Header:    []mail.Field{{Name: "Auto-Submitted", Value: "auto-generated"}, {Name: "X-Auto-Response-Suppress", Value: "All"}, {Name: loopField, Value: "notice"}},
	}
	return o, nil
}

// toldUser is the user whom a notice reaches outside of the web; nil where their account is off, or their role lets them
// read tickets no more: what was told of one says what is on it.
func toldUser(r store.Reader, n *Notice) (*User, error) {
	user, err := users.Get(r, key(n.UserID))
	if err != nil {
		return nil, err
	}
	if user, err = withRole(r, user); err != nil {
		return nil, err
	}
	if user.Disabled || n.Ticket != 0 && !user.Actor().May(PermitRead) {
		return nil, nil
	}
	return user, nil
}

// leaveUnread shows a notice in the web that its user wanted by mail alone.
func (c *command) leaveUnread(id string) error {
	n, err := notices.Get(c, key(id))
	if err != nil {
		return gone(err)
	}
	n.ReadAt = time.Time{}
	return notices.Put(c, n)
}

// noticeAlias is the alias that a notice's mail leaves from, nil where none can:
// that of the ticket, with which the delivery is then connected, or else the
// house's first.
func (d *Desk) noticeAlias(r store.Reader, n *Notice, o *outgoingCopy) (*Alias, error) {
	if n.Ticket == 0 {
		return firstAlias(r)
	}
	ticket, err := tickets.Get(r, key(n.Ticket))
	if err != nil {
		return nil, err
	}
	about, err := messagesOf(r, n.Ticket)
	if err != nil || len(about) == 0 { // it was merged meanwhile
		return nil, err
	}
	alias, err := replyAlias(r, ticket)
	if CodeOf(err) == CodeInvalid { // mail leaves from it no more, but colleagues are told all the same
		alias, err = firstAlias(r)
	}
	if err != nil || alias == nil {
		return nil, err
	}
	o.delivery.Message = about[0].ID
	o.bounce = Token{Value: newToken(), Kind: TokenBounce, Ticket: ticket.Number, Message: about[0].ID, Alias: alias.Address, ExpiresAt: d.now().Add(d.options.TokenLifetime)}
	return alias, nil
}

// firstAlias is the house's first alias that mail can leave from, nil where none is.
func firstAlias(r store.Reader) (*Alias, error) {
	for a, err := range aliases.Scan(r, store.Range{}) {
		if err != nil || !a.Disabled {
			return a, err
		}
	}
	return nil, nil
}
