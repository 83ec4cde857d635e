package mail_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// FuzzParse reads any bytes: no panic, the promises of Message kept, and the
// same reading twice.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := mail.Parse(raw)
		checkInvariants(t, m)
		if again := mail.Parse(raw); !reflect.DeepEqual(m, again) {
			t.Errorf("read differently the second time:\n%+v\n%+v", m, again)
		}
	})
}

// checkInvariants fails where m breaks what the Message type promises.
func checkInvariants(t *testing.T, m *mail.Message) {
	t.Helper()
	text := func(where, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("%s is not clean text: %q", where, s[:min(len(s), 200)])
		}
	}
	line := func(where, s string) {
		text(where, s)
		if strings.ContainsAny(s, "\r\n") {
			t.Errorf("%s has a line end: %q", where, s[:min(len(s), 200)])
		}
	}
	address := func(where string, a mail.Address) {
		line(where, a.Name)
		line(where, a.Address)
		if strings.ContainsAny(a.Address, "<>") && !strings.HasPrefix(a.Address, `"`) {
			t.Errorf("%s address has brackets: %q", where, a.Address)
		}
	}
	for _, field := range m.Header {
		line("field name", field.Name)
		line(field.Name, field.Value)
	}
	line("Subject", m.Subject)
	text("Text", m.Text)
	text("HTML", m.HTML)
	address("From", m.From)
	for where, list := range map[string][]mail.Address{"Froms": m.Froms, "ReplyTo": m.ReplyTo, "To": m.To, "Cc": m.Cc} {
		for _, a := range list {
			address(where, a)
		}
	}
	ids := append(append([]string{m.MessageID}, m.InReplyTo...), m.References...)
	for _, id := range ids {
		line("identifier", id)
		if strings.ContainsAny(id, "<> \t") {
			t.Errorf("identifier has brackets or blanks: %q", id)
		}
	}
	for _, s := range append(append([]string{}, m.CharsetNotes...), m.Defects...) {
		line("note", s)
	}
	if i := m.Calendar; i != nil {
		for _, s := range []string{i.Method, i.UID, i.Summary, i.Location, i.Status, i.Zone, i.Recurrence} {
			line("calendar", s)
		}
		text("calendar description", i.Description)
		address("Organizer", i.Organizer)
		for _, a := range i.Attendees {
			address("Attendee", a.Address)
			line("participation", a.Participation)
		}
	}
	for _, a := range m.Attachments {
		line("file name", a.Filename)
		line("file name as written", a.RawFilename)
		line("content type", a.ContentType)
		line("content identifier", a.ContentID)
		if sum := sha256.Sum256(a.Data); a.Size != int64(len(a.Data)) || a.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("attachment %q: size or sum is not that of its data", a.Filename)
		}
	}
}
