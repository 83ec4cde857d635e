// Package run holds the loops that make consequences happen: one over the due
// timers, and one for each follower of the event log. What they have done is
// in the store; they themselves remember nothing that matters.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Worker does the work of one kind of timer.
type Worker struct {
	Kind helpdesk.TimerKind
	// Concurrency is how many timers of the kind are worked on at once.
	Concurrency int
	// Lease is how long one may take: after it, the timer is due again, and Do's
	// context has ended.
	Lease time.Duration
	// Do does the work and, in its last transaction, ends or moves the timer. An
	// error that is Later puts the timer off by the rules of the work; any other
	// is a failure that is tried again, later each time.
	Do func(ctx context.Context, id string) error
	// NotBefore, where set, is asked for a time before which nothing of the
	// kind is to be claimed; zero is no limit.
	NotBefore func() time.Time
}

// Later is an error that says that work is not to be done now, without having
// failed.
type Later interface {
	error
	RetryAfter() time.Duration
}

// TimerDesk is what the loop needs of the helpdesk.
type TimerDesk interface {
	ClaimDue(ctx context.Context, kind helpdesk.TimerKind, limit int, lease time.Duration) ([]helpdesk.Timer, time.Time, error)
	PutOff(ctx context.Context, t helpdesk.Timer, due time.Time, problem string, failed bool) error
	TimersSet() <-chan struct{}
}

// Timers is the loop over the due timers.
type Timers struct {
	Desk    TimerDesk
	Workers []Worker
	Now     func() time.Time
	Log     *slog.Logger
}

// Pauses of the loop.
const (
	maxPause     = time.Minute // it looks at least this often: clocks jump
	troublePause = 5 * time.Second
	firstRetry   = 10 * time.Second
	maxRetry     = time.Hour
)

// Run works until ctx ends, then waits for what is under way. Work is given
// grace to end by itself; then its context ends too.
func (t *Timers) Run(ctx context.Context, grace time.Duration) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	busy := make([]int, len(t.Workers))
	done := make(chan int, 1)
	for ctx.Err() == nil {
		next := t.claim(ctx, work, busy, &running, done)
		alarm := time.NewTimer(min(max(next.Sub(t.Now()), 0), maxPause))
		select {
		case i := <-done:
			busy[i]--
		case <-t.Desk.TimersSet():
		case <-alarm.C:
		case <-ctx.Done():
		}
		alarm.Stop()
	}
	finished := make(chan struct{})
	go func() {
		running.Wait()
		close(finished)
	}()
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	for {
		select {
		case <-done:
		case <-deadline.C:
			stop()
		case <-finished:
			return
		}
	}
}

// claim starts what is due and returns when to look again.
func (t *Timers) claim(ctx, work context.Context, busy []int, running *sync.WaitGroup, done chan<- int) time.Time {
	now := t.Now()
	earliest := now.Add(maxPause)
	sooner := func(at time.Time) {
		if at.Before(earliest) {
			earliest = at
		}
	}
	for i, w := range t.Workers {
		if w.NotBefore != nil {
			if at := w.NotBefore(); at.After(now) {
				sooner(at)
				continue
			}
		}
		free := w.Concurrency - busy[i]
		if free <= 0 {
			continue // its end wakes the loop
		}
		claimed, next, err := t.Desk.ClaimDue(ctx, w.Kind, free, w.Lease)
		if err != nil {
			if ctx.Err() == nil {
				t.Log.Error("claim timers", "kind", w.Kind, "error", err)
			}
			sooner(now.Add(troublePause))
			continue
		}
		for _, timer := range claimed {
			busy[i]++
			running.Go(func() {
				t.do(work, w, timer)
				done <- i
			})
		}
		if len(claimed) < free && !next.IsZero() {
			sooner(next)
		}
	}
	return earliest
}

func (t *Timers) do(ctx context.Context, w Worker, timer helpdesk.Timer) {
	leased, cancel := context.WithTimeout(ctx, w.Lease)
	defer cancel()
	err := protect(func() error { return w.Do(leased, timer.ID) })
	if err == nil {
		return
	}
	due, failed := t.Now().Add(retryAfter(timer.Claims)), true
	var later Later
	switch {
	case errors.As(err, &later):
		due, failed = t.Now().Add(later.RetryAfter()), false
	case ctx.Err() != nil: // the program stops: it is nobody's failure
		due, failed = t.Now(), false
	default:
		t.Log.Error("timer failed", "kind", timer.Kind, "id", timer.ID, "claims", timer.Claims, "again", due, "error", err)
	}
	if err := t.Desk.PutOff(context.WithoutCancel(ctx), timer, due, err.Error(), failed); err != nil {
		t.Log.Error("put off timer", "kind", timer.Kind, "id", timer.ID, "error", err)
	}
}

func retryAfter(claims int) time.Duration {
	return min(firstRetry<<min(max(claims-1, 0), 10), maxRetry)
}

// protect turns a panic of one piece of work into its error: it must not take
// the others along.
func protect(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}
