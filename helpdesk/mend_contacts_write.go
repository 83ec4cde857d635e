package helpdesk

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// apply writes what an event of a change says into a contact.
func (c *Contact) apply(r store.Reader, data details) error {
	for _, text := range []struct {
		name string
		into *string
	}{{"name", &c.Name}, {"reading", &c.Reading}, {"phone", &c.Phone}, {"language", &c.Language}, {"time_zone", &c.TimeZone}, {"notes", &c.Notes}} {
		if after, changed := data[text.name+afterSuffix]; changed {
			*text.into = after
			c.NameKept = c.NameKept && text.name != "name" || text.name == "name" && after != ""
		}
	}
	if tags, changed := data["tags"+afterSuffix]; changed {
		c.Tags = splitTags(tags)
	}
	if answer, changed := data["never_answer"+afterSuffix]; changed {
		c.NeverAnswer = answer == yesNo(true)
	}
	company, changed := data["company"+afterSuffix]
	if !changed {
		return nil
	}
	c.CompanyID, c.CompanyKept = "", company == NoCompany
	if company == "" || company == NoCompany {
		return nil
	}
	has, err := companies.Has(r, key(company))
	if has {
		c.CompanyID, c.CompanyKept = company, true
	}
	return err
}

// fill writes what an event says of a custom field, whose values it has as they are shown.
func (p *lostContact) fill(list []Field, data details) {
	i := slices.IndexFunc(list, func(f Field) bool { return f.Name == data["field"] })
	if i < 0 {
		return // it was renamed or removed since
	}
	f := &list[i]
	typed := []string{data["to"]}
	if f.Kind == FieldChoices {
		typed = splitTags(data["to"])
	}
	values, err := f.read(typed)
	if err != nil {
		return // no value of the field any more
	}
	if p.Fields == nil {
		p.Fields = FieldValues{}
	}
	if p.Fields[f.ID] = values; len(values) == 0 {
		delete(p.Fields, f.ID)
	}
}

// giveLost gives tickets the contact that is theirs now, where that has another id.
func (c *command) giveLost(opened map[uint64]*lostContact) error {
	for number, p := range opened {
		t, err := tickets.Get(c, key(number))
		if err != nil {
			return err
		}
		p = p.now()
		owner, err := p.keepFree(c)
		if err != nil {
			return err
		}
		id := p.ID
		if owner != nil {
			id = owner.ID
		}
		if t.ContactID == id {
			continue
		}
		t.ContactID = id
		if err := tickets.Put(c, t); err != nil {
			return err
		}
	}
	return nil
}

// keepFree leaves out the addresses that somebody who is there has got since. Where that is each of
// them, it returns who has the main one.
func (p *lostContact) keepFree(r store.Reader) (owner *Contact, err error) {
	var free []string
	for _, address := range p.Addresses() {
		there, err := contactOf(r, address)
		if err != nil {
			return nil, err
		}
		if there == nil || there.ID == p.ID {
			free = append(free, address)
		} else if owner == nil {
			owner = there
		}
	}
	if len(free) == 0 {
		return owner, nil
	}
	p.Email, p.Others = free[0], free[1:]
	return nil, nil
}

// writeLost writes those who are wanted and not there.
func (c *command) writeLost(list []*lostContact) (wrote int, err error) {
	for _, p := range list {
		write, err := c.isLost(p)
		if err != nil {
			return 0, err
		}
		if !write {
			continue
		}
		if p.ID == "" {
			p.ID = c.desk.newID()
		}
		if err := contacts.Put(c, &p.Contact); err != nil {
			return 0, err
		}
		wrote++
	}
	return wrote, nil
}

// isLost reports whether a contact that was found in the log should be there and is not.
func (c *command) isLost(p *lostContact) (bool, error) {
	if !p.wanted {
		return false, nil
	}
	if p.ID != "" {
		if has, err := contacts.Has(c, key(p.ID)); err != nil || has || p.MergedInto != "" {
			return !has, err
		}
		owner, err := p.keepFree(c)
		return owner == nil, err
	}
	for _, address := range p.Addresses() { // of no ticket that is there: it may be one with another address now
		if there, err := contactOf(c, address); err != nil || there != nil {
			return false, err
		}
	}
	return true, nil
}

// splitTags reads what joinTags wrote.
func splitTags(joined string) []string {
	return slices.DeleteFunc(strings.Split(joined, ", "), func(s string) bool { return s == "" })
}
