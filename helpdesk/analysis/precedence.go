package analysis

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errGaveWay ends an analysis because somebody waits for the model.
var errGaveWay = errors.New("an agent waits for the model")

// giveWay is how long the analysis of a mail waits after it has made room.
const giveWay = 2 * time.Second

// precedence lets those who wait for the model go before the reading of mails:
// what is being read is broken off, and read again later.
type precedence struct {
	mu      sync.Mutex
	waiting int
	reading map[*context.CancelCauseFunc]struct{}
}

// read returns a context that ends when somebody waits for the model.
func (p *precedence) read(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting > 0 {
		cancel(errGaveWay)
		return ctx, func() {}
	}
	if p.reading == nil {
		p.reading = map[*context.CancelCauseFunc]struct{}{}
	}
	p.reading[&cancel] = struct{}{}
	return ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.reading, &cancel)
		cancel(nil)
	}
}

// begin says that somebody waits; the returned function ends it.
func (p *precedence) begin() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	for cancel := range p.reading {
		(*cancel)(errGaveWay)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}
}

func (p *precedence) taken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting > 0
}
