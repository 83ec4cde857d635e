package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ImportedPeople are companies and contacts as an export of this program has them.
type ImportedPeople struct {
	Companies []ExportedCompany
	Contacts  []ExportedContact
}

// PeopleOutcome is what became of them.
type PeopleOutcome struct {
	Companies, Contacts int // that were made
	Known               int // that were here already
	Left                []string
}

// ImportPeople makes the companies and contacts of another house, with their dates, in one transaction: give
// it some hundreds at a time. Whom this house knows keeps what it says of them; what it does not
// say is filled in. What cannot be is left out, and said.
func (d *Desk) ImportPeople(ctx context.Context, a Actor, people ImportedPeople) (done PeopleOutcome, err error) {
	if err := a.mayAdminister("import contacts"); err != nil {
		return done, err
	}
	err = d.update(ctx, a, func(c *command) error {
		done = PeopleOutcome{} // may run more than once
		for _, company := range people.Companies {
			if err := done.unless(c.bringCompany(company, &done), fmt.Sprintf("company %q", company.Name)); err != nil {
				return err
			}
		}
		for _, contact := range people.Contacts {
			if err := done.unless(c.bringContact(contact, &done), "contact "+contact.Email); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return done, fmt.Errorf("import contacts: %w", err)
	}
	return done, nil
}

// unless notes what was refused; other errors are the caller's.
func (o *PeopleOutcome) unless(err error, what string) error {
	if refused, ok := errors.AsType[*Error](err); ok {
		o.Left = append(o.Left, fmt.Sprintf("%s: %v", what, refused))
		return nil
	}
	return err
}

func (c *command) bringCompany(from ExportedCompany, done *PeopleOutcome) error {
	company := &Company{Name: from.Name, Domains: slices.Clone(from.Domains), Notes: from.Notes}
	if err := company.check(); err != nil {
		return err
	}
	same, err := optional(companies.First(c, "name", key(foldName(company.Name))))
	if err != nil {
		return err
	}
	if same != nil {
		done.Known++
		return nil
	}
	if err := c.saveCompany(company); err != nil {
		return err
	}
	done.Companies++
	if at := storable(from.CreatedAt.UTC().Round(0)); !at.IsZero() && at.Before(company.CreatedAt) {
		company.CreatedAt = at
		return companies.Put(c, company)
	}
	return nil
}

func (c *command) bringContact(from ExportedContact, done *PeopleOutcome) error {
	email := loweredAddress(strings.TrimSpace(from.Email))
	known, err := contactOf(c, email)
	if err != nil {
		return err
	}
	contact := &Contact{ID: c.desk.newID(), Email: email, CreatedAt: c.now, LastSeenAt: storable(from.LastSeenAt.UTC().Round(0))}
	if known != nil {
		contact = known
	} else if err := c.mayTake(contact, email); err != nil {
		return err
	}
	if at := storable(from.CreatedAt.UTC().Round(0)); !at.IsZero() && at.Before(contact.CreatedAt) {
		contact.CreatedAt = at
	}
	change, left, err := c.fillsIn(contact, from, known == nil)
	if err != nil {
		return err
	}
	last := c.last
	if err := c.changeContact(contact, change); err != nil {
		return err
	}
	for _, why := range left {
		done.Left = append(done.Left, fmt.Sprintf("contact %s: %s", email, why))
	}
	if known != nil {
		done.Known++
		return nil
	}
	done.Contacts++
	if c.last == last {
		if _, err := c.record(Event{Kind: EventContactSaved, Data: map[string]string{"contact": contact.Email}}); err != nil {
			return err
		}
	}
	contact.NameKept = from.NameKept && contact.Name != ""
	return contacts.Put(c, contact)
}

// fillsIn is the change that gives a contact what another house knows and this one does not.
func (c *command) fillsIn(contact *Contact, from ExportedContact, isNew bool) (change ContactChange, left []string, err error) {
	text := func(has, given string) *string {
		if has != "" || given == "" {
			return nil
		}
		return &given
	}
	change = ContactChange{Name: text(contact.Name, from.Name), Reading: text(contact.Reading, from.Reading), Phone: text(contact.Phone, from.Phone),
		Notes: text(contact.Notes, from.Notes), Language: text(contact.Language, from.Language), TimeZone: text(contact.TimeZone, from.TimeZone)}
	if len(contact.Tags) == 0 && len(from.Tags) > 0 {
		change.Tags = &from.Tags
	}
	if from.NeverAnswer && !contact.NeverAnswer {
		change.NeverAnswer = &from.NeverAnswer
	}
	for _, address := range from.Others {
		err := c.mayTake(contact, loweredAddress(address))
		if refused, ok := errors.AsType[*Error](err); ok {
			left = append(left, fmt.Sprintf("its address %s: %v", address, refused))
			continue
		}
		if err != nil {
			return change, nil, err
		}
		change.Add = append(change.Add, address)
	}
	list, err := fieldsOf(c, FieldOfContact)
	if err != nil {
		return change, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(from.Fields)) {
		i := slices.IndexFunc(list, func(f Field) bool { return strings.EqualFold(f.Name, name) })
		if i < 0 {
			left = append(left, fmt.Sprintf("its field %q with %q: there is no such field here", name, strings.Join(from.Fields[name], ", ")))
			continue
		}
		if _, err := list[i].read(from.Fields[name]); err != nil {
			left = append(left, fmt.Sprintf("its field %q: %v", name, err))
		} else if len(contact.Fields[list[i].ID]) == 0 {
			if change.Fields == nil {
				change.Fields = FieldValues{}
			}
			change.Fields[name] = from.Fields[name]
		}
	}
	change.Company, err = c.companyBrought(contact, from.Company, isNew)
	return change, left, err
}

// companyBrought is the company to give a contact by hand: nil where its domain says the same. One whom
// this house knew before keeps the company that it has.
func (c *command) companyBrought(contact *Contact, name string, isNew bool) (*string, error) {
	has, err := companyOf(c, contact)
	name = strings.TrimSpace(name)
	switch {
	case err != nil || contact.CompanyKept || has != nil && !isNew:
		return nil, err
	case has == nil && name == "", has != nil && foldName(has.Name) == foldName(name):
		return nil, nil
	case name == "":
		none := NoCompany
		return &none, nil
	}
	return c.companyNamed(name, &ImportReport{})
}
