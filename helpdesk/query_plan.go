package helpdesk

import (
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// TicketState is the shelf that a ticket stands on: each list of tickets is
// made of one or more of them.
type TicketState string

// The states. A merged ticket has none and is in no list.
const (
	StateOpen    TicketState = "open"
	StateSnoozed TicketState = "snoozed" // open, and on hold
	StateClosed  TicketState = "closed"
	StateSpam    TicketState = "spam"
)

// State returns the shelf that the ticket stands on, "" where it was merged or withdrawn.
func (t *Ticket) State() TicketState {
	switch {
	case t.MergedInto != 0 || t.Withdrawn:
		return ""
	case t.Spam != nil:
		return StateSpam
	case t.Open && t.Snooze != nil:
		return StateSnoozed
	case t.Open:
		return StateOpen
	}
	return StateClosed
}

// Sort is an order of a list of tickets.
type Sort string

// The orders. Within each the newest change comes first, where nothing else is said.
const (
	SortNewest    Sort = "newest"
	SortWaiting   Sort = "waiting"   // who has waited longest, then who does not wait
	SortDue       Sort = "due"       // what is due first, then what is not due at all
	SortAttention Sort = "attention" // what needs attention, then what is of high value, then the rest
	SortPriority  Sort = "priority"  // the most urgent first
)

// Sorts are all orders, in the order in which they are offered.
var Sorts = []Sort{SortNewest, SortWaiting, SortDue, SortAttention, SortPriority}

// band is a part of a sorted list: all of its tickets come before those of the
// next one.
type band struct {
	name string
	// facet holds the tickets of the band; empty for what no other band has.
	facet string
	value string
	// order is an index with an order of its own; "" is the newest first.
	order string
	fits  func(*Ticket) bool
}

// bands are the parts that an order makes of a list.
func (s Sort) bands() []band {
	always := func(*Ticket) bool { return true }
	switch s {
	case SortWaiting:
		return []band{
			{name: "waiting", order: "waitingsince", fits: func(t *Ticket) bool { return !t.WaitingSince.IsZero() }},
			{name: "answered", fits: func(t *Ticket) bool { return t.WaitingSince.IsZero() }},
		}
	case SortDue:
		return []band{
			{name: "due", order: "due", fits: func(t *Ticket) bool { return !t.DueAt.IsZero() }},
			{name: "undue", fits: func(t *Ticket) bool { return t.DueAt.IsZero() }},
		}
	case SortAttention:
		return byValue("replytype+state", func(t *Ticket) string { return t.ReplyType }, "needs_attention", "high_value")
	case SortPriority:
		bands := byValue("priority+state", func(t *Ticket) string { return string(t.Priority) }, string(PriorityUrgent), string(PriorityHigh))
		bands[2].name = PriorityNormal.Name()
		bands[2].fits = func(t *Ticket) bool { return t.Priority == PriorityNormal }
		low := string(PriorityLow)
		return append(bands, band{name: low, facet: "priority+state", value: low, fits: func(t *Ticket) bool { return t.Priority == PriorityLow }})
	}
	return []band{{fits: always}}
}

// byValue makes a band of each value, and one of the rest.
func byValue(facet string, of func(*Ticket) string, values ...string) (bands []band) {
	rest := map[string]bool{}
	for _, value := range values {
		rest[value] = true
		bands = append(bands, band{name: value, facet: facet, value: value, fits: func(t *Ticket) bool { return of(t) == value }})
	}
	return append(bands, band{name: "other", fits: func(t *Ticket) bool { return !rest[of(t)] }})
}

// plan is how a query is answered: tickets on all of the conditions, of which
// those that fit are meant.
type plan struct {
	conditions [][]list
	states     []TicketState
	own        func(*Ticket) bool // what a view asks besides its states
	filter     resolved
	contact    string
	unlisted   bool // the filter asks for what no list has
}

// plan chooses the lists for a query.
func (q *TicketQuery) plan(r store.Reader, a Actor) (*plan, error) {
	filter, err := q.resolve(r, a)
	if err != nil {
		return nil, err
	}
	p := &plan{filter: filter, contact: q.Contact}
	if err := p.view(q.View, a); err != nil {
		return nil, err
	}
	p.facet("pipeline+state", filter.Pipelines)
	p.facet("alias+state", filter.Aliases)
	p.facet("alias+state", filter.Brands)
	p.facet("assignee+state", filter.Assignees)
	p.named("team+state", filter.Teams)
	p.facet("tag+state", filter.Tags)
	p.named("language+state", filter.Languages)
	p.named("replytype+state", filter.ReplyTypes)
	var priorities []string
	for _, priority := range filter.Priorities {
		priorities = append(priorities, string(priority))
	}
	p.facet("priority+state", priorities)
	if filter.some {
		p.conditions = append(p.conditions, p.lists("alias+state", filter.only...))
	}
	if filter.Waiting {
		p.conditions = append(p.conditions, p.lists("waiting+state"))
	}
	if q.Contact != "" {
		p.conditions = append(p.conditions, []list{{"contact", key(q.Contact)}})
	}
	if err := p.stages(r, filter.Stages); err != nil {
		return nil, err
	}
	if len(p.conditions) == 0 || q.Contact != "" { // no list that knows of states
		p.conditions = append(p.conditions, p.lists("state"))
	}
	return p, nil
}

// view sets the states of a view, and its own list where it has one.
func (p *plan) view(v View, a Actor) error {
	p.states, p.own = []TicketState{StateOpen}, func(*Ticket) bool { return true }
	switch v {
	case "", ViewOpen:
		p.states = []TicketState{StateOpen, StateSnoozed}
	case ViewFollowing:
		p.states = []TicketState{StateOpen, StateSnoozed}
		p.facet("follower+state", []string{a.UserID})
		p.own = func(t *Ticket) bool { return slices.Contains(t.Followers, a.UserID) }
	case ViewSnoozed:
		p.states = []TicketState{StateSnoozed}
	case ViewMine:
		p.facet("assignee+state", []string{a.UserID})
		p.own = func(t *Ticket) bool { return t.AssigneeID == a.UserID }
	case ViewUnassigned:
		p.facet("assignee+state", []string{""})
		p.own = func(t *Ticket) bool { return t.AssigneeID == "" }
	case ViewWaiting:
		p.conditions = append(p.conditions, p.lists("waiting+state"))
		p.own = func(t *Ticket) bool { return !t.WaitingSince.IsZero() }
	case ViewClosed:
		p.states = []TicketState{StateClosed}
	case ViewSpam:
		p.states = []TicketState{StateSpam}
	case ViewHeld:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
		p.conditions = append(p.conditions, p.lists("held+state"))
		p.own = func(t *Ticket) bool { return t.Held > 0 }
	case ViewFailed:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
		p.conditions = append(p.conditions, p.lists("failed+state"))
		p.own = func(t *Ticket) bool { return t.DeliveryFailed }
	case ViewDrafts:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
		p.facet("drafter+state", []string{a.UserID})
		p.own = func(t *Ticket) bool { return slices.Contains(t.Drafters, a.UserID) }
	case ViewApproval:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
		p.conditions = append(p.conditions, p.lists("review+state"))
		p.own = func(t *Ticket) bool { return t.Reviews > 0 }
	case ViewPlanned, ViewUnmatched:
		p.states = []TicketState{StateOpen, StateSnoozed}
		state := map[View]AutoReplyState{ViewPlanned: AutoReplyPlanned, ViewUnmatched: AutoReplyUnmatched}[v]
		p.facet("autoreply+state", []string{string(state)})
		p.own = func(t *Ticket) bool { return t.autoReplyState() == state }
	case ViewMentions:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
		p.facet("mentioned+state", []string{a.UserID})
		p.own = func(t *Ticket) bool { return slices.Contains(t.Mentioned, a.UserID) }
	case ViewOverdue:
		p.states = []TicketState{StateOpen, StateSnoozed}
		p.conditions = append(p.conditions, p.lists("overdue+state"))
		p.own = func(t *Ticket) bool { return t.Overdue }
	case ViewAll:
		p.states = []TicketState{StateOpen, StateSnoozed, StateClosed}
	default:
		return invalid("view", "view_unknown", "view %q is not one of %v", v, Views)
	}
	return nil
}

// facet adds the condition that a ticket has one of the values, if there are any.
func (p *plan) facet(index string, values []string) {
	if len(values) > 0 {
		p.conditions = append(p.conditions, p.lists(index, values...))
	}
}

// named is facet for values of inStateOf: tickets without one are in no list of it, so
// that where they are asked for, too, the filter alone tells.
func (p *plan) named(index string, values []string) {
	if slices.Contains(values, "") {
		p.unlisted = true
		return
	}
	p.facet(index, values)
}

// lists are those of an index for each value and each state of the plan; without
// a value the index is by state alone.
func (p *plan) lists(index string, values ...string) []list {
	lists := []list{}
	for _, state := range p.states {
		for _, value := range values {
			lists = append(lists, list{index, key(value, string(state))})
		}
		if index == "state" || index == "waiting+state" || index == "held+state" || index == "failed+state" || index == "review+state" || index == "overdue+state" {
			lists = append(lists, list{index, key(string(state))})
		}
	}
	return lists
}

// stages adds the condition that a ticket is in one of the stages.
func (p *plan) stages(r store.Reader, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	wanted := []list{}
	for pipeline, err := range pipelines.Scan(r, store.Range{}) {
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, ok := pipeline.Stage(id); !ok {
				continue
			}
			for _, state := range p.states {
				wanted = append(wanted, list{"stage+state", key(pipeline.ID, id, string(state))})
			}
		}
	}
	p.conditions = append(p.conditions, wanted)
	return nil
}

// in returns the conditions of a band of the plan.
func (p *plan) in(b band) [][]list {
	if b.facet == "" {
		return p.conditions
	}
	return append(p.conditions[:len(p.conditions):len(p.conditions)], p.lists(b.facet, b.value))
}

// fits tells whether a ticket is meant, judged by the ticket itself.
func (p *plan) fits(t *Ticket) bool {
	for _, state := range p.states {
		if t.State() == state {
			return p.own(t) && p.filter.fits(t) && (p.contact == "" || t.ContactID == p.contact)
		}
	}
	return false
}
