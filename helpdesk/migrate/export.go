package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// export is a directory of JSON files, or one of them with what lies beside it. Files are
// named by their path in the directory, with slashes; nothing outside of it is read,
// whatever the ids in it look like.
type export struct {
	leftOut
	fs.FS
	source      string
	directory   string
	files       []string // with tickets
	done, total int64
}

// openExport finds the files of an export whose names begin with prefix.
func openExport(source, name, prefix string) (*export, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read %s as %s: %w", name, source, err)
	}
	if !info.IsDir() {
		directory, file := filepath.Split(filepath.Clean(name))
		directory = filepath.Clean(directory)
		return &export{source: source, directory: directory, FS: os.DirFS(directory), files: []string{file}, total: info.Size()}, nil
	}
	e := &export{source: source, directory: name, FS: os.DirFS(name)}
	found, err := fs.Glob(e, prefix+"*.json*")
	if err != nil {
		return nil, err
	}
	for _, file := range found {
		if info, err := fs.Stat(e, file); err == nil {
			e.files, e.total = append(e.files, file), e.total+info.Size()
		}
	}
	if len(e.files) == 0 {
		return nil, fmt.Errorf("read %s as %s: there is no file %s*.json in it", name, source, prefix)
	}
	return e, nil
}

// without leaves out files whose names begin so: they are no tickets.
func (e *export) without(prefix string) {
	e.files = slices.DeleteFunc(e.files, func(file string) bool { return strings.HasPrefix(path.Base(file), prefix) })
}

// Progress implements Source.
func (e *export) Progress() (done, total int64) { return min(e.done, e.total), e.total }

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

// read yields the records of a file; see records. count is how many bytes are read of it,
// and may be nil.
func read[T any](e *export, name string, count *int64, lists ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		file, err := e.Open(name)
		if err != nil {
			yield(zero, fmt.Errorf("read %s: %w", filepath.Join(e.directory, name), err))
			return
		}
		defer file.Close()
		from := io.Reader(file)
		if count != nil {
			from = counted{file, count}
		}
		for record, err := range records[T](from, lists...) {
			if err != nil {
				err = fmt.Errorf("read %s: %w", filepath.Join(e.directory, name), err)
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// readAll reads the records of all files of an export that match a pattern.
func readAll[T any](e *export, pattern, list string, keep func(T)) error {
	files, err := fs.Glob(e, pattern)
	if err != nil {
		return err
	}
	for _, file := range files {
		for record, err := range read[T](e, file, nil, list) {
			if err != nil {
				return err
			}
			keep(record)
		}
	}
	return nil
}

// readOf returns what an export has of one ticket, in a file of its own: FOLDER/ID.json.
// It is empty where there is no such file.
func readOf[T any](e *export, folder string, id number) (list []T, err error) {
	if !id.isName() {
		return nil, nil
	}
	for record, err := range read[T](e, path.Join(folder, string(id)+".json"), nil, folder) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, record)
	}
	return list, nil
}

// each turns every record of the files into a ticket.
func each[T any](ctx context.Context, e *export, list string, ticket func(T) (helpdesk.ImportedTicket, error)) iter.Seq2[helpdesk.ImportedTicket, error] {
	return func(yield func(helpdesk.ImportedTicket, error) bool) {
		for _, file := range e.files {
			for record, err := range read[T](e, file, &e.done, list) {
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

// exportedFile is what an export says of a file of an entry.
type exportedFile struct {
	id        number
	name      string
	mediaType string // may be empty
	url       string // where the other system has it; may be empty
}

// attach gives an entry a file that was put under attachments. What cannot be had is left
// out: notes have no files.
func (e *export) attach(what string, to *helpdesk.ImportedEntry, f exportedFile) {
	where := ""
	if f.url != "" {
		where = " (" + f.url + ")"
	}
	if to.Kind == helpdesk.ImportedNote {
		e.leave(what, "the file %q of a note: notes have no files%s", f.name, where)
		return
	}
	data, err := e.attachment(f.id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.leave(what, "its file %q, which the export only names%s; put it under %s to import it", f.name, where, filepath.Join(e.directory, "attachments", string(f.id)))
	case err != nil:
		e.leave(what, "its file %q, which cannot be read: %v", f.name, err)
	default:
		to.Files = append(to.Files, helpdesk.Upload{Filename: f.name, ContentType: cmp.Or(f.mediaType, "application/octet-stream"), Data: data})
	}
}

// attachment reads the file of an id: in a directory of that name, or whose name is it or
// begins with it. The error is fs.ErrNotExist where there is none.
func (e *export) attachment(id number) ([]byte, error) {
	if !id.isName() {
		return nil, fs.ErrNotExist
	}
	at := path.Join("attachments", string(id))
	for _, pattern := range []string{at + "/*", at, at + `[_.\-]*`} {
		found, err := fs.Glob(e, pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			if info, err := fs.Stat(e, file); err != nil || info.IsDir() {
				continue
			}
			return fs.ReadFile(e, file)
		}
	}
	return nil, fs.ErrNotExist
}
