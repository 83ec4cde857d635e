package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

const (
	exportManifest = "manifest.json"
	exportState    = "export.partial.json"
)

// exportProgress is how far an export is; it is kept beside what is written, so that
// the next run goes on there.
type exportProgress struct {
	Query helpdesk.ExportQuery `json:"query"` // without its part and place
	Step  int                  `json:"step"`  // of helpdesk.ExportParts
	After string               `json:"after"`
	Sizes map[string]int64     `json:"sizes"` // how long each file is
	Count map[string]int       `json:"count"` // records of each part
}

// export writes pages into files.
type export struct {
	directory string
	ops       operations
	show      *bytesShown
	progress  exportProgress
	written   int64
	dirty     map[string]*os.File
}

// beginExport begins one, or goes on with one of the same choices.
func beginExport(directory string, query helpdesk.ExportQuery, ops operations, show *bytesShown) (*export, error) {
	e := &export{directory: directory, ops: ops, show: show, dirty: map[string]*os.File{},
		progress: exportProgress{Query: query, Sizes: map[string]int64{}, Count: map[string]int{}}}
	if _, err := os.Stat(filepath.Join(directory, exportManifest)); err == nil {
		return nil, fmt.Errorf("%s has an export already, which is whole; name another directory", directory)
	}
	document, err := os.ReadFile(filepath.Join(directory, exportState))
	switch {
	case err == nil:
		var before exportProgress
		if err := json.Unmarshal(document, &before); err != nil {
			return nil, fmt.Errorf("read how far the export in %s is: %w", directory, err)
		}
		if before.Query.Alias != query.Alias || !before.Query.From.Equal(query.From) || !before.Query.To.Equal(query.To) {
			return nil, fmt.Errorf("the export in %s was begun with another --alias, --since or --until; give the same, or name another directory", directory)
		}
		e.progress = before
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read how far the export in %s is: %w", directory, err)
	default:
		entries, err := os.ReadDir(directory)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look into %s: %w", directory, err)
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s has other things in it (%s): name an empty directory, or one that is not there yet", directory, entries[0].Name())
		}
	}
	if err := os.MkdirAll(filepath.Join(directory, "mail"), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the export: %w", err)
	}
	return e, e.rewind()
}

// rewind cuts off what was written after the last page that was kept.
func (e *export) rewind() error {
	return filepath.WalkDir(e.directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == exportState {
			return err
		}
		name, err := filepath.Rel(e.directory, path)
		if err != nil {
			return err
		}
		return os.Truncate(path, e.progress.Sizes[name])
	})
}

func (e *export) run(ctx context.Context) error {
	e.show.begin("exporting", 0)
	for ; e.progress.Step < len(helpdesk.ExportParts); e.progress.Step++ {
		part := helpdesk.ExportParts[e.progress.Step]
		for {
			q := e.progress.Query
			q.Part, q.After = part, e.progress.After
			page, err := e.ops.Export(ctx, q)
			if err == nil {
				err = e.write(string(part), page)
			}
			if err != nil {
				return err
			}
			if e.progress.After = page.Next; page.Last {
				break
			}
			if err := e.keep(e.progress); err != nil {
				return err
			}
		}
		e.progress.After = ""
		next := e.progress
		next.Step++
		if err := e.keep(next); err != nil {
			return err
		}
	}
	return e.finish()
}

// write appends a page to the files.
func (e *export) write(part string, page helpdesk.ExportPage) error {
	for i := range page.Messages {
		m := &page.Messages[i]
		if m.Raw == nil {
			continue
		}
		name := filepath.Join("mail", m.At.UTC().Format("2006-01")+".mbox")
		place := helpdesk.MboxPlace{File: filepath.ToSlash(name), Offset: e.progress.Sizes[name]}
		mail := mboxMail(m)
		sum := sha256.Sum256(m.Raw)
		place.Bytes, place.SHA256 = int64(len(mail)), hex.EncodeToString(sum[:])
		if err := e.append(name, mail); err != nil {
			return err
		}
		m.Raw, m.Mbox = nil, &place
	}
	var l jsonLines
	err := errors.Join(addLines(&l, page.Tickets), addLines(&l, page.Messages), addLines(&l, page.Notes), addLines(&l, page.Contacts),
		addLines(&l, page.Events), addLines(&l, page.Companies), addLines(&l, page.Users))
	if err != nil {
		return err
	}
	e.progress.Count[part] += l.count
	return e.append(part+".jsonl", l.text.Bytes())
}

// jsonLines is records as JSON, one a line.
type jsonLines struct {
	text  bytes.Buffer
	count int
}

// addLines writes a list of records.
func addLines[T any](l *jsonLines, list []T) error {
	encoder := json.NewEncoder(&l.text)
	encoder.SetEscapeHTML(false)
	for _, record := range list {
		if err := encoder.Encode(record); err != nil {
			return err
		}
		l.count++
	}
	return nil
}

func (e *export) append(name string, data []byte) error {
	file := e.dirty[name]
	if file == nil {
		var err error
		if file, err = os.OpenFile(filepath.Join(e.directory, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
			return err
		}
		e.dirty[name] = file
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	e.progress.Sizes[name] += int64(len(data))
	e.written += int64(len(data))
	e.show.set(e.written)
	return nil
}

// keep makes what was written durable, and then notes how far it is.
func (e *export) keep(at exportProgress) error {
	var errs []error
	for name, file := range e.dirty {
		errs = append(errs, file.Sync(), file.Close())
		delete(e.dirty, name)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	document, err := json.Marshal(at)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(e.directory, exportState), document)
}

// finish writes the manifest.
func (e *export) finish() error {
	type file struct {
		Name   string `json:"name"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	}
	manifest := struct {
		Format  string         `json:"format"`
		Program string         `json:"program"`
		At      time.Time      `json:"at"`
		Alias   string         `json:"alias,omitempty"`
		From    time.Time      `json:"since,omitzero"`
		To      time.Time      `json:"until,omitzero"`
		Count   map[string]int `json:"count"`
		Files   []file         `json:"files"`
	}{Format: "madoguchi-export-1", Program: programVersion(), At: time.Now().UTC().Truncate(time.Second), Alias: e.progress.Query.Alias,
		From: e.progress.Query.From, To: e.progress.Query.To, Count: e.progress.Count}
	for name, size := range e.progress.Sizes {
		sum, err := sumOf(filepath.Join(e.directory, name))
		if err != nil {
			return err
		}
		manifest.Files = append(manifest.Files, file{filepath.ToSlash(name), size, sum})
	}
	slices.SortFunc(manifest.Files, func(a, b file) int { return strings.Compare(a.Name, b.Name) })
	document, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(replaceFile(filepath.Join(e.directory, exportManifest), append(document, '\n')), os.Remove(filepath.Join(e.directory, exportState)))
}

func (e *export) summary() string {
	var parts []string
	for _, part := range helpdesk.ExportParts {
		parts = append(parts, fmt.Sprintf("%d %s", e.progress.Count[string(part)], part))
	}
	return strings.Join(parts, ", ")
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// replaceFile gives path its content, all of it or nothing.
func replaceFile(path string, content []byte) error {
	partial := path + ".new"
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(partial, path), syncDirectory(filepath.Dir(path)))
}

// mboxMail is a mail as it stands in an mbox file (mboxrd): behind a line From, with
// lines that end in LF, with > before each line that is From behind any number of >.
func mboxMail(m *helpdesk.ExportedMessage) []byte {
	sender := m.Sender
	if sender == "" {
		sender = m.From.Email
	}
	if sender == "" || strings.ContainsAny(sender, " \t\r\n") {
		sender = "MAILER-DAEMON"
	}
	out := fmt.Appendf(make([]byte, 0, len(m.Raw)+256), "From %s %s\n", sender, m.At.UTC().Format(time.ANSIC))
	for line := range bytes.Lines(m.Raw) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			out = append(out, '>')
		}
		if text, found := bytes.CutSuffix(line, []byte("\r\n")); found {
			line = append(text[:len(text):len(text)], '\n')
		}
		out = append(out, line...)
	}
	if !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, '\n')
	}
	return append(out, '\n')
}
