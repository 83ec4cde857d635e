package helpdesk

import (
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// postReply writes the reply with everything that follows from it.
func (c *command) postReply(r Reply, o *outgoing, raw store.Blob) (*Message, error) {
	g, err := replyGround(c, &r)
	if err != nil {
		return nil, err
	}
	if err := c.crosses(&r, g.ticket); err != nil {
		return nil, err
	}
	if err := r.mayLeave(g.alias); err != nil {
		return nil, err
	}
	m, body, token, ticket := o.message, o.body, o.token, g.ticket
	if r.Opening != nil {
		if ticket, err = c.openFor(&r, &m); err != nil {
			return nil, err
		}
		token.Ticket = ticket.Number
	}
	if err := checkSuppressed(c, recipientsOf(&m)); err != nil {
		return nil, err
	}
	if r.bulk != nil {
		if err := o.checkOptedOut(c); err != nil {
			return nil, err
		}
	}
	if err := c.countUse(m.Templates, 1); err != nil {
		return nil, err
	}
	m.Before = &Before{Opening: r.Opening, StageID: ticket.StageID, AssigneeID: ticket.AssigneeID, Quote: r.Quote, Signature: r.Signature}
	if err := tokens.Put(c, &token); err != nil {
		return nil, err
	}
	if err := raws.Put(c, key(m.ID), raw); err != nil {
		return nil, err
	}
	if err := bodies.Put(c, &body); err != nil {
		return nil, err
	}
	for i := range o.bounces {
		o.bounces[i].Ticket = ticket.Number
	}
	if err := c.putDeliveries(&m, o.bounces, r.leaves(c)); err != nil {
		return nil, err
	}
	if err := c.remember(r.once(), m.ID); err != nil {
		return nil, err
	}
	data := map[string]string{"to": emails(m.To)}
	if m.Via != "" {
		data["answers"] = m.Via
	}
	m.Seq, err = c.record(Event{Kind: EventReplyPosted, Ticket: ticket.Number, Message: m.ID, Data: data})
	if err != nil {
		return nil, err
	}
	if err := c.endDraft(ticket, m.AuthorID, r.Draft, r.held, r.Copy); err != nil {
		return nil, err
	}
	if err := c.answered(ticket, &m, &r); err != nil {
		return nil, err
	}
	return &m, messages.Put(c, &m)
}

// answered changes the ticket as its answer does.
func (c *command) answered(t *Ticket, m *Message, r *Reply) error {
	t.Messages++
	t.Snippet, t.UpdatedAt = m.Snippet, c.now
	if m.ThirdParty {
		if err := c.settleThirdParties(t, m.Seq); err != nil {
			return err
		}
	} else if err := c.answeredCustomer(t, m); err != nil {
		return err
	}
	before := len(t.Participants)
	t.Participants = appendNew(t.Participants, recipientsOf(m)...)
	if err := c.bringsIn(t, m, before); err != nil {
		return err
	}
	if r.bulk == nil { // who writes to many does not take them all
		t.followed(c.actor.UserID)
	}
	if t.AssigneeID == "" && c.actor.UserID != "" && r.bulk == nil {
		if err := c.assign(t, c.actor.UserID); err != nil {
			return err
		}
		m.Before.AssignedTo = t.AssigneeID
	}
	if r.Close {
		pipeline, err := pipelines.Get(c, key(t.PipelineID))
		if err != nil {
			return err
		}
		stage, ok := pipeline.FirstOf(StageClosed)
		if !ok {
			return invalid("close", "no_closed_stage", "pipeline %q has no closed stage; add one in the settings", pipeline.Name)
		}
		if t.StageID != stage.ID {
			m.Before.ClosedInto = stage.ID
		}
		if err := c.mayClose(t, stage); err != nil {
			return err
		}
		if err := c.moveTo(t, pipeline, stage); err != nil {
			return err
		}
	}
	return tickets.Put(c, t)
}

// answeredCustomer changes the ticket as an answer to its customer does.
func (c *command) answeredCustomer(t *Ticket, m *Message) error {
	t.DeliveryFailed, t.Answered = false, true
	if err := c.markNotSpam(t); err != nil { // nobody answers spam
		return err
	}
	if err := c.settle(t, m.Seq); err != nil {
		return err
	}
	return c.replied(m)
}

// safeHTML is a message's HTML for quoting; made of its text where it has none.
func safeHTML(b *Body) mail.SafeHTML {
	if b.HTML == "" {
		return mail.SafeHTML{HTML: mail.HTMLFromText(b.Text)}
	}
	return mail.SanitizeHTML(b.HTML, mail.SanitizeOptions{})
}
