package smtpd

import (
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxRemembered is how many networks a bucket remembers: those that were seen
// last. The rest are taken to have an empty one, so memory is bounded at a few
// megabytes however many addresses an attacker has.
const maxRemembered = 1 << 14

// buckets are leaky buckets, one a network: what is poured in leaves again at a
// steady rate. A bucket is the time at which it will be empty.
type buckets struct {
	drain time.Duration // in which one unit leaves

	mu    sync.Mutex
	empty *simplelru.LRU[network, time.Time]
}

func newBuckets(drain time.Duration) *buckets {
	lru, err := simplelru.NewLRU[network, time.Time](maxRemembered, nil)
	if err != nil { // only a size below 1 has one
		panic(err)
	}
	return &buckets{drain: drain, empty: lru}
}

// rate returns buckets for a number a minute, or nil for no limit.
func rate(perMinute int) *buckets {
	if perMinute <= 0 {
		return nil
	}
	return newBuckets(time.Minute / time.Duration(perMinute))
}

// at returns buckets for a number a minute: these where that was theirs.
func (b *buckets) at(was, perMinute int) *buckets {
	if b != nil && was == perMinute {
		return b
	}
	return rate(perMinute)
}

// take pours one unit in, unless there would be more than a minute's worth. Nil
// buckets hold everything.
func (b *buckets) take(n network, now time.Time) bool {
	if b == nil || !n.IsValid() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.emptyAt(n, now).Add(b.drain)
	if next.Sub(now) > time.Minute {
		return false
	}
	b.empty.Add(n, next)
	return true
}

// full says whether no further unit would be taken now.
func (b *buckets) full(n network, now time.Time) bool {
	if b == nil || !n.IsValid() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.emptyAt(n, now).Add(b.drain).Sub(now) > time.Minute
}

// pour puts one unit in, up to most, and returns how many there are.
func (b *buckets) pour(n network, now time.Time, most int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.emptyAt(n, now).Add(b.drain)
	if most := now.Add(time.Duration(most) * b.drain); next.After(most) {
		next = most
	}
	b.empty.Add(n, next)
	return b.units(next.Sub(now))
}

// level is how many units there are, begun ones included.
func (b *buckets) level(n network, now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.units(b.emptyAt(n, now).Sub(now))
}

// clear empties a bucket.
func (b *buckets) clear(n network) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.empty.Remove(n)
}

func (b *buckets) units(left time.Duration) int { return int((left + b.drain - 1) / b.drain) }

func (b *buckets) emptyAt(n network, now time.Time) time.Time {
	if at, ok := b.empty.Get(n); ok && at.After(now) {
		return at
	}
	return now
}

// hostOf is the least that a client has: an IPv4 address, or an IPv6 /64. The
// zero network is a unix socket.
func hostOf(a netip.Addr) network { return networkOf(a, 32, 64) }

// neighbourhoodOf is what is often in one hand: an IPv4 /24, or an IPv6 /48.
func neighbourhoodOf(a netip.Addr) network { return networkOf(a, 24, 48) }

func networkOf(a netip.Addr, bits4, bits6 int) network {
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	n, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return network{}
	}
	return n
}
