package ui

import (
	"archive/zip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// personReadme says what is in the archive of a person's data, in both languages: who
// asks for it and who hands it over may not share one.
//
//go:embed export_person.txt
var personReadme string

const personFilePath = "/contacts/:id/export"

func (s *Server) personFile(c echo.Context) error {
	return s.sendPerson(c, visitOf(c).actor())
}

// sendPerson streams what is kept of a person as a ZIP archive. Where it breaks off, so does
// the connection: an archive without its end is not taken for a whole one.
func (s *Server) sendPerson(c echo.Context, a helpdesk.Actor) error {
	if asksHead(c) {
		return headOf(c, a, helpdesk.PermitErase)
	}
	file := &personArchive{c: c, now: s.now()}
	err := s.desk.ExportPerson(c.Request().Context(), a, c.Param("id"), file.add)
	if err == nil {
		err = file.end()
	}
	if err != nil && file.zip != nil {
		s.log.ErrorContext(c.Request().Context(), "export a person's data", "contact", c.Param("id"), "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// personArchive writes an archive as its parts come.
type personArchive struct {
	c     echo.Context
	now   time.Time
	zip   *zip.Writer
	lines io.Writer // of the file of lines that is open
	at    string    // its name
}

// begin sends the header and says what is in the archive.
func (f *personArchive) begin() error {
	header := f.c.Response().Header()
	header.Set("Content-Disposition", contentDisposition("personal-data.zip"))
	header.Set("Content-Type", "application/zip")
	header.Set("Cache-Control", "private, no-store")
	f.c.Response().WriteHeader(http.StatusOK)
	f.zip = zip.NewWriter(f.c.Response())
	return f.write("README.txt", []byte(personReadme))
}

func (f *personArchive) add(part helpdesk.PersonPart) error {
	if f.zip == nil {
		if err := f.begin(); err != nil {
			return err
		}
	}
	folder := ""
	if part.Ticket != nil {
		folder = fmt.Sprintf("tickets/%d/", part.Ticket.Number)
	}
	if part.Review {
		folder += "review/"
	}
	switch {
	case part.Contact != nil:
		return f.record("contact.json", part.Contact)
	case part.Message != nil:
		return f.message(folder+"mail/"+part.Message.ID, *part.Message)
	case part.Note != nil:
		return f.line(folder+"notes.jsonl", part.Note)
	case part.Event != nil:
		return f.line(folder+"events.jsonl", part.Event)
	}
	return f.record(folder+"ticket.json", part.Ticket)
}

// message writes a mail as it was received or sent, and what is kept beside it.
func (f *personArchive) message(name string, m helpdesk.ExportedMessage) error {
	if m.Raw != nil {
		if err := f.write(name+".eml", m.Raw); err != nil {
			return err
		}
	}
	m.Raw = nil
	return f.record(name+".json", m)
}

func (f *personArchive) record(name string, what any) error {
	document, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	return f.write(name, append(document, '\n'))
}

func (f *personArchive) write(name string, data []byte) error {
	entry, err := f.create(name)
	if err != nil {
		return err
	}
	_, err = entry.Write(data)
	return err
}

// line adds a record to a file of lines, which stays open for the next.
func (f *personArchive) line(name string, what any) error {
	if f.at != name {
		entry, err := f.create(name)
		if err != nil {
			return err
		}
		f.lines, f.at = entry, name
	}
	return json.NewEncoder(f.lines).Encode(what)
}

func (f *personArchive) create(name string) (io.Writer, error) {
	f.at = ""
	return f.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: f.now})
}

func (f *personArchive) end() error { return f.zip.Close() }
