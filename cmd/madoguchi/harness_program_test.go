package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// alive reports whether the server runs and answers.
func (s *running) alive() bool {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(s.web + "/readyz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// writeConfig writes a configuration file and returns its path.
func writeConfig(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "madoguchi.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits until something holds. It looks often: what it waits for
// happens in another process, which has no other way to tell.
func eventually(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
