package run

import (
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how much mail leaves; zero is no limit.
type Limits struct {
	// Concurrency is how many deliveries go to one destination at once.
	Concurrency int
	// PerMinute is how many begin to one destination in a minute, Total how many
	// to all together.
	PerMinute, Total int
}

// Gate lets deliveries through within limits, by destination. It may be used by
// several goroutines.
type Gate struct {
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	total *rate.Limiter
	ways  map[string]*way
}

// way is one destination.
type way struct {
	busy  int
	pace  *rate.Limiter
	since time.Time // last used
}

// busyPause is how soon a delivery looks again whether its destination is free.
const busyPause = 2 * time.Second

// NewGate returns a gate that reads the time from now.
func NewGate(l Limits, now func() time.Time) *Gate {
	return &Gate{limits: l, now: now, total: pace(l.Total), ways: map[string]*way{}}
}

// pace spreads a number over a minute, of which ten seconds' worth may come at once.
func pace(perMinute int) *rate.Limiter {
	if perMinute <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(1, perMinute/6))
}

// Enter lets one delivery through, which calls leave at its end; or says how long
// to wait before it asks again.
func (g *Gate) Enter(destination string) (leave func(), wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	w := g.ways[destination]
	if w == nil {
		g.forget(now)
		w = &way{pace: pace(g.limits.PerMinute)}
		g.ways[destination] = w
	}
	w.since = now
	if g.limits.Concurrency > 0 && w.busy >= g.limits.Concurrency {
		return nil, busyPause + rand.N(busyPause)
	}
	mine := w.pace.ReserveN(now, 1)
	if wait := mine.DelayFrom(now); wait > 0 {
		mine.CancelAt(now)
		return nil, wait
	}
	all := g.total.ReserveN(now, 1)
	if wait := all.DelayFrom(now); wait > 0 {
		all.CancelAt(now)
		mine.CancelAt(now)
		return nil, wait
	}
	w.busy++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		w.busy--
	}, 0
}

// forget drops destinations that were not used for a while, of which there is
// no end in sight. The caller holds mu.
func (g *Gate) forget(now time.Time) {
	const many, long = 1000, 10 * time.Minute
	if len(g.ways) < many {
		return
	}
	for name, w := range g.ways {
		if w.busy == 0 && now.Sub(w.since) > long {
			delete(g.ways, name)
		}
	}
}
