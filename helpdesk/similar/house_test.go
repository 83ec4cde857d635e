package similar_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// house is a helpdesk on a real database, with its search index, and vectors by
// a stand-in for Ollama.
type house struct {
	*helpdesk.Desk
	t       testing.TB
	db      store.Engine
	fault   *storetest.Fault
	model   *ollama
	analyst *analysis.Analyst
	words   *search.Index
	index   *similar.Index
	finder  *similar.Finder
	now     time.Time
	admin   helpdesk.Actor
	mails   int
	written map[string]int // by matter
}

func newHouse(t testing.TB) *house {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, fault: storetest.NewFault(db), now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		written: map[string]int{}, model: &ollama{digest: "sha-1", dimensions: 256}}
	h.db = h.fault
	t.Cleanup(func() { h.db.Close() })
	if h.Desk, err = helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"}); err != nil {
		t.Fatal(err)
	}
	h.Desk.Now = func() time.Time { return h.now }
	secret, err := h.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	user, err := h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "佐藤 遥", Password: "correct horse battery", AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	h.admin = user.Actor()
	log := slog.New(slog.DiscardHandler)
	if h.analyst, err = analysis.New(h.Desk, analysis.Options{Address: h.model.serve(t), Model: "clerk"}, log); err != nil {
		t.Fatal(err)
	}
	h.words = search.New(h.db, h.Desk)
	h.withModel()
	t.Cleanup(h.verify)
	return h
}

// withModel starts the index as the program does.
func (h *house) withModel() {
	embedder := analysis.NewEmbedder(h.analyst, analysis.EmbedderOptions{Model: "vectors"})
	h.index = similar.New(h.db, h.Desk, embedder, slog.New(slog.DiscardHandler))
	h.finder = similar.NewFinder(h.index, h.Desk, h.words)
}

func (h *house) verify() {
	h.t.Helper()
	problems, err := h.index.Verify(context.Background())
	if err != nil || len(problems) > 0 {
		h.t.Errorf("verify: %v, %q", err, problems)
	}
}

// post brings a first mail and returns its ticket.
func (h *house) post(from, subject, text string) helpdesk.Receipt {
	h.t.Helper()
	return h.postTo("support@example.jp", from, subject, text)
}

func (h *house) postTo(to, from, subject, text string) helpdesk.Receipt {
	h.t.Helper()
	h.mails++
	raw := fmt.Appendf(nil, "Message-ID: <mail-%d@customer.example>\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		h.mails, from, to, subject, text)
	receipt, err := h.Receive(h.t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{to}}, Raw: raw, Message: mail.Parse(raw), ReceivedAt: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

// work lets the index do all there is to do.
func (h *house) work() {
	h.t.Helper()
	if err := h.tryWork(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tryWork() error {
	for range 1000 {
		if more, err := h.index.Work(h.t.Context()); err != nil || !more {
			return err
		}
	}
	return errors.New("the work does not end")
}

// followWords brings the search index up to the end of the log.
func (h *house) followWords() {
	h.t.Helper()
	events, err := h.Events(h.t.Context(), helpdesk.System("search"), 0, 10_000)
	if err == nil {
		err = h.words.Handle(h.t.Context(), events)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) similar(number uint64) similar.Found {
	h.t.Helper()
	found, err := h.finder.Similar(h.t.Context(), h.admin, number, similar.MaxSimilar)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

func (h *house) status() similar.Status {
	h.t.Helper()
	s, err := h.index.Status(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}
