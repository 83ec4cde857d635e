package helpdesk

import (
	"errors"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// ofThirdParty reports whether a mail from outside is a third party's: its
// author came in with a forwarded mail, or answers one and takes no part yet.
func (c *command) ofThirdParty(t *Ticket, m *Message) (bool, error) {
	switch {
	case len(t.ThirdParties) == 0 || m.Reason == ReasonLogged:
		return false, nil
	case slices.Contains(t.ThirdParties, m.From.Email):
		return true, nil
	case slices.Contains(t.Participants, m.From.Email):
		return false, nil
	}
	via, err := optional(messages.Get(c, key(m.Via)))
	if err != nil || via == nil || !via.ThirdParty {
		return false, err
	}
	own, err := customerAddresses(c, t)
	return !slices.Contains(own, m.From.Email), err
}

// bringsIn notes of those who take part since before, by a message of the
// exchange with third parties, that they are such.
func (c *command) bringsIn(t *Ticket, m *Message, before int) error {
	if !m.ThirdParty || len(t.Participants) == before {
		return nil
	}
	own, err := customerAddresses(c, t)
	if err != nil {
		return err
	}
	for _, email := range t.Participants[before:] {
		if !slices.Contains(own, email) {
			t.ThirdParties = appendNew(t.ThirdParties, email)
		}
	}
	return nil
}

// customerAddresses are those of the ticket's contact.
func customerAddresses(r store.Reader, t *Ticket) ([]string, error) {
	contact, err := optional(contacts.Get(r, key(t.ContactID)))
	if err != nil || contact == nil {
		return nil, err
	}
	return contact.Addresses(), nil
}

// toThirdParties reports whether a reply goes to third parties alone.
func (r *Reply) toThirdParties(t *Ticket) bool {
	if r.Opening != nil || len(r.To) == 0 {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(r.To, r.Cc, r.Bcc), func(a Address) bool {
		return !slices.Contains(t.ThirdParties, strings.ToLower(a.Email))
	})
}

// newestOfThirdParty is the newest message of the exchange with those whom a
// reply goes to, nil where there is none.
func (r *Reply) newestOfThirdParty(s store.Reader) (*Message, error) {
	for m, err := range messages.ScanIndex(s, "ticket", store.Prefix(key(r.Ticket)).Reversed()) {
		if err != nil {
			return nil, err
		}
		if !m.ThirdParty || m.State != MessagePosted {
			continue
		}
		with := append(recipientsOf(m), m.ReplyTo)
		if m.Direction == Inbound {
			with = []string{m.From.Email, m.ReplyTo}
		}
		if slices.ContainsFunc(r.To, func(a Address) bool { return slices.Contains(with, strings.ToLower(a.Email)) }) {
			return m, nil
		}
	}
	return nil, nil
}

// mixes warns where what is written reaches the other side than it is meant for.
func (r *Reply) mixes(s store.Reader) (list []Warning, err error) {
	if r.Opening != nil {
		return nil, nil
	}
	t, err := tickets.Get(s, key(r.Ticket))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	own, err := customerAddresses(s, t)
	if err != nil || r.Forward == "" && r.toThirdParties(t) {
		return nil, err
	}
	for _, a := range slices.Concat(r.To, r.Cc, r.Bcc) {
		email := strings.ToLower(a.Email)
		third := slices.Contains(t.ThirdParties, email)
		switch {
		case r.Forward == "" && third:
			list = append(list, Warning{WarnThirdParty, a.Email})
		case r.Forward != "" && !third && (slices.Contains(t.Participants, email) || slices.Contains(own, email)):
			list = append(list, Warning{WarnCustomer, a.Email})
		}
	}
	return list, nil
}

// goesOutside reports whether a third party is among recipients, or none of them is of the
// customer's side or a colleague: what the customer wrote is not for them. Nobody has to
// be known as a third party before they are one.
func goesOutside(r store.Reader, t *Ticket, recipients []Address) (bool, error) {
	contact, err := contacts.Get(r, key(t.ContactID))
	if err != nil {
		return false, err
	}
	company, err := companyOf(r, contact)
	if err != nil {
		return false, err
	}
	inside := len(recipients) == 0
	for _, a := range recipients {
		email := loweredAddress(a.Email)
		if slices.Contains(t.ThirdParties, email) {
			return true, nil
		}
		colleague, err := isColleague(r, email)
		if err != nil {
			return false, err
		}
		inside = inside || colleague || slices.Contains(t.Participants, email) || slices.Contains(contact.Addresses(), email) || ofHouse(contact, company, email)
	}
	return !inside, nil
}

// ofHouse reports whether an address is of the same house as a contact, whose company is
// known or is told by a domain where not everybody gets an address.
func ofHouse(contact *Contact, company *Company, email string) bool {
	domain := domainOf(email)
	if company != nil && slices.Contains(company.Domains, domain) {
		return true
	}
	return domain != "" && domain == domainOf(contact.Email) && !FreeMail(domain)
}
