package mtasts

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

const (
	// failurePause is how long a policy that could not be had is not fetched again: a
	// host that hangs costs each attempt a minute (RFC 8461, section 3.3).
	failurePause = 5 * time.Minute
	// maxFailures bounds how many domains are remembered; whoever writes to us can name some.
	maxFailures = 10_000
)

// failures remembers which policies could not be had lately, by domain. The zero value
// is ready to use.
type failures struct {
	mutex sync.Mutex
	of    map[string]failure
}

type failure struct {
	id  string // of the record; with another one the policy may be another too
	at  time.Time
	err error
}

// over says that a failure is of no account any more, also because the clock was set back.
func (f failure) over(now time.Time) bool { return now.Before(f.at) || now.Sub(f.at) >= failurePause }

// lately returns why a policy is not fetched now; nil where nothing speaks against it.
func (l *failures) lately(domain, id string, now time.Time) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	last, known := l.of[domain]
	if !known || last.id != id || last.over(now) {
		return nil
	}
	return fmt.Errorf("not tried again before %s: %w", last.at.Add(failurePause).UTC().Format(time.RFC3339), last.err)
}

func (l *failures) remember(domain, id string, err error, now time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.of == nil {
		l.of = map[string]failure{}
	}
	if len(l.of) >= maxFailures {
		maps.DeleteFunc(l.of, func(_ string, f failure) bool { return f.over(now) })
	}
	if len(l.of) < maxFailures {
		l.of[domain] = failure{id: id, at: now, err: err}
	}
}
