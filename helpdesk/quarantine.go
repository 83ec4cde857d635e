package helpdesk

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Quarantined is a mail that was accepted and set aside: it is stored whole, and
// belongs to no ticket until somebody who may decides on it. Nothing is answered,
// announced or read by a model on its account.
type Quarantined struct {
	// Mail is the message as it would have been stored; its source is kept under
	// its ID.
	Mail  Message
	Size  int // of the source, in bytes
	Why   Suspicion
	State QuarantineState
	// RejectedBy, RejectedAt and PurgeAt are of a rejected mail; at PurgeAt it is
	// deleted.
	RejectedBy string    `cbor:",omitempty"`
	RejectedAt time.Time `cbor:",omitempty"`
	PurgeAt    time.Time `cbor:",omitempty"`
}

// QuarantineState says whether somebody has decided on a quarantined mail. One
// that is released is a message of a ticket and no longer here.
type QuarantineState string

// The states.
const (
	QuarantineWaiting  QuarantineState = "waiting"
	QuarantineRejected QuarantineState = "rejected" // it may still be released until it is purged
)

// MessageQuarantined is the state of a mail in quarantine, in receipts and
// explanations; no stored message has it.
const MessageQuarantined MessageState = "quarantined"

// ReasonQuarantined is the reason of such a mail.
const ReasonQuarantined Reason = "quarantined"

// Suspicion is why a mail is set aside. Whoever examines a mail before the desk
// does (a content filter) gives one in Incoming.
type Suspicion struct {
	Kind SuspicionKind
	// Detail is what a filter said, for people, such as "rspamd: reject, 18.2 of
	// 15". Empty for a mail that fails DMARC, whose Authentication says it all.
	Detail string `cbor:",omitempty"`
}

// SuspicionKind names what looked wrong. The sentence for it lives in the
// interface's catalogue, under quarantine.why.
type SuspicionKind string

// The kinds.
const (
	SuspectDMARC  SuspicionKind = "dmarc"  // it fails the policy of its From domain
	SuspectFilter SuspicionKind = "filter" // a content filter took it for hostile
	SuspectReport SuspicionKind = "report" // it is for the address of reports and brings none, as Detail says
	// SuspectReportUnproven and SuspectReportDomain are of a report that anybody could
	// have sent, and of one on the domain in Detail, which is not ours.
	SuspectReportUnproven SuspicionKind = "report_unproven"
	SuspectReportDomain   SuspicionKind = "report_domain"
)

// OfReport tells of a mail that is for the address of reports.
func (k SuspicionKind) OfReport() bool {
	return k == SuspectReport || k == SuspectReportUnproven || k == SuspectReportDomain
}

// Handling is what is done with a suspicious mail.
type Handling string

// The handlings.
const (
	HandleAccept     Handling = "accept"     // received, and marked
	HandleQuarantine Handling = "quarantine" // set aside until somebody decides
	HandleRefuse     Handling = "refuse"     // the sender is told, with a 550
)

// DMARCHandling chooses what is done with mail that fails DMARC, by what the From
// domain asks for (RFC 7489, section 6.3). The zero value quarantines where the
// domain asks for quarantine or rejection: forwarders and mailing lists fail
// through no fault of the author, so a refusal loses customers (RFC 7489,
// section 10.2), and nobody sees a mail that was refused.
type DMARCHandling struct{ Reject, Quarantine, None Handling }

func (h DMARCHandling) withDefaults() DMARCHandling {
	return DMARCHandling{cmp.Or(h.Reject, HandleQuarantine), cmp.Or(h.Quarantine, HandleQuarantine), cmp.Or(h.None, HandleAccept)}
}

func (h DMARCHandling) of(policy string) Handling {
	switch policy {
	case "reject":
		return h.Reject
	case "quarantine":
		return h.Quarantine
	case "none":
		return h.None
	}
	return HandleAccept
}

// PolicyError refuses a mail that fails its From domain's DMARC policy. Its text
// is for the sender.
type PolicyError struct{ Domain, Policy string }

func (e *PolicyError) Error() string {
	return fmt.Sprintf("neither SPF nor DKIM proves that this message is from %s, whose DMARC policy is p=%s; send it through a server of that domain", e.Domain, e.Policy)
}

// refusalOf is why a mail is refused for good.
func refusalOf(err error) (why Phrase, refused bool) {
	if recipient, is := errors.AsType[*RecipientError](err); is {
		return Phrase{Key: "error.recipient_" + string(recipient.Problem), Text: err.Error()}, true
	}
	if policy, is := errors.AsType[*PolicyError](err); is {
		return Phrase{"error.recipient_policy", []any{policy.Domain, policy.Policy}, err.Error()}, true
	}
	return Phrase{}, false
}

// suspect looks for what speaks against a mail and how it is handled for that. A
// sender that the house trusts is vouched for in m.
func (c *command) suspect(a *arrival, m *Message) (why Suspicion, how Handling, err error) {
	switch {
	case a.suspicion != nil:
		why, how = *a.suspicion, HandleQuarantine
	case m.Authentication.DMARC.Result == "fail":
		why, how = Suspicion{Kind: SuspectDMARC}, c.desk.policy.Load().DMARC.of(m.Authentication.Policy)
	default:
		return why, HandleAccept, nil
	}
	if a.released {
		m.Authentication.Vouched = VouchedReleased
		return why, HandleAccept, nil
	}
	trusted, err := trustedAs(c, m)
	if err != nil {
		return why, how, err
	}
	if trusted != nil {
		m.Authentication.Vouched = VouchedTrusted
		c.trace.add(StepTrusted, "sender", trusted.Pattern, "proof", trusted.Proof.String())
		return why, HandleAccept, nil
	}
	if how == HandleRefuse {
		return why, how, &PolicyError{Domain: m.Authentication.DMARC.Domain, Policy: m.Authentication.Policy}
	}
	return why, how, nil
}

// setsApart reports whether a mail for p's place goes to quarantine. What waits
// in a ticket's confirmation strip stays there, before those who know the
// conversation; a blocked sender's goes to spam.
func (p placement) setsApart(how Handling) bool {
	return how == HandleQuarantine && p.state != MessageHeld && p.state != MessageRefused && p.blocked == ""
}

// quarantine sets a mail aside, whose source is stored already.
func (c *command) quarantine(m *Message, size int, why Suspicion) (Receipt, error) {
	m.State, m.Reason = MessageQuarantined, ReasonQuarantined
	c.trace.add(StepQuarantined, "suspicion", string(why.Kind), "note", why.Detail)
	if err := quarantined.Put(c, &Quarantined{Mail: *m, Size: size, Why: why, State: QuarantineWaiting}); err != nil {
		return Receipt{}, err
	}
	_, err := c.record(Event{Kind: EventMailQuarantined, Data: mailData(m, "why", string(why.Kind), "note", why.Detail)})
	return Receipt{MessageID: m.ID, State: m.State, Reason: m.Reason}, err
}

// mailData are the data of an event about a mail that is on no ticket.
func mailData(m *Message, pairs ...string) map[string]string {
	data := map[string]string{"mail": m.ID, "from": m.From.Email, "subject": m.Subject}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			data[pairs[i]] = pairs[i+1]
		}
	}
	return data
}

// arrivedAgain finds the quarantined mail that m is another arrival of, or nil.
func (c *command) arrivedAgain(m *Message) (*Quarantined, error) {
	return optional(quarantined.First(c, "identity", key(m.Identity)))
}

// quarantineAgain notes a further arrival of a mail that is in quarantine: one
// mail to decide on, for the recipients of both.
func (c *command) quarantineAgain(q *Quarantined, m *Message) (Receipt, error) {
	c.trace.add(StepQuarantinedAgain, "at", stamp(q.Mail.At))
	q.Mail.Paths = appendNew(q.Mail.Paths, m.Paths...)
	q.Mail.Envelope.Recipients = appendNew(q.Mail.Envelope.Recipients, m.Envelope.Recipients...)
	if err := quarantined.Put(c, q); err != nil {
		return Receipt{}, err
	}
	if err := c.account(m.At, 0, 1); err != nil {
		return Receipt{}, err
	}
	_, err := c.record(Event{Kind: EventMailQuarantined, Data: mailData(&q.Mail, "why", string(q.Why.Kind), "paths", strings.Join(m.Paths, ", "))})
	return Receipt{MessageID: q.Mail.ID, State: MessageQuarantined, Reason: ReasonQuarantined, Duplicate: true}, err
}

// supersede takes a mail out of quarantine that has come again by a way on which
// nothing speaks against it: the second arrival is the one that is kept.
func (c *command) supersede(q *Quarantined) error {
	if err := c.forget(q); err != nil {
		return err
	}
	if err := c.account(q.Mail.At, -1, 0); err != nil {
		return err
	}
	return c.account(c.now, 0, 1)
}

// forget deletes a quarantined mail with its source and its timer.
func (c *command) forget(q *Quarantined) error {
	if err := c.clearTimer(TimerPurge, q.Mail.ID); err != nil {
		return err
	}
	if err := raws.Delete(c, key(q.Mail.ID)); err != nil {
		return err
	}
	return quarantined.Delete(c, key(q.Mail.ID))
}

// quarantined holds the mails that were set aside.
var quarantined = store.NewTable(store.Spec[Quarantined]{Name: "quarantine", Version: 1,
	Key: func(q *Quarantined) []byte { return key(q.Mail.ID) },
	Indexes: []store.Index[Quarantined]{
		{Name: "state", Keys: func(q *Quarantined) [][]byte { return one(key(string(q.State), descending(q.Mail.At), q.Mail.ID)) }},
		{Name: "arrival", Keys: func(q *Quarantined) [][]byte { return one(key(q.Mail.At)) }}, // for the ledger
		{Name: "identity", Keys: func(q *Quarantined) [][]byte { return one(key(q.Mail.Identity)) }},
		{Name: "messageid", Keys: func(q *Quarantined) [][]byte { return when(q.Mail.MessageID != "", key(q.Mail.MessageID)) }},
	}})
