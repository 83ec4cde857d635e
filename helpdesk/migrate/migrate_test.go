package migrate_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/migrate"
	"github.com/madoguchi/madoguchi/store"
)

// house is a real desk into which things are imported.
type house struct {
	*helpdesk.Desk
	t     *testing.T
	admin helpdesk.Actor
}

func newHouse(t *testing.T) *house {
	t.Helper()
	bolt, err := store.OpenBolt(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bolt.Close() })
	desk, err := helpdesk.Open(t.Context(), bolt, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := desk.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := desk.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp", AdminName: "Sato",
		Password: "correct horse battery", AliasLocal: "support", Locale: "en"})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{desk, t, u.Actor()}
	t.Cleanup(func() {
		if problems, err := desk.Verify(context.Background()); err != nil || len(problems) > 0 {
			t.Errorf("verify: %v, %q", err, problems)
		}
	})
	return h
}

func (h *house) write(ctx context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (helpdesk.ImportOutcome, error) {
	return h.ImportTicket(ctx, h.admin, t, o)
}

type opener func(context.Context, string) (migrate.Source, error)

func (h *house) bring(open opener, path string, dry bool) migrate.Report {
	h.t.Helper()
	write := h.write
	if dry {
		scratch, err := store.OpenBolt(filepath.Join(h.t.TempDir(), "scratch.db"), store.BoltOptions{Volatile: true})
		if err != nil {
			h.t.Fatal(err)
		}
		defer scratch.Close()
		rehearsal, err := h.RehearseImport(h.t.Context(), h.admin, scratch)
		if err != nil {
			h.t.Fatal(err)
		}
		write = rehearsal.ImportTicket
	}
	source, err := open(h.t.Context(), path)
	if err != nil {
		h.t.Fatal(err)
	}
	report, err := migrate.Run(h.t.Context(), source, write, helpdesk.ImportOptions{Alias: "support@example.jp"}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return report
}

// shown is a ticket in a line a message and note.
func (h *house) shown(number uint64) string {
	h.t.Helper()
	v, err := h.Ticket(h.t.Context(), h.admin, number)
	if err != nil {
		h.t.Fatal(err)
	}
	t := v.Row.Ticket
	lines := []string{fmt.Sprintf("%q open=%t assignee=%s priority=%s tags=%v from %s <%s>", t.Subject, t.Open, v.Row.AssigneeName, t.Priority.Name(), t.Tags, v.Row.Contact.Name, v.Row.Contact.Email)}
	for _, m := range v.Messages {
		var files []string
		for _, a := range m.Message.Attachments {
			files = append(files, a.Filename)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s: %s %v", m.Message.At.Format(time.DateTime), m.Message.Direction, m.Message.From.Email, strings.Join(strings.Fields(m.Body.Text), " "), files))
	}
	for _, n := range v.Notes {
		lines = append(lines, fmt.Sprintf("%s note of %s: %s", n.Note.At.Format(time.DateTime), n.AuthorName, n.Note.Text))
	}
	return strings.Join(lines, "\n")
}

func (h *house) want(number uint64, lines ...string) {
	h.t.Helper()
	if got, want := h.shown(number), strings.Join(lines, "\n"); got != want {
		h.t.Errorf("ticket %d:\n%s\nwant:\n%s", number, got, want)
	}
}

// has makes custom fields of tickets.
func (h *house) has(list ...helpdesk.Field) {
	h.t.Helper()
	for _, f := range list {
		f.Owner = helpdesk.FieldOfTicket
		if _, err := h.SaveField(h.t.Context(), h.admin, f); err != nil {
			h.t.Fatal(err)
		}
	}
}

// wantFields checks the company of a ticket's customer and the ticket's custom fields.
func (h *house) wantFields(number uint64, company string, want map[string]string) {
	h.t.Helper()
	v, err := h.Ticket(h.t.Context(), h.admin, number)
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := h.Fields(h.t.Context(), h.admin)
	if err != nil {
		h.t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range list {
		if shown := f.Shown(v.Row.Ticket.Fields[f.ID]); len(shown) > 0 {
			got[f.Name] = strings.Join(shown, ", ")
		}
	}
	if !maps.Equal(got, want) {
		h.t.Errorf("ticket %d has the fields %v, want %v", number, got, want)
	}
	contact, err := h.Contact(h.t.Context(), h.admin, v.Row.Contact.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if contact.Company == nil || contact.Company.Name != company {
		h.t.Errorf("the company of the customer is %+v, want %s", contact.Company, company)
	}
}

func left(r migrate.Report) string {
	var b bytes.Buffer
	r.WriteLeft(&b)
	return b.String()
}

func TestZendesk(t *testing.T) {
	h := newHouse(t)
	h.has(helpdesk.Field{Name: "model", Kind: helpdesk.FieldChoice, Choices: []helpdesk.FieldOption{{Name: "Laser"}, {Name: "Ink"}}}, helpdesk.Field{Name: "Price", Kind: helpdesk.FieldNumber})
	if dry := h.bring(migrate.OpenZendesk, "testdata/zendesk", true); dry.Tickets != 2 || dry.Messages != 3 || dry.Notes != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	r := h.bring(migrate.OpenZendesk, "testdata/zendesk", false)
	if r.Tickets != 2 || r.Messages != 3 || r.Notes != 1 || r.Contacts != 2 {
		t.Errorf("report: %+v", r)
	}
	for _, text := range []string{`"smoke.jpg"`, "https://company.zendesk.example/attachments/smoke.jpg", "ticket 35438: it was deleted", "left@example.jp, who is no user here", `its group "Level 1"`, `its field "Unknown here" with "of another house"`} {
		if !strings.Contains(left(r), text) {
			t.Errorf("the report does not say %q:\n%s", text, left(r))
		}
	}
	h.want(1, `"My printer is on fire!" open=true assignee=Sato priority=high tags=[printer enterprise] from Aki Ueda <aki@customer.example>`,
		"2021-03-04 09:00:00 in aki@customer.example: The smoke is very colorful. []",
		"2021-03-04 10:00:00 out sato@example.jp: Please unplug it. []",
		"2021-03-04 11:00:00 note of Sato: Third one this week.")
	h.wantFields(1, "Ueda Shoji", map[string]string{"model": "Laser", "Price": "12.50"})
	if again := h.bring(migrate.OpenZendesk, "testdata/zendesk", false); again.Tickets+again.Messages+again.Notes != 0 || again.Same != 2 || again.Known != 4 {
		t.Errorf("a second run: %+v", again)
	}
}

func TestZammad(t *testing.T) {
	h := newHouse(t)
	h.has(helpdesk.Field{Name: "注文番号", Kind: helpdesk.FieldText}, helpdesk.Field{Name: "至急", Kind: helpdesk.FieldCheckbox})
	r := h.bring(migrate.OpenZammad, "testdata/zammad", false)
	if r.Tickets != 1 || len(r.Left) != 1 || !strings.Contains(left(r), "経理") {
		t.Errorf("report: %+v", r)
	}
	h.wantFields(1, "田村商事", map[string]string{"注文番号": "A-100", "至急": "yes"})
	h.want(1, `"請求書の再発行" open=false assignee=Sato priority=high tags=[請求] from 田村 美咲 <tamura@customer.example>`,
		"2022-05-01 01:00:00 in tamura@customer.example: 5月分をお願いします。 [注文.txt]",
		"2022-05-01 02:00:00 out sato@example.jp: お送りしました。 []",
		"2022-05-01 03:00:00 note of Sato: 経理に確認済み")
}

func TestFreeScout(t *testing.T) {
	h := newHouse(t)
	h.has(helpdesk.Field{Name: "Purchase date", Kind: helpdesk.FieldDate})
	r := h.bring(migrate.OpenFreeScout, "testdata/freescout/conversations.json", false)
	h.wantFields(1, "Robertson Ltd", map[string]string{"Purchase date": "2021-06-23"})
	if !strings.Contains(left(r), `its field "Plan" with "Large"`) {
		t.Errorf("the report does not tell of a field that is none here:\n%s", left(r))
	}
	if r.Tickets != 1 || !strings.Contains(left(r), "conversation 4: it is spam") || !strings.Contains(left(r), "receipt.pdf") {
		t.Errorf("report: %+v", r)
	}
	h.want(1, `"Refund" open=true assignee=Sato priority=normal tags=[] from Rodney Robertson <rodney@customer.example>`,
		"2020-03-15 22:46:22 in rodney@customer.example: I want a refund. Now. []",
		"2020-03-16 07:00:00 out sato@example.jp: We will look into it. []",
		"2020-03-16 07:30:00 note of Sato: Give it to him.")
}

func TestMailFolders(t *testing.T) {
	h := newHouse(t)
	if r := h.bring(migrate.OpenMbox, "testdata/thread.mbox", false); r.Tickets != 2 || r.Messages != 3 || len(r.Left) != 0 {
		t.Errorf("mbox: %+v\n%s", r, left(r))
	}
	thread := []string{`"Cable" open=false assignee= priority=normal tags=[] from Ueda <ueda@customer.example>`,
		"2021-03-04 09:00:00 in ueda@customer.example: I need a cable. []",
		"2021-03-04 10:00:00 out support@example.jp: Which one? From our list, please. []"}
	h.want(1, thread...)
	r := h.bring(migrate.OpenMaildir, "testdata/maildir", false)
	if r.Tickets != 0 || r.Joined != 1 || r.Messages != 2 || !strings.Contains(left(r), "marked as deleted") {
		t.Errorf("Maildir: %+v\n%s", r, left(r))
	}
	h.want(1, append(thread,
		"2021-03-04 11:00:00 in ueda@customer.example: The long one. []",
		"2021-03-04 12:00:00 out support@example.jp: On its way. []")...)
	if r := h.bring(migrate.OpenMbox, "testdata/thread.mbox", false); r.Messages != 0 || r.Known != 3 {
		t.Errorf("mbox again: %+v", r)
	}
}

// Whatever an export has twice (a ticket, a mail, somebody who wrote), the rehearsal says what the
// import then does, and changes nothing.
func TestARehearsalSaysWhatTheImportDoes(t *testing.T) {
	for _, format := range []struct {
		name, from string
		open       opener
		again      map[string]string // further files, by the one they are made of
		other      *strings.Replacer // makes other tickets of theirs
	}{
		{"zendesk", "zendesk", migrate.OpenZendesk, map[string]string{"tickets-2.json": "tickets.json"}, strings.NewReplacer(`"id":35436`, `"id":9935436`, `"id":1274`, `"id":991274`)},
		{"zammad", "zammad", migrate.OpenZammad, map[string]string{"tickets-2.json": "tickets.json"}, strings.NewReplacer()},
		{"freescout", "freescout", migrate.OpenFreeScout, map[string]string{"conversations-2.json": "conversations.json"}, strings.NewReplacer(`"id":1,"number":3`, `"id":1001,"number":1003`, `"id":15,"type"`, `"id":1015,"type"`)},
		{"mbox", "mbox", migrate.OpenMbox, map[string]string{"again.mbox": "thread.mbox", "other.mbox": "thread.mbox"}, strings.NewReplacer()},
		{"maildir", "maildir", migrate.OpenMaildir, map[string]string{"new/1614855700.M1P1.host": "cur/1614855600.M1P1.host:2,S"}, strings.NewReplacer()},
	} {
		t.Run(format.name, func(t *testing.T) {
			export := t.TempDir()
			if format.name == "mbox" {
				copyFile(t, "testdata/thread.mbox", filepath.Join(export, "thread.mbox"), strings.NewReplacer())
			} else if err := os.CopyFS(export, os.DirFS(filepath.Join("testdata", format.from))); err != nil {
				t.Fatal(err)
			}
			for file, of := range format.again {
				copyFile(t, filepath.Join(export, of), filepath.Join(export, file), format.other)
			}
			h := newHouse(t)
			dry := h.bring(format.open, export, true)
			if v, err := h.Ticket(t.Context(), h.admin, 1); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
				t.Errorf("the rehearsal made a ticket: %+v, %v", v, err)
			}
			done := h.bring(format.open, export, false)
			if !reflect.DeepEqual(dry, done) {
				t.Errorf("rehearsed\n%+v\ndone\n%+v", dry, done)
			}
			if done.Known == 0 || done.Messages == 0 {
				t.Errorf("nothing was there twice: %+v", done)
			}
			if dry, done := h.bring(format.open, export, true), h.bring(format.open, export, false); !reflect.DeepEqual(dry, done) || done.Messages > 0 {
				t.Errorf("a second time rehearsed\n%+v\ndone\n%+v", dry, done)
			}
		})
	}
}

func copyFile(t *testing.T, from, to string, change *strings.Replacer) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, []byte(change.Replace(string(data))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is no export of the kind is said, and nothing panics.
func TestOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tickets.json")
	openers := map[string]opener{"zendesk": migrate.OpenZendesk, "zammad": migrate.OpenZammad, "freescout": migrate.OpenFreeScout, "mbox": migrate.OpenMbox, "maildir": migrate.OpenMaildir}
	for _, content := range []string{"", "[", "{", "[1,2]", "no JSON at all", `{"tickets":7}`, "From x\n", "[{\"id\":[]}]"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, open := range openers {
			h := newHouse(t)
			source, err := open(t.Context(), path)
			if err != nil {
				continue
			}
			r, err := migrate.Run(t.Context(), source, h.write, helpdesk.ImportOptions{}, nil)
			if err == nil && r.Tickets > 0 {
				t.Errorf("%s reads %d tickets out of %q", name, r.Tickets, content)
			}
		}
	}
	if _, err := migrate.OpenZendesk(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "ticket*.json") {
		t.Errorf("an empty directory: %v", err)
	}
}
