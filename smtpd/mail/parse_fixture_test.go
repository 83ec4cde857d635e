package mail_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

var update = flag.Bool("update", false, "write testdata/*.want.json anew; read the difference before committing it")

// reading is the stable JSON of a Message: what a reader would see of it.
type reading struct {
	Subject      string           `json:"subject,omitempty"`
	From         *mail.Address    `json:"from,omitempty"`
	Froms        []mail.Address   `json:"froms,omitempty"` // where several
	ReplyTo      []mail.Address   `json:"reply_to,omitempty"`
	To           []mail.Address   `json:"to,omitempty"`
	Cc           []mail.Address   `json:"cc,omitempty"`
	Date         string           `json:"date,omitempty"`
	MessageID    string           `json:"message_id,omitempty"`
	InReplyTo    []string         `json:"in_reply_to,omitempty"`
	References   []string         `json:"references,omitempty"`
	Text         string           `json:"text,omitempty"`
	HTML         string           `json:"html,omitempty"`
	TextFromHTML bool             `json:"text_from_html,omitempty"`
	Attachments  []attachmentRead `json:"attachments,omitempty"`
	CharsetNotes []string         `json:"charset_notes,omitempty"`
	Defects      []string         `json:"defects,omitempty"`
}

type attachmentRead struct {
	Filename    string `json:"filename,omitempty"`
	ContentType string `json:"content_type"`
	ContentID   string `json:"content_id,omitempty"`
	Inline      bool   `json:"inline,omitempty"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
}

func read(m *mail.Message) reading {
	r := reading{
		Subject: m.Subject, ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc,
		MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: m.References,
		Text: m.Text, HTML: m.HTML, TextFromHTML: m.TextFromHTML,
		CharsetNotes: m.CharsetNotes, Defects: m.Defects,
	}
	if m.From != (mail.Address{}) {
		r.From = &m.From
	}
	if len(m.Froms) > 1 {
		r.Froms = m.Froms
	}
	if !m.Date.IsZero() {
		r.Date = m.Date.Format(time.RFC3339)
	}
	for _, a := range m.Attachments {
		r.Attachments = append(r.Attachments, attachmentRead{a.Filename, a.ContentType, a.ContentID, a.Inline, a.Size, a.SHA256})
	}
	return r
}

// Every NAME.eml of testdata is read as NAME.want.json says.
func TestParseReadsFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".eml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			encoder := json.NewEncoder(&got)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(read(mail.Parse(raw))); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(name+".want.json", []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".want.json")
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("read as\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}
