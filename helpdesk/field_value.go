package helpdesk

import (
	"context"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxFieldText is in characters.
const maxFieldText = 2000

// Shown are the words for a field's values: names for choices, what is
// written for the rest.
func (f *Field) Shown(values []string) []string {
	if f.Kind != FieldChoice && f.Kind != FieldChoices {
		return values
	}
	var names []string
	for _, value := range values {
		for _, choice := range f.Choices {
			if choice.ID == value {
				names = append(names, choice.Name)
			}
		}
	}
	return names
}

// read understands what was typed or sent for a field; nothing is no value.
func (f *Field) read(typed []string) ([]string, error) {
	var values []string
	for _, text := range typed {
		text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
		if text == "" {
			continue
		}
		value, err := f.readOne(text)
		if err != nil {
			return nil, err
		}
		if value != "" {
			values = appendNew(values, value)
		}
	}
	if len(values) > 1 && f.Kind != FieldChoices {
		return nil, f.refuse("field_one", "field %q takes one value, not %d", f.Name, len(values))
	}
	return values, nil
}

func (f *Field) refuse(key, format string, args ...any) error {
	return invalid("fields."+f.Name, key, format, args...)
}

func (f *Field) readOne(text string) (string, error) {
	switch f.Kind {
	case FieldNumber:
		plain := strings.NewReplacer(",", "", " ", "", "−", "-").Replace(norm.NFKC.String(text))
		n, ok := new(big.Rat).SetString(plain)
		if !ok || strings.ContainsAny(plain, "/eExXpPbBoO_") || len(plain) > 40 {
			return "", f.refuse("field_number", "field %q wants a number such as 1200 or -3.5, not %q", f.Name, text)
		}
		if _, decimals, ok := strings.Cut(plain, "."); ok {
			return n.FloatString(len(decimals)), nil
		}
		return n.FloatString(0), nil
	case FieldDate:
		plain := strings.NewReplacer("/", "-", "年", "-", "月", "-", "日", "").Replace(norm.NFKC.String(text))
		for _, layout := range []string{time.DateOnly, "2006-1-2"} {
			if day, err := time.Parse(layout, plain); err == nil {
				return day.Format(time.DateOnly), nil
			}
		}
		return "", f.refuse("field_date", "field %q wants a date such as 2026-11-22, not %q", f.Name, text)
	case FieldChoice, FieldChoices:
		for _, choice := range f.Choices {
			if choice.ID == text || strings.EqualFold(choice.Name, text) {
				return choice.ID, nil
			}
		}
		return "", f.refuse("field_choice", "field %q has no choice %q; it has %s", f.Name, text, choiceNames(f.Choices))
	case FieldCheckbox:
		switch strings.ToLower(text) {
		case "yes", "true", "1", "on":
			return "yes", nil
		case "no", "false", "0", "off":
			return "", nil
		}
		return "", f.refuse("field_checkbox", "field %q is either yes or no, not %q", f.Name, text)
	case FieldLink:
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || len(text) > maxFieldText {
			return "", f.refuse("field_link", "field %q wants an address that begins with https://, not %q", f.Name, text)
		}
		return u.String(), nil
	}
	if n := utf8.RuneCountInString(text); n > maxFieldText {
		return "", f.refuse("field_text", "field %q has %d characters; the limit is %d", f.Name, n, maxFieldText)
	}
	return text, nil
}

// setFields returns before with the values given, by field id or name, and
// what changed. An empty list takes a value away.
func (c *command) setFields(owner FieldOwner, before, given FieldValues) (FieldValues, []details, error) {
	list, err := fieldsOf(c, owner)
	if err != nil {
		return nil, nil, err
	}
	now := maps.Clone(before)
	if now == nil {
		now = FieldValues{}
	}
	var changes []details
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(list, func(f Field) bool { return f.ID == name || strings.EqualFold(f.Name, name) })
		if i < 0 {
			return nil, nil, invalid("fields", "field_unknown", "there is no field %q; there are: %s", name, fieldNames(list))
		}
		f := &list[i]
		values, err := f.read(given[name])
		if err != nil {
			return nil, nil, err
		}
		if slices.Equal(now[f.ID], values) {
			continue
		}
		changes = append(changes, details{"field": f.Name,
			"from": clipDetail(strings.Join(f.Shown(now[f.ID]), ", ")), "to": clipDetail(strings.Join(f.Shown(values), ", "))})
		if len(values) == 0 {
			delete(now, f.ID)
		} else {
			now[f.ID] = values
		}
	}
	return now, changes, nil
}

// fillIn sets fields of a ticket and says so.
func (c *command) fillIn(t *Ticket, given FieldValues) error {
	values, changes, err := c.setFields(FieldOfTicket, t.Fields, given)
	if err != nil {
		return err
	}
	t.Fields = values
	for _, data := range changes {
		if _, err := c.record(Event{Kind: EventTicketField, Ticket: t.Number, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// mayClose checks that a ticket has what its fields require before a person
// closes it.
func (c *command) mayClose(t *Ticket, to Stage) error {
	if to.Kind != StageClosed || !t.Open || c.actor.Kind != ActorUser {
		return nil
	}
	list, err := fieldsOf(c, FieldOfTicket)
	if err != nil {
		return err
	}
	var lacking []string
	for _, f := range list {
		if f.Required && len(t.Fields[f.ID]) == 0 {
			lacking = append(lacking, f.Name)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return invalid("fields", "fields_required", "ticket %d cannot be closed before these fields have a value: %s", t.Number, strings.Join(lacking, ", "))
}

// SetContactFields sets custom fields of a contact, by field id or name. An
// empty list takes a value away.
func (d *Desk) SetContactFields(ctx context.Context, a Actor, id string, given FieldValues) (*Contact, error) {
	return d.ChangeContact(ctx, a, id, ContactChange{Fields: given})
}
