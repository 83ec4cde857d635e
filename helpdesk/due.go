package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
	"github.com/madoguchi/madoguchi/store"
)

// ticketTable is the table of tickets. Whatever writes a ticket writes with it
// when it is due: that follows from its state, so no command can forget it.
type ticketTable struct{ *store.Table[Ticket] }

// Put writes a ticket, its index entries, its due time and the timer for it, and
// what a service is still to do with it.
func (t ticketTable) Put(c *command, ticket *Ticket) error {
	if err := c.keepAutoReply(ticket); err != nil {
		return err
	}
	if err := c.setDue(ticket); err != nil {
		return err
	}
	if err := t.Table.Put(c, ticket); err != nil {
		return err
	}
	written := *ticket
	c.newest = &written
	return nil
}

// setDue computes when t is due and, where that changed, sets the timer that
// will find it overdue.
func (c *command) setDue(t *Ticket) error {
	at, kind, err := c.clock().due(t)
	if err != nil {
		return fmt.Errorf("compute when ticket %d is due: %w", t.Number, err)
	}
	if at.Equal(t.DueAt) && kind == t.DueKind {
		return nil
	}
	t.DueAt, t.DueKind, t.Overdue = at, kind, false
	if at.IsZero() {
		return c.clearTimer(TimerOverdue, formatNumber(t.Number))
	}
	return c.setTimer(TimerOverdue, formatNumber(t.Number), at)
}

// due is when the house wants a ticket answered or solved, whichever is
// earlier; zero where neither is wanted, and while the ticket rests.
func (k *clocks) due(t *Ticket) (at time.Time, kind DueKind, err error) {
	if !t.Open || t.MergedInto != 0 || t.Withdrawn || t.Snooze != nil || t.Spam != nil {
		return time.Time{}, "", nil
	}
	policy, schedule, err := k.policyOf(t)
	if err != nil || policy == nil {
		return time.Time{}, "", err
	}
	times := policy.Times[policy.reckoned(t)]
	if !t.WaitingSince.IsZero() && !t.WaitingSince.Before(t.ImportedAt) {
		kind = DueFirst
		wait := times.First
		if t.Answered {
			kind, wait = DueNext, times.Next
		}
		if wait > 0 {
			at = schedule.Add(t.WaitingSince, wait)
		}
	}
	if times.Resolution > 0 && (t.ImportedAt.IsZero() || !t.OpenedAt.Before(t.ImportedAt)) {
		opened := t.OpenedAt
		if opened.IsZero() {
			opened = t.CreatedAt
		}
		if solved := schedule.Add(opened, times.Resolution); !solved.IsZero() && (at.IsZero() || solved.Before(at)) {
			at, kind = solved, DueResolution
		}
	}
	if at.IsZero() {
		return time.Time{}, "", nil
	}
	return at.UTC(), kind, nil
}

// reckoned is the priority by which the ticket's time is chosen: its own, or a
// higher one that its reply type asks for.
func (p *DuePolicy) reckoned(t *Ticket) Priority {
	raised := map[string]Priority{"needs_attention": p.NeedsAttention, "high_value": p.HighValue}[t.ReplyType]
	if raised != PriorityNormal && slices.Index(Priorities, raised) < slices.Index(Priorities, t.Priority) {
		return raised
	}
	return t.Priority
}

// policyOf returns the due times and the working hours of a ticket, nil where
// nothing is ever due.
func (k *clocks) policyOf(t *Ticket) (*DuePolicy, *hours.Schedule, error) {
	policies, err := k.allPolicies()
	if err != nil || len(policies) == 0 {
		return nil, nil, err
	}
	var policy *DuePolicy
	calendar := ""
	for _, scope := range scopesOf(t) {
		p := policies[scope]
		if p == nil {
			continue
		}
		if policy == nil && (p.Never || len(p.Times) > 0) {
			policy = p
		}
		if calendar == "" {
			calendar = p.CalendarID
		}
	}
	if policy == nil || policy.Never {
		return nil, nil, nil
	}
	schedule, err := k.schedule(calendar)
	return policy, schedule, err
}

// scopesOf are the scopes that a ticket is in, the narrowest first.
func scopesOf(t *Ticket) []string {
	return []string{AliasScope(t.AliasID), PipelineScope(t.PipelineID), HouseScope}
}

// scheduleOf is the working time in which a ticket's customer waits, also where
// nothing is due.
func (k *clocks) scheduleOf(t *Ticket) (*hours.Schedule, error) {
	policies, err := k.allPolicies()
	if err != nil {
		return nil, err
	}
	for _, scope := range scopesOf(t) {
		if p := policies[scope]; p != nil && p.CalendarID != "" {
			return k.schedule(p.CalendarID)
		}
	}
	return k.schedule("")
}

func (k *clocks) allPolicies() (map[string]*DuePolicy, error) {
	if k.policies != nil {
		return k.policies, nil
	}
	policies := map[string]*DuePolicy{}
	for p, err := range duePolicies.Scan(k.r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		policies[p.Scope] = p
	}
	k.policies = policies
	return policies, nil
}

// MarkOverdue works on a TimerOverdue: the ticket is marked, with an event, if
// it is still due and nobody was in time.
func (d *Desk) MarkOverdue(ctx context.Context, number string) error {
	n, ok := parseNumber(number)
	if !ok {
		return fmt.Errorf("mark ticket %q overdue: that is no number", number)
	}
	return d.update(ctx, System("due times"), func(c *command) error {
		t, err := tickets.Get(c, key(n))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil || t.DueAt.IsZero() || t.Overdue {
			return c.clearTimer(TimerOverdue, number)
		}
		if c.now.Before(t.DueAt) {
			return c.setTimer(TimerOverdue, number, t.DueAt)
		}
		t.Overdue = true
		if err := errors.Join(c.clearTimer(TimerOverdue, number), c.releaseFromDisabled(t)); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventTicketOverdue, Ticket: n,
			Data: map[string]string{"due": stamp(t.DueAt), "what": string(t.DueKind), "assignee": t.AssigneeID}}); err != nil {
			return err
		}
		return tickets.Put(c, t)
	})
}

// dueProgress says how far the due times were computed anew.
type dueProgress struct{ After uint64 }

// dueBatch is how many tickets one transaction of RecomputeDue looks at.
const dueBatch = 500

// dueAnew has every due time computed anew, because what they follow from has
// changed.
func (c *command) dueAnew() error {
	c.clocks = nil
	if err := dueProgresses.Put(c, &dueProgress{}); err != nil {
		return err
	}
	return c.setTimer(TimerDueTimes, "tickets", c.now)
}

// RecomputeDue works on a TimerDueTimes: it goes through the tickets in bounded
// transactions and goes on where it was when it is interrupted.
func (d *Desk) RecomputeDue(ctx context.Context, id string) error {
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := d.update(ctx, System("due times"), func(c *command) (err error) {
			done, err = c.recomputeDue(id)
			return err
		})
		if err != nil {
			return fmt.Errorf("compute due times anew: %w", err)
		}
	}
	return nil
}

func (c *command) recomputeDue(id string) (done bool, err error) {
	progress, err := optional(dueProgresses.Get(c, key("tickets")))
	if err != nil {
		return false, err
	}
	if progress == nil {
		return true, c.clearTimer(TimerDueTimes, id)
	}
	var changed []*Ticket
	seen := 0
	for t, err := range tickets.Scan(c, store.Range{Start: key(progress.After + 1)}) {
		if err != nil {
			return false, err
		}
		progress.After = t.Number
		if t.Open || !t.DueAt.IsZero() {
			changed = append(changed, t)
		}
		if seen++; seen == dueBatch {
			break
		}
	}
	for _, t := range changed {
		if err := c.recallAnswers(t); err != nil {
			return false, err
		}
		if err := tickets.Put(c, t); err != nil {
			return false, err
		}
	}
	if seen == dueBatch {
		return false, dueProgresses.Put(c, progress)
	}
	if err := dueProgresses.Delete(c, key("tickets")); err != nil {
		return false, err
	}
	if _, err := c.record(Event{Kind: EventDueTimesApplied}); err != nil {
		return false, err
	}
	return true, c.clearTimer(TimerDueTimes, id)
}

// recallAnswers finds out whether a ticket was answered that is older than the
// field that says so.
func (c *command) recallAnswers(t *Ticket) error {
	if t.Answered || !t.OpenedAt.IsZero() {
		return nil
	}
	list, err := messagesOf(c, t.Number)
	for _, m := range list {
		t.Answered = t.Answered || m.answers()
	}
	t.OpenedAt = t.CreatedAt
	return err
}

// answers reports whether a person of the house answers the customer with m.
func (m *Message) answers() bool {
	return m.State == MessagePosted && m.Direction == Outbound && !m.Automatic && !m.ThirdParty
}

// verifyDue computes every due time anew, and looks for the timers of those
// that are not overdue yet. Tickets that a change of the hours has not reached
// are left out.
func (d *Desk) verifyDue(ctx context.Context, r store.Reader) (problems []string, err error) {
	progress, err := optional(dueProgresses.Get(r, key("tickets")))
	if err != nil {
		return nil, err
	}
	clocks := newClocks(r, d.zones)
	for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		if progress != nil && t.Number > progress.After {
			break
		}
		at, kind, err := clocks.due(t)
		if err != nil {
			return problems, err
		}
		if !at.Equal(t.DueAt) || kind != t.DueKind {
			problems = append(problems, fmt.Sprintf("ticket %d says it is due %s (%s); by the working hours it is %s (%s)",
				t.Number, stamp(t.DueAt), t.DueKind, stamp(at), kind))
		}
		has, err := timers.Has(r, key(string(TimerOverdue), formatNumber(t.Number)))
		if err != nil {
			return problems, err
		}
		if has != (!t.DueAt.IsZero() && !t.Overdue) {
			problems = append(problems, fmt.Sprintf("ticket %d is due %s, overdue: %t; has a timer: %t", t.Number, stamp(t.DueAt), t.Overdue, has))
		}
	}
	return problems, nil
}
