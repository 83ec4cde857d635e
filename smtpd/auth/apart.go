package auth

import (
	"context"
	"fmt"
	"runtime/debug"
)

// outcome is what work that ran apart came to. A panic goes on in whoever takes the
// outcome, who may catch it: in a goroutine of its own it would end the process, and what
// is worked on here is what strangers sent or have the DNS say.
type outcome[T any] struct {
	value    T
	panicked error
}

func (o outcome[T]) get() T {
	if o.panicked != nil {
		panic(o.panicked)
	}
	return o.value
}

// attempt does work and keeps its panic.
func attempt[T any](work func() T) (o outcome[T]) {
	defer func() {
		if reason := recover(); reason != nil {
			o.panicked = fmt.Errorf("%v\n%s", reason, debug.Stack())
		}
	}()
	o.value = work()
	return o
}

// start runs work apart, so that a resolver which ignores its context cannot
// hold the caller.
func start[T any](work func() T) <-chan outcome[T] {
	done := make(chan outcome[T], 1)
	go func() { done <- attempt(work) }()
	return done
}

// await returns what done delivers before ctx ends, or else late().
func await[T any](ctx context.Context, done <-chan outcome[T], late func() T) T {
	select {
	case o := <-done:
		return o.get()
	case <-ctx.Done():
	}
	select {
	case o := <-done:
		return o.get()
	default:
		return late()
	}
}
