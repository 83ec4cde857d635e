package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Explanation says what becomes, or became, of a mail, and why.
type Explanation struct {
	Message   string // the message's ID; "" for a mail that is not stored
	Direction Direction
	From      string
	Subject   string
	MessageID string // without brackets
	Ticket    uint64 // 0 where it is refused
	State     MessageState
	Reason    Reason
	Duplicate bool
	// Refusal is what the sender is told where no recipient is taken.
	Refusal string
	Steps   []Step
}

// errRehearsed ends the transaction of a rehearsal, so that nothing of it is
// kept.
var errRehearsed = errors.New("rehearsal: nothing is kept")

// Rehearse says what Receive would do with a mail now. It is Receive, in a
// transaction that is taken back: nothing is written, and no rule can differ.
// A mail whose recipients are all refused is an Explanation with a Refusal, no
// error. Like Receive it is for the program itself and checks no role.
func (d *Desk) Rehearse(ctx context.Context, in Incoming) (Explanation, error) {
	a := d.examine(in)
	why := mail.Classify(a.parsed, a.message.Envelope.nullSender()).Reason
	actor := Actor{Kind: ActorCustomer, Name: a.message.From.Email}
	var explanation Explanation
	err := d.update(ctx, actor, func(c *command) error {
		c.trace = &trace{}
		c.trace.mail(&a.message, why)
		receipt, err := c.receive(a)
		refusal, refused := refusalOf(err)
		if err != nil && !refused {
			return err
		}
		if err := c.trace.nameAssignees(c); err != nil {
			return err
		}
		explanation = explain(&a.message)
		explanation.Message, explanation.Ticket = "", receipt.Ticket
		explanation.State, explanation.Reason = receipt.State, receipt.Reason
		explanation.Refusal = refusal.Text
		if receipt.Duplicate {
			explanation.Message, explanation.Duplicate = receipt.MessageID, true
		}
		explanation.Steps = c.trace.steps
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return explanation, nil
	}
	return Explanation{}, fmt.Errorf("rehearse mail: %w", err)
}

func explain(m *Message) Explanation {
	return Explanation{Message: m.ID, Direction: m.Direction, From: m.From.Email, Subject: m.Subject, MessageID: m.MessageID,
		Ticket: m.Ticket, State: m.State, Reason: m.Reason}
}

// nameAssignees puts names in the place of users' ids.
func (t *trace) nameAssignees(r store.Reader) error {
	for _, step := range t.steps {
		if step.Key != StepAssignee {
			continue
		}
		user, err := users.Get(r, key(step.Data["user"]))
		if err != nil {
			return err
		}
		step.Data["user"] = user.Email
	}
	return nil
}

// FindMessages returns the messages that what names, oldest first: a message's
// ID, its Message-ID with or without brackets, or a ticket's number ("17",
// "#17"), which stands for all of its messages, or those of the ticket it was
// merged into. A mail in quarantine is found by those who may decide on it.
func (d *Desk) FindMessages(ctx context.Context, a Actor, what string) (list []Message, err error) {
	if err := a.mayRead("a message"); err != nil {
		return nil, err
	}
	what = strings.TrimSpace(what)
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		if number, ok := parseNumber(what); ok {
			t, err := mergedInto(r, number)
			if err != nil {
				return err
			}
			for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
				if err != nil {
					return err
				}
				list = append(list, *m)
			}
			return nil
		}
		m, err := messages.Get(r, key(strings.ToUpper(what)))
		if err == nil {
			list = []Message{*m}
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for m, err := range messages.ScanIndex(r, "messageid", store.Prefix(key(strings.Trim(what, "<> ")))) {
			if err != nil {
				return err
			}
			list = append(list, *m)
		}
		if len(list) == 0 && a.May(PermitQuarantine) {
			if list, err = findQuarantined(r, what); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = notFound("message", what)
	}
	return list, err
}

// parseNumber reads a ticket's number as people write it.
func parseNumber(s string) (uint64, bool) {
	number, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 10, 64)
	return number, err == nil && number > 0
}
