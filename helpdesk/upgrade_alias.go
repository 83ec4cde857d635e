package helpdesk

import (
	"context"
	"errors"

	"github.com/madoguchi/madoguchi/store"
)

// upgradeAliases writes every alias as servers name its mailbox: a store of before
// may hold one as it was typed, on an internationalised domain in letters, to which no
// mail would find. One whose other form is an alias of its own by now stays as it is.
func (d *Desk) upgradeAliases(ctx context.Context) error {
	var old []*Alias
	err := d.view(ctx, func(r store.Reader) error {
		old = nil
		for a, err := range aliases.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			if mailboxOf(a.Address) != a.Address {
				old = append(old, a)
			}
		}
		return nil
	})
	for _, a := range old {
		if err == nil {
			err = d.upgradeAlias(ctx, a.ID, a.Address)
		}
	}
	return err
}

// upgradeAlias renames one alias. Nothing but its ID is kept elsewhere: under the old
// name no mail came or left.
func (d *Desk) upgradeAlias(ctx context.Context, id, typed string) error {
	mailbox := mailboxOf(typed)
	var taken bool
	err := d.view(ctx, func(r store.Reader) (err error) {
		taken, err = aliases.HasIndexed(r, "address", key(mailbox))
		return err
	})
	if err != nil {
		return err
	}
	if taken {
		d.log.WarnContext(ctx, "an alias gets no mail: its domain in letters is the same as another's in ASCII; delete it", "alias", typed, "other", mailbox)
		return nil
	}
	err = d.update(ctx, System("upgrade"), func(c *command) error {
		a, err := aliases.Get(c, key(id))
		if err != nil {
			return err
		}
		a.Address = mailbox
		if err := errors.Join(aliases.Put(c, a), c.tendDomain(mailbox)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventAliasSaved, Data: map[string]string{"alias": mailbox}})
		return err
	})
	if err == nil {
		d.log.InfoContext(ctx, "alias kept as servers name its mailbox", "alias", mailbox, "was", typed)
	}
	return err
}
