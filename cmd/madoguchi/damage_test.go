package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// Pages of the store are damaged while the program is down. It starts, again and again, serves what is whole,
// says a plain sentence where something is not, raises an alarm, and verify names what is
// damaged and what to type.
func TestADamagedStoreIsServed(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the damaged stores")
	}
	t.Parallel()
	const mails = 30
	data, zone, p := startWithMails(t, mails)
	desk := p.apiOf(t)
	const hurt = mails / 2 // its words share a page with their neighbours', and not with the first tables
	id := desk.ticket(t, hurt).Messages[0].ID
	p.stop()
	damagePages(t, data, "t/body/"+id)

	for range 2 { // not just once
		p = start(t, data, "--resolver", zone.Address)
		p.troubled = true
		desk = api{p.web, desk.token}
		browser := p.login(t)
		if page := p.page(t, browser, fmt.Sprintf("/inbox/open/%d", hurt)); !strings.Contains(page, "damaged") && !strings.Contains(page, "破損") {
			t.Error("the page of a ticket whose words are lost does not say so")
		}
		if page := p.page(t, browser, fmt.Sprintf("/inbox/open/%d", mails)); strings.Contains(page, "damaged") || strings.Contains(page, "破損") {
			t.Error("another ticket is called damaged")
		}
		if got := len(desk.tickets(t)); got != mails {
			t.Errorf("%d of %d tickets are listed", got, mails)
		}
		eventually(t, patience, "the alarm stands", func() bool {
			status, text := p.get("/readyz")
			return status == 200 && strings.Contains(text, "alarm: store")
		})
		stdout, stderr, code := run(t, "", "verify", "--data", data)
		if code != 1 || !strings.Contains(stdout, "page ") || !strings.Contains(stdout, id) || !strings.Contains(stdout, "madoguchi restore BACKUP") {
			t.Errorf("verify: exit %d\n%s%s", code, stdout, stderr)
		}
		p.stop()
	}
}

// damagePages makes the leaves that hold a key say that they are other pages.
func damagePages(t *testing.T, data, key string) {
	t.Helper()
	changeLeaves(t, data, key, func(page []byte) { page[1] ^= 0x40 })
}

func changeLeaves(t *testing.T, data, key string, change func(page []byte)) {
	t.Helper()
	const page, leaf = 4096, 2
	path := filepath.Join(data, "madoguchi.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hit := 0
	for at := 2 * page; at < len(file); at += page {
		if one := file[at:min(at+page, len(file))]; one[8] == leaf && bytes.Contains(one, []byte(key)) {
			change(one)
			hit++
		}
	}
	if hit == 0 {
		t.Fatalf("no page has %q", key)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// startWithMails starts a server, and sends it so many mails of a proven sender, each a
// ticket of its own.
func startWithMails(t *testing.T, mails int) (data string, zone *dnstest.Zone, p *running) {
	t.Helper()
	zone = dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	data = newDesk(t)
	p = start(t, data, "--resolver", zone.Address)
	client, err := smtp.Dial(p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := range mails {
		if _, err := submit(client, customerAddress, deskAddress, post(uint64(n), customerAddress, deskAddress, fmt.Sprintf("%d@customer.test", n))); err != nil {
			t.Fatal(err)
		}
	}
	return data, zone, p
}
