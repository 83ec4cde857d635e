package ui

import (
	"encoding/json"
	"fmt"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiFieldValue is a value of a custom field as programs send it: a text, a
// number, true or false, a list of texts, or null to take it away.
type apiFieldValue []string

// UnmarshalJSON reads what a value can be.
func (v *apiFieldValue) UnmarshalJSON(data []byte) error {
	var read any
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*v = apiFieldValue{}
	add := func(x any) error {
		switch x := x.(type) {
		case string:
			*v = append(*v, x)
		case bool:
			*v = append(*v, map[bool]string{true: "yes", false: "no"}[x])
		case float64:
			*v = append(*v, string(data)) // as it is written, not as it is rounded
		default:
			return invalid("fields", "", fmt.Sprintf("a field's value is a text, a number, true, false, a list of texts or null, not %s", data))
		}
		return nil
	}
	switch x := read.(type) {
	case nil:
		return nil
	case []any:
		for _, each := range x {
			if _, ok := each.(string); !ok {
				return invalid("fields", "", fmt.Sprintf("a field's list holds texts, not %s", data))
			}
			if err := add(each); err != nil {
				return err
			}
		}
		return nil
	default:
		return add(x)
	}
}

func fieldValues(given map[string]apiFieldValue) helpdesk.FieldValues {
	if len(given) == 0 {
		return nil
	}
	values := helpdesk.FieldValues{}
	for name, value := range given {
		values[name] = value
	}
	return values
}

// fieldsJSON are an owner's values by the fields' names; fields without one
// are left out.
func fieldsJSON(all []helpdesk.Field, owner helpdesk.FieldOwner, values helpdesk.FieldValues) map[string]any {
	out := map[string]any{}
	for _, f := range all {
		value, ok := values[f.ID]
		if f.Owner != owner || !ok {
			continue
		}
		shown := f.Shown(value)
		switch {
		case f.Kind == helpdesk.FieldChoices:
			out[f.Name] = shown
		case f.Kind == helpdesk.FieldCheckbox:
			out[f.Name] = true
		case len(shown) > 0:
			out[f.Name] = shown[0]
		}
	}
	return out
}
