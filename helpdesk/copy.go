package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// copyTarget is where a copy of a customer's mail goes, and for whom.
func copyTarget(r store.Reader, t *Ticket) (address string, user *User, err error) {
	if t.AssigneeID == "" {
		return "", nil, nil
	}
	user, err = users.Get(r, key(t.AssigneeID))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if user.ForwardReplies {
		address = user.ForwardTo
		if address == "" {
			address = user.Email
		}
	}
	alias, err := aliases.Get(r, key(t.AliasID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", nil, err
	}
	if err == nil && alias.ForwardTo != "" {
		address = alias.ForwardTo
	}
	return address, user, nil
}

// copyToAssignee sets the timer that copies a person's mail to the assignee's
// own mailbox, when that is asked for and the address is not one of ours.
func (c *command) copyToAssignee(t *Ticket, m *Message) error {
	if m.Kind != KindPerson || m.NeverAnswer {
		return nil
	}
	address, _, err := copyTarget(c, t)
	if err != nil || address == "" || strings.EqualFold(address, m.From.Email) { // who wrote it needs no copy
		return err
	}
	ours, err := isOurs(c, address)
	if err != nil {
		return err
	}
	if ours {
		return c.recordNoCopy(t.Number, m.ID, address, invalid("forward_to", "copy_ours", "a copy to an address of our own would come back; change the forwarding address"))
	}
	return c.setTimer(TimerCopy, m.ID, c.now)
}

// CopyToAssignee makes the copy of an inbound message that its timer asked
// for: a mail to the assignee's own mailbox whose Reply-To is a reply address
// bound to that agent.
func (d *Desk) CopyToAssignee(ctx context.Context, messageID string) error {
	var o *outgoingCopy
	err := d.view(ctx, func(r store.Reader) (err error) {
		o, err = d.prepareCopy(r, messageID)
		return err
	})
	if CodeOf(err) == CodeInvalid { // the alias is gone or disabled: said once, not tried for ever
		return d.failCopy(ctx, messageID, err)
	}
	if err != nil {
		return fmt.Errorf("copy message %s: %w", messageID, err)
	}
	var raw []byte
	if o != nil {
		if raw, err = mail.Compose(o.draft); err != nil {
			return fmt.Errorf("compose the copy of message %s: %w", messageID, err)
		}
	}
	return d.update(ctx, System("copy"), func(c *command) error {
		wanted, err := timers.Has(c, key(string(TimerCopy), messageID))
		if err != nil || !wanted { // done meanwhile
			return err
		}
		if err := c.clearTimer(TimerCopy, messageID); err != nil || o == nil {
			return err
		}
		refusal, err := c.limitAutomatic(o.limits)
		if err != nil {
			return err
		}
		if refusal != nil {
			why := &Error{Code: CodeLimited, Key: "error.copy_limit", Args: []any{refusal.limit}, Message: refusal.String()}
			return c.recordNoCopy(o.delivery.Ticket, messageID, o.delivery.Recipient, why)
		}
		return c.putCopy(o, store.Compress(raw))
	})
}

// failCopy says on the ticket why there is no copy.
func (d *Desk) failCopy(ctx context.Context, messageID string, why error) error {
	return d.update(ctx, System("copy"), func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if err != nil {
			return err
		}
		if err := c.clearTimer(TimerCopy, messageID); err != nil {
			return err
		}
		ticket, err := tickets.Get(c, key(m.Ticket))
		if err != nil {
			return err
		}
		address, _, err := copyTarget(c, ticket)
		if err != nil {
			return err
		}
		return c.recordNoCopy(m.Ticket, m.ID, address, why)
	})
}

// recordNoCopy says on a ticket why a message was not copied.
func (c *command) recordNoCopy(number uint64, messageID, recipient string, why error) error {
	data := map[string]string{"recipient": recipient, "text": why.Error(), "failure": KeepError(why)}
	_, err := c.record(Event{Kind: EventCopyFailed, Ticket: number, Message: messageID, Data: data})
	return err
}

type outgoingCopy struct {
	draft    mail.Draft
	delivery Delivery
	token    Token
	bounce   Token
	limits   []automaticLimit
}

func (d *Desk) prepareCopy(r store.Reader, messageID string) (*outgoingCopy, error) {
	m, err := messages.Get(r, key(messageID))
	if err != nil {
		return nil, err
	}
	ticket, err := tickets.Get(r, key(m.Ticket))
	if err != nil {
		return nil, err
	}
	address, user, err := copyTarget(r, ticket)
	if err != nil || address == "" {
		return nil, err
	}
	alias, err := replyAlias(r, ticket)
	if err != nil {
		return nil, err
	}
	body, err := bodies.Get(r, key(m.ID))
	if err != nil {
		return nil, err
	}
	raw, err := raws.Get(r, key(m.ID))
	if err != nil {
		return nil, err
	}
	zone, err := d.houseZone(r)
	if err != nil {
		return nil, err
	}
	domain, expires := domainOf(alias.Address), d.now().Add(d.options.TokenLifetime)
	o := &outgoingCopy{
		limits: copyLimit(address, m),
		token:  Token{Value: newToken(), Kind: TokenAgent, Ticket: ticket.Number, Message: m.ID, User: user.ID, Alias: alias.Address, ExpiresAt: expires},
		bounce: Token{Value: newToken(), Kind: TokenBounce, Ticket: ticket.Number, Message: m.ID, Alias: alias.Address, ExpiresAt: expires},
		delivery: Delivery{ID: d.newID(), Message: m.ID, Ticket: ticket.Number, Recipient: address, Copy: true,
			State: DeliveryDeferred, CreatedAt: d.now(), NextAt: d.now()},
	}
	o.delivery.RawID = o.delivery.ID
	name := m.From.Name
	if name == "" {
		name = m.From.Email
	}
	html, files := copiedParts(body.HTML, mail.Parse(raw).Attachments, o.delivery.ID, domain)
	if html == "" {
		html = mail.StyleLetter(mail.HTMLFromText(body.Text), DetectLanguage(body.Text))
	}
	o.draft = mail.Draft{
		From:      mail.Address{Name: name + " (" + aliasName(alias) + ")", Address: alias.Address},
		ReplyTo:   mail.Address{Name: name, Address: replyAddress(o.token.Value, domain)},
		To:        []mail.Address{{Name: user.Name, Address: address}},
		Subject:   fmt.Sprintf("[#%d] %s", ticket.Number, m.Subject),
		Date:      d.now().In(zone),
		MessageID: strings.ToLower(o.delivery.ID) + "." + newToken() + "@" + domain,
		Text:      body.Text, HTML: html, Attachments: files,
		// No absence notice may answer it (RFC 3834, section 2).
		Header: append([]mail.Field{{Name: "Auto-Submitted", Value: "auto-generated"}, {Name: "X-Auto-Response-Suppress", Value: "All"}},
			threadFields(ticket, nil, d.now())...),
	}
	return o, nil
}

// copiedParts are the HTML and the files of a mail as a copy carries them. A picture whose Content-ID no mail of ours may
// have, with blanks or letters beyond ASCII, gets another, in the HTML as well.
func copiedParts(source string, files []mail.Attachment, id, domain string) (html string, copied []mail.Attachment) {
	copied, ids := slices.Clone(files), map[string]string{}
	for i := range copied {
		if was := copied[i].ContentID; was != "" && !mail.IsID(was) {
			copied[i].ContentID = fmt.Sprintf("part%d.%s@%s", i+1, strings.ToLower(id), domain)
			ids[was] = copied[i].ContentID
		}
	}
	options := mail.SanitizeOptions{}
	if len(ids) > 0 {
		options.InlineURL = func(id string) string { return "cid:" + url.PathEscape(cmp.Or(ids[id], id)) }
	}
	return mail.SanitizeHTML(source, options).HTML, copied
}

func (c *command) putCopy(o *outgoingCopy, raw store.Blob) error {
	token, delivery := o.token, o.delivery
	if err := tokens.Put(c, &token); err != nil {
		return err
	}
	if err := raws.Put(c, key(delivery.RawID), raw); err != nil {
		return err
	}
	return c.putDelivery(&delivery, o.bounce)
}

// RelayAgentMail sends an agent's own mail, proven to be from there, to the
// author of the mail that was copied as that agent's reply, whoever else has
// written since: only its new words and its files, never the quoted copy.
func (d *Desk) RelayAgentMail(ctx context.Context, messageID string) error {
	var m *Message
	var number uint64
	var author *User
	var refusal error
	var raw []byte
	err := d.view(ctx, func(r store.Reader) (err error) {
		if m, err = messages.Get(r, key(messageID)); err != nil {
			return err
		}
		number = m.Ticket
		if raw, err = raws.Get(r, key(messageID)); err != nil {
			return err
		}
		author, refusal = d.relayAuthor(r, m)
		answered, err := optional(messages.Get(r, key(m.Via)))
		if err != nil || answered == nil {
			return err
		}
		number = answered.Ticket // it may have been moved since
		return nil
	})
	if err == nil && CodeOf(refusal) == CodeInternal {
		err = refusal
	}
	if err != nil {
		return fmt.Errorf("relay message %s: %w", messageID, err)
	}
	if refusal != nil {
		return d.holdRelay(ctx, messageID, refusal)
	}
	parsed := mail.Parse(raw)
	reply := Reply{Ticket: number, answers: m.Via, Text: mail.SplitReply(parsed).New, IdempotencyKey: "relay-" + messageID}
	err = d.view(ctx, func(r store.Reader) error { return relayRepeats(r, number, author, reply.Text, d.now()) })
	if CodeOf(err) == CodeConflict {
		return d.holdRelay(ctx, messageID, err)
	}
	if err != nil {
		return fmt.Errorf("relay message %s: %w", messageID, err)
	}
	for _, f := range parsed.Attachments {
		if f.ContentID == "" || !f.Inline {
			reply.Attachments = append(reply.Attachments, Upload{Filename: f.Filename, ContentType: f.ContentType, Data: f.Data})
		}
	}
	done := func(c *command) error {
		if err := c.limitRelay(number, author); err != nil {
			return err
		}
		return c.clearTimer(TimerRelay, messageID)
	}
	_, err = d.reply(ctx, author.Actor(), reply, done)
	if keyed(err) == "approval_needed" {
		_, err = d.hold(ctx, author.Actor(), reply, Sending{}, done)
	}
	if code := CodeOf(err); code != "" && code != CodeInternal && code != CodeTemporary {
		return d.holdRelay(ctx, messageID, err)
	}
	return err
}

func (d *Desk) relayAuthor(r store.Reader, m *Message) (*User, error) {
	for _, path := range m.Paths {
		_, value, hasToken := strings.Cut(strings.SplitN(path, "@", 2)[0], "+")
		if !hasToken {
			continue
		}
		token, err := tokens.Get(r, key(value))
		if err == nil && token.Kind == TokenAgent {
			author, err := users.Get(r, key(token.User))
			if author, err = found(author, err, "user", token.User); err != nil {
				return nil, err
			}
			if author, err = withRole(r, author); err != nil {
				return nil, err
			}
			return author, mayStillReply(author)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return nil, invalid("message", "no_agent_address", "message %s came to no agent's reply address", m.ID)
}

// holdRelay puts an agent's mail that cannot become a reply where agents see
// it.
func (d *Desk) holdRelay(ctx context.Context, messageID string, why error) error {
	return d.update(ctx, System("relay"), func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if err != nil {
			return err
		}
		if m.State != MessageRelayed {
			return c.clearTimer(TimerRelay, messageID)
		}
		ticket, err := tickets.Get(c, key(m.Ticket))
		if err != nil {
			return err
		}
		m.State = MessageHeld
		m.Defects = append(m.Defects, "could not be sent as a reply: "+why.Error())
		m.Unsent = KeepError(why)
		ticket.Held++
		ticket.UpdatedAt = c.now
		if err := c.clearTimer(TimerRelay, messageID); err != nil {
			return err
		}
		if err := messages.Put(c, m); err != nil {
			return err
		}
		if err := tickets.Put(c, ticket); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventMessageHeld, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"from": m.From.Email, "reason": string(m.Reason), "text": why.Error()}})
		return err
	})
}
