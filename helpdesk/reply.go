package helpdesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Reply is an answer to a ticket's customer, as an agent posts it, or a mail
// that begins a ticket.
type Reply struct {
	Ticket uint64
	// Opening is set where it begins a ticket; Ticket is 0 then.
	Opening *Opening
	Text    string
	// HTML is the same with its formatting, optional. It may show files by
	// Content-ID (cid:), and hold images itself (data:).
	HTML string
	// To, Cc and Bcc are the recipients; a nil To is the author of the newest
	// customer message. The mail does not say who is in Bcc.
	To, Cc, Bcc []Address
	Attachments []Upload
	Quote       bool // quote the newest customer message below
	// Forward is the message of the ticket that it passes on to somebody else, whose
	// answers are then a third party's; "" for an answer. Its text and files hold
	// what is passed on, as Desk.Forwarded gives it.
	Forward string
	Close   bool // and move the ticket to the pipeline's first closed stage
	// Signature stands below the text; nil is the one that the alias has for the
	// customer's language, an empty one none.
	Signature *Localized
	// Templates are the ids of those that the text was made with: their use is counted.
	Templates []string
	// Seen is the newest event of the ticket that the author has seen; a
	// customer message or a colleague's reply after it stops this one. 0 does not check.
	Seen uint64
	// IdempotencyKey makes a repeated post return the first one's message, also where
	// that was undone, unless a draft is sent.
	IdempotencyKey string
	// Digest is of what a program asked for with that key: another under the same key
	// is a conflict. "" does not compare.
	Digest string
	// Draft is the draft that is sent with it and is then gone, or "". Uploads
	// are the ids of those of its files that are attached, all where it is nil;
	// images that HTML shows as "cid:" and their Content-ID come along.
	Draft   string
	Uploads []string
	// Copy is what its author had of Draft: words that another page saved since stop it.
	Copy DraftCopy

	answers string     // the message that it answers, "" for the newest of a person's
	held    *Draft     // that it was kept as until now, nil for one that just was written
	bulk    *BulkReply // that it is part of
}

// Upload is a file to send.
type Upload struct {
	Filename    string
	ContentType string
	ContentID   string // of an image that the HTML shows, without brackets; "" for a file
	Data        []byte
}

// Limits of one reply.
const (
	maxReplyText       = 1 << 20  // bytes
	maxReplyFiles      = 25 << 20 // bytes, all files together
	maxReplyRecipients = 100
)

func (r *Reply) validate() error {
	size := 0
	for _, f := range r.Attachments {
		size += len(f.Data)
	}
	switch {
	case strings.TrimSpace(r.Text) == "" && strings.TrimSpace(r.HTML) == "" && len(r.Attachments) == 0:
		return invalid("text", "reply_empty", "the reply is empty; write a text or attach a file")
	case len(r.Text)+len(r.HTML) > maxReplyText:
		return invalid("text", "reply_too_long", "the reply has %d bytes; the limit is %d", Bytes(len(r.Text)+len(r.HTML)), Bytes(maxReplyText))
	case size > maxReplyFiles:
		return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxReplyFiles))
	case len(r.To)+len(r.Cc)+len(r.Bcc) > maxReplyRecipients:
		return invalid("to", "too_many_recipients", "%d recipients; the limit is %d", len(r.To)+len(r.Cc)+len(r.Bcc), maxReplyRecipients)
	}
	if err := r.cleanOpening(); err != nil {
		return err
	}
	if r.Signature != nil {
		if err := r.Signature.clean(); err != nil {
			return err
		}
	}
	for i, list := range [][]Address{r.To, r.Cc, r.Bcc} {
		for _, a := range list {
			if err := checkAddress([]string{"to", "cc", "bcc"}[i], a.Email); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reply posts an answer at once; where the alias asks for a second person's
// approval it is a conflict ("approval_needed"), and Send requests it. The message, its reply address, its deliveries and
// their timers are durable together when it returns. The mail is composed
// here, once, so that every attempt sends the same bytes; it leaves when the
// undo window has passed.
func (d *Desk) Reply(ctx context.Context, a Actor, r Reply) (*Message, error) {
	if err := a.may("reply", PermitReply); err != nil {
		return nil, err
	}
	return d.reply(ctx, a, r, nil)
}

// reply is Reply for an actor who may. also runs in the same transaction.
func (d *Desk) reply(ctx context.Context, a Actor, r Reply, also func(*command) error) (*Message, error) {
	var o *outgoing
	posted, err := d.gather(ctx, a, &r)
	if err != nil || posted != nil {
		return posted, err
	}
	err = d.view(ctx, func(s store.Reader) (err error) {
		o, err = d.prepareReply(s, a, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := mail.Compose(o.draft)
	if err != nil {
		return nil, &Error{Code: CodeInvalid, Field: "text", Message: fmt.Sprintf("this reply cannot be written as a mail: %v", err)}
	}
	blob := store.Compress(raw)
	err = d.update(ctx, a, func(c *command) (err error) {
		if posted, err = r.repeated(c, a); posted != nil || err != nil {
			return err
		}
		if posted, err = c.postReply(r, o, blob); err != nil {
			return err
		}
		if also != nil {
			return also(c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return posted, nil
}

// gather puts a reply together with the files of its draft, reads its HTML and
// checks it; or it returns the message that the same reply became before.
func (d *Desk) gather(ctx context.Context, a Actor, r *Reply) (posted *Message, err error) {
	given := r.Attachments
	err = d.view(ctx, func(s store.Reader) (err error) {
		if posted, err = r.repeated(s, a); posted != nil || err != nil {
			return err
		}
		r.Attachments = slices.Clip(given)
		return r.attach(s)
	})
	if err != nil || posted != nil {
		return posted, err
	}
	if err := r.readLetter(); err != nil {
		return nil, err
	}
	return nil, r.validate()
}

func (r *Reply) once() Once { return Once{Key: r.IdempotencyKey, Digest: r.Digest} }

// sameKey is once for what decides itself what another request is: a draft may be changed
// and sent anew after it was taken back.
func (r *Reply) sameKey() Once {
	if r.Draft != "" {
		return Once{Key: r.IdempotencyKey}
	}
	return r.once()
}

// differ reports whether two requests are known to ask for different things.
func differ(digest, other string) bool { return digest != "" && other != "" && digest != other }

// repeated returns the message that an earlier command with the same key made. A
// program gets it also once it was undone: it repeats what it asked for before, and a
// person has decided since. A draft that is there was written by a person, who sends it.
// One that became a note is no reply, though its key is the same.
func (r *Reply) repeated(s store.Reader, a Actor) (*Message, error) {
	earlier, err := r.sameKey().earlier(s, a)
	if err != nil || earlier == nil {
		return nil, err
	}
	m, err := optional(messages.Get(s, key(earlier.Message)))
	if err != nil || m != nil && m.State == MessageUndone && r.Draft != "" {
		return nil, err
	}
	if m == nil {
		return nil, noReply(s, earlier.Message)
	}
	if r.Draft != "" && differ(earlier.Digest, r.Digest) {
		return nil, conflict("draft_sent", "this draft has been sent, with other words; send these anew")
	}
	if r.Digest != "" && earlier.Digest == "" && !r.became(m) {
		return nil, keyUsed(m.made())
	}
	return m, nil
}

// became tells whether a message that was handed in before digests were kept can be this reply.
func (r *Reply) became(m *Message) bool {
	if r.Opening != nil {
		return m.Reason == ReasonBegun
	}
	return m.Ticket == r.Ticket
}

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
	signature, err := d.signature(s, g, a.UserID)
	if err != nil {
		return nil, err
	}
	if r.Signature != nil {
		signature = *r.Signature
	}
	if err := o.write(s, r, ticket, alias, signature, newest); err != nil || r.bulk == nil {
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

// write makes the draft and the texts of the reply.
func (o *outgoing) write(s store.Reader, r Reply, ticket *Ticket, alias *Alias, signature Localized, newest *Message) error {
	m := &o.message
	text, html := strings.TrimRight(r.Text, "\r\n \t"), r.HTML
	o.body = Body{MessageID: m.ID, Text: text, HTML: html, ReplyText: text}
	text, html = signature.below(text, html)
	if r.Quote && newest != nil && newest.Direction == Inbound {
		original, err := bodies.Get(s, key(newest.ID))
		if err != nil {
			return err
		}
		introduction := attribution(alias.Language, newest, o.zone)
		text += "\n\n" + mail.QuoteText(introduction, original.Text)
		if html != "" {
			html += mail.QuoteHTML(introduction, safeHTML(original))
		}
	}
	if html == "" {
		html = mail.HTMLFromText(text)
	}
	html = mail.StyleLetter(html, alias.Language)
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
