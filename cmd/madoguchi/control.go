package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// controlLimit bounds a request on the control socket, in bytes.
const controlLimit = 1 << 20

// controlPath is where a server that owns directory is reached by the
// commands.
func controlPath(directory string) string { return filepath.Join(directory, "control.sock") }

// listenControl opens the control socket of directory, for its owner alone.
// The caller holds the store's lock, so a socket that is there already is the
// remains of a crash. It is made in a private directory and then moved, so
// that it never exists with wider rights.
func listenControl(directory string) (net.Listener, error) {
	private, err := os.MkdirTemp(directory, ".control-")
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	address, release, err := socketAddress(made)
	if err != nil {
		return nil, err
	}
	defer release()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, controlPath(directory))); err != nil {
		listener.Close()
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	return controlListener{listener, controlPath(directory)}, nil
}

// controlListener takes its socket away when closed.
type controlListener struct {
	net.Listener
	path string
}

func (l controlListener) Close() error {
	return errors.Join(l.Listener.Close(), os.Remove(l.path))
}

// socketAddress gives a name by which a socket at path can be bound or
// reached although the kernel takes only about 100 bytes: a longer path goes
// through its directory's open descriptor. Release it after use.
func socketAddress(path string) (address string, release func(), err error) {
	const longest = 100
	if len(path) <= longest {
		return path, func() {}, nil
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	address = fmt.Sprintf("/proc/self/fd/%d/%s", directory.Fd(), filepath.Base(path))
	if _, err := os.Stat(filepath.Dir(address)); err != nil {
		directory.Close()
		return "", nil, fmt.Errorf("the data directory's path is too long for a socket (%d bytes, at most %d): choose a shorter one with --data", len(path), longest)
	}
	return address, func() { directory.Close() }, nil
}

// newControlServer serves ops over HTTP on the control socket.
func newControlServer(ops operations, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /status", answer(log, func(ctx context.Context, _ struct{}) (status, error) { return ops.Status(ctx) }))
	mux.Handle("GET /users", answer(log, func(ctx context.Context, _ struct{}) ([]userInfo, error) { return ops.Users(ctx) }))
	mux.Handle("POST /user", answer(log, ops.AddUser))
	mux.Handle("POST /password", answer(log, ops.SetPassword))
	mux.Handle("POST /reset-second-factor", answer(log, ops.ResetSecondFactor))
	mux.Handle("GET /aliases", answer(log, func(ctx context.Context, _ struct{}) ([]aliasInfo, error) { return ops.Aliases(ctx) }))
	mux.Handle("POST /alias", answer(log, ops.AddAlias))
	mux.Handle("GET /pipelines", answer(log, func(ctx context.Context, _ struct{}) ([]pipelineInfo, error) { return ops.Pipelines(ctx) }))
	mux.Handle("POST /pipeline", answer(log, ops.AddPipeline))
	mux.Handle("POST /token", answer(log, ops.CreateToken))
	mux.Handle("GET /tokens", answer(log, func(ctx context.Context, _ struct{}) ([]tokenInfo, error) { return ops.Tokens(ctx) }))
	mux.Handle("POST /revoke-token", answer(log, ops.RevokeToken))
	mux.Handle("POST /domains", answer(log, ops.Domains))
	mux.Handle("POST /rotate-keys", answer(log, ops.RotateKeys))
	mux.Handle("GET /certificates", answer(log, func(ctx context.Context, _ struct{}) ([]certificateInfo, error) { return ops.Certificates(ctx) }))
	mux.Handle("POST /renew-certificates", answer(log, ops.RenewCertificates))
	mux.Handle("POST /check", answer(log, func(ctx context.Context, _ struct{}) ([]finding, error) { return ops.Check(ctx) }))
	mux.Handle("POST /queue", answer(log, ops.Queue))
	mux.Handle("POST /change-queue", answer(log, ops.ChangeQueue))
	mux.Handle("POST /parked", answer(log, ops.Parked))
	mux.Handle("POST /resume-parked", answer(log, func(ctx context.Context, _ struct{}) (int, error) { return ops.ResumeParked(ctx) }))
	mux.Handle("POST /setup-link", answer(log, func(ctx context.Context, _ struct{}) (setupLink, error) { return ops.SetupLink(ctx) }))
	mux.Handle("POST /verify", answer(log, func(ctx context.Context, _ struct{}) (verification, error) { return ops.Verify(ctx) }))
	mux.Handle("GET /vectors", answer(log, func(ctx context.Context, _ struct{}) (similar.Status, error) { return ops.Vectors(ctx) }))
	mux.Handle("POST /explain", answer(log, ops.Explain))
	mux.Handle("POST /rehearse", rehearse(log, ops))
	mux.Handle("POST /read-again", answer(log, ops.ReadAgain))
	mux.HandleFunc("POST /reindex", answerReindex(ops, log))
	mux.Handle("POST /import", answerUpTo(importLimit, log, func(ctx context.Context, r importRequest) (helpdesk.ImportOutcome, error) {
		return ops.ImportTicket(ctx, r.Ticket, r.Options)
	}))
	mux.Handle("POST /rehearse-import", answerImportRehearsal(log, ops))
	mux.Handle("POST /import-people", answerUpTo(importLimit, log, ops.ImportPeople))
	mux.Handle("POST /import-contacts", answerUpTo(importLimit, log, ops.ImportContacts))
	mux.Handle("POST /restore-ticket", answerUpTo(importLimit, log, ops.RestoreTicket))
	mux.Handle("POST /export", answer(log, ops.Export))
	mux.Handle("POST /note-import", answer(log, ops.NoteImport))
	mux.HandleFunc("GET /backup", stream("backup", log, ops.Backup))
	mux.HandleFunc("GET /corrections", stream("corrections", log, ops.Corrections))
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
}

// stream makes a handler of an operation that writes.
func stream(what string, log *slog.Logger, write func(context.Context, io.Writer) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		if err := write(r.Context(), w); err != nil {
			log.Warn(what+" broken off", "error", err)
			panic(http.ErrAbortHandler) // breaks the stream off, so that the client does not take it for whole
		}
	}
}

// reindexStep is one line of the answer to a reindex: how far it is, or, as the
// last, how it ended.
type reindexStep struct {
	Done  uint64        `json:"done"`
	Total uint64        `json:"total"`
	Ended bool          `json:"ended,omitempty"`
	Error *controlError `json:"error,omitempty"`
}

// answerReindex rebuilds the search index and tells of its progress line by
// line. It ends when the client goes away.
func answerReindex(ops operations, log *slog.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines, flush := json.NewEncoder(w), http.NewResponseController(w)
		last := reindexStep{Ended: true}
		err := ops.Reindex(r.Context(), func(done, total uint64) {
			last.Done, last.Total = done, total
			lines.Encode(reindexStep{Done: done, Total: total}) // a client that has gone away ends the context
			flush.Flush()
		})
		if err != nil {
			last.Error = &controlError{helpdesk.CodeOf(err), err.Error()}
			if last.Error.Code == helpdesk.CodeInternal && r.Context().Err() == nil {
				log.Error("control socket", "request", r.URL.Path, "error", err)
			}
		}
		lines.Encode(last)
	}
}

// controlError is how an error crosses the socket.
type controlError struct {
	Code    helpdesk.Code `json:"code"`
	Message string        `json:"message"`
}

// answer makes a handler of one operation: JSON in, JSON out. Whoever can
// open the socket owns the data, so no text is hidden.
func answer[In, Out any](log *slog.Logger, operate func(context.Context, In) (Out, error)) http.Handler {
	return answerUpTo(controlLimit, log, operate)
}

// answerUpTo is answer for requests of up to limit bytes.
func answerUpTo[In, Out any](limit int64, log *slog.Logger, operate func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit)).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
				writeJSON(w, http.StatusBadRequest, controlError{helpdesk.CodeInvalid, "read request: " + err.Error()})
				return
			}
		}
		out, err := operate(r.Context(), in)
		writeAnswer(w, r, log, out, err)
	})
}

func writeAnswer(w http.ResponseWriter, r *http.Request, log *slog.Logger, out any, err error) {
	if err == nil {
		writeJSON(w, http.StatusOK, out)
		return
	}
	code := helpdesk.CodeOf(err)
	if code == helpdesk.CodeInternal {
		log.Error("control socket", "request", r.URL.Path, "error", err)
	}
	writeJSON(w, http.StatusUnprocessableEntity, controlError{code, err.Error()})
}

// rehearse makes the handler of Rehearse, whose request is the mail itself; all
// else of it stands in the query.
func rehearse(log *slog.Logger, ops operations) http.Handler {
	const limit = 1 << 30 // far above any mail the listener takes
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			writeJSON(w, http.StatusBadRequest, controlError{helpdesk.CodeInvalid, "read the mail: " + err.Error()})
			return
		}
		mail := rehearsal{To: r.URL.Query()["to"], Raw: raw}
		if text := r.URL.Query().Get("session"); text != "" {
			if err := json.Unmarshal([]byte(text), &mail.Session); err != nil {
				writeJSON(w, http.StatusBadRequest, controlError{helpdesk.CodeInvalid, "read the session: " + err.Error()})
				return
			}
		}
		out, err := ops.Rehearse(r.Context(), mail)
		writeAnswer(w, r, log, out, err)
	})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // a client that has gone away needs no answer
}
