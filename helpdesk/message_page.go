package helpdesk

import (
	"context"
	"errors"

	"github.com/madoguchi/madoguchi/store"
)

// MaxMessagePage is how many messages TicketMessages returns at most.
const MaxMessagePage = 200

// TicketMessages returns a page of a ticket's thread, the newest first, and
// where the next page starts, "" at the end. after is that of the page before,
// or "" for the first; limit is MaxMessagePage where it is none.
func (d *Desk) TicketMessages(ctx context.Context, a Actor, number uint64, after string, limit int) (page []MessageView, next string, err error) {
	if err := a.mayRead("a ticket"); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > MaxMessagePage {
		limit = MaxMessagePage
	}
	err = d.view(ctx, func(r store.Reader) error {
		page, next = nil, ""
		if t, err := tickets.Get(r, key(number)); err != nil {
			_, err = found(t, err, "ticket", number)
			return err
		}
		rng := store.Prefix(key(number)).Reversed()
		if after != "" {
			last, err := messages.Get(r, key(after))
			if errors.Is(err, store.ErrNotFound) || err == nil && last.Ticket != number {
				return invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", after)
			}
			if err != nil {
				return err
			}
			rng.End = key(number, last.At, last.ID)
		}
		for m, err := range readable(r, messages.ScanIndex(r, "ticket", rng)) {
			if err != nil {
				return err
			}
			if m.State != MessagePosted {
				continue
			}
			if len(page) == limit {
				next = page[limit-1].Message.ID
				return nil
			}
			view, err := messageView(r, m, d.now())
			if passOver(r, err) {
				view, err = &MessageView{Message: *m}, nil // its words are lost, not who wrote when
			}
			if err != nil {
				return err
			}
			page = append(page, *view)
		}
		return nil
	})
	return page, next, err
}
