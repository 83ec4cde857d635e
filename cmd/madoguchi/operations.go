package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/store"
)

// defaultData is where the data is kept when nothing else is said.
const defaultData = "./data"

// operations are what the commands do to the data. The store has one owner, so
// while a server runs they go through its control socket (remote), and
// otherwise straight to the store (local).
type operations interface {
	Status(ctx context.Context) (status, error)
	Users(ctx context.Context) ([]userInfo, error)
	AddUser(ctx context.Context, u newUser) (userInfo, error)
	SetPassword(ctx context.Context, p newPassword) (userInfo, error)
	// ResetSecondFactor takes away what proves a user besides their password.
	ResetSecondFactor(ctx context.Context, email string) (userInfo, error)
	Aliases(ctx context.Context) ([]aliasInfo, error)
	AddAlias(ctx context.Context, a newAlias) (aliasInfo, error)
	Pipelines(ctx context.Context) ([]pipelineInfo, error)
	AddPipeline(ctx context.Context, p newPipeline) (pipelineInfo, error)
	CreateToken(ctx context.Context, t newToken) (createdToken, error)
	Tokens(ctx context.Context) ([]tokenInfo, error)
	RevokeToken(ctx context.Context, t namedToken) (tokenInfo, error)
	// Domains says of a domain, or of all for "", which DNS records it needs.
	Domains(ctx context.Context, domain string) ([]domainInfo, error)
	// RotateKeys makes new DKIM keys for a domain.
	RotateKeys(ctx context.Context, domain string) ([]domainInfo, error)
	// Certificates says how those are that are obtained by ACME.
	Certificates(ctx context.Context) ([]certificateInfo, error)
	// RenewCertificates obtains new ones now, of one name, or of all for "".
	RenewCertificates(ctx context.Context, name string) ([]certificateInfo, error)
	// Check looks at everything around the server.
	Check(ctx context.Context) ([]finding, error)
	// Queue lists what waits to leave; ChangeQueue does something to it.
	Queue(ctx context.Context, question queueQuestion) (queueInfo, error)
	ChangeQueue(ctx context.Context, change queueChange) (string, error)
	// Parked lists the work that is no longer tried; ResumeParked has it tried again,
	// and says how much that is.
	Parked(ctx context.Context, question parkedQuestion) (parkedInfo, error)
	ResumeParked(ctx context.Context) (int, error)
	// SetupLink makes a new one-time link for the first account; only a running
	// server can.
	SetupLink(ctx context.Context) (setupLink, error)
	Verify(ctx context.Context) (verification, error)
	// Explain says why the messages that what names are where they are.
	Explain(ctx context.Context, what string) ([]explanation, error)
	// Rehearse says what would become of a mail, and changes nothing.
	Rehearse(ctx context.Context, r rehearsal) (explanation, error)
	// Reindex makes the search index anew, and tells of its progress.
	Reindex(ctx context.Context, progress func(done, total uint64)) error
	// ReadAgain has earlier mails read again, or says how far that is.
	ReadAgain(ctx context.Context, ask readAgain) (readingAgain, error)
	// Vectors says how far the vectors of customers' messages are.
	Vectors(ctx context.Context) (similar.Status, error)
	importer
	// RehearseImport lets do import, and nothing is changed: each thing meets what the ones before it would
	// have made.
	RehearseImport(ctx context.Context, do func(importer) error) error
	// NoteImport writes down that an import was done.
	NoteImport(ctx context.Context, n importNote) (struct{}, error)
	// RestoreTicket puts back what is missing of a ticket.
	RestoreTicket(ctx context.Context, t helpdesk.TicketCopy) (helpdesk.RestoredTicket, error)
	// Export returns a page of what is taken out of the house.
	Export(ctx context.Context, q helpdesk.ExportQuery) (helpdesk.ExportPage, error)
	// Backup writes a consistent copy of the store to w.
	Backup(ctx context.Context, w io.Writer) error
	// Corrections writes the mails whose analysis was corrected to w, as a set for
	// madoguchi eval.
	Corrections(ctx context.Context, w io.Writer) error
	Close() error
}

// status is what a running server says of itself; Running is false where
// there is none.
type status struct {
	Running    bool   `json:"running"`
	Version    string `json:"version"`
	SMTP       string `json:"smtp"`
	Web        string `json:"web"`
	NeedsSetup bool   `json:"needs_setup"`
	// Forwarders and Resolver are what senders are authenticated with.
	Forwarders []string `json:"forwarders,omitempty"`
	Resolver   string   `json:"resolver,omitempty"`
}

type userInfo struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

type newUser struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Password string `json:"password"`
}

type newPassword struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type aliasInfo struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Pipeline string `json:"pipeline"`
	Owner    string `json:"owner"`
	Language string `json:"language"`
	Managed  bool   `json:"managed"`
	Disabled bool   `json:"disabled"`
}

type newAlias struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Pipeline string `json:"pipeline"` // its name; "" for the first one
	Owner    string `json:"owner"`    // a user's address, or ""
	Language string `json:"language"` // of its mail, or ""
	// Terminal is the language of whoever types: without Language it names the first
	// pipeline, where that is made by the way.
	Terminal string `json:"terminal"`
}

type stageInfo struct {
	Name   string `json:"name"`
	Closed bool   `json:"closed"`
}

type pipelineInfo struct {
	Name        string      `json:"name"`
	Stages      []stageInfo `json:"stages"`
	Reopen      bool        `json:"reopen"`
	ReopenStage string      `json:"reopen_stage"` // its name
	Managed     bool        `json:"managed"`
}

type newPipeline struct {
	Name        string      `json:"name"`
	Stages      []stageInfo `json:"stages"`
	Reopen      bool        `json:"reopen"`
	ReopenStage string      `json:"reopen_stage"` // "" for the first open one
}

type newToken struct {
	User  string    `json:"user"`
	Scope string    `json:"scope"`
	Name  string    `json:"name,omitempty"`
	Ends  time.Time `json:"ends,omitzero"`
}

type createdToken struct {
	Token string `json:"token"`
}

type tokenInfo struct {
	ID        string    `json:"id"`
	User      string    `json:"user"`
	Scope     string    `json:"scope"`
	CreatedAt time.Time `json:"created_at"`
	Name      string    `json:"name,omitempty"`
	Ends      time.Time `json:"ends,omitzero"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

// namedToken is a token by its ID, or the beginning of that.
type namedToken struct {
	ID string `json:"id"`
}

type setupLink struct {
	URL string `json:"url"`
}

// verification is the outcome of recomputing everything that can be
// recomputed.
type verification struct {
	Summary     []string `json:"summary"`
	Differences []string `json:"differences"`
}

// openOperations reaches the data in directory: through the server that runs
// on it, or directly. A server that is just starting is waited for a moment.
func openOperations(ctx context.Context, directory string) (operations, error) {
	const patience, pause = 5 * time.Second, 100 * time.Millisecond
	deadline := time.Now().Add(patience)
	for {
		remote, err := dialControl(ctx, directory)
		if err == nil {
			return remote, nil
		}
		if !errors.Is(err, errNobodyListens) {
			return nil, err
		}
		local, err := openLocal(ctx, directory)
		if !errors.Is(err, store.ErrLocked) {
			return local, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("another process works on the data in %s and does not answer on %s; wait for it to end, or stop it, and try again", directory, controlPath(directory))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// withOperations runs one command's work and closes what it opened. That older data was
// upgraded for it is said on notes.
func withOperations(ctx context.Context, notes io.Writer, directory string, work func(operations) error) (err error) {
	ops, err := openOperations(ctx, directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ops.Close()) }()
	if l, alone := ops.(*local); alone && l.kept != "" {
		fmt.Fprintf(notes, "the data in %s was of an older version and is upgraded; a copy of it as it was is %s\n", directory, l.kept)
	}
	return work(ops)
}
