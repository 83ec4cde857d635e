package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestForgedMailThroughTheRealPort sends a mail in the name of a domain that
// disowns it: it is set aside, explained, released; or refused, where the file says so.
func TestForgedMailThroughTheRealPort(t *testing.T) {
	zone := serveZone(t, `bank.example. 60 IN TXT "v=spf1 ip4:192.0.2.7 -all"`, `_dmarc.bank.example. 60 IN TXT "v=DMARC1; p=reject"`)
	data := t.TempDir()
	s := start(t, data, "--resolver", zone.address)
	succeed(t, "correct horse battery\n", "user", "add", "sato@example.com", "--role", "admin", "--name", "Sato", "--password-file", "-", "--data", data)
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	client := api{s.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", "sato@example.com", "--scope", "write", "--data", data))}
	forged := []byte("From: Bank <x@bank.example>\r\nTo: support@example.com\r\nSubject: New account\r\nMessage-ID: <1@bank.example>\r\n\r\nPay here.\r\n")
	send(t, s.smtp, "x@bank.example", "support@example.com", forged)

	var list struct {
		Mails []struct{ ID, Why, State string }
	}
	client.get(t, "/quarantine", &list)
	if len(list.Mails) != 1 || list.Mails[0].Why != "dmarc" {
		t.Fatalf("in quarantine: %+v", list)
	}
	id := list.Mails[0].ID
	for _, name := range []string{id, "<1@bank.example>"} {
		wantWords(t, succeed(t, "", "explain", name, "--data", data), "in quarantine", "DMARC fail", "says that this mail is not from there")
	}
	wantWords(t, succeed(t, "", "verify", "--data", data), "1 mails accepted: 0 on tickets", "1 in quarantine")
	var released struct{ Ticket int }
	if status := client.do(t, http.MethodPost, "/quarantine/"+id+"/release", nil, map[string]any{}, &released); status != 200 || released.Ticket != 1 {
		t.Fatalf("status %d, released onto ticket %d", status, released.Ticket)
	}
	wantWords(t, succeed(t, "", "explain", "1", "--data", data), "mail.released")
	s.stop()

	config := writeConfig(t, "[incoming.dmarc]\nreject = \"refuse\"\n")
	s = start(t, data, "--resolver", zone.address, "--config", config)
	server, err := dial(s.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err = submit(server, "x@bank.example", "support@example.com", append([]byte("X: 2\r\n"), forged...)); smtpCode(err) != 550 || !strings.Contains(err.Error(), "bank.example") {
		t.Errorf("a forged mail where the file says refuse: %v", err)
	}
	s.stop()
	wantWords(t, succeed(t, "", "verify", "--data", data), "1 mails accepted: 1 on tickets")
}
