package helpdesk

import (
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// placement is where a mail belongs, and why.
type placement struct {
	ticket   *Ticket // nil: a new one
	state    MessageState
	reason   Reason
	previous *Ticket // the closed ticket that a new one continues
	token    *Token
	via      string // the message whose token or reference decided
	blocked  string // the entry of the list of blocked senders, or ""
	filter   string // the filter that takes it for spam, or ""
}

// place decides, first that fits: the reply token of a recipient; a reference
// to a message of a ticket in which the sender takes part; a new ticket. A
// token or reference used by a stranger does not join: it is held.
func (c *command) place(m *Message, a *arrival, recipients []*recipient) (placement, error) {
	var named []*Token
	for _, r := range recipients {
		if r.token != nil {
			named = append(named, r.token)
		}
	}
	if len(named) > 0 {
		return c.placeByTokens(m, a, named)
	}
	if m.Kind == KindBounce && a.original != "" {
		if p, err := c.placeByReference(m, a, []string{a.original}); err != nil || p.ticket != nil {
			return p, err
		}
	}
	if mail.IsForwardSubject(m.Subject) {
		c.trace.add(StepForward, "subject", m.Subject)
		return placement{state: MessagePosted, reason: ReasonForward}, nil
	}
	references := slices.Concat(m.References, m.InReplyTo)
	slices.Reverse(references)
	c.trace.references(references)
	p, err := c.placeByReference(m, a, references)
	if err != nil || p.reason != "" {
		return p, err
	}
	reason := ReasonNew
	if recipients[0].postmaster {
		reason = ReasonPostmaster
	}
	return placement{state: MessagePosted, reason: reason}, nil
}

func (c *command) placeByToken(m *Message, a *arrival, token *Token) (placement, error) {
	carrier, err := messages.Get(c, key(token.Message))
	if err != nil {
		return placement{}, err
	}
	ticket, err := tickets.Get(c, key(carrier.Ticket))
	if err != nil {
		return placement{}, err
	}
	p := placement{ticket: ticket, token: token, via: token.Message, state: MessagePosted, reason: ReasonToken}
	c.trace.add(StepToken, "ticket", formatNumber(ticket.Number))
	switch token.Kind {
	case TokenBounce:
		p.reason = ReasonBounceAddress
		if m.fromCustomer() { // a machine that does not say so: nobody else knows this address
			m.Kind, m.NeverAnswer = KindAutoReply, true
		}
		return p, nil
	case TokenAgent:
		return c.placeAgentMail(m, p)
	}
	return c.admit(m, a, p, ReasonStrangerToken)
}

// admit lets a message into p's ticket, holds it, or sends it to a new ticket
// where a closed one does not reopen.
func (c *command) admit(m *Message, a *arrival, p placement, stranger Reason) (placement, error) {
	if m.Kind == KindBounce || m.Kind == KindReport {
		fits, err := c.tellsOf(m, a.original, p.ticket)
		if err != nil || fits {
			c.trace.add(StepNoParticipant, "kind", string(m.Kind))
			return p, err // its sender is a machine: that it knows of our mail speaks for it
		}
	}
	takesPart := hasMailbox(p.ticket.Participants, m.From.Email)
	c.trace.participant(p.ticket, m.From.Email, takesPart)
	if !takesPart {
		as, err := samePerson(c, p.ticket, m.From.Email)
		if err != nil {
			return p, err
		}
		if takesPart = as != ""; takesPart {
			c.trace.add(StepSamePerson, "address", m.From.Email, "as", as)
		}
	}
	if !takesPart {
		p.state, p.reason = MessageHeld, stranger
		return p, nil
	}
	if m.Authentication.Trust() == TrustFailed {
		c.trace.add(StepFailedAuth, "address", m.From.Email)
		p.state, p.reason = MessageHeld, ReasonFailedAuth
		return p, nil
	}
	if p.ticket.Open || !m.fromCustomer() {
		return p, nil
	}
	pipeline, err := pipelines.Get(c, key(p.ticket.PipelineID))
	if err != nil {
		return p, err
	}
	if !pipeline.Reopen {
		c.trace.add(StepClosedForGood, "ticket", formatNumber(p.ticket.Number), "pipeline", pipeline.Name)
		return placement{previous: p.ticket, via: p.via, state: MessagePosted, reason: ReasonClosed, token: p.token}, nil
	}
	return p, nil
}

// tellsOf says whether a report fits a ticket: it names somebody who was written to
// there, or returns a mail that left from there. Anything can have the shape of a
// report, and what it says would stand in the conversation.
func (c *command) tellsOf(m *Message, original string, t *Ticket) (bool, error) {
	for _, b := range m.Bounces {
		if hasMailbox(t.Participants, b.Recipient) {
			return true, nil
		}
	}
	if original == "" {
		return false, nil
	}
	for known, err := range namesakes(c, original) {
		if err != nil || known.Direction == Outbound && known.Ticket == t.Number {
			return err == nil, err
		}
	}
	return false, nil
}

// placeAgentMail takes an agent's answer to a copy: proven to be from one of
// the agent's own addresses it goes out as the agent's reply; anything else
// is held.
func (c *command) placeAgentMail(m *Message, p placement) (placement, error) {
	user, err := users.Get(c, key(p.token.User))
	if err != nil {
		return p, err
	}
	proven := m.Authentication.AlignedBy != "" && m.Authentication.DMARC.Result != "fail"
	known := m.From.Email == user.Email || m.From.Email == strings.ToLower(user.ForwardTo)
	if !known {
		alias, err := aliases.First(c, "address", key(p.token.Alias))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return p, err
		}
		known = err == nil && alias.ForwardTo != "" && m.From.Email == alias.ForwardTo
	}
	c.trace.agent(user, known, proven)
	p.state, p.reason = MessageHeld, ReasonAgentUnproven
	if proven && known && !user.Disabled {
		p.state, p.reason = MessageRelayed, ReasonAgentMail
	}
	if m.Kind != KindPerson { // an absence notice of the agent's is not an answer
		p.state, p.reason = MessageRefused, ReasonAgentMail
	}
	return p, nil
}
