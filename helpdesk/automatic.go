package helpdesk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// What is sent without a person who wrote it, an acknowledgement or the answer
// of a smart service, obeys RFC 3834:
//
//   - It goes to the author alone, and only when the author is the envelope
//     sender or is proven (section 4): a forged From gets nothing from us.
//   - It says so itself with Auto-Submitted (section 3.1.7), and in its subject
//     (section 3.1.5).
//   - Its envelope sender is a delivery's own bounce address, not the null one:
//     section 3.3 allows an address that answers to nothing automatically, and
//     so a bounce shows the agent that the customer cannot be reached.
//   - It is rare: a few a day to an address, and a limited number an hour to a
//     domain (section 2).

// answerable reports whether a person wrote m from an address that an
// answer may safely go to.
func (m *Message) answerable() bool {
	if m.Kind != KindPerson || m.NeverAnswer || m.State != MessagePosted || m.Direction != Inbound {
		return false
	}
	if m.Reason == ReasonPostmaster || m.Reason == ReasonLogged || checkAddress("to", m.From.Email) != nil {
		return false
	}
	if mail.IsNoReply(m.From.Email) {
		return false // a form, say, that names the customer under Reply-To: whom anybody could name
	}
	if m.Authentication.Vouched != "" && m.Authentication.Trust() != TrustVerified {
		return false // the house believes who wrote it; that the address is theirs is not proven
	}
	switch m.Authentication.Trust() {
	case TrustVerified:
		return m.Envelope.MailFrom != ""
	case TrustFailed:
		return false
	}
	return strings.EqualFold(m.Envelope.MailFrom, m.From.Email)
}

// automatic is what a mail that nobody wrote says.
type automatic struct {
	words     Localized // filled
	subject   string
	reason    Reason
	files     []TemplateFile // with their Data
	templates []string       // ids
}

// newAutomatic makes the answer to m, in the language of the occasion.
func (d *Desk) newAutomatic(on *occasion, m *Message, what automatic) *outgoing {
	ticket, alias := on.ticket, on.alias
	now, domain := d.now(), domainOf(alias.Address)
	id := d.newID()
	token := Token{Value: newToken(), Kind: TokenReply, Ticket: ticket.Number, Message: id, Alias: alias.Address, ExpiresAt: now.Add(d.options.TokenLifetime)}
	bounce := token
	bounce.Value, bounce.Kind = newToken(), TokenBounce
	words := what.words
	o := &outgoing{token: token, bounces: []Token{bounce}, body: Body{MessageID: id, Text: words.Text, ReplyText: words.Text, HTML: words.HTML}}
	text, html := on.signature().below(words.Text, words.HTML)
	if html == "" {
		html = mail.HTMLFromText(text)
	}
	html = mail.StyleLetter(html, words.Language)
	o.message = Message{
		ID: id, Ticket: ticket.Number, Direction: Outbound, Channel: "mail", Kind: KindAutoReply, Automatic: true,
		State: MessagePosted, Reason: what.reason, Via: m.ID,
		From: Address{Name: alias.Name, Email: alias.Address}, To: []Address{m.From}, Subject: what.subject,
		At: now, Date: now, MessageID: strings.ToLower(id) + "." + newToken() + "@" + domain,
		ReplyAddress: replyAddress(token.Value, domain), Snippet: snippet(o.body.Text), NeverAnswer: true, Templates: what.templates,
	}
	out := &o.message
	out.InReplyTo, out.References = m.answered()
	o.draft = mail.Draft{
		From: mailAddress(out.From), ReplyTo: mail.Address{Name: out.From.Name, Address: out.ReplyAddress}, To: mailAddresses(out.To),
		Subject: out.Subject, Date: on.at, MessageID: out.MessageID, InReplyTo: m.MessageID, References: out.References, Text: text, HTML: html,
		Header: append([]mail.Field{{Name: "Auto-Submitted", Value: "auto-replied"}, {Name: "X-Auto-Response-Suppress", Value: "All"}},
			threadFields(ticket, m, now)...),
	}
	for _, f := range what.files {
		o.attach(Upload{Filename: f.Filename, ContentType: f.ContentType, Data: f.Data})
	}
	return o
}

// automaticSubject marks the subject of what is answered (RFC 3834, section 3.1.5); where
// there is none, it says what the mail is.
func automaticSubject(language, subject string) string {
	prefix, alone := "Auto: ", "Automatic reply"
	if baseLanguage(language) == "ja" {
		prefix, alone = "自動返信: ", "自動返信"
	}
	if subject = strings.TrimSpace(mail.PlainSubject(subject)); subject == "" {
		return alone
	}
	return prefix + subject
}

// putAutomatic writes an automatic mail's token, source, body and delivery; its
// message is left to the caller, whose event it follows from.
func (c *command) putAutomatic(o *outgoing, raw store.Blob) error {
	m := &o.message
	if err := errors.Join(tokens.Put(c, &o.token), raws.Put(c, key(m.ID), raw), bodies.Put(c, &o.body)); err != nil {
		return err
	}
	delivery := &Delivery{ID: c.desk.newID(), Message: m.ID, Ticket: m.Ticket, Recipient: m.To[0].Email, RawID: m.ID, Answers: m.Via,
		State: DeliveryDeferred, NextAt: c.now, CreatedAt: c.now}
	return c.putDelivery(delivery, o.bounces[0])
}

// acknowledged remembers when automatic mail went to an address or a domain.
type acknowledged struct {
	To    string // "address:", "domain:", "service:", "copy:", "notice:" or "relay:" and the name
	Times []time.Time
	Until time.Time // when none of them counts any more
}

const (
	addressPause = 24 * time.Hour
	domainPause  = time.Hour
)

// automaticLimit is how many automatic mails may go to somebody in a time.
type automaticLimit struct {
	to    string // of acknowledged.To
	limit int
	pause time.Duration
}

func (l *automaticLimit) String() string {
	_, name, _ := strings.Cut(l.to, ":")
	return fmt.Sprintf("%s has had %d in %v, the limit", name, l.limit, l.pause)
}

// limitAutomatic counts one more automatic mail, or returns the limit that
// forbids it.
func (c *command) limitAutomatic(limits []automaticLimit) (refusal *automaticLimit, err error) {
	if err := c.forgetAcknowledged(); err != nil {
		return nil, err
	}
	var changed []*acknowledged
	for i, l := range limits {
		sent, err := optional(acknowledgements.Get(c, key(l.to)))
		if err != nil {
			return nil, err
		}
		if sent == nil {
			sent = &acknowledged{To: l.to}
		}
		sent.Times = since(sent.Times, c.now, l.pause)
		if len(sent.Times) >= l.limit {
			return &limits[i], nil
		}
		sent.Times, sent.Until = append(sent.Times, c.now), c.now.Add(l.pause)
		changed = append(changed, sent)
	}
	for _, sent := range changed {
		if err := acknowledgements.Put(c, sent); err != nil {
			return nil, err
		}
	}
	return nil, nil
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

// eraseAcknowledged forgets what went automatically to people, or because of them.
func (c *command) eraseAcknowledged(addresses []string) error {
	names := slices.Clone(addresses)
	for _, address := range addresses {
		names = appendNew(names, withoutSubaddress(address))
	}
	var of []string
	for sent, err := range acknowledgements.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if namesAny(sent.To, names) {
			of = append(of, sent.To)
		}
	}
	for _, to := range of {
		if err := acknowledgements.Delete(c, key(to)); err != nil {
			return err
		}
	}
	return nil
}
