package main_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// sealed is a mail as a forwarder passes it on that adds an ARC set (RFC 8617,
// section 5.1): what it found, its signature on the mail, and its seal on both.
func sealed(t *testing.T, domain, found, raw string) string {
	t.Helper()
	header, body, _ := strings.Cut(raw, "\r\n\r\n")
	canonical := func(field string) string { // relaxed (RFC 6376, section 3.4.2)
		name, value, _ := strings.Cut(strings.ReplaceAll(field, "\r\n", ""), ":")
		return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(strings.Fields(value), " ")
	}
	sign := func(field string, signed ...string) string {
		var text strings.Builder
		for _, f := range signed {
			text.WriteString(canonical(f) + "\r\n")
		}
		text.WriteString(canonical(field))
		digest := sha256.Sum256([]byte(text.String()))
		signature, err := rsa.SignPKCS1v15(rand.Reader, dkimKey(), crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return field + base64.StdEncoding.EncodeToString(signature)
	}
	from := regexp.MustCompile(`(?m)^From:[^\r]*`).FindString(header)
	bodyHash := sha256.Sum256([]byte(body))
	results := "ARC-Authentication-Results: i=1; " + domain + "; " + found
	message := sign(fmt.Sprintf("ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1; h=From; bh=%s; b=", domain, base64.StdEncoding.EncodeToString(bodyHash[:])), from)
	seal := sign(fmt.Sprintf("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=%s; s=s1; b=", domain), results, message)
	return seal + "\r\n" + message + "\r\n" + results + "\r\n" + raw
}

// TestForwardedMailThroughTheRealPort has the mail of a domain that disowns what it
// does not prove come by two forwarders that seal it alike: by the trusted one it is a
// ticket, which says why; by the other it is set aside. The dry runs say the same.
func TestForwardedMailThroughTheRealPort(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out forwarded mail")
	}
	t.Parallel()
	z := dnstest.ServeZone(t, dkimRecord(t, "forward.test", "s1", dkimKey()), dkimRecord(t, "lists.test", "s1", dkimKey()),
		`customer.test. 60 IN TXT "v=spf1 ip4:192.0.2.7 -all"`, `_dmarc.customer.test. 60 IN TXT "v=DMARC1; p=reject"`)
	data := newDesk(t)
	text := fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[ai]\nenabled = false\n[dns]\nresolver = %q\n[incoming]\ntrusted_forwarders = [\"forward.test\"]\n", z.Address)
	config, strict := writeConfig(t, text), writeConfig(t, text+"[incoming.dmarc]\nreject = \"refuse\"\n")
	s := start(t, data, "--config", config)
	letter := func(by, id string) string {
		return sealed(t, by, "spf=pass smtp.mailfrom=customer.test; dmarc=pass (p=reject) header.from=customer.test",
			"From: Tamura <tamura@customer.test>\r\nTo: "+deskAddress+"\r\nSubject: Invoice\r\nMessage-ID: <"+id+"@customer.test>\r\n\r\nPlease send it again.\r\n")
	}
	trusted, stranger := letter("forward.test", "1"), letter("lists.test", "2")
	changed := strings.Replace(letter("forward.test", "3"), "Please", "Never", 1)
	send(t, s.smtp, "bounce@forward.test", deskAddress, []byte(trusted))
	send(t, s.smtp, "bounce@lists.test", deskAddress, []byte(stranger))
	send(t, s.smtp, "bounce@forward.test", deskAddress, []byte(changed))
	a := s.apiOf(t)
	var aside struct {
		Mails []struct {
			Why            string
			Authentication struct{ ARC string }
		}
	}
	a.get(t, "/quarantine", &aside)
	if len(aside.Mails) != 2 || aside.Mails[0].Why != "dmarc" || aside.Mails[1].Why != "dmarc" || aside.Mails[0].Authentication.ARC != "fail" || aside.Mails[1].Authentication.ARC != "pass" {
		t.Errorf("in quarantine: %+v", aside)
	}

	var ticket struct {
		Messages []struct {
			ID             string
			Authentication struct {
				DMARC, ARC, Forwarder, Trust string
				AlignedBy                    string `json:"aligned_by"`
			}
		}
	}
	if status := a.do(t, http.MethodGet, "/tickets/1", nil, nil, &ticket); status != http.StatusOK || len(ticket.Messages) != 1 {
		t.Fatalf("status %d, %+v", status, ticket)
	}
	if a := ticket.Messages[0].Authentication; a.DMARC != "pass" || a.ARC != "pass" || a.Forwarder != "forward.test" || a.AlignedBy != "arc" || a.Trust != "verified" {
		t.Errorf("on the ticket: %+v", a)
	}
	browser := s.login(t)
	if page := s.page(t, browser, "/inbox/open/1"); !strings.Contains(page, "信頼する転送元 forward.test が、送信元を確認済みです（ARC）") {
		t.Errorf("the ticket does not say who proved its sender:\n%s", page)
	}
	if page := s.page(t, browser, "/messages/"+ticket.Messages[0].ID+"/explain"); !strings.Contains(page, "forward.test") || !strings.Contains(page, "ARC") {
		t.Errorf("the page that explains it does not name the forwarder:\n%s", page)
	}

	again, strange := writeMail(t, "trusted.eml", letter("forward.test", "4")), writeMail(t, "stranger.eml", stranger)
	session := []string{"--remote-ip", "203.0.113.5", "--helo", "mx.forward.test", "--mail-from", "bounce@forward.test"}
	for _, where := range []string{"beside a server", "without a server"} {
		more := append([]string{"--data", data}, session...)
		if where == "without a server" {
			s.stop()
			more = append(more, "--config", config)
		}
		wantWords(t, succeed(t, "", append([]string{"explain", again}, more...)...), "DMARC pass", "forward.test, which is trusted to forward mail", "Outcome     new ticket")
		wantWords(t, succeed(t, "", append([]string{"explain", strange}, more...)...), "DMARC fail", "in quarantine")
		wantWords(t, succeed(t, "", append([]string{"replay", again}, more...)...), "1 would open new tickets")
	}
	strictly := append([]string{"explain", writeMail(t, "other.eml", letter("lists.test", "5")), "--data", data, "--config", strict}, session...)
	wantWords(t, succeed(t, "", strictly...), "DMARC fail", "refused")
	inspected := func(more ...string) (dmarc, forwarder string) {
		var found struct {
			Authentication struct{ DMARC, Forwarder string }
		}
		if err := json.Unmarshal([]byte(succeed(t, "", append(append([]string{"inspect", again}, session...), more...)...)), &found); err != nil {
			t.Fatal(err)
		}
		return found.Authentication.DMARC, found.Authentication.Forwarder
	}
	if dmarc, by := inspected("--config", config); dmarc != "pass" || by != "forward.test" {
		t.Errorf("inspected as the listener would: %s by %q", dmarc, by)
	}
	if dmarc, by := inspected("--resolver", z.Address); dmarc != "fail" || by != "" {
		t.Errorf("inspected without the configuration: %s by %q", dmarc, by)
	}
}
