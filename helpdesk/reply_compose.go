package helpdesk

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// outgoing is a reply worked out before its transaction.
type outgoing struct {
	message Message
	body    Body
	draft   mail.Draft
	token   Token
	bounces []Token        // one a recipient
	zone    *time.Location // of the house: what is quoted says when it was written
}

// prepareReply works out a reply, but for its bytes, on the store as it is.
func (d *Desk) prepareReply(s store.Reader, a Actor, r Reply) (*outgoing, error) {
	g, err := replyGround(s, &r)
	if err != nil {
		return nil, err
	}
	ticket, alias := g.ticket, g.alias
	if r.Opening != nil {
		ticket.CreatedAt = d.now()
	}
	if err := r.mayForward(s); err != nil {
		return nil, err
	}
	newest, err := r.answered(s)
	if err != nil {
		return nil, err
	}
	lists, err := r.recipients(s, ticket, newest)
	if err != nil {
		return nil, err
	}
	domain := domainOf(alias.Address)
	o := &outgoing{token: Token{Value: newToken(), Kind: TokenReply, Ticket: ticket.Number, Alias: alias.Address, ExpiresAt: d.now().Add(d.options.TokenLifetime)}}
	if o.zone, err = d.houseZone(s); err != nil {
		return nil, err
	}
	o.message = Message{
		ID: d.newID(), Ticket: ticket.Number, Direction: Outbound, Channel: "mail", Kind: KindPerson,
		State: MessagePosted, Reason: r.reason(), AuthorID: a.UserID,
		From: Address{Name: alias.Name, Email: alias.Address}, To: lists[0], Cc: lists[1], Bcc: lists[2],
		Subject: r.subject(ticket), ReplyAddress: replyAddress(o.token.Value, domain),
		Snippet: snippet(r.Text), Templates: appendNew(nil, r.Templates...),
	}
	m := &o.message
	m.At, m.Date = d.now(), d.now()
	m.MessageID = strings.ToLower(m.ID) + "." + newToken() + "@" + domain
	o.token.Message = m.ID
	m.Forwarded, m.ThirdParty = r.Forward, r.Forward != "" || r.toThirdParties(ticket)
	if m.Via = r.Forward; newest != nil {
		m.Via = newest.ID
	}
	if newest != nil {
		m.InReplyTo, m.References = newest.answered()
	}
	for range recipientsOf(m) {
		o.bounces = append(o.bounces, Token{Value: newToken(), Kind: TokenBounce, Ticket: ticket.Number,
			Message: m.ID, Alias: alias.Address, ExpiresAt: o.token.ExpiresAt})
	}
	on, err := d.occasion(s, g, a.UserID)
	if err != nil {
		return nil, err
	}
	if r.Signature == nil {
		signature := on.signature()
		r.Signature = &signature
	}
	if err := o.write(s, r, ticket, letterLanguage(r.Text, on.language), newest); err != nil || r.bulk == nil {
		return o, err
	}
	return o, o.markBulk(d, s, r.bulk)
}

// recipients are To, Cc and Bcc as the mail has them: each address once, none that is
// suppressed, and somebody in To.
func (r *Reply) recipients(s store.Reader, ticket *Ticket, newest *Message) (lists [][]Address, err error) {
	to := r.To
	if to == nil {
		if to, err = defaultRecipient(s, ticket, newest); err != nil {
			return nil, err
		}
	}
	if len(to) == 0 {
		return nil, invalid("to", "no_recipient", "this ticket's sender left no address; enter one under To")
	}
	lists = eachOnce(to, r.Cc, r.Bcc)
	return lists, checkSuppressed(s, recipientsOf(&Message{To: lists[0], Cc: lists[1], Bcc: lists[2]}))
}

// replyGround is what a reply, or a mail that begins a ticket, is written on.
func replyGround(s store.Reader, r *Reply) (g ground, err error) {
	if r.Opening != nil {
		return openingGround(s, r)
	}
	if g.ticket, err = workable(s, r.Ticket); err != nil {
		return g, err
	}
	g.alias, err = replyAlias(s, g.ticket)
	return g, err
}

func (r *Reply) reason() Reason {
	if r.Opening != nil {
		return ReasonBegun
	}
	return ReasonPosted
}

func (r *Reply) subject(t *Ticket) string {
	if r.Opening != nil {
		return r.Opening.Subject
	}
	if r.Forward != "" {
		return mail.ForwardSubject(t.Subject)
	}
	return mail.ReplySubject(t.Subject)
}

// eachOnce leaves out addresses that come again in the same list or a later
// one: nobody gets the same reply twice.
func eachOnce(lists ...[]Address) [][]Address {
	seen := map[string]bool{}
	unique := make([][]Address, len(lists))
	for i, list := range lists {
		for _, a := range list {
			if email := loweredAddress(a.Email); !seen[email] {
				seen[email] = true
				a.Email = mail.PlainAddress(a.Email)
				unique[i] = append(unique[i], a)
			}
		}
	}
	return unique
}

// write makes the draft and the texts of the reply, whose signature is known by now.
// language is that of its text.
func (o *outgoing) write(s store.Reader, r Reply, ticket *Ticket, language string, newest *Message) error {
	m := &o.message
	text, html := strings.TrimRight(r.Text, "\r\n \t"), r.HTML
	o.body = Body{MessageID: m.ID, Text: text, HTML: html, ReplyText: text}
	text, html = r.Signature.below(text, html)
	if r.Quote && newest != nil && newest.Direction == Inbound {
		original, err := bodies.Get(s, key(newest.ID))
		if err != nil {
			return err
		}
		introduction := attribution(language, newest, o.zone)
		text += "\n\n" + mail.QuoteText(introduction, original.Text)
		if html != "" {
			html += mail.QuoteHTML(introduction, safeHTML(original))
		}
	}
	if html == "" {
		html = mail.HTMLFromText(text)
	}
	html = mail.StyleLetter(html, language)
	o.draft = mail.Draft{
		From: mailAddress(m.From), ReplyTo: mail.Address{Name: m.From.Name, Address: m.ReplyAddress},
		To: mailAddresses(m.To), Cc: mailAddresses(m.Cc), Subject: m.Subject, Date: m.Date.In(o.zone), // as a colleague's program would write it (RFC 5322, section 3.6.1)
		MessageID: m.MessageID, References: m.References, Text: text, HTML: html,
		Header: threadFields(ticket, newest, m.At),
	}
	if r.Opening != nil {
		m.ThreadIndex = o.draft.Header[0].Value // what comes later goes on from here
	}
	if len(m.InReplyTo) > 0 {
		o.draft.InReplyTo = m.InReplyTo[0]
	}
	for _, f := range r.Attachments {
		o.attach(f)
	}
	return nil
}

// attach adds a file to the draft and to the message.
func (o *outgoing) attach(f Upload) {
	file := mail.Attachment{Filename: f.Filename, ContentType: f.ContentType, Size: int64(len(f.Data)), Data: f.Data,
		ContentID: f.ContentID, Inline: f.ContentID != ""}
	o.draft.Attachments = append(o.draft.Attachments, file)
	sum := sha256.Sum256(f.Data)
	o.message.Attachments = append(o.message.Attachments, Attachment{Filename: f.Filename, ContentType: f.ContentType, Size: file.Size,
		SHA256: hex.EncodeToString(sum[:]), ContentID: file.ContentID, Inline: file.Inline})
}
