package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Recipient is somebody to whom a reply may go.
type Recipient struct {
	Name, Email, Company string
	// TakesPart says that they are in the conversation already.
	TakesPart bool
	// ThirdParty says that they came in with a mail that was forwarded.
	ThirdParty bool
}

const (
	maxSuggested = 8
	// maxRecent is how many tickets are looked at for people by their name: those
	// that changed last.
	maxRecent = 400
)

// SuggestRecipients returns those to whom a mail on a ticket may go, whose name,
// address or company holds q: who takes part in the ticket, then contacts of
// recent tickets, then contacts whose address begins so. Without q it returns
// those who take part.
func (d *Desk) SuggestRecipients(ctx context.Context, a Actor, ticket uint64, q string) (list []Recipient, err error) {
	if err := a.mayRead("contacts"); err != nil {
		return nil, err
	}
	q = strings.ToLower(strings.TrimSpace(q))
	err = d.view(ctx, func(r store.Reader) error {
		s := suggestions{reader: r, query: q, seen: map[string]bool{}}
		if t, err := tickets.Get(r, key(ticket)); err == nil {
			if err := s.participants(t); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if q != "" {
			if err := s.recent(); err != nil {
				return err
			}
			if err := s.byAddress(); err != nil {
				return err
			}
		}
		list = s.list
		return nil
	})
	return list, err
}

type suggestions struct {
	reader store.Reader
	query  string
	seen   map[string]bool
	list   []Recipient
}

func (s *suggestions) add(found Recipient) {
	if s.full() || found.Email == "" || s.seen[found.Email] || checkAddress("to", found.Email) != nil {
		return
	}
	if !strings.Contains(strings.ToLower(found.Name+"\n"+found.Email+"\n"+found.Company), s.query) {
		return
	}
	s.seen[found.Email] = true
	s.list = append(s.list, found)
}

func (s *suggestions) full() bool { return len(s.list) >= maxSuggested }

func (s *suggestions) participants(t *Ticket) error {
	if contact, err := contacts.Get(s.reader, key(t.ContactID)); err != nil {
		return err
	} else if contact.Email != "" {
		s.add(Recipient{Name: contact.Name, Email: contact.Email, Company: contact.Company, TakesPart: true})
	}
	for _, email := range t.Participants {
		found := Recipient{Email: email, TakesPart: true, ThirdParty: slices.Contains(t.ThirdParties, email)}
		contact, err := contacts.First(s.reader, "email", key(email))
		if err == nil {
			found.Name, found.Company = contact.Name, contact.Company
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.add(found)
	}
	return nil
}

// recent finds people by name among those of the tickets that changed last.
func (s *suggestions) recent() error {
	for _, state := range []TicketState{StateOpen, StateClosed} {
		left := maxRecent / 2
		for t, err := range tickets.ScanIndex(s.reader, "state", store.Prefix(key(string(state)))) {
			if err != nil {
				return err
			}
			if left--; left < 0 || s.full() {
				break
			}
			contact, err := contacts.Get(s.reader, key(t.ContactID))
			if err != nil {
				return err
			}
			s.add(Recipient{Name: contact.Name, Email: contact.Email, Company: contact.Company})
		}
	}
	return nil
}

func (s *suggestions) byAddress() error {
	from := store.Prefix(store.Key{}.TextPrefix(s.query))
	for contact, err := range contacts.ScanIndex(s.reader, "email", from) {
		if err != nil {
			return err
		}
		if s.full() {
			return nil
		}
		s.add(Recipient{Name: contact.Name, Email: contact.Email, Company: contact.Company})
	}
	return nil
}
