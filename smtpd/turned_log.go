package smtpd

import (
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bounds of what the log says of refused connections: a flood of hundreds a second
// would fill a disk with one line each.
const (
	refusalLogged   = time.Minute // in which a host is named once for the same reason
	maxRefusalLines = 100         // within that time, of all hosts
)

// refusalLog writes a line for a refused connection, and one for all those of a
// minute that it had no line for.
type refusalLog struct {
	log *slog.Logger

	mu     sync.Mutex
	begun  time.Time // of the minute that lines are counted in
	lines  int
	last   *simplelru.LRU[refusedHost, time.Time]
	unsaid int
	hosts  map[network]struct{} // of the unsaid ones, maxTurned at most
	timer  *time.Timer          // to say them, while there are some
}

type refusedHost struct {
	host network
	why  Incident
}

func newRefusalLog(log *slog.Logger) *refusalLog {
	lru, err := simplelru.NewLRU[refusedHost, time.Time](maxTurned, nil)
	if err != nil { // only a size below 1 has one
		panic(err)
	}
	return &refusalLog{log: log, last: lru, hosts: map[network]struct{}{}}
}

// say logs that a connection was refused, or counts it.
func (r *refusalLog) say(w *wire, why Incident, reply string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := now.Sub(r.begun); since < 0 || since >= refusalLogged {
		r.begun, r.lines = now, 0
	}
	host := refusedHost{hostOf(w.remote), why}
	last, known := r.last.Get(host)
	since := now.Sub(last)
	if known && since >= 0 && since < refusalLogged || r.lines >= maxRefusalLines {
		r.unsaid++
		if len(r.hosts) < maxTurned {
			r.hosts[host.host] = struct{}{}
		}
		if r.timer == nil {
			r.timer = time.AfterFunc(refusalLogged, r.sum)
		}
		return
	}
	r.lines++
	r.last.Add(host, now)
	w.log.Info("session refused", "reply", reply)
}

// sum logs how many connections were refused without a line of their own.
func (r *refusalLog) sum() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return
	}
	r.timer.Stop()
	r.log.Info("further sessions refused", "sessions", r.unsaid, "hosts", len(r.hosts))
	r.unsaid, r.timer = 0, nil
	clear(r.hosts)
}
