package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for the program; it is only used up by failures.
const patience = 2 * time.Minute

// run runs one command to its end.
func run(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	program := madoguchi(t) // building it takes its own time
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	var out, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &errs
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("madoguchi %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// succeed runs a command that has to succeed and returns what it printed.
func succeed(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, stdin, args...)
	if code != 0 {
		t.Fatalf("madoguchi %s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// refuse runs a command that has to fail with exit code 1 and an error that
// holds each of the texts.
func refuse(t testing.TB, args []string, texts ...string) {
	t.Helper()
	stdout, stderr, code := run(t, "", args...)
	if code != 1 {
		t.Fatalf("madoguchi %s: exit %d, want 1\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stderr, text) {
			t.Errorf("madoguchi %s: the error does not say %q:\n%s", strings.Join(args, " "), text, stderr)
		}
	}
	if strings.Contains(stderr, "panic") {
		t.Errorf("madoguchi %s panics:\n%s", strings.Join(args, " "), stderr)
	}
}

// running is a server process.
type running struct {
	t          testing.TB
	command    *exec.Cmd
	data       string
	smtp, web  string
	exited     chan error
	log        *transcript // what it printed, but for the ready line
	terminated bool
	troubled   bool // the test makes trouble that belongs into the log as an error
}

// transcript is what a process wrote to standard error, safe to read meanwhile.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// waitFor returns once the log holds text.
func (l *transcript) waitFor(t testing.TB, text string) {
	t.Helper()
	end := time.After(patience)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.grown:
		case <-end:
			t.Fatalf("the log never says %q:\n%s", text, l)
		}
	}
}

var announcement = regexp.MustCompile(`^madoguchi ready: web (https?://\S+)  smtp (\S+)\n$`)

// start runs a server on data with free ports, and waits for its ready line.
func start(t testing.TB, data string, args ...string) *running {
	t.Helper()
	args = append([]string{"serve", "--data", data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, args...)
	return startCommand(t, data, exec.Command(madoguchi(t), args...))
}

// startCommand starts a server that somebody else has put the words together for.
func startCommand(t testing.TB, data string, command *exec.Cmd) *running {
	t.Helper()
	s := &running{t: t, data: data, command: command, exited: make(chan error, 1),
		log: &transcript{grown: make(chan struct{}, 1)}}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.command.Stderr = s.log
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 16)
	go func() {
		for reader := bufio.NewReader(stdout); ; {
			line, err := reader.ReadString('\n')
			if err != nil {
				break
			}
			lines <- line
		}
		close(lines)
		s.exited <- s.command.Wait()
	}()
	t.Cleanup(func() {
		s.kill()
		s.expectSilence()
	})
	s.readAddresses(lines)
	return s
}

func (s *running) readAddresses(lines <-chan string) {
	s.t.Helper()
	select {
	case line, open := <-lines:
		match := announcement.FindStringSubmatch(line)
		if !open || match == nil {
			s.t.Fatalf("the server printed %q, not that it is ready; its log:\n%s", line, s.log)
		}
		s.web, s.smtp = match[1], match[2]
	case <-time.After(patience):
		s.t.Fatalf("the server was not ready after %v; its log:\n%s", patience, s.log)
	}
	go func() {
		for line := range lines {
			io.WriteString(s.log, line)
		}
	}()
}

var setupAddress = regexp.MustCompile(`https?://\S+/setup\?key=\S+`)

// setupLink is the link for the first account, which follows the ready line.
func (s *running) setupLink() string {
	s.t.Helper()
	s.log.waitFor(s.t, "/setup?key=")
	return setupAddress.FindString(s.log.String())
}

// expectSilence fails for what a server must never print, whatever it is sent.
func (s *running) expectSilence() {
	s.t.Helper()
	printed := s.log.String()
	never := []string{"panic", "goroutine ", "fatal error"}
	if !s.troubled {
		never = append(never, "level=ERROR")
	}
	for _, bad := range never {
		if strings.Contains(printed, bad) {
			s.t.Errorf("the server printed %q:\n%s", bad, tail(printed, 8000))
			return
		}
	}
	if s.t.Failed() {
		s.t.Logf("the server printed at last:\n%s", tail(printed, 4000))
	}
}

// tail is the end of a long text.
func tail(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return "…" + s[len(s)-limit:]
}

// stop ends the server as systemd does, and checks that it ended in order.
func (s *running) stop() {
	s.t.Helper()
	s.command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.exited:
		s.terminated = true
		if err != nil {
			s.t.Errorf("the server ended with %v; its log:\n%s", err, s.log)
		}
	case <-time.After(patience):
		s.t.Fatalf("the server did not end within %v; its log:\n%s", patience, s.log)
	}
}

// kill ends the server as a power cut does.
func (s *running) kill() {
	if s.terminated {
		return
	}
	s.terminated = true
	s.command.Process.Kill()
	<-s.exited
}

// get returns the status and body of a page.
func (s *running) get(path string, header ...string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.web+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
