package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// startRspamd runs the rspamd that is installed, with a configuration and a
// directory of its own, and returns its address.
func startRspamd(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("rspamd")
	if err != nil {
		t.Skip("SKIPPED, not passed: rspamd is not installed (apt-get install rspamd)")
	}
	directory, err := os.MkdirTemp("", "madoguchi-rspamd-") // its user has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	address := "127.0.0.1:" + freePort(t)
	config := filepath.Join(directory, "rspamd.conf")
	text := fmt.Sprintf(`options { pidfile = "%[1]s/pid"; tempdir = "%[1]s"; enable_test_patterns = true; gtube_patterns = "all"; filters = ""; dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; } }
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "%[2]s"; count = 1; }
actions { reject = 15; add_header = 6; greylist = 4; }
`, directory, address)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(directory, 0o777); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "-f", "-i", "-c", config, "--var=DBDIR="+directory)
	said := &transcript{grown: make(chan struct{}, 1)}
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		command.Wait()
		if t.Failed() {
			t.Logf("rspamd said:\n%s", said)
		}
	})
	url := "http://" + address
	// On a new machine it first builds what it keeps for later starts.
	eventually(t, 4*patience, "rspamd answers", func() bool {
		response, err := http.Get(url + "/ping")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return url
}

// gtube is the text that every spam filter knows; its first letter tells rspamd
// what to do.
func gtube(letter string) string {
	return letter + "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
}

// TestRspamdDecides sends mail that a real rspamd refuses, marks, sets aside and
// lets through.
func TestRspamdDecides(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out rspamd")
	}
	t.Parallel()
	url := startRspamd(t)
	s := startGate(t, dnstest.ServeZone(t), fmt.Sprintf("[incoming.rspamd]\nurl = %q\nrewrite_subject = \"quarantine\"\n", url))
	send := func(to, subject, text string) string {
		t.Helper()
		return talkThrough(t, s.smtp, from("192.0.2.7")).send("tamura@customer.test", to, strings.Replace(letterFrom("tamura@customer.test", subject), "Hello.", text, 1))
	}
	for _, test := range []struct{ to, subject, text, want string }{
		{"support@desk.test", "refused", gtube("X"), "554 5.7.1"},
		{"postmaster@desk.test", "to the postmaster", gtube("X"), "250"},
		{"support@desk.test", "marked", gtube("Y"), "250"},
		{"support@desk.test", "set aside", gtube("Z"), "250"},
		{"support@desk.test", "let through", "Good morning.", "250"},
	} {
		if answer := send(test.to, test.subject, test.text); !strings.HasPrefix(answer, test.want) {
			t.Errorf("%s: %q, want %s", test.subject, answer, test.want)
		}
	}
	for message, want := range map[string]string{
		"to.the.postmaster@customer.test": "rspamd: taken for spam. reject",
		"marked@customer.test":            "A filter took it for spam",
		"set.aside@customer.test":         "rspamd: rewrite subject",
		"let.through@customer.test":       "rspamd: nothing against it. no action",
	} {
		if told := succeed(t, "", "explain", "<"+message+">", "--data", s.data); !strings.Contains(told, want) {
			t.Errorf("%s: %q is not in\n%s", message, want, told)
		}
	}
	if told := succeed(t, "", "explain", "<marked@customer.test>", "--data", s.data); !strings.Contains(told, "GTUBE") {
		t.Errorf("the rules that fired are not told:\n%s", told)
	}
	refuse(t, []string{"explain", "<refused@customer.test>", "--data", s.data}, "refused@customer.test")
	if printed, _, _ := run(t, "", "check", "--data", s.data); !strings.Contains(printed, "The content filter rspamd answers at "+url) {
		t.Errorf("check does not speak of rspamd:\n%s", printed)
	}
}

// TestFiltersThatFailStopNoMail has a web server answer in rspamd's place, and
// the greylist after it.
func TestFiltersThatFailStopNoMail(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out filters that fail")
	}
	t.Parallel()
	var answer atomic.Value
	answer.Store("")
	filter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if text := answer.Load().(string); text != "" {
			io.WriteString(w, text)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer filter.Close()
	s := startGate(t, dnstest.ServeZone(t), fmt.Sprintf("[incoming.rspamd]\nurl = %q\ntimeout = \"2s\"\n[incoming.greylist]\ndelay = \"1s\"\n", filter.URL))
	send := func(ip, author, subject string) string {
		t.Helper()
		return talkThrough(t, s.smtp, from(ip)).send(author, "support@desk.test", letterFrom(author, subject))
	}
	if got := send("192.0.2.7", "tamura@customer.test", "without"); !strings.HasPrefix(got, "250") {
		t.Errorf("with a filter that fails: %q", got)
	}
	if told := succeed(t, "", "explain", "1", "--data", s.data); !strings.Contains(told, "rspamd: could not be asked, so it did not count. ask rspamd: it answers 502 Bad Gateway") {
		t.Errorf("it is not told:\n%s", told)
	}
	s.log.waitFor(t, "content filter not asked")
	if printed, _, _ := run(t, "", "check", "--data", s.data); !strings.Contains(printed, "WRONG  The content filter rspamd does not answer") {
		t.Errorf("check:\n%s", printed)
	}
	answer.Store(`{"action":"soft reject","score":3,"required_score":15,"messages":{"smtp_message":"Come back at noon"}}`)
	if got := send("192.0.2.7", "tamura@customer.test", "later"); got != "451 4.7.1 Come back at noon" {
		t.Errorf("soft reject: %q", got)
	}
	answer.Store(`{"action":"greylist","score":4.5,"required_score":15}`)
	if got := send("192.0.2.7", "tamura@customer.test", "known"); !strings.HasPrefix(got, "250") {
		t.Errorf("a contact is greylisted: %q", got)
	}
	if got := send("192.0.2.8", "new@customer.test", "new"); got != "451 4.7.1 greylisted, please try again after 1s" {
		t.Errorf("a stranger: %q", got)
	}
	eventually(t, patience, "the stranger is let in", func() bool {
		return strings.HasPrefix(send("192.0.2.9", "new@customer.test", "new"), "250")
	})
	answer.Store(`{"action":"discard","score":40,"required_score":15}`)
	if got := send("192.0.2.7", "tamura@customer.test", "dropped"); !strings.HasPrefix(got, "554 5.7.1 the content filter takes this message for spam (40.0 of 15.0); write to postmaster@mx.desk.test") {
		t.Errorf("discard: %q", got)
	}
}
