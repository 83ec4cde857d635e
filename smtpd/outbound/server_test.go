package outbound_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// received is a mail as the server at the other end has it.
type received struct {
	helo, from, to, data string
	options              smtp.MailOptions
	encrypted            bool
}

// peer is a real SMTP server on loopback.
type peer struct {
	*smtp.Server
	address    netip.AddrPort
	mechanisms []string // AUTH it offers
	refuse     map[string]error
	perConn    int // mails over one connection; 0 for any

	mu    sync.Mutex
	mails []received
	login string // username and password of the last one
	conns int
}

// servePeer starts a server on an address of 127.0.0.0/8, port 0 for any.
func servePeer(t *testing.T, address string, setup func(*peer)) *peer {
	t.Helper()
	listener := listen(t, address)
	p := &peer{address: netip.MustParseAddrPort(listener.Addr().String()), refuse: map[string]error{}}
	p.Server = smtp.NewServer(p)
	p.Domain = "peer.test"
	p.ErrorLog = log.New(io.Discard, "", 0)
	p.AllowInsecureAuth = true
	if setup != nil {
		setup(p)
	}
	go p.Serve(listener)
	t.Cleanup(func() { p.Close() })
	return p
}

// listen skips the test where only 127.0.0.1 is loopback, as on macOS.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil && !strings.HasPrefix(address, "127.0.0.1:") {
		t.Skipf("this machine has no second loopback address: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func (p *peer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns++
	_, encrypted := c.TLSConnectionState()
	if err := p.refuse["EHLO"]; err != nil {
		return nil, err
	}
	return &session{peer: p, mail: received{helo: c.Hostname(), encrypted: encrypted}}, nil
}

// only returns the one mail that was received.
func (p *peer) only(t *testing.T) received {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) != 1 {
		t.Fatalf("%d mails received, want 1", len(p.mails))
	}
	return p.mails[0]
}

func (p *peer) none(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) != 0 {
		t.Fatalf("a mail was received: %+v", p.mails)
	}
}

type session struct {
	peer  *peer
	mail  received
	begun int // mails
}

func (s *session) AuthMechanisms() []string { return s.peer.mechanisms }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	accept := func(username, password string) error {
		s.peer.mu.Lock()
		defer s.peer.mu.Unlock()
		s.peer.login = username + " " + password
		return s.peer.refuse["AUTH"]
	}
	if mechanism == sasl.Login {
		return &loginServer{accept: accept}, nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return accept(username, password) }), nil
}

// loginServer speaks AUTH LOGIN with the prompts of other servers than go-sasl
// knows.
type loginServer struct {
	accept   func(username, password string) error
	username []byte
	asked    int
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("User Name"), false, nil
	case 2:
		l.username = response
		return []byte("Password"), false, nil
	}
	return nil, true, l.accept(string(l.username), string(response))
}

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	s.mail.from, s.mail.options = from, *options
	s.begun++
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	if s.peer.perConn > 0 && s.begun > s.peer.perConn {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "enough for one connection"}
	}
	return s.peer.refuse["MAIL"]
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.refuse["RCPT"]
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	if err := s.peer.refuse["end of mail"]; err != nil {
		return err
	}
	s.mail.data = string(data)
	s.peer.mails = append(s.peer.mails, s.mail)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serveScript starts a server that runs talk with each connection, and returns
// its address. Connections are closed when the test ends.
func serveScript(t *testing.T, address string, talk func(net.Conn, *bufio.Reader)) netip.AddrPort {
	t.Helper()
	listener := listen(t, address)
	var mu sync.Mutex
	var conns []net.Conn
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range conns {
			conn.Close()
		}
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			go talk(conn, bufio.NewReader(conn))
		}
	}()
	return netip.MustParseAddrPort(listener.Addr().String())
}

// answers replies to one command after another, beginning with the greeting,
// and then says nothing more. An empty answer closes the connection.
func answers(lines ...string) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		for i, line := range lines {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			if line == "" {
				conn.Close()
				return
			}
			io.WriteString(conn, line+"\r\n")
		}
	}
}

// selfSigned returns a certificate for a name, and the roots that trust it.
func selfSigned(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// failed returns the Error of a delivery that must have failed.
func failed(t *testing.T, err error) *outbound.Error {
	t.Helper()
	var e *outbound.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want an *outbound.Error", err)
	}
	return e
}
