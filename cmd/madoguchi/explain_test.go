package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestExplainAndReplay runs both beside a running server and without one: they
// have to say the same.
func TestExplainAndReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the explanations of a whole server")
	}
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	succeed(t, "", "send-test", "--smtp", s.smtp, "--to", "support@example.com", "--from", "me@customer.example", "--subject", "Invoice 2291")
	id := storedMessageID(t, data)
	t.Run("beside a server", func(t *testing.T) { exerciseExplain(t, data, id) })
	s.stop()
	t.Run("without a server", func(t *testing.T) { exerciseExplain(t, data, id) })
	if out := succeed(t, "", "verify", "--data", data); !strings.Contains(out, "1 mail accepted: 1 on tickets") {
		t.Errorf("after all the rehearsals: %s", out)
	}
}

// TestRehearsalAuthenticatesTheSender gives explain and replay the session of a
// mail, and wants the verdict that the listener would reach.
func TestRehearsalAuthenticatesTheSender(t *testing.T) {
	t.Parallel()
	zone := dnstest.ServeZone(t, `customer.example. 60 IN TXT "v=spf1 ip4:192.0.2.7 -all"`, `_dmarc.customer.example. 60 IN TXT "v=DMARC1; p=reject"`)
	data := t.TempDir()
	s := start(t, data, "--resolver", zone.Address)
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	succeed(t, "", "send-test", "--smtp", s.smtp, "--to", "support@example.com", "--from", "me@other.example", "--subject", "Invoice 2291")
	id := storedMessageID(t, data)
	answer := writeMail(t, "answer.eml", "From: me@other.example\r\nTo: support@example.com\r\nIn-Reply-To: <"+id+">\r\nSubject: Re: Invoice\r\n\r\nx\r\n")
	forged := writeMail(t, "forged.eml", "From: me@customer.example\r\nTo: support@example.com\r\nSubject: Hello\r\n\r\nx\r\n")
	for _, where := range []string{"beside a server", "without a server"} {
		session := []string{"--helo", "mx.customer.example", "--mail-from", "me@customer.example", "--resolver", zone.Address, "--data", data}
		proven := succeed(t, "", append([]string{"explain", forged, "--remote-ip", "192.0.2.7"}, session...)...)
		wantWords(t, proven, "SPF pass", "DMARC pass")
		failed := succeed(t, "", append([]string{"explain", forged, "--remote-ip", "198.51.100.9"}, session...)...)
		wantWords(t, failed, "SPF fail", "DMARC fail")
		if out := succeed(t, "", "explain", forged, "--data", data); strings.Contains(out, "DMARC") {
			t.Errorf("%s, no session was given:\n%s", where, out)
		}
		out := succeed(t, "", append([]string{"replay", forged, "--json", "--remote-ip", "198.51.100.9"}, session...)...)
		wantWords(t, out, `"dmarc":"fail"`)
		wantWords(t, succeed(t, "", append([]string{"replay", answer}, session...)...), "joins ticket #1")
		refuse(t, append([]string{"replay", answer, "--remote-ip", "here"}, session...), `--remote-ip "here" is no IP address`)
		if where == "beside a server" {
			s.stop()
		}
	}
}

func storedMessageID(t *testing.T, data string) string {
	t.Helper()
	var list []struct {
		MessageID string `json:"message_id"`
	}
	if err := json.Unmarshal([]byte(succeed(t, "", "explain", "1", "--json", "--data", data)), &list); err != nil || len(list) != 1 {
		t.Fatalf("explain --json: %d explanations, %v", len(list), err)
	}
	return list[0].MessageID
}

func exerciseExplain(t *testing.T, data, id string) {
	explain := func(args ...string) string {
		return succeed(t, "", append([]string{"explain", "--data", data}, args...)...)
	}
	for _, what := range []string{"1", "#1", id, "<" + id + ">"} {
		wantWords(t, explain(what), "Invoice 2291", "me@customer.example", "on ticket #1 (posted): Came in as a new request.",
			"support@example.com is an alias.", "It refers to no earlier mail.", "message.received")
	}
	answer := writeMail(t, "answer.eml", "From: me@customer.example\nTo: support@example.com\nIn-Reply-To: <"+id+">\nMessage-ID: <a@customer.example>\nSubject: Re: Invoice 2291\n\nThanks\n")
	wantWords(t, explain(answer), "joins ticket #1: Answers a mail of this conversation.", "It refers to "+id, "me@customer.example takes part in ticket #1.")
	hostile := writeMail(t, "hostile.eml", "From: mallory@elsewhere.example\nTo: support@example.com\nReferences: <"+id+">\nSubject: \x1b[2J\xe2\x80\xaeevil\n\nx\n")
	if out := explain(hostile); strings.ContainsAny(out, "\x1b\u202e") || !strings.Contains(out, "held at ticket #1") {
		t.Errorf("a hostile mail:\n%q", out)
	}
	refuse(t, []string{"explain", "nothing@like.this", "--data", data}, "there is no message and no file nothing@like.this")
	refuse(t, []string{"explain", "77", "--data", data}, "there is no ticket 77")
	refuse(t, []string{"explain", t.TempDir(), "--data", data}, "is a directory")
	refuse(t, []string{"explain", "1", "--data", filepath.Join(data, "none")}, "there is no data in")
	exerciseReplay(t, data, id, answer, hostile)
}

func exerciseReplay(t *testing.T, data, id, answer, hostile string) {
	mbox := writeMail(t, "archive.mbox", "From me@customer.example Sat Nov 21 10:00:00 2026\nFrom: new@customer.example\nTo: support@example.com\nSubject: First\n\n>From here on it rains\n\n"+
		"From - Sat Nov 21 11:00:00 2026\nFrom: b@customer.example\nTo: nobody@example.com\nSubject: Second\n\nFrom inside a paragraph it is no mark\nFrom here neither\n\n"+
		"From - Sat Nov 21 12:00:00 2026\nFrom: c@customer.example\nDelivered-To: support@example.com\nSubject: Third\n\nlast words")
	out := succeed(t, "", "replay", answer, hostile, mbox, "--data", data)
	wantWords(t, out, answer+": joins ticket #1", hostile+": held at ticket #1", mbox+":1: new ticket", "First", mbox+":2: refused (there is no such address here)",
		mbox+":3: new ticket", "Third", "5 mails: 2 would open new tickets, 1 would join tickets, 1 would be held, 1 would be refused. Nothing was changed.")
	if out := succeed(t, "", "replay", mbox, "--to", "support@example.com", "--data", data); !strings.Contains(out, "3 mails: 3 would open new tickets.") {
		t.Errorf("replay --to:\n%s", out)
	}
	refuse(t, []string{"explain", mbox, "--data", data}, "holds many mails", "replay")
	var outcomes []string
	decoder := json.NewDecoder(strings.NewReader(succeed(t, "", "replay", mbox, "--json", "--data", data)))
	for decoder.More() {
		var e struct {
			Outcome string
			Steps   []struct{ Key, Text string }
		}
		if err := decoder.Decode(&e); err != nil {
			t.Fatal(err)
		}
		if len(e.Steps) == 0 || e.Steps[0].Text == "" {
			t.Errorf("an outcome %s without steps", e.Outcome)
		}
		outcomes = append(outcomes, e.Outcome)
	}
	if got := strings.Join(outcomes, " "); got != "new refused new" {
		t.Errorf("outcomes %q", got)
	}
	large := "From: big@customer.example\nTo: support@example.com\nSubject: Big\n\n" + strings.Repeat("a line of words\n", 200_000)
	if out := succeed(t, large, "replay", "-", "--data", data); !strings.Contains(out, "1 mail: 1 would open new tickets.") {
		t.Errorf("a mail of 3 MB:\n%s", out)
	}
	stdout, stderr, code := run(t, "", "replay", filepath.Join(data, "missing.eml"), answer, "--data", data)
	if code == 0 || !strings.Contains(stderr, "missing.eml") || !strings.Contains(stdout, "joins ticket #1") {
		t.Errorf("with a missing file: code %d, %q, %q", code, stdout, stderr)
	}
}

func writeMail(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantWords(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("%q is missing in\n%s", word, out)
		}
	}
}
