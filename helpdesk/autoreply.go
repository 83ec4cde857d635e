package helpdesk

import (
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// AutoReplyState is where a ticket stands with a smart service.
type AutoReplyState string

// The states. The first three last while the customer waits for a first answer.
const (
	AutoReplyMatching  AutoReplyState = "matching"  // the model is asked which template fits
	AutoReplyPlanned   AutoReplyState = "planned"   // one does, and is sent when it is due
	AutoReplyUnmatched AutoReplyState = "unmatched" // nothing is sent by itself: a person has to look
	AutoReplySent      AutoReplyState = "sent"
	AutoReplyStopped   AutoReplyState = "stopped" // a person was quicker
	AutoReplyNever     AutoReplyState = "never"   // somebody said so
)

// AutoReplyReason says why nothing is sent. Words live in the interface.
type AutoReplyReason string

// Why a ticket is unmatched.
const (
	UnmatchedNone         AutoReplyReason = "none"          // no template fits, says the model
	UnmatchedDoubt        AutoReplyReason = "doubt"         // one may fit; the model is not sure enough
	UnmatchedRejected     AutoReplyReason = "rejected"      // none is left of those that people said no to
	UnmatchedError        AutoReplyReason = "error"         // the model gave no answer that can be used
	UnmatchedLanguage     AutoReplyReason = "language"      // the mail is in another language than the service
	UnmatchedSeveral      AutoReplyReason = "several"       // several people wrote
	UnmatchedUnanswerable AutoReplyReason = "unanswerable"  // not proven, automatic, or never to be answered by itself
	UnmatchedServiceOff   AutoReplyReason = "service_off"   // the service is switched off, gone, or for other aliases
	UnmatchedAliasOff     AutoReplyReason = "alias_off"     // the alias is disabled, gone, or of another language
	UnmatchedApproval     AutoReplyReason = "approval"      // answers from the alias need a second person
	UnmatchedTemplateGone AutoReplyReason = "template_gone" // the template is no longer in the service
	UnmatchedSuppressed   AutoReplyReason = "suppressed"    // the address refuses mail
	UnmatchedSenderLimit  AutoReplyReason = "sender_limit"  // the address has had as many as it may
	UnmatchedHours        AutoReplyReason = "hours"         // the working hours have no opening
	UnmatchedLate         AutoReplyReason = "late"          // the mail is too old to be answered by itself
	UnmatchedPending      AutoReplyReason = "pending"       // a colleague's reply is scheduled, or waits for approval
	UnmatchedUnwritable   AutoReplyReason = "unwritable"    // no mail can be written to that address
)

// Why a planned answer was stopped.
const (
	StoppedAnswered AutoReplyReason = "answered"
	StoppedClosed   AutoReplyReason = "closed"
	StoppedSpam     AutoReplyReason = "spam"
	StoppedMerged   AutoReplyReason = "merged"
	StoppedMoved    AutoReplyReason = "moved" // its mail is on another ticket now
)

// AutoReplyReasons are all reasons of the unmatched, for those who have words
// for each.
var AutoReplyReasons = []AutoReplyReason{UnmatchedNone, UnmatchedDoubt, UnmatchedRejected, UnmatchedError, UnmatchedLanguage, UnmatchedSeveral,
	UnmatchedUnanswerable, UnmatchedServiceOff, UnmatchedAliasOff, UnmatchedApproval, UnmatchedTemplateGone, UnmatchedSuppressed,
	UnmatchedSenderLimit, UnmatchedHours, UnmatchedLate, UnmatchedPending, UnmatchedUnwritable}

// AutoReply is where a ticket stands with the smart service of its alias.
type AutoReply struct {
	State     AutoReplyState
	Reason    AutoReplyReason `cbor:",omitempty"`
	ServiceID string
	// TemplateID is the one that is to be sent or was sent; with UnmatchedDoubt
	// the one that came closest. TemplateAt is its last change when it was chosen.
	TemplateID string    `cbor:",omitempty"`
	TemplateAt time.Time `cbor:",omitzero"`
	Confidence int       `cbor:",omitempty"` // percent
	// Rejected are the ids of templates that somebody said no to here.
	Rejected []string  `cbor:",omitempty"`
	Due      time.Time `cbor:",omitzero"` // while planned
	// CustomerSeq is the newest customer event that was matched, and Round counts
	// the questions: an answer to an earlier one is not taken.
	CustomerSeq   uint64
	Round         int
	Model         string    `cbor:",omitempty"`
	Digest        string    `cbor:",omitempty"` // of the model, as its server names it
	PromptVersion string    `cbor:",omitempty"`
	MatchedAt     time.Time `cbor:",omitzero"`
	Message       string    `cbor:",omitempty"` // the answer, once it is sent
}

// live reports whether something may still come of it.
func (a *AutoReply) live() bool {
	return a != nil && (a.State == AutoReplyMatching || a.State == AutoReplyPlanned || a.State == AutoReplyUnmatched)
}

// autoReplyState is where the ticket stands with a service, "" with none.
func (t *Ticket) autoReplyState() AutoReplyState {
	if t.AutoReply == nil {
		return ""
	}
	return t.AutoReply.State
}

// awaitsFirst reports whether the ticket's customer waits for a first answer.
func (t *Ticket) awaitsFirst() bool {
	return t.Open && t.Spam == nil && t.MergedInto == 0 && !t.WaitingSince.IsZero() && !t.Answered
}

// matchLater has the mail matched that has just opened a ticket, where its alias
// has a service and the mail may be answered automatically.
func (c *command) matchLater(t *Ticket, m *Message) error {
	s, err := serviceOf(c, t.AliasID)
	if err != nil || s == nil || !m.answerable() || t.Previous != 0 {
		return err
	}
	if ours, err := isOurs(c, m.From.Email); err != nil || ours {
		return err
	}
	if unwanted, err := silent(c, m.From.Email); err != nil || unwanted {
		return err
	}
	t.AutoReply = &AutoReply{ServiceID: s.ID}
	return c.match(t)
}

// match has the ticket's unanswered mails matched, again if they were before.
func (c *command) match(t *Ticket) error {
	a := *t.AutoReply
	t.AutoReply = &AutoReply{State: AutoReplyMatching, ServiceID: a.ServiceID, Rejected: a.Rejected, CustomerSeq: t.CustomerSeq, Round: a.Round + 1}
	if err := c.clearTimer(TimerAutoReply, formatNumber(t.Number)); err != nil {
		return err
	}
	return c.setTimer(TimerMatch, formatNumber(t.Number), c.now)
}

// keepAutoReply lets what a service is about to do follow the ticket's state.
// Every write of a ticket goes through it, so no command can forget it.
func (c *command) keepAutoReply(t *Ticket) error {
	a := t.AutoReply
	switch {
	case a == nil:
		return nil
	case a.State == AutoReplyStopped && a.Reason == StoppedSpam && t.awaitsFirst():
		return c.match(t) // it was no spam
	case !a.live():
		return nil
	case !t.awaitsFirst():
		return c.stopAutoReply(t)
	case a.CustomerSeq != t.CustomerSeq: // the customer wrote again
		return c.match(t)
	}
	return nil
}

// stopAutoReply ends what a service was about to do, since a person has dealt
// with the ticket.
func (c *command) stopAutoReply(t *Ticket) error {
	a := *t.AutoReply
	planned := a.State == AutoReplyPlanned
	a.State, a.Due = AutoReplyStopped, time.Time{}
	switch {
	case t.MergedInto != 0:
		a.Reason = StoppedMerged
	case t.Spam != nil:
		a.Reason = StoppedSpam
	case t.Answered:
		a.Reason = StoppedAnswered
	case !t.Open:
		a.Reason = StoppedClosed
	default:
		a.Reason = StoppedMoved
	}
	t.AutoReply = &a
	if err := c.clearAutoReplyTimers(t.Number); err != nil || !planned {
		return err
	}
	return c.recordAutoReply(EventServiceStopped, t, nil)
}

func (c *command) clearAutoReplyTimers(number uint64) error {
	for _, kind := range []TimerKind{TimerMatch, TimerAutoReply} {
		if err := c.clearTimer(kind, formatNumber(number)); err != nil {
			return err
		}
	}
	return nil
}

// unmatched leaves the ticket to people, and says why.
func (c *command) unmatched(t *Ticket, why AutoReplyReason, problem string) error {
	a := *t.AutoReply
	a.State, a.Reason, a.Due = AutoReplyUnmatched, why, time.Time{}
	t.AutoReply = &a
	if err := c.clearAutoReplyTimers(t.Number); err != nil {
		return err
	}
	t.UpdatedAt = c.now
	return c.recordAutoReply(EventServiceUnmatched, t, details{"text": problem})
}

// recordAutoReply writes an event with what the ticket says of its service.
func (c *command) recordAutoReply(kind EventKind, t *Ticket, data details) error {
	a := t.AutoReply
	if data == nil {
		data = details{}
	}
	data["service"], data["reason"] = a.ServiceID, string(a.Reason)
	if s, err := optional(services.Get(c, key(a.ServiceID))); err != nil {
		return err
	} else if s != nil {
		data["name"] = s.Name
	}
	if a.TemplateID != "" {
		data["template"], data["confidence"] = a.TemplateID, formatNumber(uint64(a.Confidence))
		template, err := optional(templates.Get(c, key(a.TemplateID)))
		if err != nil {
			return err
		}
		if template != nil {
			data["template_name"] = template.Name
		}
	}
	if a.Model != "" {
		data["model"], data["digest"], data["prompt"] = a.Model, a.Digest, a.PromptVersion
	}
	if !a.Due.IsZero() {
		data["due"] = stamp(a.Due)
	}
	_, err := c.record(Event{Kind: kind, Ticket: t.Number, Message: a.Message, Data: data})
	return err
}

// occurrence is all that decides whether a service may answer a ticket.
type occurrence struct {
	ticket  *Ticket
	service *Service
	alias   *Alias
	mail    *Message   // the newest unanswered one, which is answered
	mails   []*Message // all unanswered ones, oldest first
}

// occurrenceOf looks whether a service may answer a ticket now: why is empty
// where it may.
func occurrenceOf(r store.Reader, t *Ticket) (o occurrence, why AutoReplyReason, err error) {
	o.ticket = t
	if o.service, err = optional(services.Get(r, key(t.AutoReply.ServiceID))); err != nil {
		return o, "", err
	}
	if o.service == nil || o.service.Disabled || !slices.Contains(o.service.Aliases, t.AliasID) {
		return o, UnmatchedServiceOff, nil
	}
	if o.alias, err = optional(aliases.Get(r, key(t.AliasID))); err != nil {
		return o, "", err
	}
	switch {
	case o.alias == nil || o.alias.Disabled || baseLanguage(o.alias.Language) != baseLanguage(o.service.Language):
		return o, UnmatchedAliasOff, nil
	case o.alias.Approval:
		return o, UnmatchedApproval, nil
	}
	found, err := tallyOf(r, t.Number)
	if err != nil {
		return o, "", err
	}
	for _, m := range found.thread {
		if m.fromCustomer() && m.Settled == 0 && !m.ThirdParty {
			o.mails, o.mail = append(o.mails, m), m
		}
	}
	return o.author(r)
}

// author looks whether one author wrote all of the mails, and may be answered.
func (o occurrence) author(r store.Reader) (occurrence, AutoReplyReason, error) {
	if o.mail == nil {
		return o, UnmatchedUnanswerable, nil
	}
	for _, m := range o.mails {
		switch {
		case m.From.Email != o.mail.From.Email:
			return o, UnmatchedSeveral, nil
		case !m.answerable():
			return o, UnmatchedUnanswerable, nil
		}
	}
	if ours, err := isOurs(r, o.mail.From.Email); err != nil || ours {
		return o, UnmatchedUnanswerable, err
	}
	if unwanted, err := silent(r, o.mail.From.Email); err != nil || unwanted {
		return o, UnmatchedUnanswerable, err
	}
	suppressed, err := suppressionOf(r, o.mail.From.Email)
	if err != nil || suppressed != nil {
		return o, UnmatchedSuppressed, err
	}
	return o, "", nil
}

// usable returns one of the service's templates, nil where it cannot be sent
// any more.
func (o *occurrence) usable(r store.Reader, id string) (*Template, error) {
	if !slices.Contains(o.service.Templates, id) {
		return nil, nil
	}
	t, err := optional(templates.Get(r, key(id)))
	if err != nil || t == nil || t.OwnerID != "" {
		return nil, err
	}
	if _, ok := t.in(o.service.Language); !ok {
		return nil, nil
	}
	return t, nil
}

// due is when an answer to the occurrence leaves; zero where the working hours
// have no opening. Where the model was late, people still get time to look.
func (o *occurrence) due(k *clocks, now time.Time) (time.Time, error) {
	at := o.mail.At.Add(o.service.Delay)
	if !at.After(now) {
		at = now.Add(min(o.service.Delay, noticeBeforeAutoReply))
	}
	return o.within(k, at)
}

// within is the first moment from at on in which the service may send.
func (o *occurrence) within(k *clocks, at time.Time) (time.Time, error) {
	if o.service.CalendarID == "" {
		return at.UTC(), nil
	}
	schedule, err := k.schedule(o.service.CalendarID)
	if err != nil {
		return time.Time{}, err
	}
	if at = schedule.Next(at); at.IsZero() {
		return at, nil
	}
	return at.UTC(), nil
}

const (
	// noticeBeforeAutoReply is what people have to look at a match that came late.
	noticeBeforeAutoReply = time.Hour
	// maxAutoReplyAge is how old a mail may be that is answered by itself, beyond
	// its service's delay.
	maxAutoReplyAge = 7 * 24 * time.Hour
)
