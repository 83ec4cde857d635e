package migrate

import (
	"encoding/json"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// named is a record that others mean by its id: an organization, a customer with a
// company.
type named struct {
	ID      number `json:"id"`
	Name    string `json:"name"`
	Company string `json:"company"`
}

// fieldOf describes a custom field, as each of the systems writes it.
type fieldOf struct {
	ID       number `json:"id"`
	Title    string `json:"title"`   // Zendesk
	Name     string `json:"name"`    // Zammad: the key in a ticket
	Display  string `json:"display"` // Zammad
	Object   string `json:"object"`
	Editable bool   `json:"editable"` // Zammad: it is not one of its own
	Options  []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"custom_field_options"`
}

// valuesOf are the values of a custom field, none for null, false and "". Zendesk writes
// choices by their tags, which names says the names of.
func valuesOf(raw json.RawMessage, names map[string]string) (values []string) {
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber() // as it is written
	if decoder.Decode(&value) != nil {
		return nil
	}
	list, many := value.([]any)
	if !many {
		list = []any{value}
	}
	for _, v := range list {
		var text string
		switch v := v.(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		case bool:
			if v {
				text = "yes"
			}
		}
		if name, known := names[text]; known {
			text = name
		}
		if text != "" {
			values = append(values, text)
		}
	}
	return values
}

// addField adds the values of a field, where there are any.
func addField(t *helpdesk.ImportedTicket, name string, values []string) {
	if name == "" || len(values) == 0 {
		return
	}
	if t.Fields == nil {
		t.Fields = helpdesk.FieldValues{}
	}
	t.Fields[name] = values
}
