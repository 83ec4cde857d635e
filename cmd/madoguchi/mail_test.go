package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

const plainLetter = "From: Ann <ann@customer.example>\r\nTo: support@example.com\r\nSubject: hello\r\n\r\nHello.\r\n"

// hand gives a mail to an open session and returns the server's refusal.
func hand(client *smtp.Client, from, to, letter string) error {
	return client.SendMail(from, []string{to}, strings.NewReader(letter))
}

func dialSMTP(t *testing.T, network, address string) net.Conn {
	t.Helper()
	connection, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func TestMailByLMTP(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "lmtp.sock")
	s := start(t, t.TempDir(), "--config", configFile(t, "[smtp]\nlmtp = \""+socket+"\"\n[[alias]]\naddress = \"support@example.com\"\n"))
	client := smtp.NewClientLMTP(dialSMTP(t, "unix", socket))
	if err := hand(client, "ann@customer.example", "support@example.com", plainLetter); err != nil {
		t.Fatalf("by LMTP: %v", err)
	}
	if out := succeed(t, "", "verify", "--data", s.data); !strings.Contains(out, "1 mail accepted: 1 on tickets") {
		t.Errorf("verify: %s", out)
	}
	s.stop()
	if _, err := os.Stat(socket); err == nil {
		t.Error("the LMTP socket is still there after the server ended")
	}
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "madoguchi.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhoTakesMail(t *testing.T) {
	s := start(t, t.TempDir(), "--config", configFile(t, "[server]\nhostname = \"mx.example.net\"\n"))
	refused := func(to string) bool {
		t.Helper()
		client := smtp.NewClient(dialSMTP(t, "tcp", s.smtp))
		defer client.Close()
		err := hand(client, "ann@customer.example", to, plainLetter)
		var reply *smtp.SMTPError
		if err != nil && (!errors.As(err, &reply) || reply.Code != 550 || reply.EnhancedCode != smtp.EnhancedCode{5, 1, 1}) {
			t.Errorf("mail to %s: %v, want 250 or 550 5.1.1", to, err)
		}
		return err != nil
	}
	if !refused("support@example.com") || !refused("postmaster@example.com") {
		t.Error("a house without addresses takes mail")
	}
	for _, to := range []string{"postmaster@mx.example.net", "Postmaster"} { // there is nobody yet whom it could go to
		client := smtp.NewClient(dialSMTP(t, "tcp", s.smtp))
		err := hand(client, "ann@customer.example", to, plainLetter)
		var reply *smtp.SMTPError
		if !errors.As(err, &reply) || reply.Code != 450 || reply.EnhancedCode != (smtp.EnhancedCode{4, 3, 5}) {
			t.Errorf("mail to %s of a house without addresses: %v, want 450 4.3.5", to, err)
		}
		client.Close()
	}
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", s.data)
	for to, want := range map[string]bool{
		"support@example.com": false, "SUPPORT@EXAMPLE.COM": false, "postmaster@example.com": false, "Postmaster@mx.example.net": false,
		"nobody@example.com": true, "someone@elsewhere.example": true, "support@example.com@elsewhere.example": true,
		"reply+aaaaaaaaaaaaaaaa@example.com": true, "postmaster@elsewhere.example": true, "elsewhere.example!support@example.com": true,
	} {
		if got := refused(to); got != want {
			t.Errorf("mail to %s is refused: %v, want %v", to, got, want)
		}
	}
	s.stop()
}

// writeCertificate writes a pair of PEM files and returns their paths.
func writeCertificate(t *testing.T, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "mx.example.com"},
		DNSNames: []string{"mx.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	certFile, keyFile = filepath.Join(directory, "cert.pem"), filepath.Join(directory, "key.pem")
	err = errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

func TestReloadFollowsOtherCertificates(t *testing.T) {
	settings := func(serial int64) string {
		certFile, keyFile := writeCertificate(t, serial)
		return "[smtp]\ntls = \"files\"\ntls_cert = \"" + certFile + "\"\ntls_key = \"" + keyFile + "\"\n"
	}
	file := configFile(t, settings(1))
	s := start(t, t.TempDir(), "--config", file)
	serial := func() int64 {
		t.Helper()
		client, err := smtp.NewClientStartTLS(dialSMTP(t, "tcp", s.smtp), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.Noop(); err != nil { // shakes hands
			t.Fatal(err)
		}
		state, _ := client.TLSConnectionState()
		return state.PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("the certificate has serial %d, want 1", got)
	}
	if err := os.WriteFile(file, []byte(settings(2)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, "reloaded log level")
	if got := serial(); got != 2 {
		t.Errorf("after the reload the certificate has serial %d, want 2", got)
	}
	s.stop()
}
