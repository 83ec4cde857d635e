package helpdesk

import (
	"errors"
	"fmt"
	"time"
)

// Code classes an error for those who report it: a handler maps codes to
// status codes in one place.
type Code string

// The codes. Only CodeInternal hides its text from whoever asked.
const (
	CodeNotFound     Code = "not_found"
	CodeInvalid      Code = "invalid"
	CodeConflict     Code = "conflict"
	CodeForbidden    Code = "forbidden"
	CodeUnauthorized Code = "unauthorized"
	CodeLimited      Code = "limited" // too often
	CodeTemporary    Code = "temporary"
	CodeInternal     Code = "internal"
)

// Error is a refusal with its class. Message is a sentence in English that
// says what, where and what to do; Key and Args name the same sentence in the
// interface's catalogue when it has one there.
type Error struct {
	Code    Code
	Message string
	// Field is the input that was wrong, in the words of the API ("address").
	Field string
	// Key names the sentence in the catalogue ("error.alias_taken"), or is empty.
	Key  string
	Args []any
	// Wait is how long whoever did it too often (CodeLimited) has to wait.
	Wait time.Duration
	// Version is that of what is there now, where what the actor has seen was changed meanwhile (Actor.Having).
	Version string
}

// Phrase is an argument of a sentence that the interface has words of its own for: Key names them in the catalogue, Args
// stand in them, and Text is what it says in English.
type Phrase struct {
	Key  string
	Args []any
	Text string
}

// String returns the English words.
func (p Phrase) String() string { return p.Text }

func (e *Error) Error() string { return e.Message }

// Bytes is a size among the Args of an Error: it is said in the units of whoever reads it.
type Bytes int64

// CodeOf returns the class of err: CodeInternal for an error without one, ""
// for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

func invalid(field, key, format string, args ...any) error {
	return &Error{Code: CodeInvalid, Field: field, Key: "error." + key, Args: args, Message: fmt.Sprintf(format, args...)}
}

func notFound(what string, id any) error {
	return &Error{Code: CodeNotFound, Key: "error.not_found", Message: fmt.Sprintf("there is no %s %v", what, id)}
}

func conflict(key, format string, args ...any) error {
	return &Error{Code: CodeConflict, Key: "error." + key, Args: args, Message: fmt.Sprintf(format, args...)}
}
