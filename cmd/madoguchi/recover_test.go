package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Data whose beginning, list of free pages and tickets are gone is saved: the server that
// would not start any more starts, and every mail is on its ticket.
func TestRecover(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out recovery")
	}
	t.Parallel()
	const mails = 30
	data, zone, p := startWithMails(t, mails)
	before := p.apiOf(t)
	was := before.ticket(t, mails/2)
	refuse(t, []string{"recover", "--data", data}, "a server runs on "+data)
	p.stop()

	path := filepath.Join(data, "madoguchi.db")
	changeLeaves(t, data, "t/ticket/", func(page []byte) {
		if bytes.Count(page, []byte("t/ticket/")) > 5 && !bytes.Contains(page, []byte("t/message/")) && !bytes.Contains(page, []byte("t/user/")) {
			clear(page)
		}
	})
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(file[:2*4096])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	refuse(t, []string{"serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, "damaged", "madoguchi recover")

	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if out := succeed(t, "", "recover", "--data", data, "--to", elsewhere); !strings.Contains(out, "damaged:") || !strings.Contains(out, "tickets whose record was lost are made anew") {
		t.Errorf("recover into another directory:\n%s", out)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(file) {
		t.Errorf("recover --to changed the damaged data (%v)", err)
	}
	refuse(t, []string{"recover", "--data", data, "--to", elsewhere}, "there is data in "+elsewhere)
	out := succeed(t, "", "recover", "--data", data)
	if !strings.Contains(out, fmt.Sprintf("%d mails accepted: %d on tickets", mails, mails)) {
		t.Errorf("recover:\n%s", out)
	}
	if kept, _ := filepath.Glob(path + ".damaged-*"); len(kept) == 0 {
		t.Error("the damaged data is not kept")
	}

	p = start(t, data, "--resolver", zone.Address)
	after := p.apiOf(t)
	if got := len(after.tickets(t)); got != mails {
		t.Errorf("%d of %d tickets are listed", got, mails)
	}
	if is := after.ticket(t, mails/2); is.Ticket.Subject != was.Ticket.Subject || len(is.Messages) != 1 || is.Messages[0].Text != was.Messages[0].Text {
		t.Errorf("a ticket that was made anew: %+v, it was %+v", is, was)
	}
}
