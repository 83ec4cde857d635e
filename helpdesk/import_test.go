package helpdesk_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

var longAgo = time.Date(2021, 3, 4, 9, 0, 0, 0, time.UTC)

// bought is a ticket of another system, with a customer's question, an answer, a note
// and a question that nobody has answered.
func bought() helpdesk.ImportedTicket {
	customer, agent := helpdesk.Address{Name: "Aki", Email: "aki@customer.example"}, helpdesk.Address{Name: "Sato", Email: "sato@example.jp"}
	desk := []helpdesk.Address{{Email: "support@example.jp"}}
	return helpdesk.ImportedTicket{Source: "zendesk", ID: "35436", Subject: "My printer is on fire!", Open: true, Priority: helpdesk.PriorityHigh,
		Tags: []string{"printer"}, Assignee: "Sato@example.jp", Requester: customer, CreatedAt: longAgo, UpdatedAt: longAgo.Add(72 * time.Hour),
		Entries: []helpdesk.ImportedEntry{
			{ID: "1", Kind: helpdesk.ImportedIn, At: longAgo, Author: customer, To: desk, Text: "The smoke is very colorful.",
				Files: []helpdesk.Upload{{Filename: "煙.txt", ContentType: "text/plain", Data: []byte("smoke")}}},
			{ID: "2", Kind: helpdesk.ImportedOut, At: longAgo.Add(time.Hour), Author: agent, To: []helpdesk.Address{customer}, HTML: "<p>Please <b>unplug</b> it.</p>"},
			{ID: "3", Kind: helpdesk.ImportedNote, At: longAgo.Add(2 * time.Hour), Author: agent, Text: "Never sell that model again."},
			{ID: "4", Kind: helpdesk.ImportedIn, At: longAgo.Add(3 * time.Hour), Author: customer, To: desk, Text: "And now?", MessageID: "now@customer.example"},
		}}
}

func (h *house) bring(t helpdesk.ImportedTicket, o helpdesk.ImportOptions) helpdesk.ImportOutcome {
	h.t.Helper()
	done, err := h.ImportTicket(h.t.Context(), h.admin, t, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return done
}

func (h *house) rehearsal() *helpdesk.ImportRehearsal {
	h.t.Helper()
	scratch, err := store.OpenBolt(filepath.Join(fastDir(h.t), "scratch.db"), store.BoltOptions{Volatile: true})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { scratch.Close() })
	r, err := h.RehearseImport(h.t.Context(), h.admin, scratch)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// A file of contacts that names somebody twice, some hundreds of rows apart, is rehearsed as it
// is imported then.
func TestContactsAreRehearsedAsTheyAreImported(t *testing.T) {
	h := newHouse(t)
	var file strings.Builder
	file.WriteString("email,name,company\n")
	for i := range 500 {
		fmt.Fprintf(&file, "c%d@customer.example,Customer %d,Company %d\n", i%300, i, i%7)
	}
	file.WriteString("nobody,x,y\n")
	dry, err := h.rehearsal().ImportContacts(t.Context(), strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	if list := h.contacts(helpdesk.ContactQuery{}).Contacts; len(list) > 0 {
		t.Errorf("the rehearsal made %d contacts", len(list))
	}
	done, err := h.ImportContacts(t.Context(), h.admin, strings.NewReader(file.String()))
	if err != nil || !reflect.DeepEqual(dry, done) || done.Added != 300 || done.Changed != 200 || done.Left != 1 {
		t.Errorf("rehearsed %+v, done %+v, %v", dry, done, err)
	}
}

func TestImportedTicketKeepsItsDatesAndWakesNobody(t *testing.T) {
	h := newHouse(t)
	if err := h.SaveDuePolicy(t.Context(), h.admin, helpdesk.DuePolicy{Scope: helpdesk.HouseScope, Times: map[helpdesk.Priority]helpdesk.DueTimes{
		helpdesk.PriorityHigh: {First: time.Hour, Next: time.Hour, Resolution: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	before, err := h.Statistics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dry, err := h.rehearsal().ImportTicket(t.Context(), bought(), helpdesk.ImportOptions{})
	if err != nil || dry.Messages != 3 || dry.Notes != 1 || !dry.Opened || !dry.Contact {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	done := h.bring(bought(), helpdesk.ImportOptions{})
	if done.Messages != 3 || done.Notes != 1 || !done.Opened || done.Ticket != 1 || len(done.Left) > 0 {
		t.Fatalf("import: %+v", done)
	}
	v := h.ticket(done.Ticket)
	ticket := v.Row.Ticket
	if !ticket.CreatedAt.Equal(longAgo) || !ticket.UpdatedAt.Equal(longAgo.Add(72*time.Hour)) || ticket.AssigneeID != h.user.ID || !ticket.Open ||
		!ticket.WaitingSince.Equal(longAgo.Add(3*time.Hour)) || !ticket.DueAt.IsZero() || ticket.Priority != helpdesk.PriorityHigh {
		t.Errorf("ticket: %+v", ticket)
	}
	if v.Row.Unread || !v.Row.Contact.CreatedAt.Equal(longAgo) {
		t.Errorf("unread: %t, first contact %v", v.Row.Unread, v.Row.Contact.CreatedAt)
	}
	if len(v.Messages) != 3 || len(v.Notes) != 1 || v.Notes[0].Note.AuthorID != h.user.ID || !v.Notes[0].Note.At.Equal(longAgo.Add(2*time.Hour)) {
		t.Fatalf("%d messages, notes %+v", len(v.Messages), v.Notes)
	}
	question, answer := v.Messages[0].Message, v.Messages[1].Message
	if question.Direction != helpdesk.Inbound || len(question.Attachments) != 1 || question.Attachments[0].Filename != "煙.txt" || !question.At.Equal(longAgo) {
		t.Errorf("question: %+v", question)
	}
	if answer.Direction != helpdesk.Outbound || answer.AuthorID != h.user.ID || !strings.Contains(v.Messages[1].Body.Text, "unplug") {
		t.Errorf("answer: %+v", answer)
	}
	after, err := h.Statistics(t.Context())
	if err != nil || after.Accepted != before.Accepted || after.AnalysesWaiting != 0 || after.DeliveriesWaiting != 0 {
		t.Errorf("statistics: %+v, %v", after, err)
	}
	if list, _, err := h.Notices(t.Context(), h.admin, 0); err != nil || len(list) > 0 {
		t.Errorf("notices: %v, %v", list, err)
	}

	again := h.bring(bought(), helpdesk.ImportOptions{})
	if again.Messages != 0 || again.Notes != 0 || again.Known != 4 || again.Opened {
		t.Errorf("a second run: %+v", again)
	}
	more := bought()
	more.Entries = append(more.Entries, helpdesk.ImportedEntry{ID: "5", Kind: helpdesk.ImportedOut, At: longAgo.Add(80 * time.Hour),
		Author: helpdesk.Address{Email: "gone@example.jp"}, To: []helpdesk.Address{more.Requester}, Text: "Now it is out."})
	if done := h.bring(more, helpdesk.ImportOptions{}); done.Messages != 1 || done.Ticket != 1 || !h.ticket(1).Row.Ticket.WaitingSince.IsZero() {
		t.Errorf("what came since: %+v", done)
	}

	// What the customer writes now is a mail like any other, on the same ticket, and due.
	r := h.post("support@example.jp", "From: aki@customer.example", "To: support@example.jp", "Subject: Re: fire", "In-Reply-To: <now@customer.example>", "", "It burns again.")
	if r.Ticket != 1 || !h.ticket(1).Row.Unread || h.ticket(1).Row.Ticket.DueAt.IsZero() {
		t.Errorf("an answer to what was imported: %+v, due %v", r, h.ticket(1).Row.Ticket.DueAt)
	}
}

func TestImportLeavesOutAndSaysWhy(t *testing.T) {
	h := newHouse(t)
	ticket := bought()
	ticket.ID, ticket.Open, ticket.Assignee, ticket.Team, ticket.Requester = "2", false, "left@example.jp", "Level 3", helpdesk.Address{Name: "Caller"}
	ticket.Entries = []helpdesk.ImportedEntry{{ID: "1", Kind: helpdesk.ImportedIn, At: longAgo, Author: helpdesk.Address{Name: "Caller"}, Text: "Called."}}
	_, err := h.ImportTicket(t.Context(), h.admin, ticket, helpdesk.ImportOptions{})
	wantCode(t, err, helpdesk.CodeInvalid, "--alias")
	done := h.bring(ticket, helpdesk.ImportOptions{Alias: "support@example.jp"})
	if len(done.Left) != 2 || !strings.Contains(strings.Join(done.Left, "\n"), "left@example.jp") || !strings.Contains(strings.Join(done.Left, "\n"), "Level 3") {
		t.Errorf("left out: %q", done.Left)
	}
	v := h.ticket(done.Ticket)
	if v.Row.Ticket.Open || !v.Row.Ticket.WaitingSince.IsZero() || !strings.HasSuffix(v.Row.Contact.Email, ".invalid") {
		t.Errorf("a closed ticket of somebody without an address: %+v, %s", v.Row.Ticket, v.Row.Contact.Email)
	}
}

func TestImportedMailsAreRecognisedAndThreaded(t *testing.T) {
	h := newHouse(t)
	live := h.first()
	v := h.ticket(live.Ticket)
	raw, err := h.Source(t.Context(), h.admin, v.Messages[0].Message.ID)
	if err != nil {
		t.Fatal(err)
	}
	same := helpdesk.ImportedTicket{Source: "mbox", ID: "a", Entries: []helpdesk.ImportedEntry{{ID: "a", Raw: raw}}}
	if done := h.bring(same, helpdesk.ImportOptions{}); done.Known != 1 || done.Messages != 0 || done.Opened {
		t.Errorf("a mail that is here already: %+v", done)
	}
	mailOf := func(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }
	old := helpdesk.ImportedTicket{Source: "mbox", ID: "b", Subject: "Old", Entries: []helpdesk.ImportedEntry{
		{ID: "b", At: longAgo, Raw: mailOf("From: ueda@customer.example", "To: support@example.jp", "Message-ID: <old-1@customer.example>", "Date: Thu, 4 Mar 2021 09:00:00 +0000", "Subject: Old", "", "Hello")},
		{ID: "c", At: longAgo.Add(time.Hour), Raw: mailOf("From: support@example.jp", "To: ueda@customer.example", "Message-ID: <old-2@example.jp>", "In-Reply-To: <old-1@customer.example>", "Date: Thu, 4 Mar 2021 10:00:00 +0000", "Subject: Re: Old", "", "Yes?")}}}
	done := h.bring(old, helpdesk.ImportOptions{})
	thread := h.ticket(done.Ticket)
	if done.Messages != 2 || thread.Messages[1].Message.Direction != helpdesk.Outbound || thread.Row.Contact.Email != "ueda@customer.example" {
		t.Errorf("thread: %+v", done)
	}
	later := helpdesk.ImportedTicket{Source: "mbox", ID: "d", Entries: []helpdesk.ImportedEntry{
		{ID: "d", At: longAgo.Add(2 * time.Hour), Raw: mailOf("From: ueda@customer.example", "To: support@example.jp", "Message-ID: <old-3@customer.example>", "References: <old-1@customer.example> <old-2@example.jp>", "Subject: Re: Old", "", "Thanks")}}}
	if again := h.bring(later, helpdesk.ImportOptions{}); again.Ticket != done.Ticket || again.Opened {
		t.Errorf("a later mail of the thread: %+v", again)
	}
}
