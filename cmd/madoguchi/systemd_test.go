package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSocketsAndStateOfSystemd starts the server as systemd does: with its
// listeners open already, and a socket on which it tells how it is.
func TestSocketsAndStateOfSystemd(t *testing.T) {
	smtp, web := openForChild(t), openForChild(t)
	directory := t.TempDir()
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(directory, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { states.Close() })

	// LISTEN_PID must be the server's own, which only its shell can know before it runs.
	command := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", madoguchi(t), "serve",
		"--data", filepath.Join(directory, "data"), "--smtp", "192.0.2.1:25", "--http", "192.0.2.1:80")
	command.ExtraFiles = []*os.File{smtp.file, web.file}
	command.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES=smtp:web",
		"NOTIFY_SOCKET="+states.LocalAddr().String(), "WATCHDOG_USEC=200000")
	s := startCommand(t, filepath.Join(directory, "data"), command)
	if s.smtp != smtp.address || s.web != "http://"+web.address {
		t.Errorf("it serves %s and %s, not the sockets it was given, %s and %s", s.smtp, s.web, smtp.address, web.address)
	}
	if code, body := s.get("/readyz"); code != 200 {
		t.Errorf("/readyz on the socket that was given: %d %s", code, body)
	}
	expectState(t, states, "EXTEND_TIMEOUT_USEC=120000000") // an upgrade may take long
	expectState(t, states, "READY=1")
	expectState(t, states, "WATCHDOG=1")
	s.command.Process.Signal(syscall.SIGHUP)
	expectState(t, states, "RELOADING=1")
	expectState(t, states, "READY=1")
	s.stop()
	expectState(t, states, "STOPPING=1")
}

type childListener struct {
	address string
	file    *os.File
}

func openForChild(t *testing.T) childListener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		file.Close()
		listener.Close()
	})
	return childListener{listener.Addr().String(), file}
}

// expectState reads what the server says until it says want.
func expectState(t *testing.T, states *net.UnixConn, want string) {
	t.Helper()
	var said []string
	states.SetReadDeadline(time.Now().Add(patience))
	for buffer := make([]byte, 4096); ; {
		n, err := states.Read(buffer)
		if err != nil {
			t.Fatalf("the server never said %s, but %q: %v", want, said, err)
		}
		state := string(buffer[:n])
		if strings.Contains(state, want) {
			return
		}
		said = append(said, state)
	}
}

// TestUnitsAreWellFormed lets systemd itself read the units that the
// documentation offers.
func TestUnitsAreWellFormed(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: the units were not read")
	}
	directory := t.TempDir()
	units, err := filepath.Glob("../../docs/systemd/*")
	if err != nil || len(units) == 0 {
		t.Fatalf("no units: %v", err)
	}
	args := []string{"verify", "--man=no"}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		// The program of this test stands in for the one that is installed.
		text = []byte(strings.ReplaceAll(string(text), "/usr/local/bin/madoguchi", madoguchi(t)))
		copied := filepath.Join(directory, filepath.Base(unit))
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, copied)
	}
	if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
