package helpdesk

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/store"
)

// Contact is somebody who writes to us, known by one address or several.
type Contact struct {
	ID string
	// Email is the main address, Others are further ones of the same person. All are
	// in lower case, and each is one contact's alone.
	Email  string
	Others []string `cbor:",omitempty"`
	Name   string
	// NameKept says that a person of the house wrote the name: mail changes it no
	// more.
	NameKept bool   `cbor:",omitempty"`
	Reading  string `cbor:",omitempty"` // of the name, in kana
	// CompanyID is the company that was chosen by hand, where CompanyKept says that
	// one was, "" for none at all. Otherwise the domain of Email decides.
	CompanyID   string `cbor:",omitempty"`
	CompanyKept bool   `cbor:",omitempty"`
	// Company is the company's name; the desk fills it in where a contact is shown.
	Company  string   `cbor:"-"`
	Phone    string   `cbor:",omitempty"`
	Language string   `cbor:",omitempty"` // "ja", "en" …, or "" where unknown
	TimeZone string   `cbor:",omitempty"` // "Asia/Tokyo", or ""
	Notes    string   `cbor:",omitempty"` // on the person; they never leave the house
	Tags     []string `cbor:",omitempty"`
	// Fields are the values of custom fields.
	Fields FieldValues `cbor:",omitempty"`
	// Blocked says that mail from each of the addresses goes to spam; the desk
	// fills it in where it says all about a contact.
	Blocked bool `cbor:"-"`
	// NeverAnswer keeps everything automatic from answering the person.
	NeverAnswer bool `cbor:",omitempty"`
	// MergedInto is the contact that this one became part of, or "". Such a
	// contact has no tickets and is in no list.
	MergedInto string `cbor:",omitempty"`
	// ErasedAt is when the person's data was erased: nothing but the id is left.
	ErasedAt   time.Time `cbor:",omitzero"`
	CreatedAt  time.Time
	LastSeenAt time.Time // to the minute
}

// Addresses are all addresses of the person, the main one first.
func (c *Contact) Addresses() []string { return append([]string{c.Email}, c.Others...) }

var contacts = store.NewTable(store.Spec[Contact]{Name: "contact", Version: 1,
	Key: func(c *Contact) []byte { return key(c.ID) },
	Indexes: []store.Index[Contact]{
		{Name: "email", Unique: true, Keys: func(c *Contact) (keys [][]byte) {
			if c.MergedInto != "" || !c.ErasedAt.IsZero() {
				return nil
			}
			for _, address := range c.Addresses() {
				keys = append(keys, key(address))
			}
			return keys
		}},
		{Name: "seen", Keys: func(c *Contact) [][]byte { return c.listed(true, key(descending(c.LastSeenAt))) }},
		{Name: "name", Keys: func(c *Contact) [][]byte { return c.listed(true, key(c.sortName())) }},
		{Name: "tag", Keys: func(c *Contact) (keys [][]byte) {
			for _, tag := range c.Tags {
				keys = append(keys, c.listed(true, key(tag, descending(c.LastSeenAt)))...)
			}
			return keys
		}},
		{Name: "company", Keys: func(c *Contact) [][]byte {
			return c.listed(c.CompanyKept && c.CompanyID != "", key(c.CompanyID, descending(c.LastSeenAt)))
		}},
		{Name: "domain", Keys: func(c *Contact) [][]byte {
			return c.listed(!c.CompanyKept, key(domainOf(c.Email), descending(c.LastSeenAt)))
		}},
		{Name: "word", Keys: func(c *Contact) (keys [][]byte) {
			for _, word := range c.words() {
				keys = append(keys, c.listed(true, key(word))...)
			}
			return keys
		}, Same: (*Contact).hasWordsOf},
	}})

// listed is the contact's entry in a list that it belongs to.
func (c *Contact) listed(belongs bool, k []byte) [][]byte {
	return when(belongs && c.MergedInto == "" && c.ErasedAt.IsZero(), k)
}

// sortName is what the contact is sorted by: the reading says more than the
// characters, and an address is better than nothing.
func (c *Contact) sortName() string {
	for _, name := range []string{c.Reading, c.Name} {
		if folded := foldName(name); folded != "" {
			return folded
		}
	}
	return c.Email
}

// foldName makes names equal that are read alike: width, case, and kana.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'ァ' && r <= 'ヶ' {
			return r - 'ァ' + 'ぁ'
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(strings.Join(strings.Fields(name), " ")))
}

// Bounds of the words that a contact is found by.
const (
	maxContactWords = 80
	maxWordRunes    = 40
	maxWordSuffixes = 24
)

// words are the beginnings by which a contact is found: those of each word of
// its name, reading, addresses and phone; a name in characters that nothing
// parts is found from any of them on.
func (c *Contact) words() []string {
	list := append(nameWords(c.Name), nameWords(c.Reading)...)
	for _, address := range c.Addresses() {
		list = append(list, address, domainOf(address))
		list = append(list, nameParts(address)...)
	}
	list = append(list, nameParts(foldName(c.Phone))...)
	return boundedWords(append(list, digits(c.Phone)))
}

// nameWords are the beginnings by which a name is found.
func nameWords(name string) []string {
	parts := nameParts(foldName(name))
	joined := strings.Join(parts, "")
	if !unspaced(joined) {
		return parts
	}
	runes := []rune(joined)
	var list []string
	for i := range min(len(runes), maxWordSuffixes) {
		list = append(list, string(runes[i:]))
	}
	return list
}

// boundedWords sorts words and bounds how many and how long they are.
func boundedWords(list []string) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	list = slices.DeleteFunc(list, func(word string) bool { return word == "" })
	for i, word := range list {
		if runes := []rune(word); len(runes) > maxWordRunes {
			list[i] = string(runes[:maxWordRunes])
		}
	}
	return list[:min(len(list), maxContactWords)]
}

// hasWordsOf reports whether two states of a contact are found by the same words.
func (c *Contact) hasWordsOf(o *Contact) bool {
	return c.Name == o.Name && c.Reading == o.Reading && c.Email == o.Email && slices.Equal(c.Others, o.Others) &&
		c.Phone == o.Phone && c.MergedInto == o.MergedInto && c.ErasedAt.Equal(o.ErasedAt)
}

func nameParts(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != 'ー' })
}

// unspaced reports whether a text is in a script that parts no words.
func unspaced(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, norm.NFKC.String(text))
}

// seenAccuracy is how exactly LastSeenAt is kept: who writes several mails at once, as a
// form on a web site does, is not written anew with each of them.
const seenAccuracy = time.Minute

// contactFor finds or creates the contact of whoever a mail of the given time is from, or to. It may be an earlier one,
// that somebody only now takes out of another ticket or out of quarantine.
func (c *command) contactFor(from Address, at time.Time) (*Contact, error) {
	was, err := optional(contacts.First(c, "email", key(from.Email)))
	if err != nil {
		return nil, err
	}
	contact := &Contact{ID: c.desk.newID(), Email: from.Email}
	if was != nil {
		*contact = *was
	}
	if from.Name != "" && !contact.NameKept {
		contact.Name = from.Name
	}
	contact.CreatedAt = earlier(contact.CreatedAt, at)
	if was != nil && contact.Name == was.Name && contact.CreatedAt.Equal(was.CreatedAt) {
		if since := at.Sub(was.LastSeenAt); since >= 0 && since < seenAccuracy {
			return contact, nil
		}
	}
	if was == nil || was.LastSeenAt.After(c.now) || at.After(was.LastSeenAt) { // the clock may have been set back
		contact.LastSeenAt = at
	}
	return contact, contacts.Replace(c, was, contact)
}

// contactOf is the contact with an address, or nil.
func contactOf(r store.Reader, email string) (*Contact, error) {
	return optional(contacts.First(r, "email", key(loweredAddress(email))))
}

// samePerson is an address that takes part in a ticket and is the sender's own
// besides the one given, or "".
func samePerson(r store.Reader, t *Ticket, email string) (string, error) {
	contact, err := contactOf(r, email)
	if err != nil || contact == nil {
		return "", err
	}
	for _, address := range contact.Addresses() {
		if address != email && slices.Contains(t.Participants, address) {
			return address, nil
		}
	}
	return "", nil
}

// silent reports whether nothing automatic may go to an address, by what its
// contact says.
func silent(r store.Reader, email string) (bool, error) {
	contact, err := contactOf(r, email)
	return contact != nil && contact.NeverAnswer, err
}

// blockContact puts the addresses of a contact on the list of blocked senders,
// or takes them off. A blocked domain stays blocked.
func (c *command) blockContact(contact *Contact, block bool) error {
	for _, address := range contact.Addresses() {
		listed, err := blockedSenders.Has(c, key(address))
		if err != nil || listed == block {
			if err != nil {
				return err
			}
			continue
		}
		if err := c.actor.may("block a sender", PermitSpam); err != nil {
			return err
		}
		if block {
			err = c.block(address, 0)
		} else if err = blockedSenders.Delete(c, key(address)); err == nil {
			_, err = c.record(Event{Kind: EventSenderUnblocked, Data: map[string]string{"sender": address}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isBlocked reports whether mail from each address of a contact goes to spam.
func isBlocked(r store.Reader, contact *Contact) (bool, error) {
	for _, address := range contact.Addresses() {
		if pattern, err := blockedBy(r, address); err != nil || pattern == "" {
			return false, err
		}
	}
	return true, nil
}
