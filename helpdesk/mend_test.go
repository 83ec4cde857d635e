package helpdesk_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// peopled is a house whose contacts have a history: names and addresses changed by hand, contacts
// merged, and merged and taken apart again, some from a file, one that wrote to nobody yet; and a ledger of many hours.
func peopled(t *testing.T) *house {
	h := newHouse(t)
	field := h.field(helpdesk.Field{Owner: helpdesk.FieldOfContact, Name: "Plan", Kind: helpdesk.FieldChoice, Choices: []helpdesk.FieldOption{{Name: "Basic"}, {Name: "Gold"}}})
	for i := range 120 {
		h.mailFrom(fmt.Sprintf("Customer %d <c%d@shop%d.example>", i, i, i%5), fmt.Sprintf("Matter %d", i), "", "Hello")
		h.pass(61 * time.Minute)
	}
	for i := range 20 {
		h.mailFrom(fmt.Sprintf("Customer %d again <c%d@shop%d.example>", i, i, i%5), "Once more", "", "Hello")
		h.pass(time.Hour)
	}
	same := []string{"Message-ID: <same@customer.example>", "Date: Sat, 21 Nov 2026 09:00:00 +0000", "From: c1@shop1.example", "Subject: Twice", "", "Sent twice"}
	h.post("support@example.jp", same...)
	h.pass(time.Hour)
	h.post("support@example.jp", same...)
	id := func(i int) string { return h.contact(fmt.Sprintf("c%d@shop%d.example", i, i%5)).Contact.ID }
	acme := h.company(helpdesk.Company{Name: "Acme"})
	h.changeContact(id(3), helpdesk.ContactChange{Name: new("三田 さくら"), Reading: new("ミタ サクラ"), Notes: new("Calls,\nrather than writes"), Tags: new([]string{"vip", "日本"}),
		Company: &acme.ID, TimeZone: new("Asia/Tokyo"), Phone: new("03-1234-5678"), NeverAnswer: new(true), Fields: helpdesk.FieldValues{field.ID: {"Gold"}}})
	three := id(3)
	h.changeContact(three, helpdesk.ContactChange{Email: new("mita@new.example"), Remove: []string{"c3@shop3.example"}})
	h.mailFrom("Somebody else <c3@shop3.example>", "I have this address now", "", "Hello")
	h.changeContact(id(4), helpdesk.ContactChange{Add: []string{"four@new.example"}, Company: new(helpdesk.NoCompany)})
	if _, err := h.MergeContacts(t.Context(), h.admin, id(5), id(6)); err != nil {
		t.Fatal(err)
	}
	undone, err := h.MergeContacts(t.Context(), h.admin, id(7), id(8))
	if err == nil {
		_, err = h.UndoMergeContacts(t.Context(), h.admin, undone.ID)
	}
	if err == nil {
		_, err = h.ImportContacts(t.Context(), h.admin, strings.NewReader("email,name,phone\nnew@nowhere.example,未来 太郎,090-0000-0000\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	h.setAside(1)
	return h
}

// known is what a house knows of people and of the mails that came.
type known struct{ people, ledger, tickets []string }

func whatIsKnown(t *testing.T, desk *helpdesk.Desk, admin helpdesk.Actor) (k known) {
	t.Helper()
	for after := ""; ; {
		page, err := desk.Contacts(t.Context(), admin, helpdesk.ContactQuery{Limit: 50, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Contacts {
			v, err := desk.Contact(t.Context(), admin, row.Contact.ID)
			if err != nil {
				t.Fatal(err)
			}
			if v.Tickets == 0 {
				v.Contact.ID = "of no ticket"
			}
			k.people = append(k.people, fmt.Sprintf("%+v, %+v, %d tickets, %d open, mergings %+v", v.Contact, v.Company, v.Tickets, v.Open, v.Mergings))
			rows, _, err := desk.ContactTickets(t.Context(), admin, row.Contact.ID, 50, "")
			if err != nil {
				t.Fatal(err)
			}
			k.tickets = append(k.tickets, fmt.Sprintf("%s %v", v.Contact.Email, numbers(rows)))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	l, err := desk.Ledger(t.Context(), admin, helpdesk.LedgerQuery{Days: 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(l.Days, l.Total) {
		if d.Accepted+d.Duplicates > 0 {
			k.ledger = append(k.ledger, fmt.Sprintf("%+v", d))
		}
	}
	return k
}

// tableKey is the beginning of a record's key.
var tableKey = regexp.MustCompile(`t/[a-z]+/`)

// Pages of contacts and of the ledger are gone from a store. What the log and the mails say
// makes them anew, and nothing is made of a store in which nothing is lost.
func TestLostContactsAndHoursAreMadeAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the lost contacts and hours")
	}
	h := peopled(t)
	was := whatIsKnown(t, h.Desk, h.admin)
	if len(was.people) < 120 || len(was.ledger) < 6 {
		t.Fatalf("%d contacts, %d days", len(was.people), len(was.ledger))
	}
	whole := filepath.Join(fastDir(t), "kept.db")
	file, err := os.Create(whole)
	if err == nil {
		_, err = h.db.Snapshot(t.Context(), file)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	merging := h.contact("c6@shop1.example").Mergings[0].ID
	for _, lost := range []struct {
		name, table     string
		contacts, hours int // at least
	}{{"nothing", "", 0, 0}, {"contacts", "t/contact/", 30, 0}, {"hours of the ledger", "t/ledgerhour/", 0, 30}} {
		t.Run(lost.name, func(t *testing.T) {
			data, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			const page, leaf = 4096, 2
			for at := 2 * page; lost.table != "" && at < len(data); at += page {
				one := data[at:min(at+page, len(data))]
				if alone := !tableKey.Match(bytes.ReplaceAll(one, []byte(lost.table), nil)); one[8] == leaf && alone && bytes.Contains(one, []byte(lost.table)) {
					clear(one)
				}
			}
			damaged := copyTo(t, data)
			engine, err := store.OpenBolt(filepath.Join(fastDir(t), "recovered.db"), store.BoltOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer engine.Close()
			read, err := store.Recover(t.Context(), damaged, engine, nil)
			if err != nil || (len(read.Lost) > 0) != (lost.table != "") {
				t.Fatalf("recover: %v, %+v", err, read)
			}
			desk, err := helpdesk.Open(t.Context(), engine, helpdesk.Options{})
			if err != nil {
				t.Fatal(err)
			}
			desk.Now = func() time.Time { return h.now }
			done, err := desk.Mend(t.Context(), h.admin)
			if err != nil {
				t.Fatal(err)
			}
			if done.Contacts < lost.contacts || done.Hours < lost.hours || lost.contacts == 0 && done.Contacts > 0 || lost.hours == 0 && done.Hours > 0 {
				t.Errorf("mended %+v", done)
			}
			if problems, err := desk.Verify(t.Context()); err != nil || len(problems) > 0 {
				t.Errorf("verify: %v, %q", err, problems)
			}
			is := whatIsKnown(t, desk, h.admin)
			for _, side := range []struct {
				name    string
				is, was []string
			}{{"people", is.people, was.people}, {"tickets", is.tickets, was.tickets}, {"ledger", is.ledger, was.ledger}} {
				slices.Sort(side.is)
				slices.Sort(side.was)
				for _, line := range side.was {
					if !slices.Contains(side.is, line) {
						t.Errorf("%s: gone: %s", side.name, line)
					}
				}
				for _, line := range side.is {
					if !slices.Contains(side.was, line) {
						t.Errorf("%s: new: %s", side.name, line)
					}
				}
			}
			if _, err := desk.UndoMergeContacts(t.Context(), h.admin, merging); err != nil {
				t.Errorf("undo a merging of before: %v", err)
			}
			if v, err := desk.Contact(t.Context(), h.admin, "c5@shop0.example"); err != nil || v.Tickets != 2 || v.Contact.Email != "c5@shop0.example" {
				t.Errorf("who was merged, alone again: %+v, %v", v, err)
			}
		})
	}
}
