package smtpd_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
)

// desk is a Handler that takes mail for addresses beginning with "support" and
// "postmaster", and remembers what it took.
type desk struct {
	recipient func(address string) error                     // nil: as above
	deliver   func(ctx context.Context, m *smtpd.Mail) error // nil: takes all

	mu    sync.Mutex
	asked []string
	mails []*smtpd.Mail
}

func (d *desk) Recipient(_ context.Context, mailFrom, address string) error {
	d.mu.Lock()
	d.asked = append(d.asked, address)
	d.mu.Unlock()
	if d.recipient != nil {
		return d.recipient(address)
	}
	if strings.HasPrefix(address, "support") || strings.HasPrefix(address, "postmaster@") {
		return nil
	}
	return &smtpd.Refusal{Code: 550, Enhanced: [3]int{5, 1, 1}, Message: "no such address here"}
}

func (d *desk) Deliver(ctx context.Context, m *smtpd.Mail) error {
	if d.deliver != nil {
		if err := d.deliver(ctx, m); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mails = append(d.mails, m)
	return nil
}

func (d *desk) delivered() []*smtpd.Mail {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*smtpd.Mail(nil), d.mails...)
}

func (d *desk) askedFor() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}

// logBuffer is a log that a test can read.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type fixture struct {
	server *smtpd.Server
	desk   *desk
	log    *logBuffer
	addr   string
}

// serve starts a server on a loopback port.
func serve(t testing.TB, c smtpd.Config, d *desk, v smtpd.Verifier) *fixture {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, c, d, v)
}

func serveOn(t testing.TB, l net.Listener, c smtpd.Config, d *desk, v smtpd.Verifier) *fixture {
	t.Helper()
	if c.Hostname == "" {
		c.Hostname = "mx.example.org"
	}
	if c.SpoolDir == "" {
		c.SpoolDir = t.TempDir()
	}
	f := &fixture{desk: d, log: &logBuffer{}, addr: l.Addr().String()}
	f.server = smtpd.NewServer(c, d, v, slog.New(slog.NewTextHandler(f.log, nil)))
	served := make(chan error, 1)
	go func() { served <- f.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return f
}

// client is a client that says exactly what it is told to.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (f *fixture) dial(t testing.TB) *client {
	t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

func newClient(t testing.TB, c net.Conn) *client {
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(2 * time.Minute)) // only used up by failures
	return &client{t: t, Conn: c, r: bufio.NewReader(c)}
}

// greeted is a client past EHLO.
func (f *fixture) greeted(t testing.TB) *client {
	t.Helper()
	c := f.dial(t)
	c.expect("220 ")
	c.do("EHLO client.example.net", "250")
	return c
}

// inData is a client that was told to send a mail to support@example.org.
func (f *fixture) inData(t testing.TB) *client {
	t.Helper()
	c := f.greeted(t)
	c.begin()
	return c
}

func (c *client) begin() {
	c.t.Helper()
	c.do("MAIL FROM:<customer@example.net>", "250 2.")
	c.do("RCPT TO:<support@example.org>", "250 2.")
	c.do("DATA", "354 ")
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// reply reads a whole reply, its lines joined by "\n".
func (c *client) reply() (string, error) {
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return strings.Join(lines, "\n"), err
		}
		if !strings.HasSuffix(line, "\r\n") || len(line) < 5 {
			return line, fmt.Errorf("malformed reply line %q", line)
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if line[3] != '-' {
			return strings.Join(lines, "\n"), nil
		}
	}
}

// expect reads a reply that begins with prefix, and returns it.
func (c *client) expect(prefix string) string {
	c.t.Helper()
	reply, err := c.reply()
	if err != nil || !strings.HasPrefix(reply, prefix) {
		c.t.Fatalf("reply %q, error %v, want %q", reply, err, prefix)
	}
	return reply
}

// do sends a command and expects a reply.
func (c *client) do(command, prefix string) string {
	c.t.Helper()
	c.send(command + "\r\n")
	return c.expect(prefix)
}

// expectClosed says that the server has closed the connection in good order.
func (c *client) expectClosed() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("after the last reply came %q, error %v, want the end", rest, err)
	}
}

// secure upgrades the connection after STARTTLS was answered.
func (c *client) secure() *client {
	c.t.Helper()
	s := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := s.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return newClient(c.t, s)
}

func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	certificate, err := smtpd.SelfSigned("mx.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}
