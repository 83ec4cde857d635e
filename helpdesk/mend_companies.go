package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/store"
)

// companySearch reads the log for companies whose records are lost, and the contacts for
// the ids by which they name them.
type companySearch struct {
	logged map[string]*Company // by their folded names
	named  map[string][]string // ids that contacts name and nobody has: the contacts' addresses
}

// mendCompanies makes lost companies anew, those that contacts name under the same id, and
// returns how many. Of one that the log says nothing of, its contacts give the name.
func (d *Desk) mendCompanies(ctx context.Context, a Actor) (made int, err error) {
	s := &companySearch{}
	if err := d.view(ctx, func(r store.Reader) error {
		s.logged, s.named = map[string]*Company{}, map[string][]string{}
		if err := s.readLog(ctx, r); err != nil {
			return err
		}
		return s.readContacts(r)
	}); err != nil {
		return 0, fmt.Errorf("look for lost companies: %w", err)
	}
	lost := s.lost(d)
	for part := range slices.Chunk(lost, mendAtOnce) {
		if err := d.update(ctx, a, func(c *command) error { return c.writeCompanies(part) }); err != nil {
			return made, fmt.Errorf("make lost companies anew: %w", err)
		}
		made += len(part)
	}
	return made, nil
}

// readLog finds the companies that the log knows and that are not there.
func (s *companySearch) readLog(ctx context.Context, r store.Reader) error {
	for e, err := range readable(r, events.Scan(r, store.Range{})) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		switch e.Kind {
		case EventCompanySaved:
			s.save(e)
		case EventCompanyDeleted:
			delete(s.logged, foldName(e.Data["company"]))
		}
	}
	for name := range s.logged {
		there, err := legible(r, func(r store.Reader, k []byte) (*Company, error) { return companies.First(r, "name", k) }, key(name))
		if err != nil {
			return err
		}
		if there != nil {
			delete(s.logged, name)
		}
	}
	return nil
}

func (s *companySearch) save(e *Event) {
	name := e.Data["company"]
	was := name
	if before, changed := e.Data["name"+beforeSuffix]; changed {
		was = before
	}
	company := s.logged[foldName(was)]
	if company == nil {
		company = &Company{CreatedAt: e.At}
	}
	delete(s.logged, foldName(was))
	company.Name = name
	if domains, changed := e.Data["domains"+afterSuffix]; changed {
		company.Domains = slices.DeleteFunc(splitTags(domains), func(d string) bool { return strings.HasSuffix(d, "…") })
	}
	if notes, changed := e.Data["notes"+afterSuffix]; changed {
		company.Notes = notes
	}
	s.logged[foldName(name)] = company
}

func (s *companySearch) readContacts(r store.Reader) error {
	for contact, err := range readable(r, contacts.Scan(r, store.Range{})) {
		if err != nil {
			return err
		}
		if contact.CompanyID == "" || contact.MergedInto != "" {
			continue
		}
		there, err := legible(r, companies.Get, key(contact.CompanyID))
		if err != nil {
			return err
		}
		if there == nil {
			s.named[contact.CompanyID] = append(s.named[contact.CompanyID], contact.Email)
		}
	}
	return nil
}

// lost are the companies to make, each with its id.
func (s *companySearch) lost(d *Desk) (list []*Company) {
	ids := slices.Sorted(maps.Keys(s.named))
	for _, name := range slices.Sorted(maps.Keys(s.logged)) {
		company := s.logged[name]
		i := slices.IndexFunc(ids, func(id string) bool { return s.isOf(id, ids, company) })
		if i < 0 {
			company.ID = d.newID()
		} else {
			company.ID = ids[i]
			ids = slices.Delete(ids, i, i+1)
		}
		list = append(list, company)
	}
	for _, id := range ids {
		list = append(list, &Company{ID: id, Name: nameAfter(s.named[id]), CreatedAt: madeAt(id)})
	}
	return list
}

// isOf reports whether an id was a company's: it says when it was made, and where others
// were made at the same time, its contacts' domains decide.
func (s *companySearch) isOf(id string, ids []string, company *Company) bool {
	for _, address := range s.named[id] {
		if slices.Contains(company.Domains, domainOf(address)) {
			return true
		}
	}
	alone := func(list []time.Time) bool {
		list = slices.DeleteFunc(list, func(at time.Time) bool { return at.Sub(company.CreatedAt).Abs() > time.Second })
		return len(list) == 1
	}
	var companies, others []time.Time
	for _, other := range s.logged {
		companies = append(companies, other.CreatedAt)
	}
	for _, other := range ids {
		others = append(others, madeAt(other))
	}
	return madeAt(id).Sub(company.CreatedAt).Abs() <= time.Second && alone(companies) && alone(others)
}

// madeAt is when an id was made, zero where it does not say.
func madeAt(id string) time.Time {
	parsed, err := ulid.ParseStrict(id)
	if err != nil {
		return time.Time{}
	}
	return ulid.Time(parsed.Time()).UTC()
}

// nameAfter is what a company is called of which nothing is known but its contacts: the
// domain of one, or the address where anybody gets one at the domain.
func nameAfter(addresses []string) string {
	for _, address := range addresses {
		if !FreeMail(domainOf(address)) {
			return domainOf(address)
		}
	}
	return addresses[0]
}

// writeCompanies writes companies, without the domains that somebody else has by now.
func (c *command) writeCompanies(list []*Company) error {
	for _, company := range list {
		var free []string
		for _, domain := range company.Domains {
			owner, err := optional(companies.First(c, "domain", key(domain)))
			if err != nil {
				return err
			}
			if owner == nil {
				free = append(free, domain)
			}
		}
		taken, err := companies.HasIndexed(c, "name", key(foldName(company.Name)))
		if err != nil {
			return err
		}
		now := *company
		if now.Domains = free; taken {
			now.Name += " " + now.ID
		}
		now.Name = cmp.Or(now.Name, now.ID)
		if err := companies.Put(c, &now); err != nil {
			return err
		}
	}
	return nil
}
