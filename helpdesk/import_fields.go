package helpdesk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// importFields fills in the custom fields of this house that have the name of one there.
// What is no value of such a field is left out, and said.
func (c *command) importFields(ticket *Ticket, t ImportedTicket, done *ImportOutcome) error {
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		values, _, err := c.setFields(FieldOfTicket, ticket.Fields, FieldValues{name: t.Fields[name]})
		if _, refused := errors.AsType[*Error](err); refused {
			done.Left = append(done.Left, fmt.Sprintf("its field %q with %q: %v", name, strings.Join(t.Fields[name], ", "), err))
			continue
		}
		if err != nil {
			return err
		}
		ticket.Fields = values
	}
	return nil
}

// importCompany gives the contact of an imported ticket their company there, which is found
// by its name, or made. One whom this house has given a company keeps that.
func (c *command) importCompany(contact *Contact, t ImportedTicket, done *ImportOutcome) error {
	name := strings.TrimSpace(t.Company)
	if name == "" || contact.CompanyKept {
		return nil
	}
	if has, err := companyOf(c, contact); err != nil || has != nil {
		return err
	}
	id, err := c.companyNamed(name, &ImportReport{})
	if _, refused := errors.AsType[*Error](err); refused {
		done.Left = append(done.Left, fmt.Sprintf("the company %q of its customer: %v", name, err))
		return nil
	}
	if err != nil {
		return err
	}
	contact.CompanyID, contact.CompanyKept = *id, true
	return contacts.Put(c, contact)
}
