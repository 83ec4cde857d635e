package main_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDataOfEarlierProgramsIsUpgraded starts the program on what earlier ones left behind
// (testdata/stored): everything is there, and goes on.
func TestDataOfEarlierProgramsIsUpgraded(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the data of earlier programs")
	}
	for _, stored := range []struct{ version, token string }{
		{"0", "mdg_NK252ltK59LyI1VczD3lD16B2nySTxa3hpDKkbACJpg"},
		{"1", "mdg_rl5ZEKVVuCvd1jceU8VoCl5ENKXKLqP6E6we6BwpRbs"},
	} {
		t.Run("version "+stored.version, func(t *testing.T) {
			t.Parallel()
			data := unpackStored(t, stored.version)
			box := serveMailbox(t)
			s := start(t, data, "--smarthost", box.address)
			copies, err := filepath.Glob(filepath.Join(data, "before-upgrade-from-"+stored.version+"-*.db"))
			if err != nil || len(copies) != 1 {
				t.Errorf("copies of the data as it was: %q, %v", copies, err)
			}
			house := api{s.web, stored.token}
			expectStoredTicket(t, house)
			s.loginAs(t, "admin@example.test")
			if l := box.next(t, "tanaka@customer.test", patience); !bytes.Contains(l.raw, []byte("Message-ID")) {
				t.Errorf("the reply that waited left as\n%s", l.raw)
			}
			eventually(t, patience, "the ticket is found by its words", func() bool {
				var page ticketPage
				house.get(t, "/tickets?q="+url.QueryEscape("流量計の表示"), &page)
				return len(page.Tickets) == 1 && page.Tickets[0].Number == 1
			})
			var people struct{ Contacts []struct{ Email string } }
			house.get(t, "/contacts?limit=100", &people)
			emails := make([]string, 0, len(people.Contacts))
			for _, contact := range people.Contacts {
				emails = append(emails, contact.Email)
			}
			slices.Sort(emails)
			if got := strings.Join(emails, " "); got != "sato@customer.test tanaka@customer.test taro@customer.test" {
				t.Errorf("contacts: %s", got)
			}
			// The alias was typed on a domain in letters, by which no server names it.
			send(t, s.smtp, customerAddress, "help@xn--wgv71a.test", post(1, customerAddress, "help@xn--wgv71a.test", "after@customer.test"))
			if got := house.tickets(t); len(got) != 4 {
				t.Errorf("tickets with the new one: %d", got)
			}
			succeed(t, "", "verify", "--data", data)
			s.stop()
			succeed(t, "", "verify", "--data", data)
			succeed(t, "", "verify", copies[0], "--scratch", t.TempDir())
		})
	}
}

// expectStoredTicket looks at the tickets that each stored house has, and closely at the first.
func expectStoredTicket(t *testing.T, house api) {
	t.Helper()
	numbers := house.tickets(t)
	slices.Sort(numbers)
	if !slices.Equal(numbers, []int{1, 2, 4}) { // 3 was merged into 2
		t.Errorf("tickets: %d", numbers)
	}
	if merged := house.ticket(t, 2); len(merged.Messages) != 2 {
		t.Errorf("the ticket that another was merged into has %d messages", len(merged.Messages))
	}
	first := house.ticket(t, 1)
	if first.Ticket.Subject != "流量計の表示" || first.Ticket.Assignee != "mori@example.test" || first.Ticket.Contact.Name != "田中" {
		t.Errorf("the first ticket: %+v", first.Ticket)
	}
	if len(first.Notes) != 1 || first.Notes[0].Text != "在庫は3個" {
		t.Errorf("its notes: %+v", first.Notes)
	}
	if len(first.Messages) != 2 || !strings.Contains(first.Messages[0].Text, "流量計の表示が止まります。") || first.Messages[1].Text != "確認いたします。" {
		t.Fatalf("its messages: %+v", first.Messages)
	}
	if raw := house.source(t, first.Messages[0].ID); !bytes.HasPrefix(raw, []byte("From: =?UTF-8?B?55Sw5Lit?=")) || !bytes.Contains(raw, []byte("\x1b$B")) {
		t.Errorf("its mail as it was received:\n%q", raw)
	}
}

// unpackStored puts a stored data directory into a new one.
func unpackStored(t *testing.T, version string) (data string) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "stored", "version-"+version+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data = t.TempDir()
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return data
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err == nil {
			err = os.WriteFile(filepath.Join(data, filepath.Base(header.Name)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
