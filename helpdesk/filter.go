package helpdesk

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Filter narrows a list of tickets. A ticket fits when it fits every field
// that is set; of the values of one field it needs one.
type Filter struct {
	Pipelines  []string   `cbor:",omitempty"` // ids
	Stages     []string   `cbor:",omitempty"` // ids
	Aliases    []string   `cbor:",omitempty"` // addresses
	Brands     []string   `cbor:",omitempty"` // names
	Assignees  []string   `cbor:",omitempty"` // user ids, AssigneeMe or AssigneeNone
	Teams      []string   `cbor:",omitempty"` // ids, or AssigneeMe for the teams of whoever reads
	Tags       []string   `cbor:",omitempty"`
	Languages  []string   `cbor:",omitempty"` // ISO 639-1
	ReplyTypes []string   `cbor:",omitempty"` // as of Analysis.ReplyType
	Priorities []Priority `cbor:",omitempty"`
	// Waiting keeps the tickets whose customer waits for an answer.
	Waiting bool `cbor:",omitempty"`
	// Unread keeps the tickets on which a customer wrote since the reader looked.
	Unread bool `cbor:",omitempty"`
}

// What stands for whoever reads, and for nobody, in Filter.Assignees.
const (
	AssigneeMe   = "me"
	AssigneeNone = "none"
)

// maxFilterValues bounds the values of one field: far above what people choose.
const maxFilterValues = 50

// Empty reports whether every ticket fits.
func (f Filter) Empty() bool {
	return !f.Waiting && !f.Unread && len(f.Priorities) == 0 &&
		len(f.Pipelines)+len(f.Teams)+len(f.Stages)+len(f.Aliases)+len(f.Brands)+len(f.Assignees)+len(f.Tags)+len(f.Languages)+len(f.ReplyTypes) == 0
}

// Equal reports whether the same tickets fit both, as they are written.
func (f Filter) Equal(other Filter) bool {
	same := func(a, b []string) bool {
		a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
		return slices.Equal(a, b)
	}
	return f.Waiting == other.Waiting && f.Unread == other.Unread && same(f.Pipelines, other.Pipelines) && same(f.Stages, other.Stages) &&
		same(f.Aliases, other.Aliases) && same(f.Brands, other.Brands) && same(f.Assignees, other.Assignees) && same(f.Teams, other.Teams) && same(f.Tags, other.Tags) &&
		same(f.Languages, other.Languages) && same(f.ReplyTypes, other.ReplyTypes) && same(priorityNames(f.Priorities), priorityNames(other.Priorities))
}

func priorityNames(list []Priority) (names []string) {
	for _, p := range list {
		names = append(names, p.Name())
	}
	return names
}

// check refuses what no filter can mean.
func (f Filter) check() error {
	for name, values := range map[string][]string{"pipeline": f.Pipelines, "stage": f.Stages, "alias": f.Aliases, "brand": f.Brands,
		"assignee": f.Assignees, "team": f.Teams, "tag": f.Tags, "language": f.Languages, "reply_type": f.ReplyTypes} {
		if len(values) > maxFilterValues {
			return invalid(name, "filter_too_many", "the filter %s has %d values; the limit is %d", name, len(values), maxFilterValues)
		}
	}
	for _, p := range f.Priorities {
		if !slices.Contains(Priorities, p) {
			return invalid("priority", "priority_unknown", "priority %q is not one of urgent, high, normal, low", p)
		}
	}
	return nil
}

// resolved is a filter in the words of tickets: brands are the addresses of
// their aliases, "me" is a user.
type resolved struct {
	Filter
	only []string // addresses of aliases, where any is asked for
	some bool     // only counts, though it may be empty
}

// resolve looks up what the filter of a query names.
func (q *TicketQuery) resolve(r store.Reader, a Actor) (resolved, error) {
	f := resolved{Filter: q.Filter}
	if err := f.check(); err != nil {
		return f, err
	}
	f.Assignees = nil
	for _, id := range q.Filter.Assignees {
		switch id {
		case AssigneeMe:
			id = a.UserID
		case AssigneeNone:
			id = ""
		}
		f.Assignees = append(f.Assignees, id)
	}
	var err error
	if f.Teams, err = teamsMeant(r, a, q.Filter.Teams); err != nil {
		return f, err
	}
	f.Aliases = nil
	for _, address := range q.Filter.Aliases {
		address = mailboxOf(address)
		alias, err := optional(aliases.First(r, "address", key(address)))
		if err != nil {
			return f, err
		}
		if f.Aliases = appendNew(f.Aliases, address); alias != nil {
			f.Aliases = appendNew(f.Aliases, alias.Former...)
		}
	}
	if len(q.Filter.Brands) > 0 {
		addresses, err := addressesOf(r, q.Filter.Brands)
		if err != nil {
			return f, err
		}
		if len(addresses) == 0 {
			addresses = []string{""} // a brand of no alias: no ticket came through ""
		}
		f.Brands = addresses
	}
	if len(q.Only) > 0 {
		f.some = true
		f.only, err = addressesOf(r, q.Only)
		return f, err
	}
	return f, nil
}

// teamsMeant are the ids of teams, with those of the actor for AssigneeMe; a
// team that nobody can be on where the actor is on none.
func teamsMeant(r store.Reader, a Actor, ids []string) (meant []string, err error) {
	for _, id := range ids {
		if id != AssigneeMe {
			meant = append(meant, id)
			continue
		}
		meant = append(meant, "\x00")
		mine, err := teamsOf(r, a.UserID)
		if err != nil {
			return nil, err
		}
		meant = append(meant, mine...)
	}
	return meant, nil
}

// addressesOf are the aliases' addresses that a list of brands and addresses
// stands for.
func addressesOf(r store.Reader, only []string) (list []string, err error) {
	for alias, err := range aliases.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(only, func(o string) bool {
			return strings.EqualFold(o, alias.Address) || alias.Brand != "" && o == alias.Brand
		}) {
			list = append(list, alias.Ways()...)
		}
	}
	return list, nil
}

// fits tells whether a ticket fits all of the filter but Unread, which is the
// reader's and not the ticket's.
func (f *resolved) fits(t *Ticket) bool {
	among := func(wanted []string, value string) bool { return len(wanted) == 0 || slices.Contains(wanted, value) }
	some := func(wanted, values []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(wanted, v) })
	}
	return among(f.Pipelines, t.PipelineID) && among(f.Stages, t.StageID) && among(f.Assignees, t.AssigneeID) && among(f.Teams, t.TeamID) &&
		among(f.Languages, t.Language) && among(f.ReplyTypes, t.ReplyType) &&
		(len(f.Priorities) == 0 || slices.Contains(f.Priorities, t.Priority)) &&
		some(f.Tags, t.Tags) && some(f.Aliases, t.Aliases) && some(f.Brands, t.Aliases) &&
		(!f.some || slices.ContainsFunc(f.only, func(address string) bool { return slices.Contains(t.Aliases, address) })) &&
		(!f.Waiting || !t.WaitingSince.IsZero())
}
