package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Situation is what a supervisor watches: who waits, and who handles what.
type Situation struct {
	Waiting    Load
	Unassigned Load
	Open       int // up to Capped, as all counts
	Capped     int
	// Partial says that more customers wait than were looked at; the loads
	// below are of those.
	Partial   bool
	Longest   []Wait // who has waited longest in working time
	Bands     []WaitBand
	Pipelines []LoadOf
	Aliases   []LoadOf
	Teams     []LoadOf
	People    []PersonLoad
}

// Load is a number of waiting customers.
type Load struct {
	Waiting int
	Overdue int // of these
	// Oldest is since when the one who waits longest does, and Work how much
	// working time has passed for the one for whom most has.
	Oldest time.Time
	Work   time.Duration
}

func (l *Load) add(t *Ticket, work time.Duration) {
	l.Waiting++
	if t.Overdue {
		l.Overdue++
	}
	l.Oldest, l.Work = earlier(l.Oldest, t.WaitingSince), max(l.Work, work)
}

// LoadOf is the load of a pipeline, an alias or a team.
type LoadOf struct {
	ID, Name string
	Load
}

// Wait is a customer who waits.
type Wait struct {
	Row  TicketRow
	Work time.Duration // of it, in working time
}

// WaitBand counts those whose wait is at least From in working time, and less
// than the next band's.
type WaitBand struct {
	From  time.Duration
	Count int
}

// PersonLoad is what one user has in hand.
type PersonLoad struct {
	User        User
	Unavailable Unavailable // "" where they are there
	Open        int
	Load
	LastReply time.Time // zero: never
}

// Bounds of a Situation: more is looked at by nobody.
const (
	maxWaiting = 2000
	maxLongest = 10
)

// waitBands are where the bands begin.
var waitBands = []time.Duration{0, time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour}

// Situation returns what is going on now.
func (d *Desk) Situation(ctx context.Context, a Actor) (s *Situation, err error) {
	if err := a.may("watch the work of all", PermitSupervise); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		s = &Situation{Capped: maxCount}
		return s.fill(ctx, r, a, newClocks(r, d.zones), d.now())
	})
	return s, err
}

func (s *Situation) fill(ctx context.Context, r store.Reader, a Actor, clocks *clocks, now time.Time) error {
	for _, from := range waitBands {
		s.Bands = append(s.Bands, WaitBand{From: from})
	}
	waits, err := s.waits(ctx, r, clocks, now)
	if err != nil {
		return err
	}
	names := newNames(r, a)
	aliasesOf, err := aliasesByAddress(r)
	if err != nil {
		return err
	}
	byPerson, byPipeline, byAlias, byTeam := map[string]*Load{}, map[string]*Load{}, map[string]*Load{}, map[string]*Load{}
	for _, w := range waits {
		t, work := w.ticket, w.work
		s.Waiting.add(t, work)
		if t.AssigneeID == "" {
			s.Unassigned.add(t, work)
		}
		loadOf(byPerson, t.AssigneeID).add(t, work)
		loadOf(byPipeline, t.PipelineID).add(t, work)
		for _, id := range t.cameThrough(aliasesOf) {
			loadOf(byAlias, id).add(t, work)
		}
		loadOf(byTeam, t.TeamID).add(t, work)
		i := len(waitBands) - 1
		for work < waitBands[i] {
			i--
		}
		s.Bands[i].Count++
	}
	for _, w := range waits[:min(len(waits), maxLongest)] {
		row, err := names.row(w.ticket)
		if err != nil {
			return err
		}
		s.Longest = append(s.Longest, Wait{row, w.work})
	}
	if s.Open, err = countTickets(r, System("situation"), TicketQuery{}); err != nil {
		return err
	}
	if err := s.places(r, byPipeline, byAlias, byTeam); err != nil {
		return err
	}
	return s.people(r, clocks, now, byPerson)
}

func loadOf(loads map[string]*Load, id string) *Load {
	if loads[id] == nil {
		loads[id] = &Load{}
	}
	return loads[id]
}

// aliasesByAddress are the ids of aliases by each address that they have or had; an
// address that was given to another is of both.
func aliasesByAddress(r store.Reader) (map[string][]string, error) {
	ids := map[string][]string{}
	for a, err := range aliases.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		for _, address := range a.Ways() {
			ids[address] = append(ids[address], a.ID)
		}
	}
	return ids, nil
}

// cameThrough are the aliases in whose lists a ticket is: those that its mails came
// through, and not only the one that answers it.
func (t *Ticket) cameThrough(aliasesOf map[string][]string) (ids []string) {
	for _, address := range t.Aliases {
		ids = appendNew(ids, aliasesOf[address]...)
	}
	return ids
}

// waitingTicket is a ticket whose customer waits, and for how much working time.
type waitingTicket struct {
	ticket *Ticket
	work   time.Duration
}

// waits are the waiting customers, the longest wait first.
func (s *Situation) waits(ctx context.Context, r store.Reader, clocks *clocks, now time.Time) (list []waitingTicket, err error) {
	for t, err := range tickets.ScanIndex(r, "waiting+state", store.Prefix(key(string(StateOpen)))) {
		if err != nil {
			return nil, err
		}
		if len(list) == maxWaiting {
			s.Partial = true
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		schedule, err := clocks.scheduleOf(t)
		if err != nil {
			return nil, err
		}
		list = append(list, waitingTicket{t, schedule.Between(t.WaitingSince, now)})
	}
	slices.SortFunc(list, func(a, b waitingTicket) int {
		return cmp.Or(-cmp.Compare(a.work, b.work), a.ticket.WaitingSince.Compare(b.ticket.WaitingSince), cmp.Compare(a.ticket.Number, b.ticket.Number))
	})
	return list, nil
}

func (s *Situation) places(r store.Reader, byPipeline, byAlias, byTeam map[string]*Load) error {
	for p, err := range pipelines.ScanIndex(r, "position", store.Range{}) {
		if err != nil {
			return err
		}
		if load := byPipeline[p.ID]; load != nil {
			s.Pipelines = append(s.Pipelines, LoadOf{p.ID, p.Name, *load})
		}
	}
	for a, err := range aliases.ScanIndex(r, "address", store.Range{}) {
		if err != nil {
			return err
		}
		if load := byAlias[a.ID]; load != nil {
			s.Aliases = append(s.Aliases, LoadOf{a.ID, a.Address, *load})
		}
	}
	for t, err := range teams.ScanIndex(r, "name", store.Range{}) {
		if err != nil {
			return err
		}
		if load := byTeam[t.ID]; load != nil {
			s.Teams = append(s.Teams, LoadOf{t.ID, t.Name, *load})
		}
	}
	return nil
}

// people are all who can work, those with the most waiting customers first, and
// whoever is disabled but has open tickets left.
func (s *Situation) people(r store.Reader, clocks *clocks, now time.Time, loads map[string]*Load) error {
	for u, err := range users.Scan(r, store.Range{}) {
		if err != nil {
			return err
		}
		u.PasswordHash = ""
		p := PersonLoad{User: *u}
		if p.Open, err = countTickets(r, System("situation"), TicketQuery{Filter: Filter{Assignees: []string{u.ID}}}); err != nil {
			return err
		}
		if u.Disabled && p.Open == 0 {
			continue
		}
		if load := loads[u.ID]; load != nil {
			p.Load = *load
		}
		if _, p.Unavailable, err = clocks.availability(u.ID, now); err != nil {
			return err
		}
		last, err := optional(activities.Get(r, key(u.ID)))
		if err != nil {
			return err
		}
		if last != nil {
			p.LastReply = last.LastReply
		}
		s.People = append(s.People, p)
	}
	slices.SortStableFunc(s.People, func(a, b PersonLoad) int {
		return cmp.Or(-cmp.Compare(a.Waiting, b.Waiting), -cmp.Compare(a.Open, b.Open), cmp.Compare(a.User.Name, b.User.Name))
	})
	return nil
}

// activity is when a user was last heard of by a customer.
type activity struct {
	UserID    string
	LastReply time.Time
}

// replied remembers when the author of m was last heard of.
func (c *command) replied(m *Message) error {
	if c.actor.UserID == "" {
		return nil
	}
	last, err := optional(activities.Get(c, key(c.actor.UserID)))
	if err != nil {
		return err
	}
	if last != nil {
		m.Before.LastReply = last.LastReply
	}
	return activities.Put(c, &activity{UserID: c.actor.UserID, LastReply: c.now})
}

// unreplied forgets m, which nobody got, unless its author has replied since.
func (c *command) unreplied(m *Message) error {
	last, err := optional(activities.Get(c, key(m.AuthorID)))
	if err != nil || last == nil || !last.LastReply.Equal(m.At) {
		return err
	}
	if m.Before.LastReply.IsZero() {
		return activities.Delete(c, key(m.AuthorID))
	}
	return activities.Put(c, &activity{UserID: m.AuthorID, LastReply: m.Before.LastReply})
}

// reassignBatch is how many tickets one transaction of ReassignAll moves.
const reassignBatch = 100

// ReassignAll gives the open tickets of one user to another, to nobody where to
// is "", and returns how many they were. waiting restricts it to those whose
// customer waits. It is done in bounded transactions: what was moved when it
// fails stays moved.
func (d *Desk) ReassignAll(ctx context.Context, a Actor, from, to string, waiting bool) (moved int, err error) {
	if err := a.may("give away the tickets of others", PermitSupervise); err != nil {
		return 0, err
	}
	if from == "" || from == to {
		return 0, invalid("to", "reassign_same", "choose whose tickets go to somebody else")
	}
	for {
		batch := 0
		err := d.update(ctx, a, func(c *command) (err error) {
			batch, err = c.reassign(from, to, waiting)
			return err
		})
		moved += batch
		if err != nil || batch < reassignBatch {
			return moved, err
		}
	}
}

func (c *command) reassign(from, to string, waiting bool) (int, error) {
	to, err := userIDOf(c, to)
	if err != nil {
		return 0, err
	}
	held := []list{{"assignee+state", key(from, string(StateOpen))}, {"assignee+state", key(from, string(StateSnoozed))}}
	if waiting {
		held = []list{{"load", key(from)}}
	}
	var given []*Ticket
	for _, l := range held {
		for t, err := range tickets.ScanIndex(c, l.index, store.Prefix(l.prefix)) {
			if err != nil {
				return 0, err
			}
			if len(given) == reassignBatch {
				break
			}
			given = append(given, t)
		}
	}
	for _, t := range given {
		if err := c.assign(t, to); err != nil {
			return 0, err
		}
		t.UpdatedAt = c.now
		if err := tickets.Put(c, t); err != nil {
			return 0, err
		}
	}
	return len(given), nil
}
