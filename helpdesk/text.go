package helpdesk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// writtenAt is when a message was written, in the zone of the house.
func (m *Message) writtenAt(zone *time.Location) time.Time {
	if m.Date.IsZero() {
		return m.At.In(zone)
	}
	return m.Date.In(zone)
}

// attribution introduces a quoted message in the language of its alias.
func attribution(language string, m *Message, zone *time.Location) string {
	at := m.writtenAt(zone)
	who := m.From.Email
	if m.From.Name != "" {
		who = fmt.Sprintf("%s <%s>", m.From.Name, m.From.Email)
	}
	if baseLanguage(language) == "ja" {
		return fmt.Sprintf("%s %s:", japaneseDate(at), who)
	}
	return fmt.Sprintf("On %s, %s wrote:", at.Format("Mon, 2 Jan 2006 at 15:04"), who)
}

func mailAddress(a Address) mail.Address { return mail.Address{Name: a.Name, Address: a.Email} }

func mailAddresses(list []Address) []mail.Address {
	var out []mail.Address
	for _, a := range list {
		out = append(out, mailAddress(a))
	}
	return out
}

func emails(list []Address) string {
	var out []string
	for _, a := range list {
		out = append(out, a.Email)
	}
	return strings.Join(out, ", ")
}

func aliasName(a *Alias) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Address
}

// replyAlias is the alias that a ticket's answers leave from.
func replyAlias(r store.Reader, t *Ticket) (*Alias, error) {
	alias, err := aliases.Get(r, key(t.AliasID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid("ticket", "no_alias", "the alias of ticket %d is gone; mail cannot leave from it", t.Number)
	}
	if err == nil && alias.Disabled {
		return nil, invalid("ticket", "alias_disabled", "alias %s is disabled; enable it to answer", alias.Address)
	}
	return alias, err
}

// answeredMessage is what a mail on a ticket answers: the newest mail of a
// person's, else the newest of our own; nil on a ticket that is only beginning.
func answeredMessage(r store.Reader, ticket uint64) (*Message, error) {
	newest, err := newestCustomerMessage(r, ticket)
	if newest != nil || err != nil {
		return newest, err
	}
	rng := store.Prefix(key(ticket))
	rng.Reverse = true
	for m, err := range messages.ScanIndex(r, "ticket", rng) {
		if err != nil || m.Direction == Outbound && m.State == MessagePosted {
			return m, err
		}
	}
	return nil, nil
}

// answered is the message that a reply answers: the one it was meant for, while
// that is on the ticket.
func (r *Reply) answered(s store.Reader) (*Message, error) {
	if r.Forward != "" { // it begins an exchange of its own
		return nil, nil
	}
	meant, err := optional(messages.Get(s, key(r.answers)))
	if err != nil || meant != nil && meant.Ticket == r.Ticket && meant.State == MessagePosted {
		return meant, err
	}
	t, err := optional(tickets.Get(s, key(r.Ticket)))
	if err != nil {
		return nil, err
	}
	if t != nil && r.toThirdParties(t) {
		return r.newestOfThirdParty(s)
	}
	return answeredMessage(s, r.Ticket)
}

// newestCustomerMessage is the newest mail of the customer's side in the thread, or nil.
func newestCustomerMessage(r store.Reader, ticket uint64) (*Message, error) {
	rng := store.Prefix(key(ticket))
	rng.Reverse = true
	for m, err := range messages.ScanIndex(r, "ticket", rng) {
		if err != nil {
			return nil, err
		}
		if m.Direction == Inbound && m.State == MessagePosted && (m.Kind == KindPerson || m.Kind == KindList) && m.Channel == "mail" && m.Reason != ReasonLogged && !m.ThirdParty {
			return m, nil
		}
	}
	return nil, nil
}

// defaultRecipient is whom an answer goes to when nobody says otherwise: the
// Reply-To of the newest customer message (RFC 5322, section 3.6.2), unless
// that is an address of ours; else its author; else the ticket's contact.
func defaultRecipient(r store.Reader, t *Ticket, newest *Message) ([]Address, error) {
	if newest != nil {
		for _, a := range []Address{{Name: newest.From.Name, Email: newest.ReplyTo}, newest.From} {
			if a.Email == "" || checkAddress("to", a.Email) != nil {
				continue
			}
			if ours, err := isOurs(r, a.Email); err != nil || !ours {
				return []Address{a}, err
			}
		}
	}
	contact, err := contacts.Get(r, key(t.ContactID))
	if err != nil || contact.Email == "" || checkAddress("to", contact.Email) != nil {
		return nil, err
	}
	return []Address{{Name: contact.Name, Email: contact.Email}}, nil
}
