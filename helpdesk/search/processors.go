package search

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// processors shares the machine's processors out among the searches under way: one that
// runs alone may use them all, and of many at once each goes on by itself.
type processors struct {
	count int // more goroutines would only wait for each other
	busy  atomic.Int32
}

// share calls work in the caller's goroutine and, up to a number of goroutines, in one more
// for each processor that no search uses. Together the calls see each of so many units
// once, and no more units once one of them failed or ctx ended. All of them have ended when
// share returns. A panic in one is an error.
func (p *processors) share(ctx context.Context, units, goroutines int, work func(units iter.Seq[int]) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	remaining := func(yield func(int) bool) {
		for ctx.Err() == nil {
			unit := int(next.Add(1)) - 1
			if unit >= units || !yield(unit) {
				return
			}
		}
	}
	run := func() {
		defer p.busy.Add(-1)
		defer func() {
			if reason := recover(); reason != nil {
				cancel(fmt.Errorf("panic: %v\n%s", reason, debug.Stack()))
			}
		}()
		if err := work(remaining); err != nil {
			cancel(err)
		}
	}
	p.busy.Add(1)
	var others sync.WaitGroup
	for n := 1; n < goroutines && p.takeIdle(); n++ {
		others.Go(run)
	}
	run()
	others.Wait()
	return context.Cause(ctx)
}

// takeIdle takes a processor that no search uses, if there is one.
func (p *processors) takeIdle() bool {
	for {
		busy := p.busy.Load()
		if int(busy) >= p.count {
			return false
		}
		if p.busy.CompareAndSwap(busy, busy+1) {
			return true
		}
	}
}
