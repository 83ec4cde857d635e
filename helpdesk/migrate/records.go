package migrate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// counted counts the bytes that are read, for the progress.
type counted struct {
	io.Reader
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

// records yields the objects of a JSON file: one a line, an array of them, or objects
// that hold an array of them under one of the names (pages of an API), perhaps in
// "_embedded".
func records[T any](path string, read *int64, names ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		file, err := os.Open(path)
		if err != nil {
			yield(zero, err)
			return
		}
		defer file.Close()
		reader := bufio.NewReaderSize(counted{file, read}, 1<<20)
		decoder := json.NewDecoder(reader)
		fail := func(err error) { yield(zero, fmt.Errorf("%s, byte %d: %w", path, decoder.InputOffset(), err)) }
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

// export is a directory of JSON files, or one of them.
type export struct {
	leftOut
	source      string
	directory   string
	files       []string // with tickets
	done, total int64
}

// openExport finds the files of an export whose names begin with one of the given.
func openExport(source, path string, names ...string) (*export, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s as %s: %w", path, source, err)
	}
	e := &export{source: source, directory: path}
	if !info.IsDir() {
		e.directory, e.files, e.total = filepath.Dir(path), []string{path}, info.Size()
		return e, nil
	}
	for _, name := range names {
		found, err := filepath.Glob(filepath.Join(path, name+"*.json*"))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			if info, err := os.Stat(file); err == nil {
				e.files, e.total = append(e.files, file), e.total+info.Size()
			}
		}
	}
	if len(e.files) == 0 {
		return nil, fmt.Errorf("read %s as %s: there is no file %s*.json in it", path, source, strings.Join(names, "*.json or "))
	}
	return e, nil
}

// without leaves out files whose names begin so: they are no tickets.
func (e *export) without(prefix string) {
	e.files = slices.DeleteFunc(e.files, func(file string) bool { return strings.HasPrefix(filepath.Base(file), prefix) })
}

// Progress implements Source.
func (e *export) Progress() (done, total int64) { return min(e.done, e.total), e.total }

// each turns every record of the files into a ticket.
func each[T any](ctx context.Context, e *export, names []string, ticket func(T) (helpdesk.ImportedTicket, error)) iter.Seq2[helpdesk.ImportedTicket, error] {
	return func(yield func(helpdesk.ImportedTicket, error) bool) {
		for _, file := range e.files {
			for record, err := range records[T](file, &e.done, names...) {
				if err == nil {
					err = ctx.Err()
				}
				var t helpdesk.ImportedTicket
				if err == nil {
					t, err = ticket(record)
				}
				if errors.Is(err, errSkip) {
					continue
				}
				if !yield(t, err) || err != nil {
					return
				}
			}
		}
	}
}

// errSkip passes over a record that was left out.
var errSkip = errors.New("left out")

// file returns a file of an export that was put under attachments, by its id, in a
// directory of the id or as a file whose name begins with it.
func (e *export) file(what, id, name, contentType, url string) (helpdesk.Upload, bool) {
	for _, pattern := range []string{
		filepath.Join(e.directory, "attachments", id, "*"),
		filepath.Join(e.directory, "attachments", id),
		filepath.Join(e.directory, "attachments", id+"[-_.]*"),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, path := range found {
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) || err != nil {
				continue
			}
			if contentType == "" {
				contentType = "application/octet-stream"
			}
			return helpdesk.Upload{Filename: name, ContentType: contentType, Data: data}, true
		}
	}
	where := ""
	if url != "" {
		where = " (" + url + ")"
	}
	e.leave(what, "its file %q, which the export only names%s; put it under %s to import it", name, where, filepath.Join(e.directory, "attachments", id))
	return helpdesk.Upload{}, false
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
