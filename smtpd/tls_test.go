package smtpd_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
)

func TestStartTLS(t *testing.T) {
	f := serve(t, smtpd.Config{TLS: selfSigned(t)}, &desk{}, nil)
	plain := f.greeted(t)
	plain.do("MAIL FROM:<before@example.net>", "250 ")
	plain.do("RCPT TO:<support+before@example.org>", "250 ")
	plain.do("STARTTLS now", "501 ")
	plain.do("STARTTLS", "220 ")
	c := plain.secure()
	// What was said in the clear is forgotten, the greeting too.
	c.do("DATA", "503 5.5.1")
	c.do("MAIL FROM:<customer@example.net>", "503 5.5.1")
	if reply := c.do("EHLO secure.example.net", "250"); strings.Contains(reply, "STARTTLS") {
		t.Errorf("STARTTLS is offered again: %q", reply)
	}
	c.do("DATA", "502 ")
	c.do("STARTTLS", "503 5.5.1")
	c.begin()
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	m := f.desk.delivered()[0]
	if m.Protocol != "ESMTPS" || m.HELO != "secure.example.net" || !strings.HasPrefix(m.TLS, "TLS1.3 TLS_") || !strings.Contains(m.Received, "with ESMTPS\r\n\t("+m.TLS+") id ") {
		t.Errorf("envelope %+v", m.Envelope)
	}
	if len(m.Recipients) != 1 || m.Recipients[0] != "support@example.org" {
		t.Errorf("recipients %v", m.Recipients)
	}
	c.do("QUIT", "221 ")
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("after QUIT: %v, want the end that TLS announces", err)
	}
}

// TestCommandsInjectedBeforeTLS: what follows STARTTLS in the clear must not be
// executed as if it had come over TLS.
func TestCommandsInjectedBeforeTLS(t *testing.T) {
	f := serve(t, smtpd.Config{TLS: selfSigned(t)}, &desk{}, nil)
	c := f.greeted(t)
	c.send("STARTTLS\r\nEHLO injected\r\nMAIL FROM:<injected@example.net>\r\n")
	c.expect("501 5.5.1")
	c.expectClosed()
}

func TestFailedHandshakeEndsTheSession(t *testing.T) {
	f := serve(t, smtpd.Config{TLS: selfSigned(t)}, &desk{}, nil)
	c := f.greeted(t)
	c.do("STARTTLS", "220 ")
	c.send("EHLO this is no handshake\r\n")
	rest, _ := io.ReadAll(c.r)
	if strings.Contains(string(rest), "250") {
		t.Errorf("answered %q", rest)
	}
}

// TestNoSessionTickets: with tickets Outlook.com gives up STARTTLS.
func TestNoSessionTickets(t *testing.T) {
	f := serve(t, smtpd.Config{TLS: selfSigned(t)}, &desk{}, nil)
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "mx.example.org", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for range 2 {
		c := f.greeted(t)
		c.do("STARTTLS", "220 ")
		s := tls.Client(c.Conn, config)
		if err := s.Handshake(); err != nil {
			t.Fatal(err)
		}
		newClient(t, s).do("QUIT", "221 ") // reads, so that a ticket would be seen
		if s.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
	}
}

func TestSelfSigned(t *testing.T) {
	for _, name := range []string{"mx.example.org", "192.0.2.1"} {
		pair, err := smtpd.SelfSigned(name)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.VerifyHostname(name); err != nil {
			t.Error(err)
		}
		if life := time.Until(certificate.NotAfter); life < 364*24*time.Hour || life > 367*24*time.Hour {
			t.Errorf("good for %v", life)
		}
	}
}

// writePair writes a new certificate for name, as renewing programs do.
func writePair(t *testing.T, name, certFile, keyFile string) {
	t.Helper()
	pair, err := smtpd.SelfSigned(name)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if _, err := smtpd.LoadCertificate(certFile, keyFile); err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("missing file: %v", err)
	}
	writePair(t, "one.example.org", certFile, keyFile)
	c, err := smtpd.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	expect := func(name string) {
		t.Helper()
		got, err := c.GetCertificate(nil)
		if err != nil || got.Leaf.Subject.CommonName != name {
			t.Errorf("certificate of %v, error %v, want %s", got.Leaf.Subject, err, name)
		}
	}
	expect("one.example.org")

	writePair(t, "a-second.example.org", certFile, keyFile)
	expect("a-second.example.org")

	if err := os.WriteFile(certFile, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("a-second.example.org")
	expect("a-second.example.org")
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), certFile) {
		t.Errorf("%d errors logged:\n%s", n, &log)
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	expect("a-second.example.org")

	writePair(t, "the-third.example.org", certFile, keyFile)
	expect("the-third.example.org")
}
