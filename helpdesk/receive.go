package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/report"
	"github.com/madoguchi/madoguchi/store"
)

// Incoming is a mail as the listener hands it over, examined outside any
// transaction.
type Incoming struct {
	ID             string // ULID under which it is kept; a new one where empty
	Envelope       Envelope
	Raw            []byte // exactly as received
	Message        *mail.Message
	Authentication Authentication
	Filters        []FilterResult // of filters, asked before
	ReceivedAt     time.Time
	// Suspicion sets the mail aside, whoever sent it; nil where nothing but its
	// Authentication decides.
	Suspicion *Suspicion
	// HandedIn is set where a relay brings the mail under a key of its own.
	HandedIn *HandedIn
}

// Receipt says what became of an incoming mail.
type Receipt struct {
	MessageID string // the message's ID; of the first arrival for a duplicate
	Ticket    uint64
	State     MessageState
	Reason    Reason
	Duplicate bool
}

// arrival is an Incoming with everything worked out that needs no store.
type arrival struct {
	message  Message
	body     Body
	raw      store.Blob
	parsed   *mail.Message
	original string // Message-ID of the mail that a bounce or a report returns
	size     int    // of the source, in bytes

	suspicion *Suspicion
	handedIn  *HandedIn
	released  bool // it comes from quarantine: counted and stored already

	toReports bool               // it is for the addresses of reports on our domains
	report    report.Report      // that it brings, if any
	noReport  string             // why there is none
	policies  []report.TLSPolicy // of a report on encryption: those of our domains
}

// Receive stores a mail: it joins its ticket, opens a new one, waits in a
// ticket's confirmation strip, or is set aside in quarantine. When it returns
// nil, the mail is durable. A mail whose recipients are all refused returns the
// *RecipientError of the first, one that is refused for its domain's policy a
// *PolicyError.
func (d *Desk) Receive(ctx context.Context, in Incoming) (Receipt, error) {
	a := d.examine(in)
	actor := Actor{Kind: ActorCustomer, Name: a.message.From.Email}
	var receipt Receipt
	err := d.update(ctx, actor, func(c *command) (err error) {
		receipt, err = c.receiveOnce(a)
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("store mail %s: %w", a.message.ID, err)
	}
	return receipt, nil
}

func (d *Desk) examine(in Incoming) *arrival {
	parsed := in.Message
	class := mail.Classify(parsed, in.Envelope.nullSender())
	reply := mail.SplitReply(parsed)
	if in.ID == "" {
		in.ID = d.newID()
	}
	if in.ReceivedAt.IsZero() {
		in.ReceivedAt = d.now()
	}
	original := ""
	if class.Bounce || class.Report {
		original, _ = mail.BounceOriginal(parsed)
	}
	a := &arrival{parsed: parsed, raw: store.CompressQuickly(in.Raw), original: original, size: len(in.Raw), suspicion: in.Suspicion, handedIn: in.HandedIn}
	a.message = Message{
		ID: in.ID, Direction: Inbound, Channel: "mail", Kind: kindOf(class), State: MessagePosted,
		From: lowered(parsed.From), To: addresses(parsed.To), Cc: addresses(parsed.Cc),
		Subject: parsed.Subject, Date: storable(parsed.Date), At: in.ReceivedAt.UTC(),
		MessageID: parsed.MessageID, InReplyTo: parsed.InReplyTo, References: parsed.References, ThreadIndex: threadIndex(parsed),
		Snippet: snippet(reply.New, parsed.Text), CharsetNotes: parsed.CharsetNotes, Defects: parsed.Defects,
		Envelope: in.Envelope, Authentication: in.Authentication, Filters: in.Filters,
		Identity:    identity(parsed, in.Raw, in.ID),
		NeverAnswer: class.SuppressAutoReply, Notice: isNotice(parsed),
	}
	if a.toReports = d.policy.Load().toReports(in.Envelope.Recipients); a.toReports {
		a.report, a.noReport = readReport(parsed, d.now())
	}
	m := &a.message
	if m.From.Email == "" {
		m.From.Email = loweredAddress(in.Envelope.MailFrom)
	}
	if len(parsed.ReplyTo) > 0 {
		m.ReplyTo = loweredAddress(parsed.ReplyTo[0].Address)
	}
	for _, b := range class.Bounces {
		m.Bounces = append(m.Bounces, Bounce{Recipient: mail.PlainAddress(b.Recipient), Status: b.Status, Action: b.Action, Reason: b.Reason})
	}
	m.addSpecialParts(parsed)
	m.bound()
	a.body = Body{MessageID: m.ID, Text: parsed.Text, HTML: parsed.HTML, ReplyText: reply.New}
	a.body.bound(m)
	return a
}

// storable leaves out a date that no record can hold: a sender may write any.
func storable(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return time.Time{}
	}
	return t
}

func kindOf(c mail.Classification) MessageKind {
	switch {
	case c.Bounce:
		return KindBounce
	case c.Report:
		return KindReport
	case c.AutoReply:
		return KindAutoReply
	case c.List:
		return KindList
	}
	return KindPerson
}

func (c *command) receive(a *arrival) (Receipt, error) {
	if a.toReports {
		return c.receiveReport(a)
	}
	m, body := a.message, a.body
	at := c.now
	if a.released {
		at = m.At // a reply address that has expired since was alive then
	}
	recipients, err := c.recipients(m.Envelope.Recipients, at)
	if err != nil {
		return Receipt{}, err
	}
	for _, r := range recipients {
		m.Paths = append(m.Paths, r.address)
	}
	first, err := sameMail(c, m.Identity)
	if err != nil {
		return Receipt{}, err
	}
	if first != nil {
		return c.receiveAgain(first, m, recipients)
	}
	why, how, err := c.suspect(a, &m)
	if err != nil {
		return Receipt{}, err
	}
	p, err := c.place(&m, a, recipients)
	if err != nil {
		return Receipt{}, err
	}
	if p, err = c.divert(p, &m, recipients); err != nil {
		return Receipt{}, err
	}
	earlier, err := c.arrivedAgain(&m)
	if err != nil {
		return Receipt{}, err
	}
	if earlier != nil {
		if p.setsApart(how) {
			return c.quarantineAgain(earlier, &m)
		}
		if err := c.supersede(earlier); err != nil {
			return Receipt{}, err
		}
	}
	if err := c.keepSource(a); err != nil {
		return Receipt{}, err
	}
	if p.setsApart(how) {
		return c.quarantine(&m, a.size, why)
	}
	if err := bodies.Put(c, &body); err != nil {
		return Receipt{}, err
	}
	p = c.filterOut(p, &m)
	if err := c.put(&m, p, recipients); err != nil {
		return Receipt{}, err
	}
	if err := c.tellOthers(&m, recipients); err != nil {
		return Receipt{}, err
	}
	if err := c.bounced(&m, p, a.original); err != nil {
		return Receipt{}, err
	}
	if earlier != nil {
		if _, err := c.record(Event{Kind: EventMailReleased, Ticket: m.Ticket, Message: m.ID, Data: mailData(&earlier.Mail, "why", "again")}); err != nil {
			return Receipt{}, err
		}
	}
	return Receipt{MessageID: m.ID, Ticket: m.Ticket, State: m.State, Reason: m.Reason}, nil
}

// keepSource counts a mail as accepted and stores it as received. One that comes
// from quarantine was both.
func (c *command) keepSource(a *arrival) error {
	if a.released {
		return nil
	}
	if err := c.account(a.message.At, 1, 0); err != nil {
		return err
	}
	return raws.Put(c, key(a.message.ID), a.raw)
}

// recipients resolves those of the envelope that are still ours: between RCPT
// and now an alias may have gone.
func (c *command) recipients(envelope []string, at time.Time) ([]*recipient, error) {
	var list []*recipient
	var refusal *RecipientError
	var firstRefusal error
	for _, address := range envelope {
		r, err := findRecipient(c, address, at)
		switch {
		case err == nil:
			c.trace.recipient(r)
			list = append(list, r)
		case errors.As(err, &refusal):
			c.trace.refused(refusal)
			if firstRefusal == nil {
				firstRefusal = err
			}
		default:
			return nil, err
		}
	}
	if len(list) == 0 {
		if firstRefusal == nil {
			firstRefusal = &RecipientError{Problem: RecipientUnknown}
		}
		return nil, firstRefusal
	}
	return list, nil
}

// receiveAgain notes a further arrival of a mail that is here already: same
// ticket, one more path, of which other tickets may have to know.
func (c *command) receiveAgain(first *Message, again Message, recipients []*recipient) (Receipt, error) {
	c.trace.add(StepDuplicate, "message", first.ID, "ticket", formatNumber(first.Ticket), "at", stamp(first.At))
	ticket, err := tickets.Get(c, key(first.Ticket))
	if err != nil {
		return Receipt{}, err
	}
	var more []*recipient // by which it had not come yet
	for _, r := range recipients {
		if !slices.Contains(first.Paths, r.address) {
			more = append(more, r)
		}
		first.Paths = appendNew(first.Paths, r.address)
		if r.alias != nil && r.token == nil {
			ticket.Aliases = appendNew(ticket.Aliases, r.alias.Address)
			ticket.Tags = appendNew(ticket.Tags, r.alias.Tags...)
		}
	}
	if err := messages.Put(c, first); err != nil {
		return Receipt{}, err
	}
	if err := tickets.Put(c, ticket); err != nil {
		return Receipt{}, err
	}
	if err := c.account(again.At, 0, 1); err != nil {
		return Receipt{}, err
	}
	if err := c.tellOthers(first, more); err != nil {
		return Receipt{}, err
	}
	_, err = c.record(Event{Kind: EventMessageDuplicate, Ticket: ticket.Number, Message: first.ID,
		Data: map[string]string{"paths": strings.Join(again.Paths, ", "), "id": again.ID}})
	return Receipt{MessageID: first.ID, Ticket: ticket.Number, State: first.State, Reason: first.Reason, Duplicate: true}, err
}
