package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// DueTimes are the longest that a customer shall wait, in working time; zero is
// as long as it takes.
type DueTimes struct {
	First      time.Duration // for the first answer of a person
	Next       time.Duration // for each answer after it
	Resolution time.Duration // from the ticket's opening to its closing
}

// DuePolicy says by when the tickets of its scope are to be answered. What it
// leaves open is as in the wider scope: an alias goes before its ticket's
// pipeline, and a pipeline before the house.
type DuePolicy struct {
	Scope      string // see HouseScope, PipelineScope and AliasScope
	CalendarID string // of the working hours; "" as in the wider scope
	// Times are by priority; none at all as in the wider scope, unless Never.
	Times map[Priority]DueTimes
	Never bool // nothing is ever due here
	// NeedsAttention and HighValue are the least priority that tickets of these
	// reply types are reckoned with; PriorityNormal leaves them their own.
	NeedsAttention, HighValue Priority
	SavedAt                   time.Time
}

// HouseScope is the scope of all tickets.
const HouseScope = "house"

// PipelineScope is the scope of the tickets of a pipeline.
func PipelineScope(id string) string { return "pipeline:" + id }

// AliasScope is the scope of the tickets that are answered from an alias.
func AliasScope(id string) string { return "alias:" + id }

// DueKind says what is due.
type DueKind string

// The kinds of due times.
const (
	DueFirst      DueKind = "first"      // the first answer
	DueNext       DueKind = "next"       // a further answer
	DueResolution DueKind = "resolution" // the solution
)

// maxDue bounds a due time: beyond it a mistake is likelier than a wish.
const maxDue = 1000 * time.Hour

func (p *DuePolicy) check() error {
	for priority, times := range p.Times {
		if !slices.Contains(Priorities, priority) {
			return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", priority)
		}
		for _, d := range []time.Duration{times.First, times.Next, times.Resolution} {
			if d < 0 || d > maxDue {
				return invalid("times", "due_too_long", "a due time of %s hours is not between 0 and %d hours", strconv.FormatFloat(d.Hours(), 'f', -1, 64), int(maxDue/time.Hour))
			}
		}
	}
	for _, priority := range []Priority{p.NeedsAttention, p.HighValue} {
		if !slices.Contains(Priorities, priority) {
			return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", priority)
		}
	}
	return nil
}

// DuePolicies returns every due policy, that of the house first.
func (d *Desk) DuePolicies(ctx context.Context, a Actor) ([]DuePolicy, error) {
	if err := a.mayRead("due times"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, duePolicies, func(a, b DuePolicy) int {
		return cmp.Or(cmp.Compare(strings.Count(a.Scope, ":"), strings.Count(b.Scope, ":")), cmp.Compare(a.Scope, b.Scope))
	})
}

// SaveDuePolicy sets the due times of a scope, and has those of all open
// tickets computed anew.
func (d *Desk) SaveDuePolicy(ctx context.Context, a Actor, p DuePolicy) error {
	if err := a.may("change due times", PermitHours); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		name, err := scopeName(c, p.Scope)
		if err != nil {
			return err
		}
		if p.CalendarID != "" && p.CalendarID != StandardCalendar {
			calendar, err := calendars.Get(c, key(p.CalendarID))
			if _, err = found(calendar, err, "calendar", p.CalendarID); err != nil {
				return err
			}
		}
		before, err := optional(duePolicies.Get(c, key(p.Scope)))
		if err != nil {
			return err
		}
		if err := c.unchangedDue(before); err != nil {
			return err
		}
		p.SavedAt = c.now
		if err := duePolicies.Put(c, &p); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventDueTimesSaved,
			Data: changesOf(change{"times", before.described(), p.described()}).with("scope", p.Scope).with("name", name)}); err != nil {
			return err
		}
		return c.dueAnew()
	})
}

// DeleteDuePolicy lets a scope follow the wider one again.
func (d *Desk) DeleteDuePolicy(ctx context.Context, a Actor, scope string) error {
	if err := a.may("change due times", PermitHours); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		before, err := optional(duePolicies.Get(c, key(scope)))
		if err == nil {
			err = c.unchangedDue(before)
		}
		if err != nil || before == nil {
			return err
		}
		if err := duePolicies.Delete(c, key(scope)); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventDueTimesDeleted, Data: map[string]string{"scope": scope}}); err != nil {
			return err
		}
		return c.dueAnew()
	})
}

// unchangedDue refuses to replace a scope's policy, nil for none, that is not any more as the actor has seen it.
func (c *command) unchangedDue(before *DuePolicy) error {
	if before == nil {
		before = &DuePolicy{}
	}
	return c.unchanged("due times", before.Version())
}

// scopeName is what a scope is called, "" for the house. A scope of something
// that does not exist is an error.
func scopeName(r store.Reader, scope string) (string, error) {
	if scope == HouseScope {
		return "", nil
	}
	switch kind, id, _ := strings.Cut(scope, ":"); kind {
	case "pipeline":
		p, err := pipelines.Get(r, key(id))
		if p, err = found(p, err, "pipeline", id); err != nil {
			return "", err
		}
		return p.Name, nil
	case "alias":
		a, err := aliases.Get(r, key(id))
		if a, err = found(a, err, "alias", id); err != nil {
			return "", err
		}
		return a.Address, nil
	}
	return "", invalid("scope", "due_scope_unknown", "%q is no scope of due times; it is house, pipeline:ID or alias:ID", scope)
}
