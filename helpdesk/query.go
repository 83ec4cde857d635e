package helpdesk

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"iter"
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
	ViewHeld       View = "held"     // something is in the confirmation strip
	ViewFailed     View = "failed"   // the newest reply did not arrive
	ViewOverdue    View = "overdue"  // open, and later than the house wants it
	ViewMentions   View = "mentions" // a note mentions the actor; counted are those not seen yet
)

// Views are all views, in the order in which they are shown.
var Views = []View{ViewMine, ViewUnassigned, ViewWaiting, ViewOverdue, ViewMentions, ViewFollowing, ViewSnoozed, ViewOpen, ViewClosed, ViewHeld, ViewFailed}

// TicketQuery asks for tickets: those of a view that also fit every field set.
type TicketQuery struct {
	View     View   // ViewOpen where empty
	Pipeline string // id
	Stage    string // id
	Alias    string // address
	Assignee string // user id
	Team     string // id
	Tag      string
	Priority *Priority
	Contact  string // id
	// Text is words that must all occur in the subject, the contact's name or
	// address, or the newest words; letter case does not matter.
	Text  string
	Limit int // 50 when zero, at most 200
	After string
}

// TicketRow is a ticket with the names that a list shows.
type TicketRow struct {
	Ticket       Ticket
	Contact      Contact
	AssigneeName string
	TeamName     string
	AssigneeAway *Absence // nil while the assignee is there; ask its At
	PipelineName string
	StageName    string
	Unread       bool // a customer wrote, or it came back from its rest, since the actor last looked
	Woken        bool // it came back from its rest since then
	Mentioned    bool // a colleague mentions the actor, who has not looked since
}

// Tickets returns a page of a list, the newest change first, and where the
// next page starts ("" at the end).
func (d *Desk) Tickets(ctx context.Context, a Actor, q TicketQuery) (rows []TicketRow, next string, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, "", err
	}
	index, prefix, err := q.index(a)
	if err != nil {
		return nil, "", err
	}
	rng := store.Prefix(prefix)
	if q.After != "" {
		after, err := base64.RawURLEncoding.DecodeString(q.After)
		if err != nil || !bytes.HasPrefix(after, prefix) {
			return nil, "", invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", q.After)
		}
		rng.Start = append(after, 0xff)
	}
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	err = d.view(ctx, func(r store.Reader) error {
		names := newNames(r, a)
		rows, next = nil, ""
		for t, err := range tickets.ScanIndex(r, index, rng) {
			if err != nil {
				return err
			}
			if !q.fits(t) {
				continue
			}
			if len(rows) == q.Limit {
				last := rows[len(rows)-1].Ticket
				next = base64.RawURLEncoding.EncodeToString(recent(&last, prefix))
				return nil
			}
			row, err := names.row(t)
			if err != nil {
				return err
			}
			if q.fitsText(&row) {
				rows = append(rows, row)
			}
		}
		return nil
	})
	return rows, next, err
}

// index chooses the narrowest index for the query.
func (q *TicketQuery) index(a Actor) (string, []byte, error) {
	switch q.View {
	case ViewMine:
		return "work", key(a.UserID), nil
	case ViewUnassigned:
		return "work", key(""), nil
	case ViewFollowing:
		return "follower", key(a.UserID), nil
	case ViewWaiting, ViewOverdue, ViewSnoozed, ViewHeld, ViewFailed:
		return string(q.View), nil, nil
	case ViewMentions:
		return "mentioned", key(a.UserID), nil
	case "", ViewOpen, ViewClosed:
	default:
		return "", nil, invalid("view", "view_unknown", "view %q is not one of %v", q.View, Views)
	}
	open := q.View != ViewClosed
	switch {
	case q.Contact != "":
		return "contact", key(q.Contact), nil
	case q.Tag != "":
		return "tag", key(q.Tag), nil
	case q.Priority != nil && open:
		return "priority", key(string(*q.Priority)), nil
	case q.Team != "":
		return "team", key(q.Team, open), nil
	case q.Assignee != "":
		return "assignee", key(q.Assignee, open), nil
	case q.Pipeline != "" && q.Stage != "":
		return "stage", key(q.Pipeline, q.Stage), nil
	case q.Pipeline != "":
		return "pipeline", key(q.Pipeline, open), nil
	case q.Alias != "":
		return "alias", key(strings.ToLower(q.Alias)), nil
	}
	return "open", key(open), nil
}

func (q *TicketQuery) fits(t *Ticket) bool {
	switch q.View {
	case "", ViewOpen:
		if !t.Open {
			return false
		}
	case ViewClosed:
		if t.Open {
			return false
		}
	}
	return (q.Pipeline == "" || t.PipelineID == q.Pipeline) &&
		(q.Stage == "" || t.StageID == q.Stage) &&
		(q.Team == "" || t.TeamID == q.Team) &&
		(q.Assignee == "" || t.AssigneeID == q.Assignee) &&
		(q.Contact == "" || t.ContactID == q.Contact) &&
		(q.Priority == nil || t.Priority == *q.Priority) &&
		(q.Tag == "" || slices.Contains(t.Tags, q.Tag)) &&
		(q.Alias == "" || slices.Contains(t.Aliases, strings.ToLower(q.Alias)))
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

// names looks names up once a query.
type names struct {
	r         store.Reader
	actor     Actor
	users     map[string]string
	absences  map[string]*Absence // of those in users
	pipelines map[string]*Pipeline
}

func newNames(r store.Reader, a Actor) *names {
	return &names{r: r, actor: a, users: map[string]string{"": ""}, absences: map[string]*Absence{}, pipelines: map[string]*Pipeline{}}
}

func (n *names) user(id string) (string, error) {
	if name, ok := n.users[id]; ok {
		return name, nil
	}
	user, err := users.Get(n.r, key(id))
	if errors.Is(err, store.ErrNotFound) {
		user, err = &User{}, nil
	}
	if err != nil {
		return "", err
	}
	n.users[id] = user.Name
	n.absences[id] = user.Away
	return user.Name, nil
}

func (n *names) pipeline(id string) (*Pipeline, error) {
	if p, ok := n.pipelines[id]; ok {
		return p, nil
	}
	p, err := pipelines.Get(n.r, key(id))
	if err != nil {
		return nil, err
	}
	n.pipelines[id] = p
	return p, nil
}

func (n *names) row(t *Ticket) (row TicketRow, err error) {
	row.Ticket = *t
	contact, err := contacts.Get(n.r, key(t.ContactID))
	if err != nil {
		return row, err
	}
	row.Contact = *contact
	if row.AssigneeName, err = n.user(t.AssigneeID); err != nil {
		return row, err
	}
	if row.TeamName, err = n.team(t.TeamID); err != nil {
		return row, err
	}
	row.AssigneeAway = n.absences[t.AssigneeID]
	pipeline, err := n.pipeline(t.PipelineID)
	if err != nil {
		return row, err
	}
	stage, _ := pipeline.Stage(t.StageID)
	row.PipelineName, row.StageName = pipeline.Name, stage.Name
	look, err := seens.Get(n.r, key(n.actor.UserID, t.Number))
	if errors.Is(err, store.ErrNotFound) {
		look, err = &seen{}, nil
	}
	if err != nil {
		return row, err
	}
	row.Woken = t.WokenSeq > look.Seq
	row.Unread = row.Woken || t.CustomerSeq > look.Seq
	row.Mentioned = slices.Contains(t.UnreadMentions, n.actor.UserID)
	return row, nil
}

// TicketRow returns one ticket as a list shows it.
func (d *Desk) TicketRow(ctx context.Context, a Actor, number uint64) (*TicketRow, error) {
	if err := a.mayRead("a ticket"); err != nil {
		return nil, err
	}
	var row TicketRow
	err := d.view(ctx, func(r store.Reader) error {
		t, err := tickets.Get(r, key(number))
		if t, err = found(t, err, "ticket", number); err != nil {
			return err
		}
		row, err = newNames(r, a).row(t)
		return err
	})
	return &row, err
}

// Counts are how many tickets each list has, up to Capped.
type Counts struct {
	Views     map[View]int
	Pipelines map[string]int // open ones, by pipeline id
	Capped    int            // a count of Capped means that many or more
}

// maxCount is where counting stops; beyond it the number tells nobody more.
const maxCount = 1000

// Counts returns the lengths of the lists.
func (d *Desk) Counts(ctx context.Context, a Actor) (Counts, error) {
	counts := Counts{Views: map[View]int{}, Pipelines: map[string]int{}, Capped: maxCount}
	if err := a.mayRead("tickets"); err != nil {
		return counts, err
	}
	err := d.view(ctx, func(r store.Reader) error {
		for _, view := range Views {
			if view == ViewClosed {
				continue // grows for ever, and nobody acts on it
			}
			index, prefix, err := (&TicketQuery{View: view}).index(a)
			if err != nil {
				return err
			}
			if view == ViewMentions {
				index = "unreadmention"
			}
			if counts.Views[view], err = countUpTo(tickets, r, index, prefix); err != nil {
				return err
			}
		}
		for p, err := range pipelines.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if counts.Pipelines[p.ID], err = countUpTo(tickets, r, "pipeline", key(p.ID, true)); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
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
