package migrate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk/migrate"
)

// exported writes an export into a directory whose name could be a pattern.
func exported(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "export [2025]")
	for name, content := range files {
		file := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// A ticket whose words are in a damaged file is not imported without them: it is left out
// with the reason, and the others come.
func TestATicketWithADamagedFileIsLeftOut(t *testing.T) {
	for _, system := range []struct {
		name    string
		open    opener
		tickets string
		folder  string
		entry   string
	}{
		{"zendesk", migrate.OpenZendesk,
			`[{"id":1,"subject":"Whole","created_at":"2021-03-04T09:00:00Z","requester":{"id":5,"email":"aki@customer.example"}},
			{"id":2,"subject":"Damaged","description":"Only the first words","created_at":"2021-03-04T09:00:00Z","requester":{"id":5,"email":"aki@customer.example"}}]`,
			"comments", `{"id":1,"author_id":5,"public":true,"body":"Hello","created_at":"2021-03-04T09:00:00Z"}`},
		{"zammad", migrate.OpenZammad,
			`[{"id":1,"number":"1","title":"Whole","state":"open","customer":"aki@customer.example","created_at":"2021-03-04T09:00:00Z"},
			{"id":2,"number":"2","title":"Damaged","state":"open","customer":"aki@customer.example","created_at":"2021-03-04T09:00:00Z"}]`,
			"articles", `{"id":1,"sender":"Customer","from":"aki@customer.example","body":"Hello","created_at":"2021-03-04T09:00:00Z"}`},
	} {
		t.Run(system.name, func(t *testing.T) {
			damaged := filepath.Join(system.folder, "2.json")
			directory := exported(t, map[string]string{
				"tickets.json":                         system.tickets,
				filepath.Join(system.folder, "1.json"): "[" + system.entry + "]",
				damaged:                                "[" + system.entry + `,{"id":2,"body":"cut o`,
			})
			r := newHouse(t).bring(system.open, directory, false)
			if r.Tickets != 1 || r.Messages != 1 || len(r.Left) != 1 {
				t.Errorf("the report is %+v", r)
			}
			for _, text := range []string{"ticket 2: ", filepath.Join(directory, damaged), "byte "} {
				if !strings.Contains(left(r), text) {
					t.Errorf("the report does not say %q:\n%s", text, left(r))
				}
			}
		})
	}
}

// An attachment is found by its own id alone: without one it is not given another's file,
// and an id does not lead out of the export.
func TestAttachmentsAreThoseOfTheirIDs(t *testing.T) {
	directory := exported(t, map[string]string{
		"tickets.json": `{"id":1,"subject":"Files","created_at":"2021-03-04T09:00:00Z","requester":{"id":5,"email":"aki@customer.example"},
			"comments":[{"id":1,"author_id":5,"public":true,"body":"Look","created_at":"2021-03-04T09:00:00Z","attachments":[
			{"id":70,"file_name":"mine.txt"}, {"id":71,"file_name":"mine too.txt"}, {"file_name":"no id.txt"},
			{"id":"*","file_name":"any.txt"}, {"id":"../../secret","file_name":"outside.txt"}]}]}`,
		"attachments/70/mine.txt":  "70",
		"attachments/71-other.txt": "71",
	})
	if err := os.WriteFile(filepath.Join(directory, "..", "secret"), []byte("of this machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	r := h.bring(migrate.OpenZendesk, directory, false)
	h.want(1, `"Files" open=true assignee= priority=normal tags=[] from  <aki@customer.example>`,
		"2021-03-04 09:00:00 in aki@customer.example: Look [mine.txt mine too.txt]")
	for _, name := range []string{"no id.txt", "any.txt", "outside.txt"} {
		if !strings.Contains(left(r), `"`+name+`", which the export only names`) {
			t.Errorf("the report does not say that %s is left out:\n%s", name, left(r))
		}
	}
}
