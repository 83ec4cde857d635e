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

// ofAccounts are the areas of the log that are about the house's own people and their ways
// in: who is a customer too stays a user, and what was done to the account stays known.
var ofAccounts = map[string]bool{"login": true, "session": true, "second_factor": true, "passkey": true, "identity": true, "token": true, "user": true, "role": true, "team": true}

// names reports whether an event names one of the addresses as a customer's.
func (e *Event) names(addresses []string) bool {
	if area, _, _ := strings.Cut(string(e.Kind), "."); ofAccounts[area] {
		return false
	}
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

// eraseGreylisted forgets whom the person tried to write to, and from where.
func (d *Desk) eraseGreylisted(ctx context.Context, e *Erasure) error {
	return eraseAll(ctx, d, greylist, func(_ store.Reader, g *greylisted) (bool, error) { return slices.Contains(e.Addresses, g.Sender), nil },
		func(c *command, g *greylisted) error {
			k := key(g.Network, g.Sender, g.Recipient)
			if has, err := greylist.Has(c, k); err != nil || !has {
				return err // the sweep came by meanwhile
			}
			if err := greylist.Delete(c, k); err != nil {
				return err
			}
			return c.growGreylist(-1)
		})
}

// eraseWebhookAnswers deletes how receivers answered to what they were told of the person:
// many repeat what they were sent.
func (d *Desk) eraseWebhookAnswers(ctx context.Context, e *Erasure) error {
	said := func(a WebhookAttempt) bool { return a.Head != "" || a.Error != "" }
	return eraseAll(ctx, d, webhookDeliveries, func(r store.Reader, w *WebhookDelivery) (bool, error) {
		if !slices.ContainsFunc(w.Attempts, said) {
			return false, nil
		}
		if slices.ContainsFunc(w.Attempts, func(a WebhookAttempt) bool { return namesAny(a.Head+" "+a.Error, e.Addresses) }) {
			return true, nil
		}
		return erasedTicket(r, w.Ticket)
	}, func(c *command, w *WebhookDelivery) error {
		now, err := optional(webhookDeliveries.Get(c, key(w.ID)))
		if err != nil || now == nil {
			return err
		}
		now.Attempts = slices.Clone(now.Attempts)
		for i := range now.Attempts {
			now.Attempts[i].Head, now.Attempts[i].Error = "", ""
		}
		return webhookDeliveries.Put(c, now)
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
