package smtpd

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// TurnedAway is what a listener refused a host within the last day, and which of
// its limits hold for the host now.
type TurnedAway struct {
	Host        netip.Prefix // an IPv4 address or an IPv6 /64
	Counts      map[Reason]int
	First, Last time.Time
	// Slowed says that its refused commands are answered late (Tarpit), Shut that it
	// may not connect because of them, and Full that it has used up what a host may
	// do within a minute.
	Slowed, Shut, Full bool
}

// Sum is how often it was refused something.
func (t TurnedAway) Sum() (n int) {
	for _, count := range t.Counts {
		n += count
	}
	return n
}

// Bounds of what is remembered: those that were refused something last, in memory.
const (
	maxTurned  = 2000
	turnedKept = 24 * time.Hour
)

// turned remembers whom something was refused.
type turned struct {
	mu    sync.Mutex
	hosts *simplelru.LRU[network, *TurnedAway]
}

func newTurned() *turned {
	lru, err := simplelru.NewLRU[network, *TurnedAway](maxTurned, nil)
	if err != nil { // only a size below 1 has one
		panic(err)
	}
	return &turned{hosts: lru}
}

// note counts a refusal.
func (t *turned) note(remote netip.Addr, reason Reason, now time.Time) {
	host := hostOf(remote)
	if !host.IsValid() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.hosts.Get(host)
	if !ok || now.Sub(known.Last) > turnedKept {
		known = &TurnedAway{Host: host, Counts: map[Reason]int{}, First: now}
		t.hosts.Add(host, known)
	}
	known.Counts[reason]++
	known.Last = now
}

// RememberTurnedAway takes over what an earlier listener remembered, the host that was
// refused something last at the end.
func (s *Server) RememberTurnedAway(list []TurnedAway) {
	s.turned.mu.Lock()
	defer s.turned.mu.Unlock()
	for _, one := range list {
		one.Counts = maps.Clone(one.Counts)
		if known, ok := s.turned.hosts.Peek(one.Host); ok { // it was refused something meanwhile
			for reason, n := range known.Counts {
				one.Counts[reason] += n
			}
			one.Last = known.Last
		}
		s.turned.hosts.Add(one.Host, &one)
	}
}

// TurnedAway lists the hosts that were refused something within the last day, as
// far as they are remembered: those for which a limit holds now come first, then
// those that were refused most.
func (s *Server) TurnedAway() (list []TurnedAway) {
	now := time.Now()
	s.turned.mu.Lock()
	for _, known := range s.turned.hosts.Values() {
		if now.Sub(known.Last) <= turnedKept {
			one := *known
			one.Counts = maps.Clone(known.Counts)
			list = append(list, one)
		}
	}
	s.turned.mu.Unlock()
	for i := range list {
		s.holding(&list[i], now)
	}
	slices.SortFunc(list, func(a, b TurnedAway) int {
		return cmp.Or(cmp.Compare(b.pressing(), a.pressing()), cmp.Compare(b.Sum(), a.Sum()), b.Last.Compare(a.Last))
	})
	return list
}

// holding finds out which limits hold for a host.
func (s *Server) holding(t *TurnedAway, now time.Time) {
	if s.exempt(t.Host.Addr()) {
		return
	}
	gate := s.gate.Load()
	if after := gate.Limits.Tarpit.After; after > 0 {
		level := gate.refused.level(t.Host, now)
		t.Slowed, t.Shut = level > after, level >= s.config.MaxRefused
	}
	around := neighbourhoodOf(t.Host.Addr())
	t.Full = gate.connections.full(t.Host, now) || gate.connectionsNetwork.full(around, now) || gate.mails.full(t.Host, now) || gate.mailsNetwork.full(around, now)
}

func (t TurnedAway) pressing() int {
	switch {
	case t.Shut:
		return 3
	case t.Full:
		return 2
	case t.Slowed:
		return 1
	}
	return 0
}
