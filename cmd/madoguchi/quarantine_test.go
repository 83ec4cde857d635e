package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestForgedMailThroughTheRealPort sends a mail in the name of a domain that
// disowns it: it is set aside, explained, released; or refused, where the file says so.
func TestForgedMailThroughTheRealPort(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out forged mail")
	}
	t.Parallel()
	zone := dnstest.ServeZone(t, `bank.example. 60 IN TXT "v=spf1 ip4:192.0.2.7 -all"`, `_dmarc.bank.example. 60 IN TXT "v=DMARC1; p=reject"`)
	data := t.TempDir()
	s := start(t, data, "--resolver", zone.Address)
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
	wantWords(t, succeed(t, "", "verify", "--data", data), "1 mail accepted: 0 on tickets", "1 in quarantine")
	var released struct{ Ticket int }
	if status := client.do(t, http.MethodPost, "/quarantine/"+id+"/release", nil, map[string]any{}, &released); status != 200 || released.Ticket != 1 {
		t.Fatalf("status %d, released onto ticket %d", status, released.Ticket)
	}
	wantWords(t, succeed(t, "", "explain", "1", "--data", data), "mail.released")
	relay := api{s.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", "sato@example.com", "--scope", "inbound", "--data", data))}
	relay.handsIn(t, zone)
	if status := client.inbound(t, "from=a@b.example&to=support@example.com", "From: a@b.example\n\nx\n", nil); status != http.StatusForbidden {
		t.Errorf("a token of scope write hands in mail: status %d", status)
	}
	if status := relay.do(t, http.MethodGet, "/tickets", nil, nil, nil); status != http.StatusForbidden {
		t.Errorf("a relay's token reads tickets: status %d", status)
	}
	s.stop()

	config := writeConfig(t, "[incoming.dmarc]\nreject = \"refuse\"\n")
	s = start(t, data, "--resolver", zone.Address, "--config", config)
	server, err := dial(s.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err = submit(server, "x@bank.example", "support@example.com", bytes.Replace(forged, []byte("<1@"), []byte("<2@"), 1)); smtpCode(err) != 550 || !strings.Contains(err.Error(), "bank.example") {
		t.Errorf("a forged mail where the file says refuse: %v", err)
	}
	s.stop()
	wantWords(t, succeed(t, "", "verify", "--data", data), "4 mails accepted: 3 on tickets", "1 in quarantine")
}

// inboundAnswer is what a relay is told.
type inboundAnswer struct {
	ID         string
	Ticket     int
	State      string
	Duplicate  bool
	Recipients []struct {
		Address string
		Code    int
		Status  string
	}
}

// inbound hands in a mail as a relay does.
func (a api) inbound(t *testing.T, query, raw string, into *inboundAnswer) int {
	t.Helper()
	return a.inboundOnce(t, "", query, raw, into)
}

// inboundOnce does so under a key.
func (a api) inboundOnce(t *testing.T, key, query, raw string, into *inboundAnswer) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.base+"/api/v1/inbound?"+query, strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "message/rfc822")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if into != nil {
		*into = inboundAnswer{}
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode
}

// TestARelaysRequestCanBeRepeated hands mails in under keys: what is repeated is
// answered the same, also when requests come at once and after a restart, and a key
// cannot hide another mail.
func TestARelaysRequestCanBeRepeated(t *testing.T) {
	t.Parallel()
	data := newDesk(t)
	s := start(t, data, "--resolver", dnstest.ServeZone(t).Address)
	relay := api{s.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", adminEmail, "--scope", "inbound", "--data", data))}
	letter := func(id string) string {
		return "From: Emily <emily@shop.example>\nTo: " + deskAddress + "\nSubject: Order\nMessage-ID: <" + id + "@shop.example>\n\nWhere is it?\n"
	}
	envelope := "from=emily@shop.example&to=nobody@desk.test&to=" + deskAddress
	answers := make(chan inboundAnswer, 8)
	for range cap(answers) {
		go func() {
			var answer inboundAnswer
			if status := relay.inboundOnce(t, "k1", envelope, letter("1"), &answer); status != http.StatusAccepted {
				t.Errorf("status %d", status)
			}
			answers <- answer
		}()
	}
	first := <-answers
	if first.Ticket != 1 || first.Duplicate || len(first.Recipients) != 2 || first.Recipients[0].Code != 250 || first.Recipients[1].Code != 550 {
		t.Errorf("the answer: %+v", first)
	}
	for range cap(answers) - 1 {
		if answer := <-answers; answer.ID != first.ID || answer.Ticket != 1 || answer.Duplicate {
			t.Errorf("at once: %+v, not as %+v", answer, first)
		}
	}
	s.stop()
	s = start(t, data, "--resolver", dnstest.ServeZone(t).Address)
	relay.base = s.web
	var answer inboundAnswer
	if status := relay.inboundOnce(t, "k1", envelope, letter("1"), &answer); status != http.StatusAccepted || !reflect.DeepEqual(answer, first) {
		t.Errorf("after a restart: status %d, %+v", status, answer)
	}
	for what, other := range map[string][2]string{"another mail": {envelope, letter("2")}, "another envelope": {envelope + "&to=postmaster@desk.test", letter("1")}} {
		if status := relay.inboundOnce(t, "k1", other[0], other[1], &answer); status != http.StatusConflict {
			t.Errorf("%s under the same key: status %d", what, status)
		}
	}
	if status := relay.inboundOnce(t, "k2", envelope, letter("1"), &answer); status != http.StatusOK || !answer.Duplicate || answer.ID != first.ID {
		t.Errorf("the same mail under another key: status %d, %+v", status, answer)
	}
	s.stop()
	wantWords(t, succeed(t, "", "verify", "--data", data), "1 mail accepted: 1 on tickets")
}

// handsIn exercises a relay's way in: it is that of the listener.
func (a api) handsIn(t *testing.T, z *dnstest.Zone) {
	z.Add(t, `shop.example. 60 IN TXT "v=spf1 ip4:192.0.2.9 -all"`, `_dmarc.shop.example. 60 IN TXT "v=DMARC1; p=quarantine"`)
	letter := "From: Emily <emily@shop.example>\nTo: support@example.com\nSubject: Order\nMessage-ID: <5521@shop.example>\n\nWhere is it?\n"
	envelope := "from=emily@shop.example&to=support@example.com&to=nobody@example.com&helo=mx.shop.example"
	var answer inboundAnswer
	if status := a.inbound(t, envelope+"&ip=192.0.2.9", letter, &answer); status != http.StatusAccepted || answer.Ticket != 2 || answer.State != "posted" {
		t.Errorf("handed in: status %d, %+v", status, answer)
	}
	if len(answer.Recipients) != 2 || answer.Recipients[0].Code != 250 || answer.Recipients[1].Code != 550 || answer.Recipients[1].Status != "5.1.1" {
		t.Errorf("its recipients: %+v", answer.Recipients)
	}
	first := answer.ID
	if status := a.inbound(t, envelope+"&ip=192.0.2.9", letter, &answer); status != http.StatusOK || !answer.Duplicate || answer.ID != first {
		t.Errorf("once more: status %d, %+v", status, answer)
	}
	forged := strings.Replace(letter, "<5521@", "<5522@", 1)
	if status := a.inbound(t, envelope+"&ip=203.0.113.5", forged, &answer); status != http.StatusAccepted || answer.State != "quarantined" || answer.Ticket != 0 {
		t.Errorf("from another server: status %d, %+v", status, answer)
	}
	unseen := strings.Replace(letter, "<5521@", "<5523@", 1)
	if status := a.inbound(t, envelope, unseen, &answer); status != http.StatusAccepted || answer.State != "posted" {
		t.Errorf("without the client's address: status %d, %+v", status, answer)
	}
	if status := a.inbound(t, "from=&to=nobody@example.com", letter, &answer); status != http.StatusUnprocessableEntity || len(answer.Recipients) != 1 || answer.Recipients[0].Code != 550 {
		t.Errorf("to nobody: status %d, %+v", status, answer)
	}
	if status := a.inbound(t, envelope, "X: \rbare\n\nx\n", &answer); status != http.StatusUnprocessableEntity || answer.Recipients[0].Code != 554 {
		t.Errorf("with a bare CR: status %d, %+v", status, answer)
	}
	for _, query := range []string{"to=support@example.com", "from=a@b.example", envelope + "&ip=here"} {
		if status := a.inbound(t, query, letter, nil); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", query, status)
		}
	}
}
