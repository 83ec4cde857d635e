package migrate

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// ownFormat is the format of an export of this program, as its manifest names it.
const ownFormat = "madoguchi-export-1"

// peopleAtOnce is how many companies and contacts are handed over together.
const peopleAtOnce = 200

// own is an export of this program: records as JSON, one a line, and the mails as mbox files.
type own struct {
	leftOut
	fs.FS
	directory string
	// messages and notes are where the lines of a ticket are in their files.
	messages, notes map[uint64][]span
	ids             map[uint64]string // of the tickets read so far
	done, total     int64
}

// span is where something is in a file.
type span struct{ offset, length int64 }

// OpenMadoguchi reads what the command export of this program has written into a directory. One that is not
// whole, or is not as its manifest says, is refused.
func OpenMadoguchi(ctx context.Context, path string) (Source, error) {
	o := &own{FS: os.DirFS(path), directory: path, messages: map[uint64][]span{}, notes: map[uint64][]span{}, ids: map[uint64]string{}}
	fail := func(err error) (Source, error) {
		return nil, fmt.Errorf("read %s as an export of madoguchi: %w", path, err)
	}
	document, err := fs.ReadFile(o, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return fail(errors.New("there is no manifest.json in it: it is none, or it was broken off (madoguchi export goes on with it)"))
	}
	if err != nil {
		return fail(err)
	}
	var manifest struct {
		Format string
		Files  []struct {
			Name   string
			Bytes  int64
			SHA256 string
		}
	}
	if err := json.Unmarshal(document, &manifest); err != nil {
		return fail(fmt.Errorf("manifest.json: %w", err))
	}
	if manifest.Format != ownFormat {
		return fail(fmt.Errorf("its format is %q; this program reads %s", manifest.Format, ownFormat))
	}
	for _, file := range manifest.Files {
		info, err := fs.Stat(o, file.Name)
		if err == nil && info.Size() != file.Bytes {
			err = fmt.Errorf("%s has %d bytes, the manifest says %d: copy it again", file.Name, info.Size(), file.Bytes)
		}
		if err == nil && filepath.Ext(file.Name) == ".jsonl" { // a mail has a sum of its own
			err = o.index(ctx, file.Name, file.SHA256)
		}
		if err != nil {
			return fail(err)
		}
		if file.Name != "events.jsonl" {
			o.total += file.Bytes
		}
	}
	return o, nil
}

// index compares a file with its sum, and remembers where the lines of each ticket are.
func (o *own) index(ctx context.Context, name, want string) error {
	into := map[string]map[uint64][]span{"messages.jsonl": o.messages, "notes.jsonl": o.notes}[name]
	sum, at := sha256.New(), int64(0)
	for line, err := range o.lines(name) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		sum.Write(line)
		if into != nil {
			var of struct{ Ticket uint64 }
			if err := json.Unmarshal(line, &of); err != nil {
				return fmt.Errorf("%s, byte %d: %w", name, at, err)
			}
			into[of.Ticket] = append(into[of.Ticket], span{at, int64(len(line))})
		}
		at += int64(len(line))
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("%s is not as it was written: its SHA-256 is %s, the manifest says %s; copy it again", name, got, want)
	}
	return nil
}

// lines yields the lines of a file, each until the next.
func (o *own) lines(name string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		file, err := o.Open(name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer file.Close()
		reader := bufio.NewReaderSize(file, 1<<20)
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 && !yield(line, nil) || errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("read %s: %w", name, err))
				return
			}
		}
	}
}

// ownRecords are the records of a file, none where an export has no such file.
func ownRecords[T any](o *own, name string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		at := int64(0)
		for line, err := range o.lines(name) {
			var record T
			if errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err == nil {
				if err = json.Unmarshal(line, &record); err != nil {
					err = fmt.Errorf("%s, byte %d: %w", name, at, err)
				}
			}
			at, o.done = at+int64(len(line)), o.done+int64(len(line))
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// Progress implements Source.
func (o *own) Progress() (done, total int64) { return min(o.done, o.total), o.total }

// People implements PeopleSource.
func (o *own) People(context.Context) iter.Seq2[helpdesk.ImportedPeople, error] {
	return func(yield func(helpdesk.ImportedPeople, error) bool) {
		var batch helpdesk.ImportedPeople
		flush := func() bool {
			if len(batch.Companies)+len(batch.Contacts) < peopleAtOnce {
				return true
			}
			ready := batch
			batch = helpdesk.ImportedPeople{}
			return yield(ready, nil)
		}
		for company, err := range ownRecords[helpdesk.ExportedCompany](o, "companies.jsonl") {
			if batch.Companies = append(batch.Companies, company); err != nil {
				yield(helpdesk.ImportedPeople{}, err)
				return
			}
			if !flush() {
				return
			}
		}
		for contact, err := range ownRecords[helpdesk.ExportedContact](o, "contacts.jsonl") {
			if batch.Contacts = append(batch.Contacts, contact); err != nil {
				yield(helpdesk.ImportedPeople{}, err)
				return
			}
			if !flush() {
				return
			}
		}
		yield(batch, nil)
	}
}

// Tickets implements Source.
func (o *own) Tickets(ctx context.Context) iter.Seq2[helpdesk.ImportedTicket, error] {
	return func(yield func(helpdesk.ImportedTicket, error) bool) {
		for t, err := range ownRecords[helpdesk.ExportedTicket](o, "tickets.jsonl") {
			var ticket helpdesk.ImportedTicket
			if err = cmp.Or(err, ctx.Err()); err == nil {
				ticket, err = o.ticket(t)
			}
			if errors.Is(err, errSkip) {
				continue
			}
			if !yield(ticket, err) || err != nil {
				return
			}
		}
	}
}
