package helpdesk

import (
	"encoding/json"
	"errors"
	"strings"
)

// keptError is an Error's sentence in a record.
type keptError struct {
	Key  string `json:"key"`
	Args []any  `json:"args,omitempty"`
}

// KeepError returns the sentence of a refusal as a text for a record: its key and
// arguments as JSON, or "" for an error that has no sentence in the catalogues.
func KeepError(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Key == "" {
		return ""
	}
	kept, err := json.Marshal(keptError{e.Key, e.Args})
	if err != nil { // an argument without a text: the message has to do
		return ""
	}
	return string(kept)
}

// KeptError returns the refusal that KeepError kept, with message as its text in
// English. Without a kept sentence the message is all it says.
func KeptError(kept, message string) *Error {
	e := &Error{Code: CodeConflict, Message: message}
	decoder := json.NewDecoder(strings.NewReader(kept))
	decoder.UseNumber()
	var k keptError
	if decoder.Decode(&k) != nil {
		return e
	}
	for i, arg := range k.Args {
		number, ok := arg.(json.Number)
		if !ok {
			continue
		}
		if whole, err := number.Int64(); err == nil {
			k.Args[i] = whole
		} else if k.Args[i], err = number.Float64(); err != nil {
			k.Args[i] = number.String()
		}
	}
	e.Key, e.Args = k.Key, k.Args
	return e
}
