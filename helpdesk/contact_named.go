package helpdesk

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Bounds of what one word of a search looks at. A word that more people have, such as
// the name of a mail provider, is in their mails too.
const (
	maxNamedContacts = 1000
	maxNamedTickets  = 10_000
)

// TicketsNaming returns the numbers of tickets by what the house knows of their contacts
// rather than by what mails say: each word of text begins a word of the contact's name,
// reading, phone or addresses, or of the name of the contact's company. Within Japanese
// names any place is a beginning. Of a phrase the words stand side by side, and whole. A
// Message-ID, with or without angle brackets, is that of a mail of the ticket. At
// most 10,000 tickets of 1,000 contacts are returned, in no order, one perhaps twice.
func (d *Desk) TicketsNaming(ctx context.Context, a Actor, text string, phrase bool) (numbers []uint64, err error) {
	if err := a.mayRead("contacts"); err != nil {
		return nil, err
	}
	words := nameQuery(text)
	if len(words) == 0 {
		return nil, nil
	}
	err = d.view(ctx, func(r store.Reader) error {
		numbers = nil
		if id := strings.Trim(text, "<> "); strings.Contains(id, "@") {
			for m, err := range readable(r, messages.ScanIndex(r, "messageid", store.Prefix(key(id)))) {
				if err != nil || len(numbers) == maxNamedTickets {
					return err
				}
				if m.Ticket != 0 {
					numbers = append(numbers, m.Ticket)
				}
			}
		}
		seen := map[string]bool{}
		for id, err := range named(r, words, strings.Join(words, " "), phrase) {
			if err != nil || len(seen) == maxNamedContacts {
				return err
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			for entry, err := range tickets.ScanIndexKeys(r, "contact", store.Prefix(key(id))) {
				if err != nil || len(numbers) == maxNamedTickets {
					return err
				}
				number := store.Decode(entry.Primary)
				numbers = append(numbers, number.Uint64())
			}
		}
		return ctx.Err()
	})
	return numbers, err
}

// named yields the ids of contacts, one perhaps twice: those who are named so, then those
// of companies that are.
func named(r store.Reader, words []string, phrase string, whole bool) iter.Seq2[string, error] {
	longest := slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	begun := store.Prefix(store.Key{}.TextPrefix(longest))
	return func(yield func(string, error) bool) {
		if len(words) == 1 && !whole { // the index says it all
			for entry, err := range contacts.ScanIndexKeys(r, "word", begun) {
				id := store.Decode(entry.Primary)
				if !yield(id.Text(), err) || err != nil {
					return
				}
			}
		} else {
			for c, err := range readable(r, contacts.ScanIndex(r, "word", begun)) {
				if err == nil && !haveWords(c.words(), words) || err == nil && whole && !c.called(phrase) {
					continue
				}
				if !yield(c.idOrNone(), err) || err != nil {
					return
				}
			}
		}
		for company, err := range readable(r, companies.ScanIndex(r, "word", begun)) {
			if err != nil {
				yield("", err)
				return
			}
			if !haveWords(company.words(), words) || whole && !says(company.Name, phrase) {
				continue
			}
			for c, err := range readable(r, companyMembers(r, company.ID)) {
				if !yield(c.idOrNone(), err) || err != nil {
					return
				}
			}
		}
	}
}

func (c *Contact) idOrNone() string {
	if c == nil {
		return ""
	}
	return c.ID
}

// called reports whether a contact's name, reading or an address says a phrase.
func (c *Contact) called(phrase string) bool {
	return slices.ContainsFunc(append([]string{c.Name, c.Reading}, c.Addresses()...), func(text string) bool { return says(text, phrase) })
}

// says reports whether the words of a folded phrase stand side by side in a text, whole
// where its script parts words.
func says(text, phrase string) bool {
	text = foldName(text)
	if unspaced(phrase) {
		plain := func(s string) string { return strings.Join(nameParts(s), "") }
		return strings.Contains(plain(text), plain(phrase))
	}
	if strings.Contains(phrase, "@") {
		return text == phrase
	}
	return strings.Contains(" "+strings.Join(nameParts(text), " ")+" ", " "+phrase+" ")
}

// haveWords reports whether each of the wanted words begins one of those that somebody
// is found by.
func haveWords(has, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(word string) bool {
		return !slices.ContainsFunc(has, func(w string) bool { return strings.HasPrefix(w, word) })
	})
}
