package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportAndImport writes a house out, goes on with an export that was broken off, and
// takes its mail over into another house.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	data, out := newDesk(t), filepath.Join(t.TempDir(), "out")
	succeed(t, "", "import", "zendesk", "../../helpdesk/migrate/testdata/zendesk", "--alias", deskAddress, "--data", data, "--report", filepath.Join(t.TempDir(), "r"))
	s := start(t, data)
	for i := range 3 {
		send(t, s.smtp, "tanaka@customer.test", deskAddress, fmt.Appendf(nil, "From: 田中 <tanaka@customer.test>\r\nTo: %s\r\nMessage-ID: <%d@customer.test>\r\nSubject: hello %d\r\n\r\nhello\r\n>From the start\r\nFrom here on\r\n", deskAddress, i, i))
	}
	if text := succeed(t, "", "export", out, "--data", data); !strings.Contains(text, "5 tickets, 6 messages, 1 notes, 3 contacts") {
		t.Errorf("export: %s", text)
	}
	refuse(t, []string{"export", out, "--data", data}, "has an export already")
	manifest, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	if err != nil || !bytes.Contains(manifest, []byte(`"messages": 6`)) {
		t.Errorf("manifest: %s (%v)", manifest, err)
	}
	lines, err := os.ReadFile(filepath.Join(out, "messages.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		var m struct {
			Subject string
			Mbox    struct {
				File          string
				Offset, Bytes int64
			}
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		mbox, err := os.ReadFile(filepath.Join(out, m.Mbox.File))
		if err != nil {
			t.Fatal(err)
		}
		if mail := mbox[m.Mbox.Offset:][:m.Mbox.Bytes]; !bytes.HasPrefix(mail, []byte("From ")) || strings.HasPrefix(m.Subject, "hello") && !bytes.Contains(mail, []byte("\n>>From the start\n>From here on\n")) {
			t.Errorf("the mail of %q:\n%s", m.Subject, mail)
		}
	}

	// As a run that was killed after its second part leaves it: more was written than kept.
	if err := os.Remove(filepath.Join(out, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	tickets, err := os.ReadFile(filepath.Join(out, "tickets.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	state := fmt.Sprintf(`{"query":{"Part":"","After":"","Alias":"","From":"0001-01-01T00:00:00Z","To":"0001-01-01T00:00:00Z"},"step":1,"after":"","sizes":{"tickets.jsonl":%d},"count":{"tickets":5}}`, len(tickets))
	if err := os.WriteFile(filepath.Join(out, "export.partial.json"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse(t, []string{"export", out, "--alias", deskAddress, "--data", data}, "another --alias")
	if text := succeed(t, "", "export", out, "--data", data); !strings.Contains(text, "5 tickets, 6 messages") {
		t.Errorf("going on: %s", text)
	}
	if again, err := os.ReadFile(filepath.Join(out, "messages.jsonl")); err != nil || !bytes.Equal(again, lines) {
		t.Errorf("the messages differ after going on (%v)", err)
	}

	part := filepath.Join(t.TempDir(), "part")
	if text := succeed(t, "", "export", part, "--alias", deskAddress, "--until", "2022-01-01", "--data", data); !strings.Contains(text, "3 messages, 1 notes") {
		t.Errorf("export of a part: %s", text)
	}
	refuse(t, []string{"export", filepath.Join(part, "x"), "--since", "yesterday", "--data", data}, "--since", "2026-11-22")
	refuse(t, []string{"export", filepath.Join(part, "y"), "--alias", "no@example.test", "--data", data}, "no@example.test")
	s.stop()

	other := newDesk(t)
	if text := succeed(t, "", "import", "mbox", filepath.Join(out, "mail"), "--alias", deskAddress, "--data", other); !strings.Contains(text, "with 6 messages") || !strings.Contains(text, "0 things are left out") {
		t.Errorf("import of the export: %s", text)
	}
	succeed(t, "", "verify", "--data", other)
}
