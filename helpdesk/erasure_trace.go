package helpdesk

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// erasedBy is the name under which an event says which erasure emptied it.
const erasedBy = "erased"

// eventIDs are those data of events that are our own ids and numbers: they tell nothing of
// a person, and the ledger and the conversation are followed by them.
var eventIDs = map[string]bool{"mail": true, "ticket": true, "to_ticket": true, "moving": true, "erasure": true, erasedBy: true}

// redact empties an event of what it says of people. What happened when, on which ticket
// and by whom of the house, stays.
func (c *command) redact(e *Erasure, event *Event) error {
	kept := map[string]string{erasedBy: e.ID}
	for name, value := range event.Data {
		if eventIDs[name] {
			kept[name] = value
		}
	}
	redacted := *event
	redacted.Data = kept
	if event.Actor.Kind == ActorCustomer {
		redacted.Actor = Actor{Kind: ActorCustomer}
	}
	return events.Put(c, &redacted)
}

// names reports whether an event names one of the addresses.
func (e *Event) names(addresses []string) bool {
	if e.Actor.Kind == ActorCustomer && slices.Contains(addresses, e.Actor.Name) {
		return true
	}
	for value := range maps.Values(e.Data) {
		if namesAny(value, addresses) {
			return true
		}
	}
	return false
}

// namesAny reports whether a text has one of the addresses in it.
func namesAny(text string, addresses []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(addresses, func(address string) bool { return strings.Contains(text, address) })
}

// erasedTicket reports whether a ticket was erased.
func erasedTicket(r store.Reader, number uint64) (bool, error) {
	if number == 0 {
		return false, nil
	}
	t, err := optional(tickets.Get(r, key(number)))
	return t != nil && !t.ErasedAt.IsZero(), err
}

// eraseQuarantined deletes the person's mails in quarantine.
func (d *Desk) eraseQuarantined(ctx context.Context, e *Erasure) error {
	return eraseAll(ctx, d, quarantined, func(_ store.Reader, q *Quarantined) (bool, error) {
		return slices.Contains(e.Addresses, q.Mail.From.Email), nil
	}, func(c *command, q *Quarantined) error {
		if has, err := quarantined.Has(c, key(q.Mail.ID)); err != nil || !has {
			return err // it was released or purged meanwhile
		}
		if err := c.forget(q); err != nil {
			return err
		}
		if err := c.accountPurged(q.Mail.At); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventMailPurged, Data: map[string]string{"mail": q.Mail.ID, erasedBy: e.ID}})
		return err
	})
}

// eraseNotices deletes what users were told of erased tickets.
func (d *Desk) eraseNotices(ctx context.Context, _ *Erasure) error {
	return eraseAll(ctx, d, notices, func(r store.Reader, n *Notice) (bool, error) { return erasedTicket(r, n.Ticket) },
		func(c *command, n *Notice) error {
			if err := c.clearTimer(TimerNotice, n.ID); err != nil {
				return err
			}
			var pushes []string
			for t, err := range timers.Scan(c, store.Prefix(store.Key{}.TextPrefix(string(TimerPush)))) {
				if err != nil {
					return err
				}
				if strings.HasPrefix(t.ID, n.ID+"|") {
					pushes = append(pushes, t.ID)
				}
			}
			for _, id := range pushes {
				if err := c.clearTimer(TimerPush, id); err != nil {
					return err
				}
			}
			return notices.Delete(c, key(n.ID))
		})
}

// eraseDrafts deletes mails to the person that nobody has sent.
func (d *Desk) eraseDrafts(ctx context.Context, e *Erasure) error {
	return eraseAll(ctx, d, drafts, func(_ store.Reader, draft *Draft) (bool, error) {
		return draft.Kind == DraftMail && namesAny(draft.To+" "+draft.Cc+" "+draft.Bcc, e.Addresses), nil
	}, func(c *command, draft *Draft) error { return c.deleteDraft(draft) })
}

// eraseItems takes the words of refusals out of bulk changes and bulk replies.
func (d *Desk) eraseItems(ctx context.Context, _ *Erasure) error {
	err := eraseAll(ctx, d, bulkItems, func(r store.Reader, i *BulkItem) (bool, error) {
		erased, err := erasedTicket(r, i.Ticket)
		return erased && (i.Was != nil || i.Is != nil || i.Message != "" && i.Problem != erasedProblem), err
	}, func(c *command, i *BulkItem) error {
		i.Was, i.Is, i.Args = nil, nil, nil
		if i.Outcome == BulkChanged {
			i.Outcome = BulkKept
		}
		if i.Message != "" {
			i.Problem, i.Args, i.Message = erasedProblem, []any{i.Ticket}, "the ticket was erased"
		}
		return bulkItems.Put(c, i)
	})
	if err != nil {
		return err
	}
	return eraseAll(ctx, d, bulkReplyItems, func(r store.Reader, i *BulkReplyItem) (bool, error) {
		erased, err := erasedTicket(r, i.Ticket)
		return erased && i.Problem != erasedProblem, err
	}, func(c *command, i *BulkReplyItem) error { return bulkReplyItems.Put(c, erasedBulkReplyItem(i)) })
}

// erasedProblem is what an item says of a ticket that was erased.
const erasedProblem = "ticket_erased"

func erasedBulkReplyItem(i *BulkReplyItem) *BulkReplyItem {
	return &BulkReplyItem{BulkReply: i.BulkReply, Index: i.Index, Ticket: i.Ticket, Problem: erasedProblem, Args: []any{i.Ticket}, Text: "the ticket was erased", Left: i.Left}
}

// eraseTrials takes erased mails out of the dry runs of services.
func (d *Desk) eraseTrials(ctx context.Context, _ *Erasure) error {
	erased := func(r store.Reader) func(TrialMail) bool {
		return func(m TrialMail) bool {
			has, err := messages.Has(r, key(m.Message))
			return err == nil && !has
		}
	}
	return eraseAll(ctx, d, trials, func(r store.Reader, t *Trial) (bool, error) { return slices.ContainsFunc(t.Mails, erased(r)), nil },
		func(c *command, t *Trial) error {
			now, err := optional(trials.Get(c, key(t.ServiceID)))
			if err != nil || now == nil {
				return err
			}
			now.Mails = slices.DeleteFunc(slices.Clone(now.Mails), erased(c))
			return trials.Put(c, now)
		})
}

// verifyErasures checks that exactly the erasures that are under way have a timer, and
// that nothing is left on a ticket that was erased.
func verifyErasures(_ context.Context, r store.Reader) (problems []string, err error) {
	for e, err := range readable(r, erasures.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		has, err := timers.Has(r, key(string(TimerErase), e.ID))
		if err != nil {
			return problems, err
		}
		if has == (e.State == ErasureDone) {
			problems = append(problems, "erasure "+e.ID+" is "+string(e.State)+", and its timer says otherwise")
		}
	}
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if t.ErasedAt.IsZero() {
			continue
		}
		list, err := messagesOf(r, t.Number)
		if err != nil {
			return problems, err
		}
		if len(list) > 0 || t.Subject != "" || len(t.Participants) > 0 {
			problems = append(problems, "ticket "+formatNumber(t.Number)+" was erased, and something is left on it")
		}
	}
	return problems, nil
}
