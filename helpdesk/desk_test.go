package helpdesk_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// house is a helpdesk on a real database, set up as the first-run page does.
type house struct {
	*helpdesk.Desk
	t     *testing.T
	fault *storetest.Fault
	db    *storetest.Fault // what the desk is opened on
	now   time.Time
	admin helpdesk.Actor
	user  *helpdesk.User
	alias helpdesk.Alias
	mails int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	set, err := setUp()
	if err != nil {
		t.Fatal(err)
	}
	return openHouse(t, set)
}

// openHouse opens a copy of a house that was set up before.
func openHouse(t *testing.T, set *setUpHouse) *house {
	t.Helper()
	dir := fastDir(t)
	path := filepath.Join(dir, "test.db")
	if err := os.WriteFile(path, set.database, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(path, store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, fault: storetest.NewFault(db), now: startOfTests, user: set.admin, admin: set.admin.Actor()}
	h.db = h.fault
	t.Cleanup(func() { h.db.Close() })
	h.Desk, err = helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", PublicURL: "https://desk.example.jp"})
	if err != nil {
		t.Fatal(err)
	}
	h.Desk.Now = func() time.Time { return h.now }
	aliases, err := h.Aliases(t.Context(), h.admin)
	if err != nil || len(aliases) != 1 {
		t.Fatalf("aliases after setup: %v, %v", aliases, err)
	}
	h.alias = aliases[0]
	t.Cleanup(func() { h.verify() })
	return h
}

// verify fails the test where the store is not whole.
func (h *house) verify() {
	h.t.Helper()
	problems, err := h.Verify(context.Background())
	if err != nil || len(problems) > 0 {
		h.t.Errorf("verify: %v, %q", err, problems)
	}
	h.verifyRecent()
}

// verifyRecent fails the test where the newest events, which the desk keeps in memory, are
// not those of the store, as a desk that has just begun reads them.
func (h *house) verifyRecent() {
	h.t.Helper()
	fresh, err := helpdesk.Open(context.Background(), h.db, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		h.t.Error(err)
		return
	}
	for after := uint64(0); ; {
		kept, err := h.Events(context.Background(), helpdesk.System("test"), after, 3)
		stored, errStored := fresh.Events(context.Background(), helpdesk.System("test"), after, 3)
		if err != nil || errStored != nil || len(stored) == 0 && len(kept) == 0 {
			if err != nil || errStored != nil {
				h.t.Errorf("events after %d: %v, %v", after, err, errStored)
			}
			return
		}
		if !reflect.DeepEqual(kept, stored) {
			h.t.Errorf("events after %d are kept as\n%+v\nand stored as\n%+v", after, kept, stored)
			return
		}
		after = stored[len(stored)-1].Seq
	}
}

var startOfTests = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// fastDir is a directory in memory where the system has one: these tests make
// thousands of commits, and what a power cut does is proven in package store.
func fastDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "helpdesk-test")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// setUpHouse is a house as the first-run page leaves it.
type setUpHouse struct {
	database []byte
	admin    *helpdesk.User
}

// setUp goes through the first-run page once for all tests: to hash a
// password is slow on purpose.
var setUp = sync.OnceValues(func() (*setUpHouse, error) {
	dir, err := os.MkdirTemp("", "helpdesk-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	bolt, err := store.OpenBolt(path, store.BoltOptions{})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	desk, err := helpdesk.Open(ctx, bolt, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		return nil, err
	}
	desk.Now = func() time.Time { return startOfTests }
	secret, err := desk.SetupSecret(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := desk.CompleteSetup(ctx, helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "Sato@example.jp",
		AdminName: "佐藤 遥", Password: "correct horse battery", AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		return nil, err
	}
	if err := bolt.Close(); err != nil {
		return nil, err
	}
	database, err := os.ReadFile(path)
	return &setUpHouse{database: database, admin: admin}, err
})

// with is a house set up as this one, with something more.
func (s *setUpHouse) with(more func(context.Context, *helpdesk.Desk) error) (*setUpHouse, error) {
	dir, err := os.MkdirTemp("", "helpdesk-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	if err := os.WriteFile(path, s.database, 0o600); err != nil {
		return nil, err
	}
	bolt, err := store.OpenBolt(path, store.BoltOptions{})
	if err != nil {
		return nil, err
	}
	desk, err := helpdesk.Open(context.Background(), bolt, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		return nil, err
	}
	desk.Now = func() time.Time { return startOfTests }
	if err := more(context.Background(), desk); err != nil {
		return nil, err
	}
	if err := bolt.Close(); err != nil {
		return nil, err
	}
	database, err := os.ReadFile(path)
	return &setUpHouse{database: database, admin: s.admin}, err
}

func (h *house) pass(d time.Duration) { h.now = h.now.Add(d) }

// post hands in a mail as the listener does. Fields of the header come first
// in the given lines, the text after an empty one.
func (h *house) post(to string, lines ...string) helpdesk.Receipt {
	h.t.Helper()
	receipt, err := h.tryPost(to, lines...)
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (h *house) tryPost(to string, lines ...string) (helpdesk.Receipt, error) {
	h.mails++
	raw := strings.Join(lines, "\r\n") + "\r\n"
	if !strings.Contains(raw, "Message-ID:") {
		raw = fmt.Sprintf("Message-ID: <mail-%d@customer.example>\r\n%s", h.mails, raw)
	}
	return h.Receive(h.t.Context(), incoming(to, raw, h.now))
}

func parse(raw string) *mail.Message { return mail.Parse([]byte(raw)) }

func incoming(to, raw string, at time.Time) helpdesk.Incoming {
	return helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: strings.Split(to, ","), MailFrom: "x@customer.example"},
		Raw: []byte(raw), Message: parse(raw), ReceivedAt: at, Authentication: authenticated(raw)}
}

// authenticated reads the verdict that a test asks for from the mail itself.
func authenticated(raw string) helpdesk.Authentication {
	switch {
	case strings.Contains(raw, "Test-DMARC: pass"):
		return helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "pass"}, AlignedBy: "dkim", Policy: "reject"}
	case strings.Contains(raw, "Test-DMARC: fail"):
		return helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "fail"}, Policy: "reject"}
	}
	return helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "none"}}
}

func (h *house) first() helpdesk.Receipt {
	h.t.Helper()
	return h.post("support@example.jp", "From: =?utf-8?B?55Sw5p2RIOe+juWSsg==?= <tamura@customer.example>", "To: support@example.jp",
		"Cc: kojima@customer.example", "Subject: Invoice 2291", "Date: Sat, 21 Nov 2026 10:00:00 +0900", "", "Please send the invoice again.")
}

func (h *house) ticket(number uint64) *helpdesk.TicketView {
	h.t.Helper()
	v, err := h.Ticket(h.t.Context(), h.admin, number)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) reply(number uint64, text string) *helpdesk.Message {
	h.t.Helper()
	m, err := h.Reply(h.t.Context(), h.admin, helpdesk.Reply{Ticket: number, Text: text})
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// deliver lets every due delivery end as the function says, and returns the
// raw mails by recipient.
func (h *house) deliver(outcome func(recipient string) (helpdesk.Attempt, bool)) map[string]string {
	h.t.Helper()
	sent := map[string]string{}
	claimed, _, err := h.ClaimDue(h.t.Context(), helpdesk.TimerDeliver, 100, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		delivery, raw, err := h.StartDelivery(h.t.Context(), timer.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		if delivery == nil {
			continue
		}
		sent[delivery.Recipient] = string(raw)
		attempt, permanent := outcome(delivery.Recipient)
		if err := h.RecordAttempt(h.t.Context(), timer.ID, attempt, permanent); err != nil {
			h.t.Fatal(err)
		}
	}
	return sent
}

func taken(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false }

func kinds(events []helpdesk.Event) string {
	var list []string
	for _, e := range events {
		list = append(list, string(e.Kind))
	}
	return strings.Join(list, " ")
}

func wantCode(t *testing.T, err error, code helpdesk.Code, text string) {
	t.Helper()
	if helpdesk.CodeOf(err) != code || (err != nil && !strings.Contains(err.Error(), text)) {
		t.Errorf("error %q of code %q; want code %q and %q in it", err, helpdesk.CodeOf(err), code, text)
	}
}
