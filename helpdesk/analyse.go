package helpdesk

import (
	"context"
	"errors"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// CursorAnalysis is the name of the log's follower that asks for analyses.
const CursorAnalysis = "analysis"

// EnqueueAnalyses asks for an analysis of each message that the events tell of
// and a person wrote, and moves the follower's cursor behind them, together.
func (d *Desk) EnqueueAnalyses(ctx context.Context, list []Event) error {
	if len(list) == 0 {
		return nil
	}
	return d.update(ctx, System(CursorAnalysis), func(c *command) error {
		for _, e := range list {
			message, number, err := toAnalyse(c, e)
			if err != nil {
				return err
			}
			if message == "" {
				continue
			}
			ticket, err := tickets.Get(c, key(number))
			if err != nil {
				return err
			}
			if ticket.Spam != nil {
				continue
			}
			if err := c.setTimer(TimerAnalyse, message, c.now); err != nil {
				return err
			}
		}
		return cursors.Put(c, &cursor{Name: CursorAnalysis, Seq: list[len(list)-1].Seq})
	})
}

// toAnalyse is the ID of the message that an event lets be analysed, and its ticket; ""
// for none. It is a new one of a person, or the newest of a ticket that is spam no longer.
func toAnalyse(r store.Reader, e Event) (message string, ticket uint64, err error) {
	var m *Message
	switch e.Kind {
	case EventMessageReceived:
		if kind, told := e.Data["kind"]; told { // every event of today tells it
			if MessageKind(kind) != KindPerson {
				return "", 0, nil
			}
			return e.Message, e.Ticket, nil
		}
		m, err = messages.Get(r, key(e.Message))
	case EventMessageJoined, EventMessageSplit, EventReplyLogged:
		m, err = messages.Get(r, key(e.Message))
	case EventTicketNotSpam:
		if m, err = newestCustomerMessage(r, e.Ticket); err == nil && m != nil {
			var has bool
			if has, err = analyses.Has(r, key(m.ID)); has {
				m = nil
			}
		}
	}
	if err != nil || m == nil || m.State != MessagePosted || m.Kind != KindPerson || m.ThirdParty {
		return "", 0, err
	}
	return m.ID, m.Ticket, nil
}

// AnalysisInput is what the model is given of a message.
type AnalysisInput struct {
	MessageID string // the message's ID
	Subject   string
	From      string
	Text      string // the new words, or the whole text where nothing is new
	Language  string // of the alias, or ""
}

// AnalysisInput returns what is to be analysed for a claimed timer, or nil when
// the message needs no analysis any more.
func (d *Desk) AnalysisInput(ctx context.Context, messageID string) (*AnalysisInput, error) {
	var in *AnalysisInput
	err := d.view(ctx, func(r store.Reader) error {
		m, err := messages.Get(r, key(messageID))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.Direction != Inbound || m.State != MessagePosted || m.ThirdParty {
			return nil
		}
		ticket, err := tickets.Get(r, key(m.Ticket))
		if err != nil || ticket.Spam != nil {
			return err
		}
		in, err = inputOf(r, m)
		return err
	})
	return in, err
}

// StoreAnalysis stores what the model said, or why it said nothing, and ends
// the message's timer.
func (d *Desk) StoreAnalysis(ctx context.Context, analysis Analysis) error {
	return d.update(ctx, Actor{Kind: ActorModel, Name: analysis.Model}, func(c *command) error {
		m, err := messages.Get(c, key(analysis.MessageID))
		if m, err = found(m, err, "message", analysis.MessageID); err != nil {
			return err
		}
		if err := c.clearTimer(TimerAnalyse, m.ID); err != nil {
			return err
		}
		before, err := optional(analyses.Get(c, key(m.ID)))
		if err != nil {
			return err
		}
		analysis := analysis.after(before)
		analysis.Ticket, analysis.At = m.Ticket, c.now
		kind := EventAnalysisFailed
		switch {
		case analysis.Error == "":
			kind = EventAnalysisStored
			err = c.keepAnalysis(m, analysis)
		case before == nil || before.Error != "": // an earlier result is better than none
			err = c.putAnalysis(m, analysis)
		}
		if err != nil {
			return err
		}
		_, err = c.record(Event{Kind: kind, Ticket: m.Ticket, Message: m.ID,
			Data: map[string]string{"model": analysis.Model, "reply_type": analysis.ReplyType, "text": analysis.Error}})
		return err
	})
}

// after is a new analysis with what people did to the one before it.
func (a Analysis) after(before *Analysis) *Analysis {
	if before != nil {
		a.Corrections, a.Ticked, a.Counted = before.Corrections, before.Ticked, before.Counted
	}
	return &a
}

// keepAnalysis writes an analysis and shows it in lists.
func (c *command) keepAnalysis(m *Message, a *Analysis) error {
	if err := c.putAnalysis(m, a); err != nil {
		return err
	}
	return c.rateTicket(m, a.Effective())
}

// rateTicket shows the newest message's reply type in the list.
func (c *command) rateTicket(m *Message, a *Analysis) error {
	newest, err := newestCustomerMessage(c, m.Ticket)
	if err != nil || newest == nil || newest.ID != m.ID {
		return err
	}
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	before := ticket.ReplyType
	ticket.rate(a)
	if ticket.ReplyType != before && len(a.Corrections) > 0 {
		ticket.RulesDone = false // they judged by what a person has corrected
	}
	if err := c.applyLateRules(ticket, m); err != nil {
		return err
	}
	return tickets.Put(c, ticket)
}

// rate takes over what lists show of an analysis.
func (t *Ticket) rate(a *Analysis) {
	t.ReplyType = a.ReplyType
	if len(a.Language) == 2 { // ISO 639-1
		t.Language = strings.ToLower(a.Language)
	}
}

// SkipAnalysis ends the timer of a message that needs no analysis.
func (d *Desk) SkipAnalysis(ctx context.Context, messageID string) error {
	return d.update(ctx, System("analysis"), func(c *command) error { return c.clearTimer(TimerAnalyse, messageID) })
}

// RetryAnalysis asks for a message's analysis again.
func (d *Desk) RetryAnalysis(ctx context.Context, a Actor, messageID string) error {
	if err := a.may("ask for an analysis", PermitEdit); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		if m.Direction != Inbound || m.State != MessagePosted {
			return invalid("message", "not_analysable", "message %s is not a customer's", messageID)
		}
		return c.setTimer(TimerAnalyse, messageID, c.now)
	})
}

// AnalysisQueue returns how many messages wait for their analysis, and how many
// got none, each counted up to a thousand: it is asked for with every page.
func (d *Desk) AnalysisQueue(ctx context.Context) (waiting, failed int, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		if waiting, err = countUpTo(timers, r, "due", key(string(TimerAnalyse))); err != nil {
			return err
		}
		failed, err = countUpTo(analyses, r, "failed", nil)
		return err
	})
	return waiting, failed, err
}
