package helpdesk

import (
	"errors"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// named are the values of custom fields as people read them. What is of a field or a choice that
// is no more has no name.
func (e *exporter) named(owner FieldOwner, values FieldValues) (FieldValues, error) {
	if len(values) == 0 {
		return nil, nil
	}
	list, known := e.fields[owner]
	if !known {
		var err error
		if list, err = fieldsOf(e, owner); err != nil {
			return nil, err
		}
		e.fields[owner] = list
	}
	out := FieldValues{}
	for i := range list {
		if shown := list[i].Shown(values[list[i].ID]); len(shown) > 0 {
			out[list[i].Name] = shown
		}
	}
	return out, nil
}

func (e *exporter) note(n *Note) (string, error) {
	fits, err := e.of(n.Ticket)
	if err != nil || n.ID == e.query.After || !fits || !e.within(n.At) {
		return n.ID, err
	}
	out := ExportedNote{ID: n.ID, Seq: n.Seq, Ticket: n.Ticket, Text: n.Text, At: n.At, Mentions: []string{}}
	author, err := e.userRecord(n.AuthorID)
	if author != nil {
		out.Author, out.AuthorName = author.Email, author.Name
	}
	for _, id := range n.Mentions {
		email, errUser := e.user(id)
		if err = errors.Join(err, errUser); email != "" {
			out.Mentions = append(out.Mentions, email)
		}
	}
	e.page.Notes = append(e.page.Notes, out)
	e.count++
	return n.ID, err
}

// contact exports a person; with an alias only one who has a ticket there.
func (e *exporter) contact(c *Contact) (string, error) {
	if c.ID == e.query.After || c.MergedInto != "" || !c.ErasedAt.IsZero() {
		return c.ID, nil
	}
	if fits, err := e.wroteTo(c); err != nil || !fits {
		return c.ID, err
	}
	company, err := companyOf(e, c)
	if err != nil {
		return c.ID, err
	}
	out := ExportedContact{Email: c.Email, Others: orEmpty(c.Others), Name: c.Name, NameKept: c.NameKept, Reading: c.Reading, Phone: c.Phone, Language: c.Language, TimeZone: c.TimeZone,
		Notes: c.Notes, Tags: orEmpty(c.Tags), NeverAnswer: c.NeverAnswer, CreatedAt: c.CreatedAt, LastSeenAt: c.LastSeenAt}
	if company != nil {
		out.Company = company.Name
	}
	out.Fields, err = e.named(FieldOfContact, c.Fields)
	e.page.Contacts = append(e.page.Contacts, out)
	e.count++
	return c.ID, err
}

// wroteTo reports whether a contact has a ticket of the alias that is asked for, if one is.
func (e *exporter) wroteTo(c *Contact) (bool, error) {
	if e.query.Alias == "" {
		return true, nil
	}
	for t, err := range tickets.ScanIndex(e, "contact", store.Prefix(key(c.ID))) {
		if err != nil {
			return false, err
		}
		if slices.Contains(t.Aliases, e.query.Alias) {
			return true, nil
		}
	}
	return false, nil
}

// company exports a company; with an alias only one whose contact has a ticket there.
func (e *exporter) company(c *Company) (string, error) {
	if c.ID == e.query.After {
		return c.ID, nil
	}
	fits := e.query.Alias == ""
	if !fits {
		var err error
		if fits, err = e.wrote(c); err != nil {
			return c.ID, err
		}
	}
	if fits {
		e.page.Companies = append(e.page.Companies, ExportedCompany{Name: c.Name, Domains: orEmpty(c.Domains), Notes: c.Notes, CreatedAt: c.CreatedAt})
		e.count++
	}
	return c.ID, nil
}

// wrote reports whether anybody of a company has a ticket of the alias.
func (e *exporter) wrote(c *Company) (bool, error) {
	type place struct {
		index string
		rng   store.Range
	}
	places := []place{{"company", store.Prefix(key(c.ID))}}
	for _, domain := range c.Domains {
		places = append(places, place{"domain", store.Prefix(key(domain))})
	}
	for _, at := range places {
		for contact, err := range contacts.ScanIndex(e, at.index, at.rng) {
			if err != nil {
				return false, err
			}
			if fits, err := e.wroteTo(contact); err != nil || fits {
				return fits, err
			}
		}
	}
	return false, nil
}

// person exports a user. Whoever takes out the tickets of one address gets no list of the staff.
func (e *exporter) person(u *User) (string, error) {
	if u.ID == e.query.After || e.query.Alias != "" {
		return u.ID, nil
	}
	out := ExportedUser{Email: u.Email, Name: u.Name, Role: string(u.Role), Disabled: u.Disabled, CreatedAt: u.CreatedAt}
	own, err := optional(customRoles.Get(e, key(string(u.Role))))
	if own != nil {
		out.Role = own.Name
	}
	e.page.Users = append(e.page.Users, out)
	e.count++
	return u.ID, err
}
