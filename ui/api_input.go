package ui

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Limits of a request's body, in bytes. A reply carries its files in base64,
// which makes them a third larger than the mail's own limit.
const (
	maxAPIBody      = 1_000_000
	maxAPIReplyBody = 40_000_000
)

// readBody decodes a request's one JSON object into a struct. Unknown fields
// are refused, since a mistyped one would be lost in silence. Whatever Content-Type the body is sent with, it is read as
// JSON: what many clients set unasked says nothing of it, and a token, unlike a cookie, is in no form of another site.
func readBody(c echo.Context, limit int64, into any) error {
	r := c.Request()
	if r.ContentLength > limit {
		return bodyTooLarge(limit)
	}
	text := bufio.NewReader(http.MaxBytesReader(c.Response(), r.Body, limit))
	text.Peek(1) // a large body has waited for its memory once it begins
	var whole bytes.Buffer
	whole.Grow(int(max(0, r.ContentLength)) + bytes.MinRead)
	if _, err := whole.ReadFrom(text); err != nil {
		return bodyError(err)
	}
	data := whole.Bytes()
	if at := notUTF8(data); at >= 0 {
		return invalid("", "", fmt.Sprintf("the body is not UTF-8 at byte %d; JSON is UTF-8 (RFC 8259, section 8.1), whatever charset the Content-Type names", at))
	}
	decoder := strictDecoder(bytes.NewReader(data))
	if err := decoder.Decode(into); err != nil {
		return bodyError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "", "the body goes on after its JSON object; send one object")
	}
	if name := keyTwice(data); name != "" {
		return invalid(name, "", fmt.Sprintf("%q is there twice in one object; send it once (RFC 8259, section 4)", name))
	}
	return nil
}

// notUTF8 is where data is no UTF-8, -1 where all of it is. encoding/json would put U+FFFD there, and a customer
// would get a mail of such characters.
func notUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	at := 0
	for {
		if r, size := utf8.DecodeRune(data[at:]); r != utf8.RuneError || size != 1 {
			at += size
			continue
		}
		return at
	}
}

// readable refuses a query that would be understood only in part. What cannot be decoded would be left out in silence,
// and so would a parameter that is not among those of the route: a filter with a slip of the pen answers with everything.
func readable(r *http.Request, known []string) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("", "", fmt.Sprintf("the query of the address cannot be read: %v; percent-encode what is in it (RFC 3986, section 2.1)", err))
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if utf8.ValidString(name) && !slices.Contains(known, name) {
			return unknownParameter(r, name, known)
		}
		for _, value := range values[name] {
			if !utf8.ValidString(name + value) {
				return invalid(strings.ToValidUTF8(name, "?"), "", fmt.Sprintf("%s=%q is not UTF-8; encode it as UTF-8 before percent-encoding", strings.ToValidUTF8(name, "?"), value))
			}
		}
	}
	return nil
}

func unknownParameter(r *http.Request, name string, known []string) error {
	takes := "none"
	if len(known) > 0 {
		takes = strings.Join(known, ", ")
	}
	return invalid(name, "", fmt.Sprintf("%s %s takes no parameter %q in its query; it takes %s", r.Method, r.URL.Path, name, takes))
}

func strictDecoder(r io.Reader) *json.Decoder {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	return decoder
}

func bodyTooLarge(limit int64) error {
	return &apiRefusal{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body has more than %d bytes, which is the limit here", limit)}
}

// bodyError says what of a body is wrong, in the words of JSON.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var known *helpdesk.Error
	switch {
	case errors.As(err, &known): // of a value that reads itself
		return known
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.Is(err, io.EOF):
		return invalid("", "", "the body is empty; send a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return invalid("", "", "the body ends in the middle of its JSON")
	case errors.As(err, &syntax):
		return invalid("", "", fmt.Sprintf("the body is not JSON: %v at byte %d", syntax, syntax.Offset))
	case errors.As(err, &kind) && kind.Field == "":
		return invalid("", "", fmt.Sprintf("the body is a JSON %s; send an object", kind.Value))
	case errors.As(err, &kind):
		return invalid(kind.Field, "", fmt.Sprintf("%s is a JSON %s; it must be %s", kind.Field, kind.Value, jsonKind(kind.Type)))
	}
	// The decoder has no type for this error.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err := strconv.Unquote(name); err == nil {
			return invalid(name, "", fmt.Sprintf("there is no field %q here; /api/v1/openapi.yaml lists the fields", name))
		}
	}
	return invalid("", "", fmt.Sprintf("the body ended early: %v", err))
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Uint64:
		return "a whole number, not negative"
	}
	return "an object"
}

// optional is a field that can be left out, or be null.
type optional[T any] struct {
	Set, Null bool
	Value     T
}

// UnmarshalJSON is called only where the field is there.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.Set, o.Null = true, string(data) == "null"
	if o.Null {
		return nil
	}
	// An object within is as strict as the one around it.
	return strictDecoder(bytes.NewReader(data)).Decode(&o.Value)
}

// pathNumber is the ticket that the path names.
func pathNumber(c echo.Context) (uint64, error) {
	number, err := strconv.ParseUint(c.Param("number"), 10, 64)
	if err != nil {
		return 0, invalid("number", "", fmt.Sprintf("%q is not a ticket's number; write it like 42", c.Param("number")))
	}
	return number, nil
}

// wholeNumber reads a number of the query between least and most.
func wholeNumber(c echo.Context, name string, fallback, least, most uint64) (uint64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, invalid(name, "", fmt.Sprintf("%s=%q is not a whole number from %d to %d", name, text, least, most))
	}
	return n, nil
}

// listLimit is how many items a page of a list has at most.
func listLimit(c echo.Context) (int, error) {
	limit, err := wholeNumber(c, "limit", 50, 1, 200)
	return int(limit), err
}
