package main_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

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
