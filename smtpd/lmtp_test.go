package smtpd_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

func dialUnix(t *testing.T, path string) *client {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

func TestLMTP(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lmtp.sock")
	l, err := smtpd.ListenLMTP(path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	f := serveOn(t, l, smtpd.Config{LMTP: true, MaxSessionsPerIP: 1}, d, verifierFunc(func(auth.Request) auth.Verdict {
		t.Error("the sender of a mail over LMTP cannot be verified")
		return auth.Verdict{}
	}))
	if f.addr != path {
		t.Errorf("address %q, want %q", f.addr, path)
	}
	dialUnix(t, path).expect("220 mx.example.org LMTP")
	c := dialUnix(t, path)
	c.expect("220 ")
	c.do("EHLO x", "500 ")
	if reply := c.do("LHLO mailserver", "250-mx.example.org\n"); strings.Contains(reply, "CHUNKING") {
		t.Errorf("LHLO answered %q", reply)
	}
	transaction := func(want string) {
		t.Helper()
		c.do("MAIL FROM:<customer@example.net>", "250 ")
		c.do("RCPT TO:<support@example.org>", "250 ")
		c.do("RCPT TO:<nobody@example.org>", "550 5.1.1")
		c.do("RCPT TO:<support+two@example.org>", "250 ")
		c.do("DATA", "354 ")
		c.send("Subject: x\r\n\r\nx\r\n.\r\n")
		c.expect(strings.ReplaceAll(want, "RCPT", "<support@example.org>"))
		c.expect(strings.ReplaceAll(want, "RCPT", "<support+two@example.org>"))
	}
	transaction("250 2.0.0 RCPT queued as ")
	m := d.delivered()[0]
	if !m.LMTP || m.Protocol != "LMTP" || m.RemoteIP.IsValid() || len(m.Recipients) != 2 || m.Verdict.SPF.Result != auth.None || m.Verdict.SPF.Reason == "" {
		t.Errorf("envelope %+v, verdict %+v", m.Envelope, m.Verdict)
	}
	if !strings.HasPrefix(m.Received, "Received: from mailserver\r\n\tby mx.example.org with LMTP id "+m.ID+";") {
		t.Errorf("trace field %q", m.Received)
	}
	d.deliver = func(context.Context, *smtpd.Mail) error { return errors.New("disk on fire") }
	transaction("451 4.3.0 RCPT temporary failure")
	c.do("QUIT", "221 ")
	c.expectClosed()
}

func TestListenLMTP(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lmtp.sock")
	l, err := smtpd.ListenLMTP(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, error %v", info, err)
	}
	if _, err := smtpd.ListenLMTP(path, 0o600); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("second listener: %v", err)
	}
	l.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, error %v", entries, err)
	}

	// What a killed process leaves behind.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	l, err = smtpd.ListenLMTP(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("%v, error %v", info, err)
	}

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := smtpd.ListenLMTP(file, 0o600); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("over a file: %v", err)
	}
	if _, err := smtpd.ListenLMTP(filepath.Join(dir, strings.Repeat("x", 200)), 0o600); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("long path: %v", err)
	}
	if _, err := smtpd.ListenLMTP(filepath.Join(dir, "missing", "s"), 0o600); err == nil {
		t.Error("in a missing directory: no error")
	}
}
