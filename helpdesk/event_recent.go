package helpdesk

import (
	"maps"
	"strings"
	"sync"
)

// recentKept is how many of the newest events are kept as they were written. Those who
// follow the log ask for the same few, one after the other.
const recentKept = 4096

// recentEvents are the newest events of this process that are durable. What is not among
// them is in the store.
type recentEvents struct {
	mu     sync.Mutex
	places []Event // by Seq, modulo their number; empty until the first
	last   uint64
}

// keep adds the events of a command, once it is durable. Commands may come in any order.
func (r *recentEvents) keep(list []Event) {
	if len(list) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places == nil {
		r.places = make([]Event, recentKept)
	}
	for i := range list {
		place := &r.places[list[i].Seq%recentKept]
		if list[i].Seq > place.Seq {
			*place = list[i].detached()
		}
		r.last = max(r.last, list[i].Seq)
	}
}

// forget empties the memory: events are read from the store again, since some were changed.
func (r *recentEvents) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places, r.last = nil, 0
}

// after returns up to limit events that follow one another from after on; whole says that
// there were no others when it was called. Their Data are shared: nobody writes to them.
func (r *recentEvents) after(after uint64, limit int) (list []Event, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last <= after || r.last-after > recentKept {
		return nil, false
	}
	for seq := after + 1; seq <= r.last && len(list) < limit; seq++ {
		e := &r.places[seq%recentKept]
		if e.Seq != seq {
			return list, false
		}
		if list == nil {
			list = make([]Event, 0, min(limit, int(r.last-after)))
		}
		list = append(list, *e)
	}
	return list, true
}

// detached is the event as the store gives it back, with texts of its own: those of a
// command may be a few words of a mail of megabytes, which must not stay in memory for them.
func (e Event) detached() Event {
	a := e.Actor
	e.Actor = Actor{Kind: a.Kind, UserID: a.UserID, Name: strings.Clone(a.Name), Role: a.Role, Scope: a.Scope, From: a.From}
	e.Message = strings.Clone(e.Message)
	if e.Data = maps.Clone(e.Data); len(e.Data) == 0 {
		e.Data = nil // as it is read from the store
	}
	for name, value := range e.Data {
		e.Data[name] = strings.Clone(value)
	}
	return e
}
