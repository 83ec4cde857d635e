package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

const (
	// writingPause is how long an answer waits for a colleague who writes one.
	writingPause = 15 * time.Minute
	// domainRetry is when an answer is tried again that one domain has had too
	// many of.
	domainRetry = 15 * time.Minute
)

// verdict says what becomes of an answer that is due; the zero verdict sends it.
type verdict struct {
	why   AutoReplyReason // nothing is sent by itself
	again bool            // what was chosen is not what it was: the model is asked anew
	later time.Time       // not yet
}

// letterOf is an answer that is due, as it would be sent.
type autoLetter struct {
	occurrence
	template *Template
	verdict  verdict
}

// judge looks at everything that an answer depends on. It is asked before the
// mail is composed, and again in the transaction that posts it.
func judge(r store.Reader, k *clocks, t *Ticket, now time.Time, byHand bool) (l autoLetter, err error) {
	var why AutoReplyReason
	if l.occurrence, why, err = occurrenceOf(r, t); err != nil || why != "" {
		l.verdict.why = why
		return l, err
	}
	a := t.AutoReply
	if l.template, err = l.usable(r, a.TemplateID); err != nil {
		return l, err
	}
	if l.template == nil || !l.template.ChangedAt.Equal(a.TemplateAt) {
		l.verdict.again = true
		return l, nil
	}
	if byHand {
		return l, nil
	}
	if t.Scheduled > 0 || t.Reviews > 0 {
		l.verdict.why = UnmatchedPending
		return l, nil
	}
	at, err := l.within(k, laterOf(now, a.Due))
	switch {
	case err != nil:
		return l, err
	case at.IsZero():
		l.verdict.why = UnmatchedHours
		return l, nil
	case at.After(now):
		l.verdict.later = at
		return l, nil
	}
	l.verdict.later, err = writtenUntil(r, t.Number, now)
	return l, err
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// writtenUntil is until when an answer waits because somebody writes one; zero
// where nobody does.
func writtenUntil(r store.Reader, ticket uint64, now time.Time) (until time.Time, err error) {
	for draft, err := range drafts.ScanIndex(r, "ticket", store.Prefix(key(ticket))) {
		if err != nil {
			return until, err
		}
		if at := draft.UpdatedAt.Add(writingPause); draft.Kind == DraftReply && at.After(now) && at.After(until) {
			until = at
		}
	}
	return until, nil
}

// SendAutoReply works on a TimerAutoReply, whose id is a ticket's number: the
// chosen template is sent if nobody has answered and all that spoke for it
// still does.
func (d *Desk) SendAutoReply(ctx context.Context, number string) error {
	n, ok := parseNumber(number)
	if !ok {
		return fmt.Errorf("send the automatic answer of ticket %q: that is no number", number)
	}
	_, err := d.sendAutoReply(ctx, System("service"), n, "")
	return err
}

// SendAutoReplyNow sends what a service has planned for a ticket without
// waiting. It is a conflict where another template, or none, is planned.
func (d *Desk) SendAutoReplyNow(ctx context.Context, a Actor, number uint64, template string) (*Message, error) {
	if err := a.may("send an automatic answer", PermitReply); err != nil {
		return nil, err
	}
	if template == "" {
		return nil, autoReplyGone(number)
	}
	m, err := d.sendAutoReply(ctx, a, number, template)
	if err == nil && m == nil {
		err = autoReplyGone(number)
	}
	return m, err
}

func autoReplyGone(number uint64) error {
	return conflict("auto_reply_gone", "the automatic answer of ticket %d is not what you have seen; look again", number)
}

// sendAutoReply sends the answer of a ticket, by hand where the template that
// somebody has seen is named. The message is nil where nothing was sent.
func (d *Desk) sendAutoReply(ctx context.Context, a Actor, number uint64, seen string) (sent *Message, err error) {
	var o *outgoing
	var was AutoReply
	err = d.view(ctx, func(r store.Reader) error {
		o = nil
		t, err := optional(tickets.Get(r, key(number)))
		if err != nil || t == nil || !t.planned(seen) {
			return err
		}
		was = *t.AutoReply
		l, err := judge(r, newClocks(r, d.zones), t, d.now(), seen != "")
		if err != nil || l.verdict != (verdict{}) {
			return err
		}
		o, err = d.composeAutoReply(r, &l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the automatic answer of ticket %d: %w", number, err)
	}
	var raw store.Blob
	unwritable := ""
	if o != nil {
		source, err := mail.Compose(o.draft)
		if err != nil {
			unwritable = err.Error()
		}
		raw = store.Compress(source)
	}
	err = d.update(ctx, a, func(c *command) error {
		sent = nil
		t, err := optional(tickets.Get(c, key(number)))
		if err != nil {
			return err
		}
		if t == nil || !t.planned(seen) {
			if seen != "" || t != nil && t.AutoReply != nil && t.AutoReply.State == AutoReplyPlanned {
				return nil
			}
			return c.clearTimer(TimerAutoReply, formatNumber(number))
		}
		if o != nil && (t.AutoReply.Round != was.Round || t.AutoReply.TemplateID != was.TemplateID) {
			return c.setTimer(TimerAutoReply, formatNumber(number), c.now) // composed for another: once more
		}
		if unwritable != "" {
			err = c.unmatched(t, UnmatchedUnwritable, unwritable)
		} else {
			sent, err = c.settleAutoReply(t, o, raw, seen != "")
		}
		if err != nil {
			return err
		}
		return tickets.Put(c, t)
	})
	return sent, err
}

// planned reports whether an answer is planned, and the one that was seen where
// one is named.
func (t *Ticket) planned(seen string) bool {
	return t.AutoReply != nil && t.AutoReply.State == AutoReplyPlanned && (seen == "" || t.AutoReply.TemplateID == seen)
}

// composeAutoReply writes the answer, in the service's language.
func (d *Desk) composeAutoReply(r store.Reader, l *autoLetter) (*outgoing, error) {
	on, err := d.occasionNow(r, l.ticket, l.alias, "")
	if err != nil {
		return nil, err
	}
	v, _ := l.template.in(l.service.Language)
	on.language = v.Language
	for i, f := range v.Files {
		if v.Files[i].Data, err = templateFiles.Get(r, key(f.ID)); err != nil {
			return nil, fmt.Errorf("read file %q of template %q: %w", f.Filename, l.template.Name, err)
		}
	}
	subject := on.values().complete(Localized{Text: v.Subject}).Text
	return d.newAutomatic(&on, l.mail, automatic{
		words:  on.values().complete(Localized{Language: v.Language, Text: v.Text, HTML: v.HTML}),
		reason: ReasonService, files: v.Files, templates: []string{l.template.ID},
		subject: automaticSubject(v.Language, cmp.Or(oneLine(subject), l.mail.Subject)),
	}), nil
}

// settleAutoReply posts the answer, or does what forbids it.
func (c *command) settleAutoReply(t *Ticket, o *outgoing, raw store.Blob, byHand bool) (*Message, error) {
	l, err := judge(c, c.clock(), t, c.now, byHand)
	if err != nil {
		return nil, err
	}
	number := formatNumber(t.Number)
	switch v := l.verdict; {
	case v.why != "":
		return nil, c.unmatched(t, v.why, "")
	case v.again:
		return nil, c.match(t)
	case !v.later.IsZero():
		t.AutoReply.Due = v.later
		return nil, c.setTimer(TimerAutoReply, number, v.later)
	case o == nil: // it may be sent only since a moment ago
		return nil, c.setTimer(TimerAutoReply, number, c.now)
	}
	if !byHand {
		refusal, err := c.limitAutomatic(l.limits(c.desk))
		if err != nil {
			return nil, err
		}
		switch {
		case refusal == nil:
		case strings.HasPrefix(refusal.to, "domain:"):
			t.AutoReply.Due = c.now.Add(domainRetry)
			return nil, c.setTimer(TimerAutoReply, number, t.AutoReply.Due)
		default:
			return nil, c.unmatched(t, UnmatchedSenderLimit, refusal.String())
		}
	}
	return c.postAutoReply(t, o, raw)
}

// limits count for a day, or for three times the delay where that is longer: two
// services that take each other for people come round in twice the delay, and
// must fall silent.
func (l *autoLetter) limits(d *Desk) []automaticLimit {
	address := withoutSubaddress(l.mail.From.Email)
	return []automaticLimit{
		{"service:" + address, l.service.SenderLimit, max(addressPause, 3*l.service.Delay)},
		{"domain:" + domainOf(address), d.options.AcknowledgementsPerDomain, domainPause},
	}
}

// postAutoReply writes the answer with everything that follows from it. It is
// an answer: the customer waits no longer. But no person has answered yet.
func (c *command) postAutoReply(t *Ticket, o *outgoing, raw store.Blob) (*Message, error) {
	m := o.message
	if err := c.putAutomatic(o, raw); err != nil {
		return nil, err
	}
	a := *t.AutoReply
	a.State, a.Reason, a.Due, a.Message = AutoReplySent, "", time.Time{}, m.ID
	t.AutoReply = &a
	if err := c.clearAutoReplyTimers(t.Number); err != nil {
		return nil, err
	}
	if err := c.recordAutoReply(EventServiceSent, t, details{"to": emails(m.To)}); err != nil {
		return nil, err
	}
	m.Seq = c.last
	if err := messages.Put(c, &m); err != nil {
		return nil, err
	}
	t.Messages++
	t.UpdatedAt = c.now
	t.Participants = appendNew(t.Participants, recipientsOf(&m)...)
	if err := c.settle(t, m.Seq); err != nil {
		return nil, err
	}
	return &m, c.countUse(m.Templates, 1)
}
