package helpdesk

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/madoguchi/madoguchi/store"
)

// Counts are how many tickets each list has, up to Capped.
type Counts struct {
	Views     map[View]int
	Pipelines map[string]int // open ones, by pipeline id
	Saved     map[string]int // by id of the saved view
	Capped    int            // a count of Capped means that many or more
}

// maxCount is where counting stops; beyond it the number tells nobody more.
const maxCount = 1000

// Counts returns the lengths of the lists, for tickets of the given brands and
// aliases only, where there are any.
func (d *Desk) Counts(ctx context.Context, a Actor, only ...string) (Counts, error) {
	counts := Counts{Views: map[View]int{}, Pipelines: map[string]int{}, Saved: map[string]int{}, Capped: maxCount}
	if err := a.mayRead("tickets"); err != nil {
		return counts, err
	}
	err := d.view(ctx, func(r store.Reader) (err error) {
		if counts.Views, err = d.viewCounts(r, a, only); err != nil {
			return err
		}
		if err := counts.addMails(r, a); err != nil {
			return err
		}
		for p, err := range pipelines.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if counts.Pipelines[p.ID], err = countTickets(r, a, TicketQuery{Filter: Filter{Pipelines: []string{p.ID}}, Only: only}); err != nil {
				return err
			}
		}
		return eachSavedView(r, a, func(v *SavedView) (err error) {
			q := v.Query()
			q.Only = only
			counts.Saved[v.ID], err = countTickets(r, a, q)
			return err
		})
	})
	return counts, err
}

// settledViews are those that no ticket enters or leaves without an event. Drafts, for
// one, come and go without.
var settledViews = []View{ViewMine, ViewUnassigned, ViewWaiting, ViewFollowing, ViewSnoozed, ViewOpen, ViewSpam, ViewHeld, ViewFailed}

// viewCounts are the lengths of the views. Those that are settled are counted anew when
// something has happened since.
func (d *Desk) viewCounts(r store.Reader, a Actor, only []string) (map[View]int, error) {
	last, err := lastSeq(r)
	if err != nil {
		return nil, err
	}
	whose := fmt.Sprintf("%s %q", a.UserID, only)
	views, settled := d.counted.get(whose, last)
	for _, view := range Views {
		if view == ViewClosed || view == ViewAll || settled && slices.Contains(settledViews, view) {
			continue // the first two grow for ever, and nobody acts on them
		}
		n, err := countTickets(r, a, TicketQuery{View: view, Only: only, newMentions: view == ViewMentions})
		if err != nil {
			return nil, err
		}
		views[view] = n
	}
	if !settled {
		d.counted.put(whose, last, views)
	}
	return views, nil
}

// countedViews keeps the newest counts of some users.
type countedViews struct {
	mu    sync.Mutex
	users map[string]userCounts
}

type userCounts struct {
	seq   uint64 // of the newest event they know
	views map[View]int
}

// maxCountedUsers bounds the memory: each has a dozen numbers.
const maxCountedUsers = 1000

func (c *countedViews) get(whose string, seq uint64) (map[View]int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.users[whose]; ok && known.seq == seq {
		return maps.Clone(known.views), true
	}
	return map[View]int{}, false
}

func (c *countedViews) put(whose string, seq uint64, views map[View]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.users) >= maxCountedUsers || c.users == nil {
		c.users = map[string]userCounts{}
	}
	c.users[whose] = userCounts{seq, maps.Clone(views)}
}

// addMails counts new mails that are not sent where their author, or who may
// approve them, finds them.
func (n *Counts) addMails(r store.Reader, a Actor) error {
	for draft, err := range drafts.ScanIndex(r, "mail", store.Range{}) {
		if err != nil {
			return err
		}
		if draft.UserID == a.UserID {
			n.Views[ViewDrafts] = min(n.Views[ViewDrafts]+1, n.Capped)
		}
		if draft.State == DraftReview {
			n.Views[ViewApproval] = min(n.Views[ViewApproval]+1, n.Capped)
		}
	}
	return nil
}

// CountTickets returns how many tickets a query finds, up to Counts.Capped: that
// many stands for more, and for what could not be counted in reasonable time.
func (d *Desk) CountTickets(ctx context.Context, a Actor, q TicketQuery) (n int, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return 0, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		n, err = countTickets(r, a, q)
		return err
	})
	return n, err
}

// countTickets counts by index entries alone where these say all, and by the
// tickets where a filter asks for more.
func countTickets(r store.Reader, a Actor, q TicketQuery) (n int, err error) {
	p, err := q.plan(r, a)
	if err != nil {
		return 0, err
	}
	if q.newMentions {
		p.facet("unreadmention+state", []string{a.UserID})
	}
	work := budget(countBudget)
	all := newIntersection(r, p.conditions, &work)
	names := newNames(r, a)
	for position := []byte(nil); n < maxCount; position = after(position) {
		var found bool
		if position, found, err = all.seek(position, &work); err != nil || position == nil {
			return n, err
		}
		if !found {
			return maxCount, nil
		}
		fits := true
		if q.Unread || q.Text != "" || p.unlisted {
			if fits, err = q.fitsAt(r, p, names, numberAt(position), &work); err != nil {
				return n, err
			}
		}
		if fits {
			n++
		}
	}
	return n, nil
}

// fitsAt tells whether the ticket at a position fits what no index knows.
func (q *TicketQuery) fitsAt(r store.Reader, p *plan, n *names, number uint64, work *budget) (bool, error) {
	work.spend(ticketCost)
	t, err := tickets.Get(r, key(number))
	if err != nil {
		return false, err
	}
	if !p.fits(t) {
		return false, nil
	}
	row, err := n.row(t)
	return q.fitsText(&row) && (row.Unread || !q.Unread), err
}

// indexed is a table whose entries can be counted.
type indexed interface {
	ScanIndexKeys(r store.Reader, index string, rng store.Range) iter.Seq2[store.IndexEntry, error]
}

func countUpTo(table indexed, r store.Reader, index string, prefix []byte) (n int, err error) {
	for _, err := range table.ScanIndexKeys(r, index, store.Prefix(prefix)) {
		if err != nil {
			return 0, err
		}
		if n++; n == maxCount {
			break
		}
	}
	return n, nil
}
