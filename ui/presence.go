package ui

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// presence knows who looks at which ticket and who writes there. It is kept in
// memory only: it is true for seconds, and nothing is lost with it. Whoever
// wants to hear of changes asks what happened after a version.
type presence struct {
	now func() time.Time

	mu      sync.Mutex
	tickets map[uint64]map[string]*looking // by user id
	streams map[string]int                 // open live streams, by user id
	version uint64
	changes map[uint64]uint64 // the version in which a ticket's people changed
	drafts  map[uint64]uint64 // and its drafts
	changed chan struct{}     // closed at the next change
}

// looking is one user's stay at a ticket.
type looking struct {
	name    string
	until   time.Time // of the stay
	writing time.Time // until when they count as writing
}

// How long a sign of life counts.
const (
	presenceStay    = 30 * time.Second
	presenceWriting = 12 * time.Second
	presenceSweep   = 3 * time.Second
	// presenceGone is how long somebody stays whose last page lost its stream:
	// long enough for a page to be loaded again.
	presenceGone = 5 * time.Second
)

func newPresence(ctx context.Context, now func() time.Time) *presence {
	p := &presence{now: now, version: 1, tickets: map[uint64]map[string]*looking{}, streams: map[string]int{},
		changes: map[uint64]uint64{}, drafts: map[uint64]uint64{}, changed: make(chan struct{})}
	go func() {
		ticker := time.NewTicker(presenceSweep)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				p.sweep()
			}
		}
	}()
	return p
}

// person is somebody at a ticket.
type person struct {
	ID, Name string
	Writing  bool
}

// seen notes that a user looks at a ticket, and perhaps writes there.
func (p *presence) seen(ticket uint64, id, name string, writing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	here := p.tickets[ticket]
	if here == nil {
		here = map[string]*looking{}
		p.tickets[ticket] = here
	}
	l := here[id]
	news := l == nil || writing && !l.writing.After(now)
	if l == nil {
		l = &looking{}
		here[id] = l
	}
	l.name, l.until = name, now.Add(presenceStay)
	if writing {
		l.writing = now.Add(presenceWriting)
	}
	if news {
		p.tell(p.changes, ticket)
	}
}

// left notes that a user no longer looks at a ticket.
func (p *presence) left(ticket uint64, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tickets[ticket][id] == nil {
		return
	}
	p.remove(ticket, id)
}

func (p *presence) remove(ticket uint64, id string) {
	delete(p.tickets[ticket], id)
	if len(p.tickets[ticket]) == 0 {
		delete(p.tickets, ticket)
	}
	p.tell(p.changes, ticket)
}

// stopped notes that a user has sent or put away what they wrote.
func (p *presence) stopped(ticket uint64, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.tickets[ticket][id]; l != nil && !l.writing.IsZero() {
		l.writing = time.Time{}
		p.tell(p.changes, ticket)
	}
}

// sweep forgets whose sign of life is too old.
func (p *presence) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for ticket, here := range p.tickets {
		for id, l := range here {
			switch {
			case !l.until.After(now):
				p.remove(ticket, id)
			case !l.writing.IsZero() && !l.writing.After(now):
				l.writing = time.Time{}
				p.tell(p.changes, ticket)
			}
		}
	}
}

// draftChanged notes that something is being written at a ticket.
func (p *presence) draftChanged(ticket uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(p.drafts, ticket)
}

// tell must be called with the lock held.
func (p *presence) tell(what map[uint64]uint64, ticket uint64) {
	p.version++
	what[ticket] = p.version
	close(p.changed)
	p.changed = make(chan struct{})
	const many = 10_000 // tickets that nobody is at any more need not be remembered for ever
	if len(what) > many {
		oldest := slices.Sorted(maps.Values(what))[many/2]
		maps.DeleteFunc(what, func(_, version uint64) bool { return version < oldest })
	}
}

// connected counts a live stream of a user; the function it returns ends it.
func (p *presence) connected(id string) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[id]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.streams[id]--; p.streams[id] > 0 {
			return
		}
		delete(p.streams, id)
		gone := p.now().Add(presenceGone)
		for _, here := range p.tickets {
			if l := here[id]; l != nil && l.until.After(gone) {
				l.until = gone
			}
		}
	}
}

// at returns who is at a ticket, except one user, by name.
func (p *presence) at(ticket uint64, except string) []person {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.people(ticket, except)
}

func (p *presence) people(ticket uint64, except string) (list []person) {
	now := p.now()
	for id, l := range p.tickets[ticket] {
		if id != except && l.until.After(now) {
			list = append(list, person{id, l.name, l.writing.After(now)})
		}
	}
	slices.SortFunc(list, func(a, b person) int {
		if a.Writing != b.Writing {
			if a.Writing {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// presenceNews is what changed after a version.
type presenceNews struct {
	version uint64
	people  map[uint64][]person // who is at these tickets now
	drafts  []uint64            // what is written there changed
	next    <-chan struct{}     // closed when there is more
}

// after returns what changed after a version; after 0 all who are anywhere.
func (p *presence) after(version uint64, except string) presenceNews {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := presenceNews{version: p.version, people: map[uint64][]person{}, next: p.changed}
	if version == 0 {
		for ticket := range p.tickets {
			if list := p.people(ticket, except); len(list) > 0 {
				n.people[ticket] = list
			}
		}
		return n
	}
	for ticket, at := range p.changes {
		if at > version {
			n.people[ticket] = p.people(ticket, except)
		}
	}
	for ticket, at := range p.drafts {
		if at > version {
			n.drafts = append(n.drafts, ticket)
		}
	}
	slices.Sort(n.drafts)
	return n
}
