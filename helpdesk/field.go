package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// FieldKind is what a custom field holds.
type FieldKind string

// The field kinds, with how a value is written in a record.
const (
	FieldText     FieldKind = "text"     // one line, or several
	FieldNumber   FieldKind = "number"   // a decimal number: "-12.5"
	FieldDate     FieldKind = "date"     // RFC 3339: "2026-11-22"
	FieldChoice   FieldKind = "choice"   // the id of a choice
	FieldChoices  FieldKind = "choices"  // the ids of choices
	FieldCheckbox FieldKind = "checkbox" // "yes", or no value at all
	FieldLink     FieldKind = "link"     // an http or https address
)

// FieldKinds are all kinds, in the order in which they are offered.
var FieldKinds = []FieldKind{FieldText, FieldNumber, FieldDate, FieldChoice, FieldChoices, FieldCheckbox, FieldLink}

// FieldOwner is what has a field.
type FieldOwner string

// The owners of fields.
const (
	FieldOfTicket  FieldOwner = "ticket"
	FieldOfContact FieldOwner = "contact"
)

// Field is a custom field of tickets or of contacts.
type Field struct {
	ID    string
	Owner FieldOwner
	Name  string // unique for its owner
	Kind  FieldKind
	Hint  string // a few words beneath the input
	// Choices are those of FieldChoice and FieldChoices. One that was removed
	// stays, retired: values may have it.
	Choices []FieldOption
	// Required keeps a ticket from being closed by a person without a value.
	Required  bool
	Position  int
	CreatedAt time.Time
}

// FieldOption is one choice of a field.
type FieldOption struct {
	ID, Name string
	Retired  bool `cbor:",omitempty"`
}

// FieldValues are the values of custom fields by field id; a field without one
// is not in it.
type FieldValues map[string][]string

var fields = store.NewTable(store.Spec[Field]{Name: "field", Version: 1,
	Key: func(f *Field) []byte { return key(f.ID) },
	Indexes: []store.Index[Field]{
		{Name: "name", Unique: true, Keys: func(f *Field) [][]byte { return one(key(string(f.Owner), strings.ToLower(f.Name))) }},
	}})

// Fields returns the fields of tickets and of contacts, each in their order.
func (d *Desk) Fields(ctx context.Context, a Actor) ([]Field, error) {
	if err := a.mayRead("fields"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, fields, compareFields)
}

func compareFields(a, b Field) int {
	return cmp.Or(-cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
}

// fieldsOf are the fields of an owner, in their order.
func fieldsOf(r store.Reader, owner FieldOwner) (list []Field, err error) {
	for f, err := range fields.ScanIndex(r, "name", store.Prefix(key(string(owner)))) {
		if err != nil {
			return nil, err
		}
		list = append(list, *f)
	}
	slices.SortStableFunc(list, compareFields)
	return list, nil
}

// Limits of fields.
const (
	maxFields       = 100 // of tickets, of contacts
	maxFieldName    = 60  // characters
	maxFieldHint    = 200 // characters
	maxFieldChoices = 200
)

// SaveField creates a field, or replaces the one with the same ID. Its owner
// and kind stay: values are written after them. Choices without an ID are new;
// those left out are retired.
func (d *Desk) SaveField(ctx context.Context, a Actor, f Field) (saved *Field, err error) {
	if err := a.may("change fields", PermitFields); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		saved, err = c.saveField(f)
		return err
	})
	return saved, err
}

func (c *command) saveField(f Field) (*Field, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	siblings, err := fieldsOf(c, f.Owner)
	if err != nil {
		return nil, err
	}
	before := &Field{}
	if f.ID == "" {
		if len(siblings) >= maxFields {
			return nil, conflict("too_many_fields", "there are %d fields; the limit is %d", len(siblings), maxFields)
		}
		f.ID, f.CreatedAt, f.Position = c.desk.newID(), c.now, len(siblings)
	} else {
		if before, err = c.field(f.ID); err != nil {
			return nil, err
		}
		if err := c.unchanged("field", before.Version()); err != nil {
			return nil, err
		}
		if before.Kind != f.Kind || before.Owner != f.Owner {
			return nil, conflict("field_kind_fixed", "field %q stays of kind %q; make a new field for another kind", before.Name, before.Kind)
		}
		f.CreatedAt, f.Position = before.CreatedAt, before.Position
	}
	if slices.ContainsFunc(siblings, func(s Field) bool { return s.ID != f.ID && strings.EqualFold(s.Name, f.Name) }) {
		return nil, conflict("field_taken", "there is a field %q already", f.Name)
	}
	f.Choices = c.keepChoices(before.Choices, f.Choices)
	if err := fields.Put(c, &f); err != nil {
		return nil, err
	}
	_, err = c.record(Event{Kind: EventFieldSaved, Data: changesOf(change{"name", before.Name, f.Name}, change{"kind", string(before.Kind), string(f.Kind)},
		change{"hint", before.Hint, f.Hint}, change{"choices", choiceNames(before.Choices), choiceNames(f.Choices)},
		change{"required", yesNo(before.Required), yesNo(f.Required)}).with("field", f.Name).with("of", string(f.Owner))})
	return &f, err
}

// check tidies f and refuses what no field can be.
func (f *Field) check() error {
	f.Name, f.Hint = strings.Join(strings.Fields(f.Name), " "), strings.Join(strings.Fields(f.Hint), " ")
	switch {
	case f.Owner != FieldOfTicket && f.Owner != FieldOfContact:
		return invalid("owner", "field_owner", "a field is of a ticket or of a contact, not of %q", f.Owner)
	case !slices.Contains(FieldKinds, f.Kind):
		return invalid("kind", "field_kind", "the kind %q is not one of %v", f.Kind, FieldKinds)
	case f.Name == "":
		return invalid("name", "name_empty", "the field has no name")
	case utf8.RuneCountInString(f.Name) > maxFieldName:
		return invalid("name", "field_name_long", "the name %q has more than %d characters", f.Name, maxFieldName)
	case utf8.RuneCountInString(f.Hint) > maxFieldHint:
		return invalid("hint", "field_hint_long", "the hint has more than %d characters", maxFieldHint)
	}
	if f.Owner == FieldOfContact {
		f.Required = false
	}
	if f.Kind != FieldChoice && f.Kind != FieldChoices {
		f.Choices = nil
		return nil
	}
	return f.checkChoices()
}

func (f *Field) checkChoices() error {
	var kept []FieldOption
	seen := map[string]bool{}
	for _, choice := range f.Choices {
		choice.Name = strings.Join(strings.Fields(choice.Name), " ")
		if choice.Name == "" || choice.Retired {
			continue
		}
		if utf8.RuneCountInString(choice.Name) > maxFieldName {
			return invalid("choices", "field_name_long", "the name %q has more than %d characters", choice.Name, maxFieldName)
		}
		if seen[strings.ToLower(choice.Name)] {
			return invalid("choices", "choice_twice", "the choice %q is there twice", choice.Name)
		}
		seen[strings.ToLower(choice.Name)] = true
		kept = append(kept, choice)
	}
	if len(kept) == 0 {
		return invalid("choices", "no_choices", "field %q has nothing to choose from; write one choice a line", f.Name)
	}
	if len(kept) > maxFieldChoices {
		return invalid("choices", "too_many_choices", "field %q has %d choices; the limit is %d", f.Name, len(kept), maxFieldChoices)
	}
	f.Choices = kept
	return nil
}

// keepChoices gives the choices ids, those of the same name their former one,
// and keeps what was removed, retired.
func (c *command) keepChoices(before, now []FieldOption) []FieldOption {
	now = slices.Clone(now)
	for i := range now {
		if now[i].ID != "" {
			continue
		}
		now[i].ID = c.desk.newID()
		for _, b := range before {
			if strings.EqualFold(b.Name, now[i].Name) {
				now[i].ID = b.ID
			}
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(now, func(n FieldOption) bool { return n.ID == b.ID }) {
			b.Retired = true
			now = append(now, b)
		}
	}
	return now
}

func choiceNames(list []FieldOption) string {
	var names []string
	for _, choice := range list {
		if !choice.Retired {
			names = append(names, choice.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (c *command) field(id string) (*Field, error) {
	f, err := fields.Get(c, key(id))
	return found(f, err, "field", id)
}

// OrderFields puts the fields of an owner into the order of ids; those left out
// come after them.
func (d *Desk) OrderFields(ctx context.Context, a Actor, owner FieldOwner, ids []string) error {
	if err := a.may("order fields", PermitFields); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		list, err := fieldsOf(c, owner)
		if err != nil {
			return err
		}
		before := fieldNames(list)
		place := func(f Field) int {
			if i := slices.Index(ids, f.ID); i >= 0 {
				return i
			}
			return len(ids) + f.Position
		}
		slices.SortStableFunc(list, func(a, b Field) int { return cmp.Compare(place(a), place(b)) })
		if before == fieldNames(list) {
			return nil
		}
		for i := range list {
			list[i].Position = i
			if err := fields.Put(c, &list[i]); err != nil {
				return err
			}
		}
		_, err = c.record(Event{Kind: EventFieldsOrdered, Data: changesOf(change{"order", before, fieldNames(list)}).with("of", string(owner))})
		return err
	})
}

func fieldNames(list []Field) string {
	var names []string
	for _, f := range list {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// DeleteField removes a field. Values that tickets or contacts have stay in
// their records, unseen.
func (d *Desk) DeleteField(ctx context.Context, a Actor, id string) error {
	return deleteRecord(ctx, d, a, "delete fields", PermitFields, id, (*command).field, func(c *command, f *Field) error {
		if err := fields.Delete(c, key(id)); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventFieldDeleted, Data: map[string]string{"field": f.Name, "of": string(f.Owner)}})
		return err
	})
}
