package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// MatchQuestion asks which of a few templates answers a text, or none.
type MatchQuestion struct {
	Subject, Text string // of the customer: hostile
	Language      string // of the templates
	Templates     []MatchTemplate
}

// MatchTemplate is a template as a model is shown it.
type MatchTemplate struct{ ID, Name, Text string }

// MatchChoice is a model's answer: the id of one of the templates that it was
// asked about, or "" for none, and how sure it is of that, in percent.
type MatchChoice struct {
	Template                     string
	Confidence                   int
	Model, Digest, PromptVersion string
	Took                         time.Duration
}

// MatchInput is the question about a ticket.
type MatchInput struct {
	Ticket uint64
	Round  int // to be handed back with the answer
	MatchQuestion
}

// MatchInput returns the question for a claimed TimerMatch, whose id is a
// ticket's number; nil where there is nothing to ask a model, and then it has
// ended the timer.
func (d *Desk) MatchInput(ctx context.Context, number string) (in *MatchInput, err error) {
	n, ok := parseNumber(number)
	if !ok {
		return nil, fmt.Errorf("match ticket %q: that is no number", number)
	}
	var why AutoReplyReason
	err = d.view(ctx, func(r store.Reader) error {
		in, why = nil, ""
		t, err := optional(tickets.Get(r, key(n)))
		if err != nil || t == nil || t.AutoReply == nil || t.AutoReply.State != AutoReplyMatching {
			return err
		}
		in, why, err = d.matchInput(r, t)
		return err
	})
	if err != nil || in != nil && why == "" {
		return in, err
	}
	return nil, d.update(ctx, System("service"), func(c *command) error {
		t, err := optional(tickets.Get(c, key(n)))
		if err != nil || t == nil || t.AutoReply == nil || t.AutoReply.State != AutoReplyMatching {
			return errors.Join(err, c.clearTimer(TimerMatch, number))
		}
		if in == nil || in.Round != t.AutoReply.Round {
			return nil // asked anew meanwhile
		}
		if err := c.unmatched(t, why, ""); err != nil {
			return err
		}
		return tickets.Put(c, t)
	})
}

// matchInput makes the question, or says why none is asked.
func (d *Desk) matchInput(r store.Reader, t *Ticket) (*MatchInput, AutoReplyReason, error) {
	in := &MatchInput{Ticket: t.Number, Round: t.AutoReply.Round}
	o, why, err := occurrenceOf(r, t)
	if err != nil || why != "" {
		return in, why, err
	}
	if d.now().Sub(o.mail.At) > o.service.Delay+maxAutoReplyAge {
		return in, UnmatchedLate, nil
	}
	fits, err := o.service.speaks(r, o.mail, t.AliasID)
	if err != nil {
		return in, "", err
	}
	if !fits {
		return in, UnmatchedLanguage, nil
	}
	if in.MatchQuestion, err = questionOf(r, &o, t.AutoReply.Rejected); err != nil {
		return in, "", err
	}
	switch {
	case len(in.Templates) > 0:
		return in, "", nil
	case len(t.AutoReply.Rejected) > 0:
		return in, UnmatchedRejected, nil
	}
	return in, UnmatchedTemplateGone, nil
}

// questionOf is the question about the unanswered mails, without the templates
// that somebody said no to.
func questionOf(r store.Reader, o *occurrence, without []string) (q MatchQuestion, err error) {
	q = MatchQuestion{Subject: o.mails[0].Subject}
	var texts []string
	for _, m := range o.mails {
		body, err := bodies.Get(r, key(m.ID))
		if err != nil {
			return q, err
		}
		texts = append(texts, body.forModel())
	}
	q.Text = strings.Join(texts, "\n\n")
	return q, o.service.offer(r, &q, without)
}

// newWords are what is new in a mail, or all of it where nothing is.
func (b *Body) newWords() string {
	if strings.TrimSpace(b.ReplyText) == "" {
		return b.Text
	}
	return b.ReplyText
}

// offer puts the service's templates into a question.
func (s *Service) offer(r store.Reader, q *MatchQuestion, without []string) error {
	q.Language = s.Language
	o := occurrence{service: s}
	for _, id := range s.Templates {
		if slices.Contains(without, id) {
			continue
		}
		t, err := o.usable(r, id)
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		v, _ := t.in(s.Language)
		q.Templates = append(q.Templates, MatchTemplate{ID: id, Name: t.Name, Text: v.Text})
	}
	return nil
}

// StoreMatch stores what a model answered, or the problem why it gave no answer
// that can be used. An answer to a question that was asked anew meanwhile is
// left out. Whatever the model says, it chooses among the service's templates.
func (d *Desk) StoreMatch(ctx context.Context, in *MatchInput, choice MatchChoice, problem string) error {
	return d.update(ctx, Actor{Kind: ActorModel, Name: choice.Model}, func(c *command) error {
		t, err := tickets.Get(c, key(in.Ticket))
		if t, err = found(t, err, "ticket", in.Ticket); err != nil {
			return err
		}
		a := t.AutoReply
		if a == nil || a.State != AutoReplyMatching {
			return c.clearTimer(TimerMatch, formatNumber(in.Ticket))
		}
		if a.Round != in.Round {
			return nil
		}
		if err := c.clearTimer(TimerMatch, formatNumber(t.Number)); err != nil {
			return err
		}
		a.Model, a.Digest, a.PromptVersion, a.MatchedAt = choice.Model, choice.Digest, choice.PromptVersion, c.now
		if err := c.decideMatch(t, in, choice, problem); err != nil {
			return err
		}
		return tickets.Put(c, t)
	})
}

// decideMatch makes of a model's choice what is planned.
func (c *command) decideMatch(t *Ticket, in *MatchInput, choice MatchChoice, problem string) error {
	a := t.AutoReply
	if problem != "" {
		return c.unmatched(t, UnmatchedError, problem)
	}
	o, why, err := occurrenceOf(c, t)
	if err != nil {
		return err
	}
	if why != "" {
		return c.unmatched(t, why, "")
	}
	if choice.Template == "" {
		why = UnmatchedNone
		if len(a.Rejected) > 0 {
			why = UnmatchedRejected
		}
		return c.unmatched(t, why, "")
	}
	asked := slices.ContainsFunc(in.Templates, func(m MatchTemplate) bool { return m.ID == choice.Template })
	template, err := o.usable(c, choice.Template)
	if err != nil {
		return err
	}
	if !asked || template == nil || slices.Contains(a.Rejected, choice.Template) {
		return c.unmatched(t, UnmatchedTemplateGone, "")
	}
	a.TemplateID, a.TemplateAt, a.Confidence = template.ID, template.ChangedAt, min(max(choice.Confidence, 0), 100)
	if a.Confidence < o.service.Threshold {
		return c.unmatched(t, UnmatchedDoubt, "")
	}
	return c.plan(t, &o)
}

// plan sets when the chosen template is sent.
func (c *command) plan(t *Ticket, o *occurrence) error {
	due, err := o.due(c.clock(), c.now)
	if err != nil {
		return err
	}
	if due.IsZero() {
		return c.unmatched(t, UnmatchedHours, "")
	}
	a := t.AutoReply
	a.State, a.Reason, a.Due = AutoReplyPlanned, "", due
	t.UpdatedAt = c.now
	if err := c.setTimer(TimerAutoReply, formatNumber(t.Number), due); err != nil {
		return err
	}
	return c.recordAutoReply(EventServiceMatched, t, nil)
}
