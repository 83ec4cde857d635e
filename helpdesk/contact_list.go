package helpdesk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// ContactSort is the order of a list of contacts.
type ContactSort string

// The orders.
const (
	SortBySeen ContactSort = "seen" // who wrote last first
	SortByName ContactSort = "name" // by reading, name or address
)

// ContactQuery asks for the contacts that fit every field set.
type ContactQuery struct {
	// Text is words that must all begin a word of the name, reading, an address or
	// the phone; within Japanese names any place is a beginning.
	Text    string
	Company string // id
	Tag     string
	Sort    ContactSort // SortBySeen when empty
	Limit   int         // 50 when zero, at most 200
	After   string      // where the page before ended
}

// ContactPage is a page of a list of contacts.
type ContactPage struct {
	Contacts []ContactRow
	Next     string // where the next page starts, "" at the end
	// Cut says that more fit than are looked at and sorted: the list is of those
	// that were found first.
	Cut bool
}

// ContactRow is a contact with what a list shows.
type ContactRow struct {
	Contact Contact
	Tickets int // up to the limit of all counts
}

// maxSorted is how many contacts a search or a filter sorts. Without either a
// list follows its index and has no limit.
const maxSorted = 1000

// Contacts returns a page of contacts.
func (d *Desk) Contacts(ctx context.Context, a Actor, q ContactQuery) (page ContactPage, err error) {
	if err := a.mayRead("contacts"); err != nil {
		return page, err
	}
	if q.Sort != "" && q.Sort != SortBySeen && q.Sort != SortByName {
		return page, invalid("sort", "contact_sort", "the order %q is neither %q nor %q", q.Sort, SortBySeen, SortByName)
	}
	err = d.view(ctx, func(r store.Reader) error {
		page, err = q.page(r)
		return err
	})
	return page, err
}

func (q *ContactQuery) page(r store.Reader) (page ContactPage, err error) {
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	after, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(after) > 0 && !q.isPlace(after) {
		return page, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the beginning", q.After)
	}
	if q.plain() {
		err = q.follow(r, after, &page)
	} else {
		err = q.gather(r, after, &page)
	}
	return page, err
}

// plain reports whether all contacts are asked for.
func (q *ContactQuery) plain() bool {
	return q.Company == "" && q.Tag == "" && len(nameQuery(q.Text)) == 0
}

// place is where a contact stands in the order asked for.
func (q *ContactQuery) place(c *Contact) []byte {
	if q.Sort == SortByName {
		return append(key(c.sortName()), key(c.ID)...)
	}
	return append(key(descending(c.LastSeenAt)), key(c.ID)...)
}

// isPlace reports whether place has the form of one in the order asked for.
func (q *ContactQuery) isPlace(place []byte) bool {
	if q.Sort == SortByName {
		read := store.Decode(place)
		read.Text()
		read.Text()
		return read.End() == nil
	}
	time := len(key(descending{}))
	if len(place) < time {
		return false
	}
	read := store.Decode(place[time:]) // any bytes are a time
	read.Text()
	return read.End() == nil
}

// follow reads a page along the index of the order.
func (q *ContactQuery) follow(r store.Reader, after []byte, page *ContactPage) error {
	rng := store.Range{}
	if len(after) > 0 {
		rng.Start = append(after, 0xff)
	}
	for c, err := range contacts.ScanIndex(r, string(cmp.Or(q.Sort, SortBySeen)), rng) {
		if err != nil {
			return err
		}
		if !q.add(r, c, page) {
			return nil
		}
		if err := page.complete(r); err != nil {
			return err
		}
	}
	return nil
}

// add puts a contact on the page, or says where the next one starts and returns
// false.
func (q *ContactQuery) add(r store.Reader, c *Contact, page *ContactPage) bool {
	if n := len(page.Contacts); n == q.Limit {
		page.Next = base64.RawURLEncoding.EncodeToString(q.place(&page.Contacts[n-1].Contact))
		return false
	}
	page.Contacts = append(page.Contacts, ContactRow{Contact: *c})
	return true
}

// complete fills in what the newest row shows besides the contact.
func (p *ContactPage) complete(r store.Reader) (err error) {
	row := &p.Contacts[len(p.Contacts)-1]
	if err = nameCompany(r, &row.Contact); err != nil {
		return err
	}
	row.Tickets, err = countUpTo(tickets, r, "contact", key(row.Contact.ID))
	return err
}

// gather sorts what fits and takes a page of it.
func (q *ContactQuery) gather(r store.Reader, after []byte, page *ContactPage) error {
	var list []*Contact
	for c, err := range q.fitting(r) {
		if err != nil {
			return err
		}
		if len(list) == maxSorted {
			page.Cut = true
			break
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *Contact) int { return bytes.Compare(q.place(a), q.place(b)) })
	for _, c := range list {
		if len(after) > 0 && bytes.Compare(q.place(c), after) <= 0 {
			continue
		}
		if !q.add(r, c, page) {
			return nil
		}
		if err := page.complete(r); err != nil {
			return err
		}
	}
	return nil
}

// fitting yields every contact that fits, each once, in the order of the
// narrowest index.
func (q *ContactQuery) fitting(r store.Reader) iter.Seq2[*Contact, error] {
	words := nameQuery(q.Text)
	return func(yield func(*Contact, error) bool) {
		seen := map[string]bool{}
		for c, err := range q.candidates(r, words) {
			if err != nil {
				yield(nil, err)
				return
			}
			if seen[c.ID] || !q.fits(r, c, words) {
				continue
			}
			seen[c.ID] = true
			if !yield(c, nil) {
				return
			}
		}
	}
}

// nameQuery are the words of a search, folded as those of contacts are.
func nameQuery(text string) (words []string) {
	for _, field := range strings.Fields(foldName(text)) {
		if strings.Contains(field, "@") {
			words = append(words, field)
			continue
		}
		if plain := digits(field); len(plain) >= 4 && strings.Trim(field, "0123456789-+()") == "" {
			words = append(words, plain)
			continue
		}
		words = append(words, nameParts(field)...)
	}
	for i, word := range words {
		if runes := []rune(word); len(runes) > maxWordRunes {
			words[i] = string(runes[:maxWordRunes])
		}
	}
	return words
}

// candidates yields the contacts of the narrowest index; one may come twice.
func (q *ContactQuery) candidates(r store.Reader, words []string) iter.Seq2[*Contact, error] {
	switch {
	case len(words) > 0:
		longest := slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		return contacts.ScanIndex(r, "word", store.Prefix(store.Key{}.TextPrefix(longest)))
	case q.Company != "":
		return companyMembers(r, q.Company)
	case q.Tag != "":
		return contacts.ScanIndex(r, "tag", store.Prefix(key(q.Tag)))
	}
	return contacts.ScanIndex(r, string(cmp.Or(q.Sort, SortBySeen)), store.Range{})
}

// companyMembers yields those who were given a company by hand, then those
// whose domain it has.
func companyMembers(r store.Reader, id string) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		for c, err := range contacts.ScanIndex(r, "company", store.Prefix(key(id))) {
			if !yield(c, err) || err != nil {
				return
			}
		}
		company, err := optional(companies.Get(r, key(id)))
		if err != nil {
			yield(nil, err)
		}
		if err != nil || company == nil {
			return
		}
		for _, domain := range company.Domains {
			for c, err := range contacts.ScanIndex(r, "domain", store.Prefix(key(domain))) {
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

func (q *ContactQuery) fits(r store.Reader, c *Contact, words []string) bool {
	if q.Tag != "" && !slices.Contains(c.Tags, q.Tag) {
		return false
	}
	if q.Company != "" {
		company, err := companyOf(r, c)
		if err != nil || company == nil || company.ID != q.Company {
			return false
		}
	}
	return haveWords(c.words(), words)
}

// ContactTags returns up to limit tags that contacts have, by name.
func (d *Desk) ContactTags(ctx context.Context, a Actor, limit int) (tags []string, err error) {
	if err := a.mayRead("contacts"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		tags = nil
		rng := store.Range{}
		for len(tags) < limit { // one step a tag, however many contacts have it
			tag := ""
			for c, err := range contacts.ScanIndex(r, "tag", rng) {
				if err != nil {
					return err
				}
				for _, t := range slices.Sorted(slices.Values(c.Tags)) {
					if bytes.Compare(key(t), rng.Start) >= 0 {
						tag = t
						break
					}
				}
				break
			}
			if tag == "" {
				return nil
			}
			tags = append(tags, tag)
			rng.Start = append(key(tag), 0xff)
		}
		return nil
	})
	return tags, err
}

// ExportContacts calls write with every contact that fits, and says in the log
// that a list was taken out of the house.
func (d *Desk) ExportContacts(ctx context.Context, a Actor, q ContactQuery, write func(Contact) error) error {
	if err := a.may("take contacts out of the house", PermitExport); err != nil {
		return err
	}
	if err := d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventExported, Data: map[string]string{"what": "contacts"}})
		return err
	}); err != nil {
		return err
	}
	return d.view(ctx, func(r store.Reader) error {
		for c, err := range q.fitting(r) {
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := nameCompany(r, c); err != nil {
				return err
			}
			if err := write(*c); err != nil {
				return err
			}
		}
		return nil
	})
}

// seenLater is the later of two times.
func seenLater(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
