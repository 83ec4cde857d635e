package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// Index is the search index of a helpdesk. Its methods may be called from any
// goroutine.
type Index struct {
	// Log is told of records that cannot be read; set before the first use, or
	// left nil.
	Log *slog.Logger

	db   store.Engine
	desk *helpdesk.Desk

	writing    sync.Mutex // held by whoever changes the index in use, or which that is
	rebuilding sync.Mutex
	building   atomic.Uint32 // the epoch of a rebuild under way

	cache   cache
	changes changes
	wanted  chan struct{}
	spare   spareHits

	processors processors
	alone      int // bytes of postings that are matched by one goroutine
}

// New returns the index kept in db, the store of desk. It opens and starts
// nothing; the index grows as its Handle is called.
func New(db store.Engine, desk *helpdesk.Desk) *Index {
	return &Index{db: db, desk: desk, cache: cache{segments: map[segmentID]*segment{}}, changes: changes{next: make(chan struct{})}, wanted: make(chan struct{}, 1), alone: aloneBytes,
		processors: processors{count: min(runtime.GOMAXPROCS(0), runtime.NumCPU())}}
}

// Cursor returns the number of the last event that the index knows of, 0 where
// there is no index of this program's format yet.
func (ix *Index) Cursor(ctx context.Context) (seq uint64, err error) {
	err = ix.db.View(ctx, func(r store.Reader) error {
		m, err := current(r)
		if m != nil {
			seq = m.Cursor
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the cursor of the search index: %w", err)
	}
	return seq, nil
}

// current returns the manifest in use; nil where there is none.
func current(r store.Reader) (*manifest, error) {
	root, err := readRoot(r)
	if err != nil || root.Epoch == 0 || root.Format != format {
		return nil, err
	}
	return manifests.Get(r, epochKey(root.Epoch))
}

// Handle brings the index in step with events, which follow its cursor without a
// gap, and writes the cursor in the same transactions. Events it knows already
// are no harm. Where the index was replaced by a rebuilt one meanwhile, it does
// nothing: the caller reads the cursor again.
func (ix *Index) Handle(ctx context.Context, events []helpdesk.Event) error {
	if len(events) == 0 {
		return nil
	}
	ix.writing.Lock()
	defer ix.writing.Unlock()
	epoch, cursor, err := ix.open(ctx)
	if err != nil {
		return fmt.Errorf("open the search index: %w", err)
	}
	if events[0].Seq > cursor+1 {
		return nil
	}
	if err := ix.follow(ctx, epoch, events, followBytes); err != nil {
		return fmt.Errorf("index events %d to %d: %w", events[0].Seq, events[len(events)-1].Seq, err)
	}
	return nil
}

// open returns the epoch in use, and begins one where there is none of this
// format. The caller holds ix.writing.
func (ix *Index) open(ctx context.Context) (epoch uint32, cursor uint64, err error) {
	var m *manifest
	err = ix.db.View(ctx, func(r store.Reader) (err error) {
		m, err = current(r)
		return err
	})
	switch {
	case err != nil:
		return 0, 0, err
	case m != nil:
		return m.Epoch, m.Cursor, nil
	}
	if epoch, err = ix.begin(ctx, true); err != nil {
		return 0, 0, err
	}
	return epoch, 0, ix.sweepEpochs(ctx)
}

// begin makes an empty epoch and, if told so, puts it into use.
func (ix *Index) begin(ctx context.Context, use bool) (epoch uint32, err error) {
	err = ix.db.Update(ctx, func(tx store.Tx) error {
		root, err := readRoot(tx)
		if err != nil {
			return err
		}
		root.LastEpoch++
		epoch = root.LastEpoch
		if use {
			root.Epoch, root.Format = epoch, format
		}
		return errors.Join(roots.Put(tx, root), manifests.Put(tx, &manifest{Epoch: epoch}))
	})
	return epoch, err
}

// use puts an epoch into use; the one before becomes garbage.
func (ix *Index) use(ctx context.Context, epoch uint32) error {
	return ix.db.Update(ctx, func(tx store.Tx) error {
		root, err := readRoot(tx)
		if err != nil {
			return err
		}
		root.Epoch, root.Format = epoch, format
		return roots.Put(tx, root)
	})
}

// How much text one transaction indexes, in bytes: a bound on how long mails wait
// for it.
const (
	followBytes  = 512 << 10
	rebuildBytes = 2 << 20
)

// follow indexes what events touch, in transactions of bounded size, and then puts the
// index in order.
func (ix *Index) follow(ctx context.Context, epoch uint32, events []helpdesk.Event, atOnce int) error {
	b := ix.newBatch()
	for _, e := range events {
		if err := b.take(ctx, e); err != nil {
			return err
		}
		if b.bytes > atOnce {
			if err := ix.commit(ctx, epoch, b, e.Seq); err != nil {
				return err
			}
			b = ix.newBatch()
		}
	}
	if err := ix.commit(ctx, epoch, b, events[len(events)-1].Seq); err != nil {
		return err
	}
	return ix.maintain(ctx, epoch)
}

// batch collects the documents of a transaction, each piece once.
type batch struct {
	source    *source
	log       *slog.Logger
	documents []*document
	known     map[string]bool
	bytes     int
}

func (ix *Index) newBatch() *batch {
	log := ix.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &batch{source: newSource(ix.desk), log: log, known: map[string]bool{}}
}

// add reads a piece that is not in the batch yet. A damaged record must not hold
// up all others: it is logged, and not found until it is mended and indexed
// anew; the store's own verification reports it too.
func (b *batch) add(piece string, read func() (*document, error)) error {
	if b.known[piece] {
		return nil
	}
	d, err := read()
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNewer) {
		b.log.Error("cannot index", "piece", piece, "error", err)
		d, err = &document{piece: piece, gone: true}, nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", piece, err)
	}
	b.known[piece] = true
	b.documents = append(b.documents, d)
	b.bytes += d.size()
	return nil
}

// take reads the pieces that an event may have changed, as they are now. Of a
// kind of event that this package does not know, the whole ticket is read.
func (b *batch) take(ctx context.Context, e helpdesk.Event) error {
	if e.Ticket == 0 {
		return nil
	}
	if err := b.add(headPiece(e.Ticket), func() (*document, error) { return b.source.head(ctx, e.Ticket) }); err != nil {
		return err
	}
	if e.Message != "" {
		if err := b.add(messagePiece(e.Message), func() (*document, error) { return b.source.message(ctx, e.Message) }); err != nil {
			return err
		}
	}
	switch e.Kind {
	case helpdesk.EventTicketCreated, helpdesk.EventTicketStage, helpdesk.EventTicketReopened, helpdesk.EventTicketAssigned, helpdesk.EventTicketTags,
		helpdesk.EventMessageReceived, helpdesk.EventMessageHeld, helpdesk.EventMessageJoined, helpdesk.EventMessageSplit, helpdesk.EventMessageRefused,
		helpdesk.EventMessageDuplicate, helpdesk.EventTicketImported, helpdesk.EventTicketRecovered, helpdesk.EventMessageImported, helpdesk.EventMessageRelayed, helpdesk.EventReplyPosted, helpdesk.EventReplyUndone, helpdesk.EventReplyLogged,
		helpdesk.EventDeliverySent, helpdesk.EventDeliveryDeferred, helpdesk.EventDeliveryFailed, helpdesk.EventDeliveryRetried, helpdesk.EventDeliveryDelayed,
		helpdesk.EventCopySent, helpdesk.EventCopyFailed, helpdesk.EventAnalysisStored, helpdesk.EventAnalysisFailed, helpdesk.EventActionTicked, helpdesk.EventTimerParked, helpdesk.EventMentionSeen:
		return nil
	}
	thread, err := b.source.thread(ctx, e.Ticket)
	if err != nil {
		return err
	}
	for i := range thread.Notes {
		note := &thread.Notes[i].Note
		if err := b.add(notePiece(note.ID), func() (*document, error) { return b.source.note(note), nil }); err != nil {
			return err
		}
	}
	if e.Kind == helpdesk.EventNoteAdded || e.Kind == helpdesk.EventNoteImported {
		return nil
	}
	return b.takeMessages(ctx, thread)
}

func (b *batch) takeMessages(ctx context.Context, thread *helpdesk.TicketView) error {
	if err := b.source.desk.ReadBodies(ctx, indexer, thread, nil); err != nil {
		return err
	}
	for _, list := range [][]helpdesk.MessageView{thread.Messages, thread.Held} {
		for i := range list {
			v := &list[i]
			d := &document{piece: messagePiece(v.Message.ID)}
			if err := b.add(d.piece, func() (*document, error) { return d, b.source.fill(ctx, d, v) }); err != nil {
				return err
			}
		}
	}
	return nil
}
