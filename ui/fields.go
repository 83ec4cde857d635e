package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) fieldValueRoutes(g *echo.Group) {
	g.POST("/tickets/:number/fields", s.setTicketFields)
	g.POST("/contacts/:id/fields", s.setContactFields)
}

// fieldsForm shows the custom fields of a ticket or a contact, and edits them
// in place. The template is "fields-form".
type fieldsForm struct {
	ID     string // of the element
	Title  string
	Action string // where the form is posted
	Back   string
	Fields []fieldValue
	Locked bool // the reader may not change them
	Plain  bool // it is on a page of its own, which is loaded anew
}

// fieldValue is one field with what it holds.
type fieldValue struct {
	ID, Name, Kind, Hint string
	Required             bool
	Missing              bool     // required, and without a value
	Shown                string   // as it is read, "" without a value
	Link                 string   // to follow, for a link
	Value                string   // as the input wants it
	Was                  []string // the values as the reader has seen them; one that is empty for none
	Checked              bool
	Options              []option
}

// newFieldsForm is for a ticket's or a contact's values; nil where there is no
// field at all.
func newFieldsForm(p locale.Printer, all []helpdesk.Field, owner helpdesk.FieldOwner, values helpdesk.FieldValues) *fieldsForm {
	form := &fieldsForm{ID: "fields-" + string(owner), Title: p.T("field.title." + string(owner))}
	for _, f := range all {
		if f.Owner == owner {
			form.Fields = append(form.Fields, newFieldValue(p, f, values[f.ID]))
		}
	}
	if len(form.Fields) == 0 {
		return nil
	}
	return form
}

func newFieldValue(p locale.Printer, f helpdesk.Field, values []string) fieldValue {
	view := fieldValue{ID: f.ID, Name: f.Name, Kind: string(f.Kind), Hint: f.Hint, Required: f.Required, Missing: f.Required && len(values) == 0,
		Shown: strings.Join(f.Shown(values), p.T("field.comma")), Value: strings.Join(values, "\n")}
	view.Was = []string{view.Value}
	switch f.Kind {
	case helpdesk.FieldChoice, helpdesk.FieldChoices:
		view.Was = append([]string{""}, values...)
		for _, choice := range f.Choices {
			chosen := slices.Contains(values, choice.ID)
			if chosen || !choice.Retired {
				view.Options = append(view.Options, option{choice.ID, choice.Name, chosen})
			}
		}
	case helpdesk.FieldCheckbox:
		view.Checked = view.Value == "yes"
		if view.Checked {
			view.Shown = p.T("field.yes")
		}
	case helpdesk.FieldLink:
		view.Link = view.Value
	case helpdesk.FieldDate:
		if day, err := dayIn(p.Zone, view.Value); err == nil {
			view.Shown = p.Date(day)
		}
	}
	return view
}

// givenFields reads the form's values: those of the fields that were filled in otherwise than they were shown. What
// somebody else has written meanwhile into another field stays.
func givenFields(form url.Values) helpdesk.FieldValues {
	given := helpdesk.FieldValues{}
	for _, id := range form["field"] {
		now, was := form["value:"+id], form["was:"+id]
		if was == nil || !slices.Equal(asTyped(now), asTyped(was)) {
			given[id] = now
		}
	}
	return given
}

// asTyped are values as they are compared: browsers end the lines of a form with CR and LF, and an empty field is none.
func asTyped(values []string) (list []string) {
	for _, value := range values {
		if value = strings.ReplaceAll(value, "\r\n", "\n"); value != "" {
			list = append(list, value)
		}
	}
	slices.Sort(list)
	return list
}

func (s *Server) setTicketFields(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	number := ticketNumber(c)
	if _, err := s.desk.Change(c.Request().Context(), visitOf(c).actor(), number, helpdesk.Change{Fields: givenFields(form)}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

func (s *Server) setContactFields(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	if _, err := s.desk.SetContactFields(c.Request().Context(), visitOf(c).actor(), c.Param("id"), givenFields(form)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("back"), "/"))
}

// ticketFields are the forms of the panel: those of the ticket and those of
// its contact.
func (s *Server) ticketFields(ctx context.Context, v *visit, t *helpdesk.TicketView, path string) (ticket, contact *fieldsForm, err error) {
	all, err := s.desk.Fields(ctx, v.actor())
	if err != nil {
		return nil, nil, err
	}
	record := t.Row.Ticket
	if ticket = newFieldsForm(v.Printer, all, helpdesk.FieldOfTicket, record.Fields); ticket != nil {
		ticket.Action, ticket.Back = "/tickets/"+strconv.FormatUint(record.Number, 10)+"/fields", path
		ticket.Locked = record.MergedInto != 0 || !v.may(helpdesk.PermitEdit)
	}
	if contact = newFieldsForm(v.Printer, all, helpdesk.FieldOfContact, t.Row.Contact.Fields); contact != nil {
		contact.Action, contact.Back = "/contacts/"+t.Row.Contact.ID+"/fields", path
		contact.Locked = !v.may(helpdesk.PermitContacts)
	}
	return ticket, contact, nil
}
