package helpdesk

import (
	"context"
	"errors"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// quotedAddresses are the index keys of addresses whose local part is quoted.
var quotedAddresses = store.Prefix([]byte{'"'})

// upgradeContacts gives contacts the plain form of their addresses, by which mail finds them:
// a store of before may hold one with quotes that it does not need ("taro"@example.jp), and
// another contact for the same mailbox without. Such two are merged.
func (d *Desk) upgradeContacts(ctx context.Context) error {
	var ids []string
	err := d.view(ctx, func(r store.Reader) error {
		ids = nil
		for contact, err := range contacts.ScanIndex(r, "email", quotedAddresses) {
			if err != nil {
				return err
			}
			plain, other, err := plainAddresses(r, contact)
			if err != nil {
				return err
			}
			if len(plain) > 0 || other != nil {
				ids = appendNew(ids, contact.ID)
			}
		}
		return nil
	})
	for _, id := range ids {
		if err == nil {
			err = d.upgradeContact(ctx, id)
		}
	}
	return err
}

// plainAddresses are the plain forms that nobody has of a contact's addresses, and somebody
// else who has one of them, or nil.
func plainAddresses(r store.Reader, contact *Contact) (free []string, other *Contact, err error) {
	for _, address := range contact.Addresses() {
		plain := mail.PlainAddress(address)
		if plain == address {
			continue
		}
		owner, err := contactOf(r, plain)
		switch {
		case err != nil:
			return nil, nil, err
		case owner == nil:
			free = appendNew(free, plain)
		case owner.ID != contact.ID:
			other = owner
		}
	}
	return free, other, nil
}

// upgradeContact mends one contact. The quoted form stays among its addresses: tickets name
// by it who takes part.
func (d *Desk) upgradeContact(ctx context.Context, id string) error {
	var was, now string
	err := d.update(ctx, System("upgrade"), func(c *command) error {
		contact, err := livingContact(c, id)
		if err != nil {
			return err
		}
		was, now = contact.Email, mail.PlainAddress(contact.Email)
		free, other, err := plainAddresses(c, contact)
		if err != nil {
			return err
		}
		if len(free) > 0 {
			if err := c.addPlain(contact, free); err != nil {
				return err
			}
		}
		if other == nil {
			return nil
		}
		now = other.Email
		_, err = c.mergeContacts(contact.ID, other.ID)
		return err
	})
	if refused := (*Error)(nil); errors.As(err, &refused) {
		d.log.WarnContext(ctx, "two contacts of the same mailbox stay apart; merge them by hand", "contact", was, "problem", refused.Message)
		return nil
	}
	if err == nil {
		d.log.InfoContext(ctx, "contact kept by its address without quotes", "contact", now, "was", was)
	}
	return err
}

// addPlain adds addresses to a contact; that which is its main address without the quotes
// takes its place.
func (c *command) addPlain(contact *Contact, free []string) error {
	before := *contact
	list := contact.Addresses()
	if main := mail.PlainAddress(contact.Email); main == free[0] {
		contact.Email, contact.Others = main, appendNew(list, free[1:]...)
	} else {
		contact.Others = appendNew(contact.Others, free...)
	}
	if err := contacts.Put(c, contact); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventContactSaved, Data: contactChanges(&before, contact).with("contact", contact.Email)})
	return err
}
