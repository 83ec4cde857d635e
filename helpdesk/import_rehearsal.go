package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/madoguchi/madoguchi/store"
)

// ImportRehearsal is an import that changes nothing. Each ticket and file meets what the ones
// before it would have made, so that it says what the run itself would do.
type ImportRehearsal struct {
	desk  *Desk
	actor Actor
}

// RehearseImport begins a rehearsal. What it would write goes into scratch, an empty engine that the
// caller closes and throws away after it, but for the sources of mails.
func (d *Desk) RehearseImport(ctx context.Context, a Actor, scratch store.Engine) (*ImportRehearsal, error) {
	if err := a.mayAdminister("import tickets"); err != nil {
		return nil, err
	}
	if scratch == nil {
		return nil, errors.New("rehearse an import: there is no engine for what it would write")
	}
	options := d.options
	options.Policy = *d.policy.Load()
	desk, err := Open(ctx, store.NewRehearsal(d.db, scratch), options)
	if err != nil {
		return nil, fmt.Errorf("rehearse an import: %w", err)
	}
	desk.Now = d.Now
	return &ImportRehearsal{desk, a}, nil
}

// ImportTicket is Desk.ImportTicket.
func (r *ImportRehearsal) ImportTicket(ctx context.Context, t ImportedTicket, o ImportOptions) (ImportOutcome, error) {
	return r.desk.ImportTicket(ctx, r.actor, t, o)
}

// ImportPeople is Desk.ImportPeople.
func (r *ImportRehearsal) ImportPeople(ctx context.Context, people ImportedPeople) (PeopleOutcome, error) {
	return r.desk.ImportPeople(ctx, r.actor, people)
}

// ImportContacts is Desk.ImportContacts.
func (r *ImportRehearsal) ImportContacts(ctx context.Context, file io.Reader) (*ImportReport, error) {
	return r.desk.ImportContacts(ctx, r.actor, file)
}
