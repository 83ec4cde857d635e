package ui_test

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// archived are the files of a ZIP archive; the ids of messages in their names are left out.
func archived(t *testing.T, archive []byte) (texts map[string]string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string]string{}
	for _, f := range r.File {
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		name := f.Name
		if at := strings.LastIndex(name, "/mail/"); at >= 0 {
			name = name[:at] + "/mail/*" + name[strings.LastIndex(name, "."):]
		}
		texts[name] += string(text)
	}
	return texts
}

func TestAPIExportsAPerson(t *testing.T) {
	h := newAPIHouse(t)
	const person = "tamura@customer.example"
	h.post("support@example.jp", helpdesk.Authentication{}, "From: Tamura <"+person+">", "Subject: Invoice", "", "Please send it again.")
	h.reply(1, object{"text": "We sent it.", "bcc": []string{"audit@customer.example"}})
	h.create("/tickets/1/notes", object{"text": "pays late"})
	h.reply(1, object{"text": "Is this theirs?", "to": []string{"bank@elsewhere.example"}})
	h.post("support@example.jp", helpdesk.Authentication{}, "From: Other <other@customer.example>", "Subject: Theirs", "", "A secret of mine.")
	h.reply(2, object{"text": "For you both.", "cc": []string{person}})
	h.post("support@example.jp", helpdesk.Authentication{}, "From: Third <third@customer.example>", "Subject: Another", "", "Nothing of hers.")

	answer := h.call("GET", "/contacts/"+person+"/export", nil)
	if answer.Header.Get("Content-Type") != "application/zip" {
		t.Fatalf("status %d, %v", answer.Status, answer.Header)
	}
	got := archived(t, answer.Body)
	names := []string{}
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"README.txt", "contact.json", "tickets/1/mail/*.eml", "tickets/1/mail/*.json", "tickets/1/review/events.jsonl", "tickets/1/review/mail/*.eml",
		"tickets/1/review/mail/*.json", "tickets/1/review/notes.jsonl", "tickets/1/ticket.json", "tickets/2/mail/*.eml", "tickets/2/mail/*.json", "tickets/2/ticket.json"}
	if !slices.Equal(names, want) {
		t.Errorf("the archive has %q, want %q", names, want)
	}
	for name, words := range map[string][]string{
		"contact.json": {person, "Tamura"}, "tickets/1/mail/*.eml": {"Please send it again.", "We sent it."}, "tickets/1/review/mail/*.eml": {"Is this theirs?"},
		"tickets/1/review/notes.jsonl": {"pays late"}, "tickets/2/mail/*.eml": {"For you both."}, "README.txt": {"review"},
	} {
		for _, word := range words {
			if !strings.Contains(got[name], word) {
				t.Errorf("%s has not %q: %s", name, word, got[name])
			}
		}
	}
	for name, text := range got {
		for _, word := range []string{"A secret of mine", "Nothing of hers", "audit@customer.example"} {
			if !strings.Contains(name, "review/") && strings.Contains(text, word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
	h.call("GET", "/contacts/nobody@customer.example/export", nil).refused(404, helpdesk.CodeNotFound, "", "no contact")
	logged := slices.ContainsFunc(h.get("/events?limit=200").list("events"), func(event any) bool { return event.(map[string]any)["kind"] == "export.made" })
	if !logged {
		t.Error("the log does not say that it was taken out")
	}
}
