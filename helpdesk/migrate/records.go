package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// records yields the objects of a JSON file: one a line, an array of them, or objects
// that hold an array of them under one of the names (pages of an API), perhaps in
// "_embedded". What is no such JSON ends it with an error that says at which byte.
func records[T any](file io.Reader, names ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		reader := bufio.NewReaderSize(file, 1<<20)
		decoder := json.NewDecoder(reader)
		fail := func(err error) { yield(zero, fmt.Errorf("byte %d: %w", decoder.InputOffset(), err)) }
		for {
			if next, err := peek(decoder, reader); errors.Is(err, io.EOF) {
				return
			} else if next == '[' {
				if _, err := decoder.Token(); err != nil {
					fail(err)
					return
				}
				for decoder.More() {
					var record T
					if err := decoder.Decode(&record); err != nil {
						fail(err)
						return
					}
					if !yield(record, nil) {
						return
					}
				}
				if _, err := decoder.Token(); err != nil {
					fail(err)
					return
				}
				continue
			}
			var raw json.RawMessage
			if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				fail(err)
				return
			}
			list, err := page[T](raw, names)
			if err != nil {
				fail(err)
				return
			}
			for _, record := range list {
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// peek returns the first character of what the decoder reads next.
func peek(decoder *json.Decoder, reader *bufio.Reader) (byte, error) {
	rest := bufio.NewReader(io.MultiReader(decoder.Buffered(), peeked{reader}))
	for {
		b, err := rest.ReadByte()
		if err != nil || !strings.ContainsRune(" \t\r\n\ufeff", rune(b)) {
			return b, err
		}
	}
}

// peeked reads what is next without taking it.
type peeked struct{ *bufio.Reader }

func (p peeked) Read(into []byte) (int, error) {
	ahead, err := p.Peek(min(len(into), 64))
	if len(ahead) == 0 {
		return 0, err
	}
	return copy(into, ahead), io.EOF
}

// page returns the records of an object: itself, or those that it holds.
func page[T any](raw json.RawMessage, names []string) ([]T, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	if embedded, found := fields["_embedded"]; found {
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(embedded, &inner); err != nil {
			return nil, err
		}
		for _, name := range names {
			if list, found := inner[name]; found {
				fields = map[string]json.RawMessage{name: list}
			}
		}
	}
	for _, name := range names {
		if list, found := fields[name]; found {
			var out []T
			return out, json.Unmarshal(list, &out)
		}
	}
	var record T
	err := json.Unmarshal(raw, &record)
	return []T{record}, err
}

// number is an id that is written as a number or as text.
type number string

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" {
		text = ""
	}
	*n = number(text)
	return nil
}

// isName tells whether the id can stand in the name of a file as it is.
func (n number) isName() bool { return n != "" && !strings.ContainsAny(string(n), `/\*?[].`) }

// moment is a time that may be missing, or written in one of several ways.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" || text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			m.Time = at
			return nil
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		m.Time = time.Unix(seconds, 0)
		return nil
	}
	return fmt.Errorf("%q is no time", text)
}
