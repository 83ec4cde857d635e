package migrate

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// maxMail bounds one mail of a folder, in bytes.
const maxMail = 256 << 20

// maxHead is how much of a mail is read to find its thread: a header.
const maxHead = 256 << 10

// mailFolder is the mails of mbox files or of a Maildir, which are threads by their
// References. A folder says nothing of what is done: its tickets are closed.
type mailFolder struct {
	leftOut
	name  string // of the source
	mails []foundMail
	done  int64
	total int64
}

// foundMail is where a mail is, and what tells its thread.
type foundMail struct {
	file        string
	offset, end int64
	quoted      bool // mboxrd: lines that begin with From are quoted
	id          string
	refs        []string
	subject     string
	date        time.Time
}

// OpenMbox reads mbox files, in which a line that begins with "From " begins a mail and
// ">From " in a mail stands for "From " (mboxrd; mboxo differs by nothing else). path is a
// file, or a directory of them.
func OpenMbox(ctx context.Context, path string) (Source, error) {
	f := &mailFolder{name: "mbox"}
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return f.scanMbox(file)
	})
	return f.ready(path, err)
}

// OpenMaildir reads a Maildir and the folders in it: the files of cur and new. Those
// that are marked as trashed or as drafts are left out.
func OpenMaildir(ctx context.Context, path string) (Source, error) {
	f := &mailFolder{name: "maildir"}
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if folder := filepath.Base(filepath.Dir(file)); err != nil || entry.IsDir() || folder != "cur" && folder != "new" {
			return err
		}
		_, flags, _ := strings.Cut(entry.Name(), ":2,")
		if strings.ContainsAny(flags, "TD") {
			f.leave(file, "it is marked as deleted or as a draft")
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return f.find(foundMail{file: file, end: info.Size()})
	})
	return f.ready(path, err)
}

func (f *mailFolder) ready(path string, err error) (Source, error) {
	if err == nil && len(f.mails) == 0 {
		err = errors.New("there is no mail in it")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s as %s: %w", path, f.name, err)
	}
	return f, nil
}

// envelopeLine begins a mail in an mbox file.
var envelopeLine = regexp.MustCompile(`^From \S.*\d{2}:\d{2}`)

// scanMbox finds the mails of a file.
func (f *mailFolder) scanMbox(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	var at int64
	begin := int64(-1)
	blank := true // a mail begins after an empty line
	for {
		line, err := reader.ReadSlice('\n')
		if blank && envelopeLine.Match(line) {
			if begin >= 0 {
				if err := f.find(foundMail{file: path, offset: begin, end: at, quoted: true}); err != nil {
					return err
				}
			}
			begin = at + int64(len(line))
		} else if at == 0 && len(line) > 0 {
			f.leave(path, "it is no mbox file: it does not begin with a line \"From …\"")
			return nil
		}
		at += int64(len(line))
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		for errors.Is(err, bufio.ErrBufferFull) { // what is left of a line that is longer than the buffer
			line, err = reader.ReadSlice('\n')
			at += int64(len(line))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if begin < 0 {
		return nil
	}
	return f.find(foundMail{file: path, offset: begin, end: at, quoted: true})
}

// find takes a mail in, with what its header says of its thread.
func (f *mailFolder) find(m foundMail) error {
	f.total += m.end - m.offset
	if size := m.end - m.offset; size > maxMail {
		f.leave(m.place(), "it has %d bytes; the limit is %d", size, maxMail)
		return nil
	}
	head, err := m.read(maxHead)
	if err != nil {
		return err
	}
	if end := bytes.Index(head, []byte("\n\n")); end >= 0 {
		head = head[:end+1]
	} else if end := bytes.Index(head, []byte("\r\n\r\n")); end >= 0 {
		head = head[:end+2]
	}
	parsed := mail.Parse(head)
	if strings.Contains(parsed.Subject, "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA") {
		return nil // the mark that some mail programs keep in their folders
	}
	m.id, m.subject, m.date = parsed.MessageID, parsed.Subject, parsed.Date
	m.refs = slices.Concat(parsed.References, parsed.InReplyTo)
	f.mails = append(f.mails, m)
	return nil
}

func (m foundMail) place() string {
	if !m.quoted {
		return m.file
	}
	return fmt.Sprintf("%s, byte %d", m.file, m.offset)
}

// read returns up to limit bytes of the mail, as it was before it was put into the file.
func (m foundMail) read(limit int64) ([]byte, error) {
	file, err := os.Open(m.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, min(m.end-m.offset, limit))
	if _, err := file.ReadAt(data, m.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if m.quoted {
		data = unquote(data)
	}
	return data, nil
}

// unquote takes one > off each line that is From with any number of them before it, and
// the empty line at the end that belongs to the file.
func unquote(data []byte) []byte {
	out := unquoteLines(data)
	if trimmed, found := bytes.CutSuffix(out, []byte("\n\n")); found {
		return append(trimmed, '\n')
	}
	if trimmed, found := bytes.CutSuffix(out, []byte("\r\n\r\n")); found {
		return append(trimmed, '\r', '\n')
	}
	return out
}

func unquoteLines(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for line := range bytes.Lines(data) {
		if rest := bytes.TrimLeft(line, ">"); len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From ")) {
			line = line[1:]
		}
		out = append(out, line...)
	}
	return out
}

// Progress implements Source.
func (f *mailFolder) Progress() (done, total int64) { return f.done, f.total }

// Tickets implements Source: a thread is a ticket.
func (f *mailFolder) Tickets(context.Context) iter.Seq2[helpdesk.ImportedTicket, error] {
	return func(yield func(helpdesk.ImportedTicket, error) bool) {
		for _, thread := range threads(f.mails) {
			t := helpdesk.ImportedTicket{Source: f.name, Subject: thread[0].subject, CreatedAt: thread[0].date, UpdatedAt: thread[len(thread)-1].date}
			for _, m := range thread {
				raw, err := m.read(maxMail)
				if err != nil {
					yield(t, fmt.Errorf("read %s: %w", m.place(), err))
					return
				}
				sum := sha256.Sum256(raw)
				id := hex.EncodeToString(sum[:16])
				if t.ID == "" {
					t.ID = id
				}
				t.Entries = append(t.Entries, helpdesk.ImportedEntry{ID: id, At: m.date, Raw: raw})
				f.done += m.end - m.offset
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// threads groups mails that refer to one another, or to the same mail, each by date; the
// thread that began first comes first.
func threads(mails []foundMail) [][]foundMail {
	parent := map[string]string{}
	root := func(id string) string {
		for {
			up, known := parent[id]
			if !known || up == id {
				return id
			}
			if above, known := parent[up]; known {
				parent[id] = above
			}
			id = up
		}
	}
	names := make([]string, len(mails))
	for i, m := range mails {
		if names[i] = m.id; m.id == "" {
			names[i] = "\x00" + m.place()
		}
		for _, ref := range m.refs {
			if a, b := root(names[i]), root(ref); a != b {
				parent[a] = b
			}
		}
	}
	groups := map[string][]foundMail{}
	for i, m := range mails {
		top := root(names[i])
		groups[top] = append(groups[top], m)
	}
	list := make([][]foundMail, 0, len(groups))
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b foundMail) int { return a.date.Compare(b.date) })
		list = append(list, group)
	}
	slices.SortFunc(list, func(a, b []foundMail) int {
		return cmp.Or(a[0].date.Compare(b[0].date), cmp.Compare(a[0].file, b[0].file), cmp.Compare(a[0].offset, b[0].offset))
	})
	return list
}
