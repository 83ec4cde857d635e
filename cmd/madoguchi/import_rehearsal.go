package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// importer takes over what another system has: operations, and a rehearsal of them.
type importer interface {
	// ImportTicket writes a ticket of another system.
	ImportTicket(ctx context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (helpdesk.ImportOutcome, error)
	// ImportPeople writes companies and contacts of another house.
	ImportPeople(ctx context.Context, people helpdesk.ImportedPeople) (helpdesk.PeopleOutcome, error)
	// ImportContacts adds and changes contacts from CSV.
	ImportContacts(ctx context.Context, file contactFile) (contactOutcome, error)
}

// RehearseImport implements operations. What would be written goes into a file without a name,
// in the file system of the data.
func (l *local) RehearseImport(ctx context.Context, do func(importer) error) (err error) {
	directory, err := os.MkdirTemp(l.config.Server.Data, ".rehearsal-")
	if err != nil {
		return fmt.Errorf("rehearse an import: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	scratch, err := store.OpenBolt(filepath.Join(directory, "scratch.db"), store.BoltOptions{Volatile: true, NoPreallocation: true})
	if err != nil {
		return fmt.Errorf("rehearse an import: %w", err)
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	_ = os.RemoveAll(directory) // the open file goes on without a name, and a kill leaves nothing; where that cannot be, it goes at the end
	rehearsal, err := l.desk.RehearseImport(ctx, l.actor, scratch)
	if err != nil {
		return err
	}
	return do(localRehearsal{rehearsal})
}

type localRehearsal struct{ *helpdesk.ImportRehearsal }

func (r localRehearsal) ImportContacts(ctx context.Context, file contactFile) (contactOutcome, error) {
	report, err := r.ImportRehearsal.ImportContacts(ctx, bytes.NewReader(file.Data))
	return contactsDone(report, err)
}

// rehearsedImport is one line of a rehearsal to the server, and rehearsedOutcome the one that
// answers it. The rehearsal ends with the request.
type rehearsedImport struct {
	Ticket   *importRequest           `json:",omitempty"`
	People   *helpdesk.ImportedPeople `json:",omitempty"`
	Contacts *contactFile             `json:",omitempty"`
}

type rehearsedOutcome struct {
	Ticket   helpdesk.ImportOutcome
	People   helpdesk.PeopleOutcome
	Contacts contactOutcome
	Error    *controlError `json:",omitempty"`
}

// answerImportRehearsal answers line by line while the request is being sent.
func answerImportRehearsal(log *slog.Logger, ops operations) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		connection := http.NewResponseController(w)
		if err := connection.EnableFullDuplex(); err != nil {
			writeAnswer(w, r, log, nil, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.WriteHeader(http.StatusOK)
		answers := json.NewEncoder(w)
		err := ops.RehearseImport(r.Context(), func(rehearsal importer) error {
			bounded := &io.LimitedReader{R: r.Body}
			for lines := json.NewDecoder(bounded); ; {
				if err := connection.Flush(); err != nil {
					return err
				}
				bounded.N = importLimit
				var line rehearsedImport
				if err := lines.Decode(&line); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return fmt.Errorf("read what is rehearsed: %w", err)
				}
				var answer rehearsedOutcome
				var err error
				switch {
				case line.Ticket != nil:
					answer.Ticket, err = rehearsal.ImportTicket(r.Context(), line.Ticket.Ticket, line.Ticket.Options)
				case line.People != nil:
					answer.People, err = rehearsal.ImportPeople(r.Context(), *line.People)
				case line.Contacts != nil:
					answer.Contacts, err = rehearsal.ImportContacts(r.Context(), *line.Contacts)
				}
				if err != nil {
					answer.Error = &controlError{helpdesk.CodeOf(err), err.Error()}
				}
				if err := answers.Encode(answer); err != nil {
					return err
				}
			}
		})
		if err != nil && r.Context().Err() == nil {
			log.Error("control socket", "request", r.URL.Path, "error", err)
			answers.Encode(rehearsedOutcome{Error: &controlError{helpdesk.CodeOf(err), err.Error()}}) // a client that has gone away does not need it
		}
	}
}

// RehearseImport implements operations.
func (r *remote) RehearseImport(ctx context.Context, do func(importer) error) error {
	body, lines := io.Pipe()
	response, err := r.send(ctx, http.MethodPost, "/rehearse-import", body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	err = do(&remoteRehearsal{json.NewEncoder(lines), json.NewDecoder(response.Body)})
	lines.Close()                                  // ends the rehearsal
	_, ended := io.Copy(io.Discard, response.Body) // when nothing of it is left
	if ended != nil && err == nil {
		err = fmt.Errorf("end the rehearsal: %w", ended)
	}
	return err
}

type remoteRehearsal struct {
	lines   *json.Encoder
	answers *json.Decoder
}

func (r *remoteRehearsal) ask(line rehearsedImport) (answer rehearsedOutcome, err error) {
	if err := r.lines.Encode(line); err != nil {
		return answer, fmt.Errorf("ask the server: %w", err)
	}
	if err := r.answers.Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the server's answer: %w", err)
	}
	if answer.Error != nil {
		err = &helpdesk.Error{Code: answer.Error.Code, Message: answer.Error.Message}
	}
	return answer, err
}

func (r *remoteRehearsal) ImportTicket(_ context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (helpdesk.ImportOutcome, error) {
	answer, err := r.ask(rehearsedImport{Ticket: &importRequest{t, o}})
	return answer.Ticket, err
}

func (r *remoteRehearsal) ImportPeople(_ context.Context, people helpdesk.ImportedPeople) (helpdesk.PeopleOutcome, error) {
	answer, err := r.ask(rehearsedImport{People: &people})
	return answer.People, err
}

func (r *remoteRehearsal) ImportContacts(_ context.Context, file contactFile) (contactOutcome, error) {
	answer, err := r.ask(rehearsedImport{Contacts: &file})
	return answer.Contacts, err
}
