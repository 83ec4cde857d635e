package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/madoguchi/madoguchi/store"
)

// Company is a house that contacts belong to: those whose main address has one
// of its domains, and those for whom a person chose it.
type Company struct {
	ID        string
	Name      string   // unique
	Domains   []string // lower case, each of one company alone; never one where anybody gets an address
	Notes     string
	CreatedAt time.Time
}

var companies = store.NewTable(store.Spec[Company]{Name: "company", Version: 1,
	Key: func(c *Company) []byte { return key(c.ID) },
	Indexes: []store.Index[Company]{
		{Name: "name", Unique: true, Keys: func(c *Company) [][]byte { return one(key(foldName(c.Name))) }},
		{Name: "domain", Unique: true, Keys: func(c *Company) (keys [][]byte) {
			for _, domain := range c.Domains {
				keys = append(keys, key(domain))
			}
			return keys
		}},
		{Name: "word", Keys: func(c *Company) (keys [][]byte) {
			for _, word := range c.words() {
				keys = append(keys, key(word))
			}
			return keys
		}},
	}})

// words are the beginnings by which a company is found by its name.
func (c *Company) words() []string { return boundedWords(nameWords(c.Name)) }

// companyOf is the company that a contact belongs to, or nil.
func companyOf(r store.Reader, c *Contact) (*Company, error) {
	if c.CompanyKept {
		if c.CompanyID == "" {
			return nil, nil
		}
		return optional(companies.Get(r, key(c.CompanyID)))
	}
	domain := domainOf(c.Email)
	if FreeMail(domain) {
		return nil, nil
	}
	return optional(companies.First(r, "domain", key(domain)))
}

// nameCompany fills in the name of a contact's company.
func nameCompany(r store.Reader, c *Contact) error {
	company, err := companyOf(r, c)
	if err == nil && company != nil {
		c.Company = company.Name
	}
	return err
}

// Companies returns up to limit companies whose name, letter case and kana
// aside, or a domain begins with text, by name, and where the next page starts.
func (d *Desk) Companies(ctx context.Context, a Actor, text string, limit int, after string) (list []Company, next string, err error) {
	if err := a.mayRead("companies"); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	text = foldName(strings.TrimSpace(text))
	rng := store.Range{}
	if after != "" {
		rng.Start = append(key(after), 0xff)
	}
	err = d.view(ctx, func(r store.Reader) error {
		list, next = nil, ""
		for company, err := range companies.ScanIndex(r, "name", rng) {
			if err != nil {
				return err
			}
			fits := strings.Contains(foldName(company.Name), text) ||
				slices.ContainsFunc(company.Domains, func(domain string) bool { return strings.HasPrefix(domain, text) })
			if !fits {
				continue
			}
			if len(list) == limit {
				next = foldName(list[len(list)-1].Name)
				return nil
			}
			list = append(list, *company)
		}
		return nil
	})
	return list, next, err
}

// CompanyView is a company with those who belong to it.
type CompanyView struct {
	Company  Company
	Contacts []ContactRow // those heard of last
	More     bool         // there are more contacts
	Tickets  []TicketRow  // theirs, the newest change first
}

// Bounds of what a company's page shows.
const (
	maxCompanyContacts = 200
	maxCompanyTickets  = 50
)

// Company returns a company with its contacts and their tickets.
func (d *Desk) Company(ctx context.Context, a Actor, id string) (*CompanyView, error) {
	if err := a.mayRead("a company"); err != nil {
		return nil, err
	}
	v := &CompanyView{}
	err := d.view(ctx, func(r store.Reader) error {
		company, err := companies.Get(r, key(id))
		if company, err = found(company, err, "company", id); err != nil {
			return err
		}
		*v = CompanyView{Company: *company}
		q := ContactQuery{Company: id, Limit: maxCompanyContacts}
		page, err := q.page(r)
		if err != nil {
			return err
		}
		v.Contacts, v.More = page.Contacts, page.Next != ""
		v.Tickets, err = companyTickets(r, newNames(r, a), page.Contacts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// companyTickets are the newest tickets of some contacts.
func companyTickets(r store.Reader, n *names, people []ContactRow) (rows []TicketRow, err error) {
	var list []*Ticket
	for _, person := range people {
		taken := 0
		for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(person.Contact.ID))) {
			if err != nil {
				return nil, err
			}
			list = append(list, t)
			if taken++; taken == maxCompanyTickets {
				break
			}
		}
	}
	slices.SortFunc(list, func(a, b *Ticket) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(b.Number, a.Number))
	})
	for _, t := range list[:min(len(list), maxCompanyTickets)] {
		row, err := n.row(t)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Limits of companies.
const (
	maxCompanyName    = 120 // characters
	maxCompanyDomains = 50
	maxNotes          = 10_000 // characters
)

// SaveCompany creates a company, or replaces the one with the same ID. Contacts
// belong to it by their domain from then on.
func (d *Desk) SaveCompany(ctx context.Context, a Actor, company Company) (saved *Company, err error) {
	if err := a.may("change companies", PermitContacts); err != nil {
		return nil, err
	}
	if err := company.check(); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		now := company
		saved = &now
		return c.saveCompany(saved)
	})
	return saved, err
}

func (c *command) saveCompany(now *Company) error {
	before := &Company{}
	if now.ID == "" {
		now.ID, now.CreatedAt = c.desk.newID(), c.now
	} else {
		stored, err := companies.Get(c, key(now.ID))
		if before, err = found(stored, err, "company", now.ID); err != nil {
			return err
		}
		if err := c.unchanged("company", before.Version()); err != nil {
			return err
		}
		now.CreatedAt = before.CreatedAt
	}
	same, err := optional(companies.First(c, "name", key(foldName(now.Name))))
	if err != nil {
		return err
	}
	if same != nil && same.ID != now.ID {
		return conflict("company_taken", "there is a company %q already", same.Name)
	}
	for _, domain := range now.Domains {
		other, err := optional(companies.First(c, "domain", key(domain)))
		if err != nil {
			return err
		}
		if other != nil && other.ID != now.ID {
			return conflict("company_domain_taken", "%s belongs to the company %q; take it off there first", domain, other.Name)
		}
	}
	if err := companies.Put(c, now); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventCompanySaved, Data: changesOf(change{"name", before.Name, now.Name},
		change{"domains", joinTags(before.Domains), joinTags(now.Domains)}, change{"notes", before.Notes, now.Notes}).with("company", now.Name)})
	return err
}

// check tidies a company and refuses what none can be.
func (company *Company) check() error {
	company.Name = strings.Join(strings.Fields(company.Name), " ")
	company.Notes = strings.TrimSpace(strings.ReplaceAll(company.Notes, "\r\n", "\n"))
	switch {
	case company.Name == "":
		return invalid("name", "name_empty", "the company has no name")
	case utf8.RuneCountInString(company.Name) > maxCompanyName:
		return invalid("name", "company_name_long", "the name has more than %d characters", maxCompanyName)
	case utf8.RuneCountInString(company.Notes) > maxNotes:
		return invalid("notes", "notes_long", "the notes have more than %d characters", maxNotes)
	}
	var domains []string
	for _, given := range company.Domains {
		domain := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(given), "@"))
		if domain == "" {
			continue
		}
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil || !strings.Contains(ascii, ".") || checkAddress("domains", "x@"+ascii) != nil {
			return invalid("domains", "company_domain_invalid", "%q is no domain; write it like example.co.jp", given)
		}
		if FreeMail(ascii) {
			return invalid("domains", "company_domain_free", "anybody gets an address at %s, so it says nothing of a company; choose the company on the contact instead", ascii)
		}
		domains = appendNew(domains, ascii)
	}
	if len(domains) > maxCompanyDomains {
		return invalid("domains", "company_domains_many", "%d domains; the limit is %d", len(domains), maxCompanyDomains)
	}
	company.Domains = domains
	return nil
}

// DeleteCompany removes a company. Its contacts stay and belong to none.
func (d *Desk) DeleteCompany(ctx context.Context, a Actor, id string) error {
	if err := a.may("delete companies", PermitContacts); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		company, err := companies.Get(c, key(id))
		if company, err = found(company, err, "company", id); err != nil {
			return err
		}
		var chosen []*Contact
		for contact, err := range contacts.ScanIndex(c, "company", store.Prefix(key(id))) {
			if err != nil {
				return err
			}
			if len(chosen) == maxChosenContacts {
				return conflict("company_large", "more than %d contacts were given to %q by hand; give them another company first", maxChosenContacts, company.Name)
			}
			chosen = append(chosen, contact)
		}
		for _, contact := range chosen {
			contact.CompanyID, contact.CompanyKept = "", false
			if err := contacts.Put(c, contact); err != nil {
				return err
			}
		}
		_, err = c.record(Event{Kind: EventCompanyDeleted, Data: map[string]string{"company": company.Name}})
		return errors.Join(err, companies.Delete(c, key(id)))
	})
}

// maxChosenContacts bounds the transaction that takes a company from its contacts.
const maxChosenContacts = 5000
