package main_test

import (
	"bufio"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestWebConnectionsLeaveRoomForMail opens more connections to the web than the server may
// have files open, each of which rests. Mail and browsers come through.
func TestWebConnectionsLeaveRoomForMail(t *testing.T) {
	data := newDesk(t)
	s := startCommand(t, data, exec.Command("sh", "-c", `ulimit -n 256 && exec "$0" "$@"`, madoguchi(t), "serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"))
	web := strings.TrimPrefix(s.web, "http://")
	for i := range 300 {
		conn, err := net.Dial("tcp", web)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 { // the others have said nothing yet
			if _, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: desk.test\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	mail, err := net.Dial("tcp", s.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	mail.SetDeadline(time.Now().Add(patience))
	if greeting, err := bufio.NewReader(mail).ReadString('\n'); err != nil || !strings.HasPrefix(greeting, "220 ") {
		t.Errorf("whoever brings mail reads %q, %v", greeting, err)
	}
	browser := &http.Client{Timeout: patience}
	response, err := browser.Get(s.web + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("a browser gets %s", response.Status)
	}
}

// TestSessionsLeaveFilesForTheRest opens more sessions than the server may have files open. Those
// beyond a part of them are told to come back, and the web, which needs files too, answers.
func TestSessionsLeaveFilesForTheRest(t *testing.T) {
	data := t.TempDir()
	s := startCommand(t, data, exec.Command("sh", "-c", `ulimit -n 128 && exec "$0" "$@"`, madoguchi(t), "serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"))
	s.log.waitFor(t, "fewer sessions than smtp.max_sessions")
	for i := range 140 {
		conn, err := net.DialTimeout("tcp", s.smtp, patience)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		want := "220 421 " // near the limit: the server's own test of itself may hold a session
		switch {
		case i < 24:
			want = "220 "
		case i >= 128/4:
			want = "421 "
		}
		conn.SetDeadline(time.Now().Add(patience))
		if greeting, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(want, greeting[:min(4, len(greeting))]) {
			t.Fatalf("session %d reads %q, %v; want %s", i+1, greeting, err, want)
		}
	}
	if code, body := s.get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d %s", code, body)
	}
	s.stop()
}
