package main_test

import (
	"strings"
	"testing"
)

// TestReindex makes the index anew beside a server and without one, and finds
// the same afterwards.
func TestReindex(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out reindexing")
	}
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	succeed(t, "correct horse battery\n", "user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-", "--data", data)
	succeed(t, "", "send-test", "--data", data, "--subject", "温度計のﾃﾞｰﾀ")
	token := strings.TrimSpace(succeed(t, "", "token", "create", "--user", "ops@example.com", "--data", data))
	found := func(s *running) {
		t.Helper()
		if code, body := s.get("/api/v1/tickets?q=%E3%83%87%E3%83%BC%E3%82%BF", "Authorization", "Bearer "+token); code != 200 || !strings.Contains(body, `"number":1`) {
			t.Errorf("search: %d %s", code, body)
		}
	}
	found(s)
	if out := succeed(t, "", "reindex", "--data", data); !strings.Contains(out, "indexed ") || strings.Contains(out, "\r") {
		t.Errorf("reindex beside a server: %q", out)
	}
	found(s)
	s.stop()
	if out := succeed(t, "", "reindex", "--data", data); !strings.Contains(out, " events in ") {
		t.Errorf("reindex without a server: %q", out)
	}
	if out := succeed(t, "", "verify", "--data", data); !strings.Contains(out, "is whole") {
		t.Errorf("verify: %q", out)
	}
	again := start(t, data)
	found(again)
	again.stop()
	refuse(t, []string{"reindex", "--data", t.TempDir() + "/absent"}, "there is no data")
}
