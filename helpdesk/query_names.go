package helpdesk

import (
	"context"
	"errors"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

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
	row.AssigneeAway = n.absences[t.AssigneeID]
	if row.TeamName, err = n.team(t.TeamID); err != nil {
		return row, err
	}
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
	row.Mentioned = slices.Contains(t.UnreadMentions, n.actor.UserID)
	row.Unread = row.Woken || t.CustomerSeq > max(look.Seq, t.ImportedSeq)
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
