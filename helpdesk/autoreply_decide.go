package helpdesk

import (
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// RejectAutoReply says that the planned template does not answer a ticket: the
// model is asked for the next best, or none.
func (d *Desk) RejectAutoReply(ctx context.Context, a Actor, number uint64, template string) (*Ticket, error) {
	return d.decideAutoReply(ctx, a, number, func(c *command, t *Ticket) error {
		if template == "" || !t.planned(template) {
			return autoReplyGone(number)
		}
		if err := c.recordAutoReply(EventServiceRejected, t, nil); err != nil {
			return err
		}
		t.AutoReply.Rejected = appendNew(slices.Clone(t.AutoReply.Rejected), template)
		return c.match(t)
	})
}

// ForbidAutoReply lets nothing be sent by itself on a ticket.
func (d *Desk) ForbidAutoReply(ctx context.Context, a Actor, number uint64) (*Ticket, error) {
	return d.decideAutoReply(ctx, a, number, func(c *command, t *Ticket) error {
		if t.AutoReply != nil && t.AutoReply.State == AutoReplyNever {
			return nil
		}
		if !t.AutoReply.live() {
			return autoReplyGone(number)
		}
		reply := *t.AutoReply
		reply.State, reply.Reason, reply.Due = AutoReplyNever, "", time.Time{}
		t.AutoReply = &reply
		if err := c.clearAutoReplyTimers(number); err != nil {
			return err
		}
		return c.recordAutoReply(EventServiceForbidden, t, nil)
	})
}

// MatchAgain has a ticket matched from the start: after it was forbidden or
// stopped, or where nothing fitted and the templates are others now.
func (d *Desk) MatchAgain(ctx context.Context, a Actor, number uint64) (*Ticket, error) {
	return d.decideAutoReply(ctx, a, number, func(c *command, t *Ticket) error {
		if t.AutoReply != nil && (t.AutoReply.State == AutoReplyMatching || t.AutoReply.State == AutoReplyPlanned) {
			return nil
		}
		if !t.awaitsFirst() {
			return conflict("auto_reply_not_waiting", "ticket %d does not wait for a first answer; nothing can be sent by itself", number)
		}
		s, err := serviceOf(c, t.AliasID)
		if err != nil {
			return err
		}
		if s == nil {
			return conflict("auto_reply_no_service", "no service answers for the alias of ticket %d", number)
		}
		round := 0
		if t.AutoReply != nil {
			round = t.AutoReply.Round
		}
		t.AutoReply = &AutoReply{ServiceID: s.ID, Round: round}
		if err := c.match(t); err != nil {
			return err
		}
		return c.recordAutoReply(EventServiceAgain, t, nil)
	})
}

func (d *Desk) decideAutoReply(ctx context.Context, a Actor, number uint64, change func(*command, *Ticket) error) (changed *Ticket, err error) {
	if err := a.may("decide on an automatic answer", PermitReply); err != nil {
		return nil, err
	}
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error {
		t.UpdatedAt = c.now
		return change(c, t)
	})
}

// AutoReplyView is what is shown of a ticket's automatic answer.
type AutoReplyView struct {
	AutoReply
	ServiceName  string
	TemplateName string
	// Letter is what would be sent now; nil where nothing is planned.
	Letter *Filled
	// Problem says why it would not be sent by itself as things are now, "" for nothing.
	Problem AutoReplyReason
	// Awaits says that the customer waits for a first answer: it can be matched again.
	Awaits bool
}

// autoReplyView is nil where no service is, or was, at work on the ticket.
func (d *Desk) autoReplyView(r store.Reader, t *Ticket) (*AutoReplyView, error) {
	if t.AutoReply == nil {
		return nil, nil
	}
	v := &AutoReplyView{AutoReply: *t.AutoReply, Awaits: t.awaitsFirst()}
	s, err := optional(services.Get(r, key(v.ServiceID)))
	if err != nil {
		return nil, err
	}
	if s != nil {
		v.ServiceName = s.Name
	}
	template, err := optional(templates.Get(r, key(v.TemplateID)))
	if err != nil {
		return nil, err
	}
	if template != nil {
		v.TemplateName = template.Name
	}
	if v.State != AutoReplyPlanned {
		return v, nil
	}
	l, err := judge(r, newClocks(r, d.zones), t, laterOf(d.now(), v.Due), false)
	if err != nil {
		return nil, err
	}
	if v.Problem = l.verdict.why; v.Problem == "" && l.template == nil {
		v.Problem = UnmatchedTemplateGone
	}
	if template == nil || s == nil {
		return v, nil
	}
	o, err := d.occasionNow(r, t, l.alias, "")
	if err != nil {
		return nil, err
	}
	version, _ := template.in(s.Language)
	o.language = version.Language
	words := o.values().complete(Localized{Text: version.Text, HTML: version.HTML})
	v.Letter = &Filled{Language: version.Language, Text: words.Text, HTML: words.HTML, Files: version.Files,
		Subject: o.values().complete(Localized{Text: version.Subject}).Text}
	return v, nil
}
