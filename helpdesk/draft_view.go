package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// DraftView is a draft with its author's name.
type DraftView struct {
	Draft
	AuthorName string
	Alias      string // the address that a DraftMail leaves from, "" while none is chosen
}

// Draft returns a draft by its id, or CodeNotFound: also where it has become what it was
// written for.
func (d *Desk) Draft(ctx context.Context, a Actor, id string) (v *DraftView, err error) {
	if err := a.mayRead("a draft"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		draft, err := drafts.Get(r, key(id))
		if draft, err = found(draft, err, "draft", id); err != nil {
			return err
		}
		v, err = draftView(r, newNames(r, a), draft)
		return err
	})
	return v, err
}

// Drafts returns the drafts of a ticket, oldest first.
func (d *Desk) Drafts(ctx context.Context, a Actor, ticket uint64) (list []DraftView, err error) {
	return d.listDrafts(ctx, a, "ticket", key(ticket), nil)
}

// MailDrafts returns the drafts of mails that open a ticket: the actor's own,
// and those of others that wait for a second person.
func (d *Desk) MailDrafts(ctx context.Context, a Actor) (list []DraftView, err error) {
	return d.listDrafts(ctx, a, "mail", nil, func(draft *Draft) bool { return draft.UserID == a.UserID || draft.State == DraftReview })
}

func (d *Desk) listDrafts(ctx context.Context, a Actor, index string, prefix []byte, wanted func(*Draft) bool) (list []DraftView, err error) {
	if err := a.mayRead("drafts"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		n := newNames(r, a)
		for draft, err := range drafts.ScanIndex(r, index, store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			if wanted != nil && !wanted(draft) {
				continue
			}
			v, err := draftView(r, n, draft)
			if err != nil {
				return err
			}
			list = append(list, *v)
		}
		return nil
	})
	return list, err
}

func draftView(r store.Reader, n *names, draft *Draft) (*DraftView, error) {
	author, err := n.user(draft.UserID)
	if err != nil {
		return nil, err
	}
	v := &DraftView{Draft: *draft, AuthorName: author}
	if draft.AliasID == "" {
		return v, nil
	}
	alias, err := optional(aliases.Get(r, key(draft.AliasID)))
	if err == nil && alias != nil {
		v.Alias = alias.Address
	}
	return v, err
}
