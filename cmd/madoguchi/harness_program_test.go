package main_test

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// alive reports whether the server runs and answers.
func (s *running) alive() bool {
	client := http.Client{Timeout: patience}
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

// given are the ports that freePort has named.
var given sync.Map

// freePort is a port of 127.0.0.1 for somebody who will listen at it later. It is
// below those that systems give to whoever asks for any, to connections among them
// (from 32768 on Linux, 49152 elsewhere), so nobody takes it meanwhile.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(20_000 + rand.IntN(12_000))
		if _, again := given.LoadOrStore(port, true); again {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port between 20000 and 32000 is free")
	return ""
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
