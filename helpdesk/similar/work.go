package similar

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// How much one piece of work takes: what is lost when the program is killed, and
// how long news waits for history.
const (
	eventsAtOnce  = 200
	vectorsAtOnce = 16
)

// Pauses of Run.
const (
	modelLook    = time.Minute // another model may have come under the same name
	firstTrouble = 2 * time.Second
	mostTrouble  = 5 * time.Minute
)

// later is an error that says when to ask again.
type later interface {
	error
	RetryAfter() time.Duration
}

// Run makes vectors until ctx ends: of what is new first, then of the history.
// Without an embedder it returns at once.
func (ix *Index) Run(ctx context.Context) {
	if ix.embedder == nil {
		return
	}
	failures := 0
	for ctx.Err() == nil {
		more, err := ix.Work(ctx)
		if ctx.Err() != nil {
			return
		}
		var wait later
		switch {
		case errors.As(err, &wait):
			ix.pause(ctx, max(wait.RetryAfter(), time.Second))
			continue
		case err != nil:
			failures++
			ix.log.Error("make vectors", "failures", failures, "error", err)
			ix.pause(ctx, min(firstTrouble<<min(failures, 10), mostTrouble))
			continue
		}
		failures = 0
		if !more {
			ix.awaitNews(ctx)
		}
	}
}

func (ix *Index) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// awaitNews returns with the next event, or when the model is to be looked at.
func (ix *Index) awaitNews(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, modelLook)
	defer cancel()
	if last, err := ix.desk.LastSeq(ctx); err == nil {
		ix.desk.Wait(ctx, last) // it ends with an event or with its time
	}
}

// Work does one bounded piece of work and reports whether there may be more. Its
// error has a method RetryAfter where the model cannot be asked now; nothing is
// lost then.
func (ix *Index) Work(ctx context.Context) (more bool, err error) {
	if ix.embedder == nil {
		return false, nil
	}
	more, err = ix.work(ctx)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	before := ix.trouble
	ix.trouble = ""
	if err != nil && ctx.Err() == nil {
		ix.trouble = err.Error()
		if ix.trouble != before {
			ix.log.Warn("no vectors now", "error", err)
		}
	}
	return more, err
}

func (ix *Index) work(ctx context.Context) (bool, error) {
	model, digest, err := ix.embedder.Model(ctx)
	if err != nil {
		return false, err
	}
	s, err := ix.spaceFor(ctx, model, digest)
	if err != nil {
		return false, fmt.Errorf("open the vectors of %s: %w", model, err)
	}
	last, err := ix.desk.LastSeq(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case s.Cursor < last:
		return true, ix.follow(ctx, s)
	case !s.complete():
		return true, ix.goBack(ctx, s)
	}
	if err := ix.use(ctx, s.ID); err != nil {
		return false, err
	}
	return ix.sweep(ctx)
}

// follow makes vectors of what is new.
func (ix *Index) follow(ctx context.Context, s *space) error {
	events, err := ix.desk.Events(ctx, follower, s.Cursor, eventsAtOnce)
	if err != nil || len(events) == 0 {
		return err
	}
	return ix.embed(ctx, s, events, func(s *space, seq uint64) { s.Cursor = max(s.Cursor, seq) })
}

// goBack makes vectors of what was before the space began, the newest first.
func (ix *Index) goBack(ctx context.Context, s *space) error {
	after := s.Back - min(s.Back, eventsAtOnce)
	events, err := ix.desk.Events(ctx, follower, after, int(s.Back-after))
	if err != nil {
		return err
	}
	if len(events) == 0 { // none is there so far back
		return ix.commit(ctx, s.ID, nil, func(s *space) { s.Back = after })
	}
	slices.Reverse(events)
	return ix.embed(ctx, s, events, func(s *space, seq uint64) { s.Back = min(s.Back, seq-1) })
}

// made is what became of one message.
type made struct {
	message string
	digest  uint64
	vector  []float32 // nil where the model refused
}

// embed goes through events in their order and writes the vectors, with reached
// behind the last event that is done.
func (ix *Index) embed(ctx context.Context, s *space, events []helpdesk.Event, reached func(*space, uint64)) error {
	var batch []made
	known := map[string]bool{}
	for _, e := range events {
		ids, err := ix.concerned(ctx, e)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if known[id] {
				continue
			}
			known[id] = true
			m, err := ix.make(ctx, s, id)
			if err != nil {
				return errors.Join(err, ix.keep(ctx, s, batch)) // what is made is not made twice
			}
			if m != nil {
				batch = append(batch, *m)
			}
		}
		if len(batch) >= vectorsAtOnce {
			return ix.commit(ctx, s.ID, batch, func(s *space) { reached(s, e.Seq) })
		}
	}
	return ix.commit(ctx, s.ID, batch, func(s *space) { reached(s, events[len(events)-1].Seq) })
}

// keep writes vectors without moving on: their messages are passed over when
// the same events come again.
func (ix *Index) keep(ctx context.Context, s *space, batch []made) error {
	if len(batch) == 0 {
		return nil
	}
	return ix.commit(context.WithoutCancel(ctx), s.ID, batch, func(*space) {})
}

// concerned are the messages whose words an event may have brought or changed.
func (ix *Index) concerned(ctx context.Context, e helpdesk.Event) ([]string, error) {
	switch e.Kind {
	case helpdesk.EventMessageReceived, helpdesk.EventMessageJoined, helpdesk.EventMessageSplit, helpdesk.EventReplyLogged, helpdesk.EventMessageDecoded, helpdesk.EventMessageImported:
		return []string{e.Message}, nil
	case helpdesk.EventTicketNotSpam:
		words, err := ix.desk.TicketWords(ctx, e.Ticket)
		ids := make([]string, 0, len(words))
		for _, w := range words {
			ids = append(ids, w.Message)
		}
		return ids, err
	}
	return nil, nil
}

// make asks for the vector of a message; nil where nothing is to be done.
func (ix *Index) make(ctx context.Context, s *space, id string) (*made, error) {
	words, err := ix.desk.CustomerWords(ctx, id)
	if err != nil || words == nil {
		return nil, err
	}
	m := &made{message: id, digest: digestOf(words)}
	var before place
	var found bool
	err = ix.db.View(ctx, func(r store.Reader) error {
		before, found, err = readPlace(r, s.ID, id)
		return err
	})
	if err != nil || found && before.digest == m.digest {
		return nil, err
	}
	vector, err := ix.embedder.Embed(ctx, textOf(words))
	var wait later
	switch {
	case errors.As(err, &wait) || err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		ix.log.Warn("a message has no vector", "id", id, "error", err)
		return m, nil
	}
	m.vector = vector
	return m, nil
}

// textOf is what a vector is made of: the subject says what a short mail leaves
// out, and courtesies say nothing.
func textOf(w *helpdesk.CustomerWords) string {
	if w.Subject == "" {
		return Matter(w.Text)
	}
	return w.Subject + "\n\n" + Matter(w.Text)
}

func digestOf(w *helpdesk.CustomerWords) uint64 {
	h := fnv.New64a()
	h.Write([]byte(textOf(w)))
	return h.Sum64()
}

func isLater(err error) bool {
	var wait later
	return errors.As(err, &wait)
}
