package similar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Embedder makes vectors of texts. An error with a method RetryAfter says that
// it cannot be asked now; any other, that this text has no vector.
type Embedder interface {
	// Model names the model that answers now, and the digest of its files.
	Model(ctx context.Context) (name, digest string, err error)
	// Embed returns the text's vector. What is too long is cut.
	Embed(ctx context.Context, text string) ([]float32, error)
}

// Index keeps the vectors of customers' messages. Its methods may be called from
// any goroutine; one Run or Work at a time.
type Index struct {
	db       store.Engine
	desk     *helpdesk.Desk
	embedder Embedder
	log      *slog.Logger

	mu      sync.Mutex
	trouble string // why there are no new vectors now
}

// New returns the index kept in db, the store of desk. Without an embedder it
// grows no further, and what is in it goes on answering.
func New(db store.Engine, desk *helpdesk.Desk, embedder Embedder, log *slog.Logger) *Index {
	return &Index{db: db, desk: desk, embedder: embedder, log: log}
}

var follower = helpdesk.System("similar")

// Status is how far the vectors are.
type Status struct {
	Enabled    bool   // a model is named
	Model      string // of the space in use, "" where there is none
	Digest     string
	Dimensions int
	Vectors    int
	Refused    int // messages that the model makes no vector of
	// Next is the model whose vectors are being made, "" where all are there; of
	// its Total events, Done have been gone through.
	Next        string
	Done, Total uint64
	Trouble     string // why none can be made now, "" for nothing
}

// Status returns how far the vectors are. It asks no model.
func (ix *Index) Status(ctx context.Context) (s Status, err error) {
	err = ix.db.View(ctx, func(r store.Reader) error {
		s = Status{Enabled: ix.embedder != nil}
		top, err := readRoot(r)
		if err != nil {
			return err
		}
		if top.Use != 0 {
			inUse, err := spaces.Get(r, spaceKey(top.Use))
			if err != nil {
				return err
			}
			s.Model, s.Digest, s.Dimensions, s.Vectors, s.Refused = inUse.Model, inUse.Digest, inUse.Dimensions, inUse.Vectors, inUse.Refused
			s.progress(inUse)
		}
		if top.Next != 0 {
			next, err := spaces.Get(r, spaceKey(top.Next))
			if err != nil {
				return err
			}
			s.progress(next)
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read how far the vectors are: %w", err)
	}
	ix.mu.Lock()
	s.Trouble = ix.trouble
	ix.mu.Unlock()
	return s, nil
}

func (s *Status) progress(of *space) {
	if !of.complete() {
		s.Next, s.Total, s.Done = of.Model, of.From, of.From-of.Back
	}
}

// answering are the spaces that can answer, the one in use first.
func answering(r store.Reader) (list []*space, err error) {
	top, err := readRoot(r)
	if err != nil {
		return nil, err
	}
	for _, id := range []uint32{top.Use, top.Next} {
		if id == 0 {
			continue
		}
		s, err := spaces.Get(r, spaceKey(id))
		if err != nil {
			return nil, err
		}
		if s.Dimensions > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

// spaceFor returns the space of a model, and begins one where there is none. The
// first of all is in use at once: some vectors are better than none.
func (ix *Index) spaceFor(ctx context.Context, model, digest string) (*space, error) {
	var found *space
	look := func(r store.Reader, top *root) error {
		found = nil
		for _, id := range []uint32{top.Next, top.Use} {
			if id == 0 {
				continue
			}
			s, err := spaces.Get(r, spaceKey(id))
			if err != nil {
				return err
			}
			if s.Model == model && s.Digest == digest {
				found = s
				return nil
			}
		}
		return nil
	}
	err := ix.db.View(ctx, func(r store.Reader) error {
		top, err := readRoot(r)
		if err == nil {
			err = look(r, top)
		}
		return err
	})
	if err != nil || found != nil {
		return found, err
	}
	return ix.begin(ctx, model, digest)
}

// begin makes an empty space.
func (ix *Index) begin(ctx context.Context, model, digest string) (made *space, err error) {
	last, err := ix.desk.LastSeq(ctx)
	if err != nil {
		return nil, err
	}
	err = ix.db.Update(ctx, func(tx store.Tx) error {
		top, err := readRoot(tx)
		if err != nil {
			return err
		}
		top.Last++
		made = &space{ID: top.Last, Model: model, Digest: digest, BegunAt: ix.desk.Now().UTC(), From: last, Cursor: last, Back: last}
		if top.Use == 0 {
			top.Use = made.ID
		} else {
			top.Next = made.ID
		}
		return errors.Join(roots.Put(tx, top), spaces.Put(tx, made))
	})
	if err == nil {
		ix.log.Info("begin vectors of a model", "model", model, "digest", digest, "events", last)
	}
	return made, err
}

// use puts a space into use, once its history is whole; any other is garbage
// then.
func (ix *Index) use(ctx context.Context, id uint32) error {
	return ix.db.Update(ctx, func(tx store.Tx) error {
		top, err := readRoot(tx)
		if err != nil || top.Next == 0 || top.Next != id && top.Use != id {
			return err
		}
		top.Use, top.Next = id, 0
		return roots.Put(tx, top)
	})
}

// Sweeping works in steps, so that mails never wait long for it.
const sweepKeys = 100

// sweep removes what belongs to no space any more, a step at a time. It reports
// whether there is more.
func (ix *Index) sweep(ctx context.Context) (more bool, err error) {
	var garbage uint32
	err = ix.db.View(ctx, func(r store.Reader) error {
		top, err := readRoot(r)
		if err != nil {
			return err
		}
		garbage = 0
		for s, err := range spaces.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if s.ID != top.Use && s.ID != top.Next {
				garbage = s.ID
				return nil
			}
		}
		return nil
	})
	if err != nil || garbage == 0 {
		return false, err
	}
	err = ix.db.Update(ctx, func(tx store.Tx) error {
		removed := 0
		for e, err := range tx.Scan(store.Prefix(binaryPrefix(garbage))) {
			if err != nil {
				return err
			}
			if err := tx.Delete(e.Key); err != nil {
				return err
			}
			if removed++; removed == sweepKeys {
				return nil
			}
		}
		return spaces.Delete(tx, spaceKey(garbage))
	})
	return true, err
}

func binaryPrefix(space uint32) []byte {
	k := kindKey(space, 0)
	return k[:len(k)-1]
}
