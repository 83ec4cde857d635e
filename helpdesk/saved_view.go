package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// SavedView is a list of tickets with a name: a view, narrowed and sorted.
type SavedView struct {
	ID      string
	Name    string
	OwnerID string // who made it
	Shared  bool   // everybody has it; else its owner alone, and the members of a team
	TeamID  string `cbor:",omitempty"` // that has it too, or ""
	View    View
	Filter  Filter
	Text    string // of a search, or ""
	Sort    Sort
	// CreatedAt puts those in order that a reader has not put in an order.
	CreatedAt time.Time
}

// Query is the list that the view stands for.
func (v *SavedView) Query() TicketQuery {
	return TicketQuery{View: v.View, Filter: v.Filter, Text: v.Text, Sort: v.Sort}
}

// Preference is how a user wants the inbox to be.
type Preference struct {
	UserID string
	// Home is where the inbox begins: a View or the id of a saved view; "" is
	// ViewOpen.
	Home string
	// Only narrows everything to brands and aliases, as in TicketQuery.
	Only []string
	// Order are the ids of saved views in the user's order.
	Order []string
	// AfterClose is what is shown once a ticket was closed.
	AfterClose AfterClose
}

// AfterClose says what is shown once a ticket was closed.
type AfterClose string

// What can be shown after a ticket was closed.
const (
	AfterCloseStay AfterClose = "" // the ticket itself
	AfterCloseNext AfterClose = "next"
	AfterCloseList AfterClose = "list"
)

// AfterCloses are all values of AfterClose.
var AfterCloses = []AfterClose{AfterCloseStay, AfterCloseNext, AfterCloseList}

// PreferenceChange changes a user's preference; nil fields stay as they are.
type PreferenceChange struct {
	Home  *string
	Only  *[]string
	Order *[]string
	// AfterClose is one of AfterCloses.
	AfterClose *AfterClose
}

// Limits of saved views.
const (
	maxViewName   = 60 // characters
	maxSavedViews = 200
)

// maySee tells whether the actor has the view in the navigation.
func (v *SavedView) maySee(r store.Reader, a Actor) (bool, error) {
	if v.Shared || v.OwnerID == a.UserID || a.Kind == ActorSystem {
		return true, nil
	}
	return v.ofTeam(r, a)
}

// ofTeam tells whether the actor is a member of the team that the view is
// shared with.
func (v *SavedView) ofTeam(r store.Reader, a Actor) (bool, error) {
	if v.TeamID == "" {
		return false, nil
	}
	ids, err := teamsOf(r, a.UserID)
	return slices.Contains(ids, v.TeamID), err
}

// checkTeam: who shares a view with a team is a member of it, or may share with
// everybody.
func (v *SavedView) checkTeam(r store.Reader, a Actor) error {
	if v.TeamID == "" {
		return nil
	}
	v.Shared = false
	team, err := teams.Get(r, key(v.TeamID))
	if _, err = found(team, err, "team", v.TeamID); err != nil {
		return err
	}
	if member, err := v.ofTeam(r, a); err != nil || member {
		return err
	}
	return a.may("share a view with a team that they are no member of", PermitViews)
}

// mayChange: everybody changes views of their own; what everybody has takes
// PermitViews.
func (v *SavedView) mayChange(a Actor) error {
	if v.Shared {
		return a.may("change views that everybody has", PermitViews)
	}
	if err := a.mayChangeOwn("save a view"); err != nil {
		return err
	}
	if v.OwnerID != a.UserID && (v.TeamID == "" || !a.May(PermitViews)) {
		return notFound("view", v.ID)
	}
	return nil
}

// SavedViews returns the views that the actor has, in the actor's order.
func (d *Desk) SavedViews(ctx context.Context, a Actor) (list []SavedView, err error) {
	if err := a.mayRead("views"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		return eachSavedView(r, a, func(v *SavedView) error {
			list = append(list, *v)
			return nil
		})
	})
	return list, err
}

// SavedView returns a view that the actor has.
func (d *Desk) SavedView(ctx context.Context, a Actor, id string) (*SavedView, error) {
	if err := a.mayRead("views"); err != nil {
		return nil, err
	}
	var v *SavedView
	err := d.view(ctx, func(r store.Reader) (err error) {
		v, err = seenView(r, a, id)
		return err
	})
	return v, err
}

func eachSavedView(r store.Reader, a Actor, do func(*SavedView) error) error {
	preference, err := preferenceOf(r, a.UserID)
	if err != nil {
		return err
	}
	var list []*SavedView
	for v, err := range savedViews.Scan(r, store.Range{}) {
		if err != nil {
			return err
		}
		sees, err := v.maySee(r, a)
		if err != nil {
			return err
		}
		if sees {
			list = append(list, v)
		}
	}
	place := func(v *SavedView) int {
		if i := slices.Index(preference.Order, v.ID); i >= 0 {
			return i
		}
		return len(preference.Order)
	}
	slices.SortStableFunc(list, func(a, b *SavedView) int { return cmp.Compare(place(a), place(b)) })
	for _, v := range list {
		if err := do(v); err != nil {
			return err
		}
	}
	return nil
}

// SaveView makes a view, or replaces the one with the same ID. Its owner stays
// who made it.
func (d *Desk) SaveView(ctx context.Context, a Actor, v SavedView) (*SavedView, error) {
	if err := a.mayChangeOwn("save a view"); err != nil {
		return nil, err
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	err := d.update(ctx, a, func(c *command) error {
		if v.ID == "" {
			v.ID, v.OwnerID, v.CreatedAt = d.newID(), a.UserID, c.now
			if err := c.roomForViews(); err != nil {
				return err
			}
		} else {
			before, err := savedViews.Get(c, key(v.ID))
			if before, err = found(before, err, "view", v.ID); err != nil {
				return err
			}
			if err := before.mayChange(a); err != nil {
				return err
			}
			if err := c.unchanged("view", before.Version()); err != nil {
				return err
			}
			v.OwnerID, v.CreatedAt = before.OwnerID, before.CreatedAt
		}
		if err := v.mayChange(a); err != nil {
			return err
		}
		if err := v.checkTeam(c, a); err != nil {
			return err
		}
		if err := savedViews.Put(c, &v); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventViewSaved, Data: map[string]string{"view": v.ID, "name": v.Name}})
		return err
	})
	return &v, err
}

func (c *command) roomForViews() error {
	n := 0
	for _, err := range savedViews.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		n++
	}
	if n >= maxSavedViews {
		return conflict("views_too_many", "there are %d saved views; the limit is %d: delete one that nobody needs", n, maxSavedViews)
	}
	return nil
}

func (v *SavedView) check() error {
	v.Name = strings.Join(strings.Fields(v.Name), " ")
	switch {
	case v.Name == "":
		return invalid("name", "view_name_empty", "the view has no name")
	case utf8.RuneCountInString(v.Name) > maxViewName:
		return invalid("name", "view_name_long", "the name has more than %d characters", maxViewName)
	case len(v.Text) > 1000:
		return invalid("q", "search_too_long", "the search has %d bytes; the limit is %d", len(v.Text), 1000)
	case v.View != "" && !slices.Contains(Views, v.View):
		return invalid("view", "view_unknown", "view %q is not one of %v", v.View, Views)
	case v.Sort != "" && !slices.Contains(Sorts, v.Sort):
		return invalid("sort", "sort_unknown", "sort %q is not one of %v", v.Sort, Sorts)
	}
	return v.Filter.check()
}

// DeleteView removes a saved view; its tickets are where they were.
func (d *Desk) DeleteView(ctx context.Context, a Actor, id string) error {
	if err := a.mayChangeOwn("delete a view"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		v, err := savedViews.Get(c, key(id))
		if v, err = found(v, err, "view", id); err != nil {
			return err
		}
		if err := v.mayChange(a); err != nil {
			return err
		}
		if err := savedViews.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventViewDeleted, Data: map[string]string{"view": v.ID, "name": v.Name}})
		return err
	})
}

// Preference returns how the actor wants the inbox to be.
func (d *Desk) Preference(ctx context.Context, a Actor) (p Preference, err error) {
	if err := a.mayRead("preferences"); err != nil {
		return p, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		p, err = preferenceOf(r, a.UserID)
		return err
	})
	return p, err
}

func preferenceOf(r store.Reader, userID string) (Preference, error) {
	p, err := preferences.Get(r, key(userID))
	if errors.Is(err, store.ErrNotFound) {
		return Preference{UserID: userID}, nil
	}
	if err != nil {
		return Preference{}, err
	}
	return *p, nil
}

// ChangePreference changes the actor's own preference. It is no event: it is
// nobody else's business.
func (d *Desk) ChangePreference(ctx context.Context, a Actor, change PreferenceChange) error {
	if err := a.mayChangeOwn("change preferences"); err != nil {
		return err
	}
	if a.UserID == "" {
		return invalid("user", "preference_nobody", "only a user has preferences")
	}
	return d.update(ctx, a, func(c *command) error {
		p, err := preferenceOf(c, a.UserID)
		if err != nil {
			return err
		}
		if change.Home != nil {
			p.Home = *change.Home
			if err := checkHome(c, a, p.Home); err != nil {
				return err
			}
		}
		if change.Only != nil {
			if p.Only = *change.Only; len(p.Only) > maxFilterValues {
				return invalid("only", "filter_too_many", "the filter %s has %d values; the limit is %d", "only", len(p.Only), maxFilterValues)
			}
		}
		if change.Order != nil {
			p.Order = (*change.Order)[:min(len(*change.Order), maxSavedViews)]
		}
		if change.AfterClose != nil {
			if p.AfterClose = *change.AfterClose; !slices.Contains(AfterCloses, p.AfterClose) {
				return invalid("after_close", "after_close_unknown", "%q is not one of next, list, or empty for the ticket itself", p.AfterClose)
			}
		}
		return preferences.Put(c, &p)
	})
}

func checkHome(r store.Reader, a Actor, home string) error {
	if home == "" || slices.Contains(Views, View(home)) {
		return nil
	}
	_, err := seenView(r, a, home)
	return err
}

// seenView is a view that the actor has.
func seenView(r store.Reader, a Actor, id string) (*SavedView, error) {
	v, err := savedViews.Get(r, key(id))
	if v, err = found(v, err, "view", id); err != nil {
		return nil, err
	}
	if sees, err := v.maySee(r, a); err != nil || !sees {
		return nil, cmp.Or(err, notFound("view", id))
	}
	return v, nil
}
