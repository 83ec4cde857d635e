package main_test

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestTheLogOfAMailNamesWhatWasAsked takes a mail while the name server is away. The log has the
// Message-ID by which the sender's server knows it, and the name server that was asked;
// explain says why the acknowledgement is on the ticket.
func TestTheLogOfAMailNamesWhatWasAsked(t *testing.T) {
	t.Parallel()
	away, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolver := away.LocalAddr().String()
	away.Close() // so that questions are refused at once
	config := writeConfig(t, "[[alias]]\naddress = \"support@example.com\"\nname = \"Support\"\nacknowledgement = \"We have received your mail.\"\n[ai]\nenabled = false\n")
	data := t.TempDir()
	s := start(t, data, "--config", config, "--resolver", resolver)
	send(t, s.smtp, customerAddress, "support@example.com", post(1, customerAddress, "support@example.com", "1@customer.test"))
	s.log.waitFor(t, `message_id=1@customer.test`)
	s.log.waitFor(t, `msg="delivery deferred"`)
	if log := s.log.String(); !strings.Contains(log, " on "+resolver+":") {
		t.Errorf("the log does not name %s, which was asked:\n%s", resolver, log)
	}
	out := succeed(t, "", "explain", "1", "--data", data)
	if !strings.Contains(out, "on ticket #1 (posted): Sent by itself when the request came in.") {
		t.Errorf("explain:\n%s", out)
	}
	s.stop()
}

// TestTheJournalGetsPriorities starts the server as systemd does, with a standard error that is
// the journal's: each line begins with its priority (sd-daemon(3)).
func TestTheJournalGetsPriorities(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED, not passed: systemd's journal is on Linux alone")
	}
	t.Parallel()
	config, data := writeConfig(t, "[ai]\nenabled = false\n"), t.TempDir()
	s := startCommand(t, data, exec.Command("sh", "-c", `JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"`,
		madoguchi(t), "serve", "--config", config, "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"))
	s.log.waitFor(t, "<6>time=")
	if err := os.WriteFile(config, []byte("[smtp]\nno_such_key = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.waitFor(t, "no_such_key")
	for line := range strings.Lines(s.log.String()) {
		for level, priority := range map[string]string{"level=INFO": "<6>", "level=WARN": "<4>", "level=ERROR": "<3>"} {
			if strings.Contains(line, level) && !strings.HasPrefix(line, priority+"time=") {
				t.Errorf("%s without %s: %s", level, priority, line)
			}
		}
		if strings.Contains(line, "no_such_key") && !strings.HasPrefix(line, "<4>") {
			t.Errorf("a failed reload is no warning to the journal: %s", line)
		}
	}
	s.stop()
}
