package helpdesk

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// View is a list of tickets that everybody has.
type View string

// The views.
const (
	ViewMine       View = "mine"       // open, not on hold, and assigned to the actor
	ViewUnassigned View = "unassigned" // open, not on hold, and assigned to nobody
	ViewWaiting    View = "waiting"    // open, not on hold, and the customer waits for us
	ViewFollowing  View = "following"  // open, and the actor follows them
	ViewSnoozed    View = "snoozed"    // on hold
	ViewOpen       View = "open"
	ViewClosed     View = "closed"
	ViewSpam       View = "spam"
	ViewHeld       View = "held"      // something is in the confirmation strip
	ViewFailed     View = "failed"    // the newest reply did not arrive
	ViewOverdue    View = "overdue"   // open, and later than the house wants it
	ViewDrafts     View = "drafts"    // the actor has something on it that was not sent
	ViewApproval   View = "approval"  // a reply waits for a second person
	ViewPlanned    View = "planned"   // open, and a service is about to answer
	ViewUnmatched  View = "unmatched" // open, and no template fits: nothing is sent by itself
	ViewMentions   View = "mentions"  // a note mentions the actor; counted are those not seen yet
	ViewAll        View = "all"       // open or closed
)

// Views are all views, in the order in which they are shown.
var Views = []View{ViewMine, ViewUnassigned, ViewWaiting, ViewOverdue, ViewMentions, ViewFollowing, ViewSnoozed, ViewDrafts, ViewApproval, ViewPlanned, ViewUnmatched, ViewOpen, ViewClosed, ViewSpam, ViewHeld, ViewFailed, ViewAll}

// TicketQuery asks for tickets: those of a view that also fit the filter.
type TicketQuery struct {
	View View // ViewOpen where empty
	Filter
	// Only narrows to brands, by name, and aliases, by address; empty is all.
	Only    []string
	Contact string // id
	// Text is words that must all occur in the subject, the contact's name or
	// address, or the newest words; letter case does not matter.
	Text  string
	Sort  Sort // SortNewest where empty
	Limit int  // 50 when zero, at most 200
	After string

	newMentions bool // counts only what the actor has not seen of ViewMentions
}

// TicketRow is a ticket with the names that a list shows.
type TicketRow struct {
	Ticket       Ticket
	Contact      Contact
	AssigneeName string
	AssigneeAway *Absence // nil while the assignee is there; ask its At
	TeamName     string
	PipelineName string
	StageName    string
	Band         string // the part of a sorted list that it is in, "" in SortNewest
	Unread       bool   // a customer wrote, or it came back from its rest, since the actor last looked
	Woken        bool   // it came back from its rest since then
	Mentioned    bool   // a colleague mentions the actor, who has not looked since
}

// How much one request looks at, whatever the store's size: about a tenth of a
// second's work for a list, less for each count beside it.
const (
	listBudget  = 60_000
	countBudget = 6_000
)

// Tickets returns a page of a list and where the next one starts ("" at the
// end). Where few tickets fit, the page may have fewer rows than asked for and
// still be followed by others: it ends when enough was looked at.
func (d *Desk) Tickets(ctx context.Context, a Actor, q TicketQuery) (rows []TicketRow, next string, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, "", err
	}
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	at, err := q.start()
	if err != nil {
		return nil, "", err
	}
	err = d.view(ctx, func(r store.Reader) error {
		p, err := q.plan(r, a)
		if err != nil {
			return err
		}
		s := &selection{plan: p, query: &q, names: newNames(r, a), reader: r, work: listBudget, at: at}
		rows, next, err = s.page()
		return err
	})
	return rows, next, err
}

// listPlace is where a page of a list starts: in a band, at a position.
type listPlace struct {
	band     int
	position []byte
}

// markSize is that of a list's mark in front of a place.
const markSize = 4

// mark tells the places of one list from those of another.
func (q *TicketQuery) mark() []byte {
	h := fnv.New32a()
	fmt.Fprintf(h, "%q %+v %q %q %q %q", q.View, q.Filter, q.Only, q.Contact, q.Text, q.Sort)
	return h.Sum(nil)
}

// next writes a place as a query's After.
func (q *TicketQuery) next(p listPlace) string {
	return base64.RawURLEncoding.EncodeToString(slices.Concat(q.mark(), []byte{byte(p.band)}, p.position))
}

// start reads where the page begins.
func (q *TicketQuery) start() (at listPlace, err error) {
	bands := q.Sort.bands()
	switch q.Sort {
	case "", SortNewest, SortWaiting, SortDue, SortAttention, SortPriority:
	default:
		return at, invalid("sort", "sort_unknown", "sort %q is not one of %v", q.Sort, Sorts)
	}
	if q.After == "" {
		return at, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(raw) < markSize+1 || !bytes.Equal(raw[:markSize], q.mark()) || int(raw[markSize]) >= len(bands) {
		return at, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", q.After)
	}
	return listPlace{int(raw[markSize]), raw[markSize+1:]}, nil
}

// Continues names the band that the page before ended in, "" for a first page.
func (q *TicketQuery) Continues() string {
	at, err := q.start()
	if err != nil || len(at.position) == 0 {
		return ""
	}
	return q.Sort.bands()[at.band].name
}

// selection is a query under way.
type selection struct {
	plan   *plan
	query  *TicketQuery
	names  *names
	reader store.Reader
	work   budget
	at     listPlace
	rows   []TicketRow
}

// page reads band after band until the page is full or enough was looked at.
func (s *selection) page() ([]TicketRow, string, error) {
	bands := s.query.Sort.bands()
	for ; s.at.band < len(bands); s.at = (listPlace{band: s.at.band + 1}) {
		b := bands[s.at.band]
		read := s.newest
		if b.order != "" {
			read = s.ordered
		}
		done, err := read(b)
		if err != nil || !done {
			return s.rows, s.query.next(s.at), err
		}
	}
	return s.rows, "", nil
}

// newest reads a band in the order of change. It is done when the band has
// ended; else s.at is where to go on.
func (s *selection) newest(b band) (done bool, err error) {
	all := newIntersection(s.reader, s.plan.in(b), &s.work)
	for {
		position, found, err := all.seek(s.at.position, &s.work)
		if err != nil || position == nil {
			return err == nil, err
		}
		s.at.position = position
		if !found || len(s.rows) == s.query.Limit {
			return false, nil
		}
		if err := s.take(b, numberAt(position)); err != nil {
			return false, err
		}
		s.at.position = after(position)
	}
}

// ordered reads a band in the order of its own index.
func (s *selection) ordered(b band) (done bool, err error) {
	rng := store.Range{Start: s.at.position}
	for entry, err := range tickets.ScanIndexKeys(s.reader, b.order, rng) {
		if err != nil {
			return false, err
		}
		s.at.position = append([]byte{}, entry.Index...)
		if len(s.rows) == s.query.Limit || s.work.exhausted() {
			return false, nil
		}
		if err := s.take(b, numberAt(entry.Index)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// take adds a ticket to the page if it is meant.
func (s *selection) take(b band, number uint64) error {
	s.work.spend(ticketCost)
	t, err := tickets.Get(s.reader, key(number))
	if passOver(s.reader, err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !b.fits(t) || !s.plan.fits(t) {
		return nil
	}
	row, err := s.names.row(t)
	if err != nil {
		return err
	}
	row.Band = b.name
	if s.query.fitsText(&row) && (row.Unread || !s.query.Unread) {
		s.rows = append(s.rows, row)
	}
	return nil
}

func (q *TicketQuery) fitsText(row *TicketRow) bool {
	if q.Text == "" {
		return true
	}
	text := strings.ToLower(row.Ticket.Subject + "\n" + row.Contact.Name + "\n" + row.Contact.Email + "\n" + row.Ticket.Snippet + "\n#" + formatNumber(row.Ticket.Number))
	for word := range strings.FieldsSeq(strings.ToLower(q.Text)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
