package mail_test

import (
	"encoding/json"
	"flag"
	"fmt"
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
	Calendar     *invitationRead  `json:"calendar,omitempty"`
	Protection   *protectionRead  `json:"protection,omitempty"`
	CharsetNotes []string         `json:"charset_notes,omitempty"`
	Defects      []string         `json:"defects,omitempty"`
}

type invitationRead struct {
	Method       string        `json:"method,omitempty"`
	UID          string        `json:"uid,omitempty"`
	Sequence     int           `json:"sequence,omitempty"`
	Summary      string        `json:"summary,omitempty"`
	Description  string        `json:"description,omitempty"`
	Location     string        `json:"location,omitempty"`
	Status       string        `json:"status,omitempty"`
	Start        string        `json:"start,omitempty"`
	End          string        `json:"end,omitempty"`
	AllDay       bool          `json:"all_day,omitempty"`
	Zone         string        `json:"zone,omitempty"`
	Floating     bool          `json:"floating,omitempty"`
	Recurrence   string        `json:"recurrence,omitempty"`
	Organizer    *mail.Address `json:"organizer,omitempty"`
	Participants []string      `json:"participants,omitempty"` // "name <address> participation"
}

type protectionRead struct {
	Signed    mail.ProtectionScheme `json:"signed,omitempty"`
	Encrypted mail.ProtectionScheme `json:"encrypted,omitempty"`
}

type attachmentRead struct {
	Filename    string `json:"filename,omitempty"`
	RawFilename string `json:"raw_filename,omitempty"`
	Risk        string `json:"risk,omitempty"`
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
		r.Attachments = append(r.Attachments, attachmentRead{a.Filename, a.RawFilename, string(a.Risk), a.ContentType, a.ContentID, a.Inline, a.Size, a.SHA256})
	}
	if m.Protection != (mail.Protection{}) {
		r.Protection = &protectionRead{m.Protection.Signed, m.Protection.Encrypted}
	}
	if m.Calendar != nil {
		r.Calendar = readCalendar(m.Calendar)
	}
	return r
}

func readCalendar(i *mail.Invitation) *invitationRead {
	r := &invitationRead{
		Method: i.Method, UID: i.UID, Sequence: i.Sequence, Summary: i.Summary, Description: i.Description,
		Location: i.Location, Status: i.Status, AllDay: i.AllDay, Zone: i.Zone, Floating: i.Floating, Recurrence: i.Recurrence,
	}
	if !i.Start.IsZero() {
		r.Start = i.Start.Format(time.RFC3339)
	}
	if !i.End.IsZero() {
		r.End = i.End.Format(time.RFC3339)
	}
	if i.Organizer != (mail.Address{}) {
		r.Organizer = &i.Organizer
	}
	for _, a := range i.Attendees {
		words := strings.TrimSpace(fmt.Sprintf("%s <%s> %s", a.Name, a.Address.Address, a.Participation))
		if a.Optional {
			words += " optional"
		}
		r.Participants = append(r.Participants, words)
	}
	return r
}

// Every NAME.eml of testdata is read as NAME.want.json says.
func TestParseReadsFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 200 {
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
