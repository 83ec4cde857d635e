package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// BulkReplyState says how far a bulk reply is.
type BulkReplyState string

// The states of a bulk reply.
const (
	BulkReplyWriting BulkReplyState = "writing"
	BulkReplyReview  BulkReplyState = "review" // waits for a second person
	BulkReplyPosting BulkReplyState = "posting"
	BulkReplyPosted  BulkReplyState = "posted"
	BulkReplyUndoing BulkReplyState = "undoing"
	BulkReplyUndone  BulkReplyState = "undone"
)

// BulkReply is one text for the customers of many tickets: each gets a reply of
// their own on their own ticket, filled with what is known of them.
type BulkReply struct {
	ID        string // ULID
	By        string // user id
	At        time.Time
	ChangedAt time.Time
	// Words may have variables (Variables); Language is not used: names and dates are
	// written in each customer's.
	Words     Localized
	Templates []string // ids of those that it was made with
	Close     bool     // each ticket too
	// Files go along with every reply.
	Files []DraftFile `cbor:",omitempty"`
	State BulkReplyState
	// Approved is who approved it, Returned why it was sent back and by whom.
	Approved   string
	Returned   string
	ReturnedBy string
	// Once names the request of a program that began it, so that the same request again
	// begins no other; Digest is of what that asked for, "" where none was given.
	Once   string `cbor:",omitempty"`
	Digest string `cbor:",omitempty"`
	// LeavesAt is when the mails leave: until then all of it can be taken back.
	LeavesAt time.Time
	Total    int
	// Next is the item to be worked on next; while undoing, the one before it.
	Next    int
	Posted  int
	Refused int
	// TakenBack and Left count while it is undone: mails that did not leave, and
	// those that had left already.
	TakenBack int
	Left      int
}

// BulkReplyItem is one ticket of a bulk reply.
type BulkReplyItem struct {
	BulkReply string
	Index     uint64
	Ticket    uint64
	Message   string // the reply, once it is posted
	// Problem and Args name a refusal in the catalogue, Text says it in English.
	Problem string `cbor:",omitempty"`
	Args    []any  `cbor:",omitempty"`
	Text    string `cbor:",omitempty"`
	Left    bool   `cbor:",omitempty"` // it could not be taken back
}

// Limits of a bulk reply.
const (
	MaxBulkReply   = 1000 // tickets
	bulkReplyChunk = 10   // replies that WorkBulkReply posts, a transaction each
	// bulkReplyUndo is how many times longer than a single reply it can be taken back.
	bulkReplyUndo = 6
)

var (
	bulkReplies = store.NewTable(store.Spec[BulkReply]{Name: "bulk_reply", Version: 1,
		Key: func(b *BulkReply) []byte { return key(b.ID) },
		Indexes: []store.Index[BulkReply]{{Name: "once", Unique: true, Keys: func(b *BulkReply) [][]byte {
			if b.Once == "" {
				return nil
			}
			return one(key(b.By, b.Once))
		}}}})
	bulkReplyItems = store.NewTable(store.Spec[BulkReplyItem]{Name: "bulk_reply_item", Version: 1,
		Key: func(i *BulkReplyItem) []byte { return key(i.BulkReply, i.Index) }})
)

// BeginBulkReply begins one for these tickets. Nothing is sent before
// SendBulkReply.
func (d *Desk) BeginBulkReply(ctx context.Context, a Actor, numbers []uint64) (*BulkReply, error) {
	return d.BeginBulkReplyOnce(ctx, a, Once{}, numbers)
}

// BeginBulkReplyOnce is BeginBulkReply for a request that may come again: what it
// began is returned, however far that is by now. Something else under the same key is a
// conflict.
func (d *Desk) BeginBulkReplyOnce(ctx context.Context, a Actor, once Once, numbers []uint64) (*BulkReply, error) {
	if err := a.may("reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	numbers = appendNew(nil, numbers...)
	switch {
	case len(numbers) == 0:
		return nil, invalid("tickets", "bulk_none", "no ticket is selected")
	case len(numbers) > MaxBulkReply:
		return nil, invalid("tickets", "bulk_reply_many", "%d tickets are selected; a reply goes to %d at most", len(numbers), MaxBulkReply)
	}
	if err := a.may("reply", PermitReply); err != nil {
		return nil, err
	}
	if err := d.ensureOptOutKey(ctx); err != nil {
		return nil, err
	}
	b := &BulkReply{ID: d.newID(), By: a.UserID, State: BulkReplyWriting, Total: len(numbers), Once: once.Key, Digest: once.Digest}
	err := d.update(ctx, a, func(c *command) error {
		before, err := c.begunBulkReply(once, len(numbers))
		if err != nil {
			return err
		}
		if before != nil {
			b = before
			return nil
		}
		b.At, b.ChangedAt = c.now, c.now
		for i, number := range numbers {
			if _, err := workable(c, number); err != nil && CodeOf(err) == CodeNotFound {
				return err
			}
			if err := bulkReplyItems.Put(c, &BulkReplyItem{BulkReply: b.ID, Index: uint64(i), Ticket: number}); err != nil {
				return err
			}
		}
		return bulkReplies.Put(c, b)
	})
	return b, err
}

// BulkReplyDraft is what is written of a bulk reply.
type BulkReplyDraft struct {
	Words     Localized
	Templates []string
	Close     bool
}

// SaveBulkReply keeps what is written. Only its author may write it, before it is
// sent.
func (d *Desk) SaveBulkReply(ctx context.Context, a Actor, id string, draft BulkReplyDraft) (b *BulkReply, err error) {
	if err := a.may("reply to many tickets", PermitBulk); err != nil {
		return nil, err
	}
	if err := draft.Words.clean(); err != nil {
		return nil, err
	}
	if err := checkVariables("text", draft.Words.Text, Variables); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if b, err = c.writtenBulkReply(id); err != nil {
			return err
		}
		b.Words, b.Templates, b.Close, b.ChangedAt = draft.Words, appendNew(nil, draft.Templates...), draft.Close, c.now
		return bulkReplies.Put(c, b)
	})
	return b, err
}

// writtenBulkReply is one that the actor may still write.
func (c *command) writtenBulkReply(id string) (*BulkReply, error) {
	b, err := bulkReplyOf(c, id)
	switch {
	case err != nil:
		return nil, err
	case b.By != c.actor.UserID:
		return nil, &Error{Code: CodeForbidden, Key: "error.bulk_reply_others", Message: "this reply is a colleague's; only they can change it"}
	case b.State != BulkReplyWriting:
		return nil, conflict("bulk_reply_sent", "this reply was sent, or waits for approval")
	}
	return b, c.actor.may("reply", PermitReply)
}

func bulkReplyOf(r store.Reader, id string) (*BulkReply, error) {
	b, err := bulkReplies.Get(r, key(id))
	return found(b, err, "bulk reply", id)
}

// DiscardBulkReply deletes one that was not sent.
func (d *Desk) DiscardBulkReply(ctx context.Context, a Actor, id string) error {
	if err := a.may("discard a reply to many tickets", PermitBulk); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		b, err := c.writtenBulkReply(id)
		if err != nil {
			return err
		}
		for _, f := range b.Files {
			if err := bulkReplyFiles.Delete(c, b.fileKey(f.ID)); err != nil {
				return err
			}
		}
		for i := range b.Total {
			if err := bulkReplyItems.Delete(c, key(b.ID, uint64(i))); err != nil {
				return err
			}
		}
		return bulkReplies.Delete(c, key(b.ID))
	})
}

// BulkReply returns one with the tickets that did not get it, or kept it, at
// most 100 of them.
func (d *Desk) BulkReply(ctx context.Context, a Actor, id string) (b *BulkReply, troubled []BulkReplyItem, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		troubled = nil
		if b, err = bulkReplyOf(r, id); err != nil {
			return err
		}
		for item, err := range bulkReplyItems.Scan(r, store.Prefix(key(id))) {
			if err != nil {
				return err
			}
			if (item.Problem != "" || item.Left) && len(troubled) < 100 {
				troubled = append(troubled, *item)
			}
		}
		return nil
	})
	return b, troubled, err
}

// bulkRepliesListed is how many the list goes back.
const bulkRepliesListed = 50

// BulkReplies returns the newest, those that the actor writes, may approve, or
// that were sent.
func (d *Desk) BulkReplies(ctx context.Context, a Actor) (list []BulkReply, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for b, err := range bulkReplies.Scan(r, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			if b.State != BulkReplyWriting || b.By == a.UserID {
				list = append(list, *b)
			}
			if len(list) == bulkRepliesListed {
				break
			}
		}
		return nil
	})
	return list, err
}

// verifyBulkReplies checks that every one has its items, and exactly those under
// way a timer.
func verifyBulkReplies(_ context.Context, r store.Reader) (problems []string, err error) {
	for b, err := range bulkReplies.Scan(r, store.Range{}) {
		if err != nil {
			return problems, err
		}
		items := 0
		for item, err := range bulkReplyItems.Scan(r, store.Prefix(key(b.ID))) {
			if err != nil {
				return problems, err
			}
			items++
			if has, err := messages.Has(r, key(item.Message)); err != nil || item.Message != "" && !has {
				problems = append(problems, fmt.Sprintf("bulk reply %s names message %s of ticket %d, which does not exist (%v)", b.ID, item.Message, item.Ticket, err))
			}
		}
		has, err := timers.Has(r, key(string(TimerBulkReply), b.ID))
		if err != nil {
			return problems, err
		}
		if working := b.State == BulkReplyPosting || b.State == BulkReplyUndoing; has != working || items != b.Total {
			problems = append(problems, fmt.Sprintf("bulk reply %s to %d tickets is %s; has %d items, a timer: %t", b.ID, b.Total, b.State, items, has))
		}
	}
	return problems, nil
}

// BulkReplyTrouble is a ticket that a bulk reply cannot go to, and why.
type BulkReplyTrouble struct {
	Ticket  uint64
	Subject string
	Why     *Error
}

// BulkReplyCheck says what would become of a bulk reply.
type BulkReplyCheck struct {
	Reach    int // tickets that get it
	Troubled []BulkReplyTrouble
	// Again counts the mails that are not the first to their address: customers
	// who have several of the tickets.
	Again int
	// Approval says that a second person is asked.
	Approval bool
	// Unfilled counts, by variable, the customers of whom nothing is known for it:
	// it is left out there.
	Unfilled map[string]int
	// Unsubscribe says that the mails offer to get no more of their kind.
	Unsubscribe bool
}

// BulkReplyPreview is the mail that one ticket gets.
type BulkReplyPreview struct {
	Index    int // of the ticket among all
	Ticket   uint64
	To       []Address
	From     Address
	Subject  string
	Text     string
	HTML     string // safe to show: of an allow-list, without the styles of mails
	Unfilled []string
	Trouble  *Error // why it gets none
}

// PreviewBulkReply says what the ticket with an index (from 0) gets, and what
// would become of the whole.
func (d *Desk) PreviewBulkReply(ctx context.Context, a Actor, id string, index int) (p *BulkReplyPreview, check *BulkReplyCheck, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		b, err := bulkReplyOf(r, id)
		if err != nil {
			return err
		}
		author, err := bulkReplyAuthor(r, b)
		if err != nil {
			return err
		}
		p, check = nil, &BulkReplyCheck{Unfilled: map[string]int{}, Unsubscribe: d.options.PublicURL != ""}
		index = min(max(index, 0), b.Total-1)
		written := map[string]bool{}
		for item, err := range bulkReplyItems.Scan(r, store.Prefix(key(id))) {
			if err != nil {
				return err
			}
			one, err := d.previewItem(r, author, b, item)
			if err != nil {
				return err
			}
			check.add(one, written)
			if int(item.Index) == index {
				p = &one.BulkReplyPreview
			}
		}
		slices.SortFunc(check.Troubled, func(x, y BulkReplyTrouble) int { return cmp.Compare(x.Ticket, y.Ticket) })
		return nil
	})
	return p, check, err
}

// previewedItem is what of a preview only the check wants.
type previewedItem struct {
	BulkReplyPreview
	title    string
	approval bool
}

func (check *BulkReplyCheck) add(p *previewedItem, written map[string]bool) {
	check.Approval = check.Approval || p.approval
	if p.Trouble != nil {
		check.Troubled = append(check.Troubled, BulkReplyTrouble{p.Ticket, p.title, p.Trouble})
		return
	}
	check.Reach++
	address := strings.ToLower(p.To[0].Email)
	if written[address] {
		check.Again++
	}
	written[address] = true
	for _, name := range p.Unfilled {
		check.Unfilled[name]++
	}
}
