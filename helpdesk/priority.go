package helpdesk

import "slices"

// Priority says how soon a ticket is to be worked on. Agents set it.
type Priority string

// The priorities; "" is normal.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = ""
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities are all priorities, the most urgent first.
var Priorities = []Priority{PriorityUrgent, PriorityHigh, PriorityNormal, PriorityLow}

// Name is the priority in a word: "normal" for "".
func (p Priority) Name() string {
	if p == PriorityNormal {
		return "normal"
	}
	return string(p)
}

// ParsePriority returns the priority with the given name, or false.
func ParsePriority(name string) (Priority, bool) {
	if name == "normal" {
		return PriorityNormal, true
	}
	p := Priority(name)
	return p, name != "" && slices.Contains(Priorities, p)
}

// prioritise sets a ticket's priority and says so.
func (c *command) prioritise(t *Ticket, p Priority) error {
	if !slices.Contains(Priorities, p) {
		return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", p)
	}
	if t.Priority == p {
		return nil
	}
	from := t.Priority
	t.Priority = p
	_, err := c.record(Event{Kind: EventTicketPriority, Ticket: t.Number, Data: map[string]string{"from": from.Name(), "to": p.Name()}})
	return err
}
