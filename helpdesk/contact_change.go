package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/madoguchi/madoguchi/store"
)

// ContactChange is what to change of a contact; nil leaves as it is.
type ContactChange struct {
	Name, Reading, Phone, Notes *string
	Language                    *string // "ja", "en", "zh-Hant" (BCP 47), or ""
	TimeZone                    *string // "Asia/Tokyo", or ""
	// Company is the id or name of a company, NoCompany, or CompanyByDomain.
	Company *string
	// NewCompany is made first; the contact belongs to it then, by its domains where it has any, and Company says nothing.
	NewCompany  *Company
	Tags        *[]string
	Fields      FieldValues
	NeverAnswer *bool
	// Blocked puts the addresses on the list of blocked senders, or takes them off
	// (PermitSpam).
	Blocked *bool
	// Email makes an address of the contact's the main one; where it is a new one,
	// it is added first.
	Email *string
	// Add and Remove are further addresses. What a removed one sends from then on
	// makes a contact of its own.
	Add, Remove []string
}

// The words of ContactChange.Company that are no company.
const (
	NoCompany       = "none"
	CompanyByDomain = "" // the domain of the main address decides
)

// Limits of contacts.
const (
	maxContactText      = 200 // characters of a name, reading or phone
	maxContactAddresses = 20
)

// ChangeContact changes what change names of a contact, and returns it as it is then.
// Refused are texts that are too long (CodeInvalid), addresses and companies that are
// another's, and contacts that were merged into another (CodeConflict).
func (d *Desk) ChangeContact(ctx context.Context, a Actor, id string, change ContactChange) (changed *Contact, err error) {
	if err := a.may("change a contact", PermitContacts); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		contact, err := livingContact(c, id)
		if err != nil {
			return err
		}
		if contact.Blocked, err = isBlocked(c, contact); err != nil {
			return err
		}
		if err := c.unchanged("contact", contact.Version()); err != nil {
			return err
		}
		if err := c.changeContact(contact, change); err != nil {
			return err
		}
		if contact.Blocked, err = isBlocked(c, contact); err != nil {
			return err
		}
		changed = contact
		return nameCompany(c, changed)
	})
	return changed, err
}

// livingContact returns a contact that is part of no other.
func livingContact(r store.Reader, id string) (*Contact, error) {
	contact, err := contacts.Get(r, key(id))
	if contact, err = found(contact, err, "contact", id); err != nil {
		return nil, err
	}
	if !contact.ErasedAt.IsZero() {
		return nil, notFound("contact", id)
	}
	if contact.MergedInto != "" {
		return nil, conflict("contact_merged", "the contact %s was merged into another; change that one", contact.Email)
	}
	return contact, nil
}

func (c *command) changeContact(contact *Contact, change ContactChange) error {
	before := *contact
	before.Others = slices.Clone(contact.Others)
	if err := change.texts(contact); err != nil {
		return err
	}
	if err := c.placeContact(contact, change); err != nil {
		return err
	}
	if change.Tags != nil {
		tags, err := cleanTags(*change.Tags)
		if err != nil {
			return err
		}
		contact.Tags = tags
	}
	if change.NeverAnswer != nil {
		contact.NeverAnswer = *change.NeverAnswer
	}
	if err := c.readdress(contact, change); err != nil {
		return err
	}
	if change.Blocked != nil {
		if err := c.blockContact(contact, *change.Blocked); err != nil {
			return err
		}
	}
	values, changes, err := c.setFields(FieldOfContact, contact.Fields, change.Fields)
	if err != nil {
		return err
	}
	contact.Fields = values
	for _, data := range changes {
		if _, err := c.record(Event{Kind: EventContactField, Data: data.with("contact", contact.Email)}); err != nil {
			return err
		}
	}
	if data := contactChanges(&before, contact); len(data) > 0 {
		if _, err := c.record(Event{Kind: EventContactSaved, Data: data.with("contact", contact.Email)}); err != nil {
			return err
		}
	}
	return contacts.Put(c, contact)
}

func contactChanges(before, now *Contact) details {
	company := func(c *Contact) string {
		if c.CompanyKept && c.CompanyID == "" {
			return NoCompany
		}
		return c.CompanyID
	}
	return changesOf(change{"name", before.Name, now.Name}, change{"reading", before.Reading, now.Reading}, change{"phone", before.Phone, now.Phone},
		change{"language", before.Language, now.Language}, change{"time_zone", before.TimeZone, now.TimeZone}, change{"notes", before.Notes, now.Notes},
		change{"tags", joinTags(before.Tags), joinTags(now.Tags)}, change{"company", company(before), company(now)},
		change{"addresses", joinTags(before.Addresses()), joinTags(now.Addresses())},
		change{"never_answer", yesNo(before.NeverAnswer), yesNo(now.NeverAnswer)})
}

// texts writes what was typed into the contact.
func (change *ContactChange) texts(contact *Contact) error {
	for _, line := range []struct {
		name  string
		given *string
		into  *string
	}{{"name", change.Name, &contact.Name}, {"reading", change.Reading, &contact.Reading}, {"phone", change.Phone, &contact.Phone}} {
		if line.given == nil {
			continue
		}
		text := strings.Join(strings.FieldsFunc(*line.given, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
		if utf8.RuneCountInString(text) > maxContactText {
			return invalid(line.name, "contact_text_long", "the %s has more than %d characters", Phrase{Key: "contact." + line.name, Text: line.name}, maxContactText)
		}
		if line.name == "name" && text != contact.Name {
			contact.NameKept = text != "" // without a name, the next mail may say one again
		}
		*line.into = text
	}
	if change.Notes != nil {
		text := strings.TrimSpace(strings.ReplaceAll(*change.Notes, "\r\n", "\n"))
		if utf8.RuneCountInString(text) > maxNotes {
			return invalid("notes", "notes_long", "the notes have more than %d characters", maxNotes)
		}
		contact.Notes = text
	}
	return change.locale(contact)
}

func (change *ContactChange) locale(contact *Contact) error {
	if change.Language != nil {
		contact.Language = strings.TrimSpace(*change.Language)
		if contact.Language != "" {
			tag, err := language.Parse(contact.Language)
			if err != nil {
				return invalid("language", "contact_language", "%q is no language; write it like ja, en or zh-Hant", contact.Language)
			}
			contact.Language = tag.String()
		}
	}
	if change.TimeZone != nil {
		zone := strings.TrimSpace(*change.TimeZone)
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			return invalid("time_zone", "contact_time_zone", "%q is no time zone; write it like Asia/Tokyo", zone)
		}
		contact.TimeZone = zone
	}
	return nil
}

// placeContact gives the contact the company asked for.
func (c *command) placeContact(contact *Contact, change ContactChange) error {
	switch {
	case change.NewCompany != nil:
		made := Company{Name: change.NewCompany.Name, Domains: slices.Clone(change.NewCompany.Domains), Notes: change.NewCompany.Notes}
		if err := made.check(); err != nil {
			return err
		}
		if err := c.saveCompany(&made); err != nil {
			return err
		}
		contact.CompanyID, contact.CompanyKept = made.ID, true
		if len(made.Domains) > 0 { // the domain says it from now on
			contact.CompanyID, contact.CompanyKept = "", false
		}
		return nil
	case change.Company == nil:
		return nil
	}
	switch wanted := strings.TrimSpace(*change.Company); wanted {
	case CompanyByDomain:
		contact.CompanyID, contact.CompanyKept = "", false
	case NoCompany:
		contact.CompanyID, contact.CompanyKept = "", true
	default:
		company, err := optional(companies.Get(c, key(wanted)))
		if err == nil && company == nil {
			company, err = optional(companies.First(c, "name", key(foldName(wanted))))
		}
		if err != nil {
			return err
		}
		if company == nil {
			return invalid("company", "company_unknown", "there is no company %q; make it first", wanted)
		}
		contact.CompanyID, contact.CompanyKept = company.ID, true
	}
	return nil
}

// readdress adds and removes addresses and chooses the main one.
func (c *command) readdress(contact *Contact, change ContactChange) error {
	list := contact.Addresses()
	add := slices.Clone(change.Add)
	main := contact.Email
	if change.Email != nil {
		main = loweredAddress(strings.TrimSpace(*change.Email))
		add = append(add, main)
	}
	for _, address := range add {
		address = loweredAddress(strings.TrimSpace(address))
		if slices.Contains(list, address) {
			continue
		}
		if err := c.mayTake(contact, address); err != nil {
			return err
		}
		list = append(list, address)
	}
	for _, address := range change.Remove {
		address = loweredAddress(strings.TrimSpace(address))
		if address == main {
			return conflict("contact_main_address", "%s is the main address; choose another one first", address)
		}
		list = slices.DeleteFunc(list, func(a string) bool { return a == address })
	}
	if len(list) > maxContactAddresses {
		return invalid("email", "contact_addresses", "%d addresses; the limit is %d", len(list), maxContactAddresses)
	}
	contact.Email = main
	contact.Others = slices.DeleteFunc(list, func(a string) bool { return a == main })
	return nil
}

// mayTake checks that an address can be a contact's.
func (c *command) mayTake(contact *Contact, address string) error {
	if err := checkAddress("email", address); err != nil {
		return err
	}
	if ours, err := isOurs(c, address); err != nil || ours {
		return errors.Join(err, conflict("contact_address_ours", "%s is an address of our own", address))
	}
	other, err := contactOf(c, address)
	if err != nil {
		return err
	}
	if other != nil && other.ID != contact.ID {
		return conflict("contact_address_taken", "%s belongs to the contact %s; merge the two", address, other.Email)
	}
	return nil
}
