package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

// names answers from a map: "mx:NAME" and addresses of names; what it does not
// know does not exist, and "silent." is not answered.
type names map[string]string

func (n names) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if host, ok := n["mx:"+name]; ok {
		return []*net.MX{{Host: host}}, nil
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func (n names) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	switch answer, ok := n[name]; {
	case answer == "silence":
		return nil, &net.DNSError{IsTimeout: true}
	case ok:
		return []net.IPAddr{{IP: net.ParseIP(answer)}}, nil
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func TestBlocklists(t *testing.T) {
	resolver := names{"2.0.0.127.listed.test.": "127.0.0.4", "2.0.0.127.refuses.test.": "127.255.255.254", "2.0.0.127.parked.test.": "192.0.2.1",
		"2.0.0.127.silent.test.": "silence", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.listed.test.": "127.0.0.2"}
	for _, test := range []struct {
		list, ip, key string
		state         State
	}{{"listed.test", "127.0.0.2", "listed", Wrong}, {"listed.test", "127.0.0.3", "unlisted", Fine}, {"refuses.test", "127.0.0.2", "list_refuses", Unknown},
		{"parked.test", "127.0.0.2", "unlisted", Fine}, {"silent.test", "127.0.0.2", "list_silent", Unknown}, {"listed.test", "2001:db8::1", "listed", Wrong}} {
		if f := Blocklist(t.Context(), resolver, test.list, netip.MustParseAddr(test.ip)); f.Key != test.key || f.State != test.state {
			t.Errorf("%s on %s: %+v", test.ip, test.list, f)
		}
	}
}

func TestPortsAreTriedAsMailServersDo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	said := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte("220 mx.big.test ESMTP\r\n"))
		buffer := make([]byte, 6)
		conn.Read(buffer)
		said <- string(buffer)
	}()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "mx.big.test:25" {
			return nil, errors.New("refused")
		}
		return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
	}
	resolver := names{"mx:big.test.": "mx.big.test.", "mx:closed.test.": "mx.closed.test."}
	if f := Outgoing(t.Context(), resolver, dial, "big.test", 25); f.State != Fine || <-said != "QUIT\r\n" {
		t.Errorf("an open port: %+v", f)
	}
	if f := Outgoing(t.Context(), resolver, dial, "closed.test", 25); f.State != Wrong || f.Key != "outgoing_closed" {
		t.Errorf("a closed port: %+v", f)
	}
	if f := Outgoing(t.Context(), resolver, dial, "nothing.test", 25); f.State != Unknown {
		t.Errorf("a domain without mail: %+v", f)
	}
	if f := Incoming(t.Context(), dial, "mx.closed.test", 25); f.State != Warning || f.Key != "incoming_closed" {
		t.Errorf("from outside: %+v", f)
	}
}

func TestClockIsComparedWithAWebServer(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	for off, want := range map[time.Duration]State{0: Fine, 10 * time.Second: Fine, -2 * time.Minute: Wrong, 26 * time.Hour: Wrong} {
		f := Clock(t.Context(), web.Client(), web.URL, func() time.Time { return time.Now().Add(off) })
		if f.State != want {
			t.Errorf("off by %s: %+v", off, f)
		}
	}
	web.Close()
	if f := Clock(t.Context(), web.Client(), web.URL, time.Now); f.State != Unknown {
		t.Errorf("without an answer: %+v", f)
	}
}

func TestDisk(t *testing.T) {
	for _, test := range []struct {
		free, total uint64
		want        State
	}{{50 << 30, 100 << 30, Fine}, {90 << 30, 2000 << 30, Fine}, {5 << 30, 100 << 30, Warning}, {1 << 30, 4 << 30, Warning}, {100 << 20, 1 << 40, Wrong}, {1 << 30, 100 << 30, Wrong}} {
		if f := (Finding{Subject: "/data", State: Fine}).judge(test.free, test.total); f.State != test.want {
			t.Errorf("%d of %d: %+v", test.free, test.total, f)
		}
	}
	if f := Disk(t.TempDir()); f.State == Unknown || len(f.Args) != 3 {
		t.Errorf("this disk: %+v", f)
	}
	if f := Disk("/nowhere/at/all"); f.State != Unknown {
		t.Errorf("a directory that is not there: %+v", f)
	}
}

func TestCertificates(t *testing.T) {
	web := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is for example.com and names itself its issuer
	defer web.Close()
	address, leaf := web.Listener.Addr().String(), web.Certificate()
	known := x509.NewCertPool()
	known.AddCert(leaf)
	now := time.Now()
	for name, test := range map[string]struct {
		host  string
		roots *x509.CertPool
		at    time.Time
		key   string
	}{
		"fine":         {"example.com", known, now, "certificate_fine"},
		"another name": {"other.test", known, now, "other_name"},
		"self-signed":  {"example.com", x509.NewCertPool(), now, "self_signed"},
		"expired":      {"example.com", known, leaf.NotAfter.Add(time.Hour), "expired"},
		"ends soon":    {"example.com", known, leaf.NotAfter.Add(-24 * time.Hour), "ends_soon"},
		"not yet":      {"example.com", known, leaf.NotBefore.Add(-time.Hour), "not_yet"},
	} {
		if f := WebCertificate(t.Context(), address, test.host, test.roots, test.at); f.Key != test.key {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := WebCertificate(t.Context(), "127.0.0.1:1", "example.com", nil, now); f.State != Unknown || f.Key != "web_silent" {
		t.Errorf("nobody there: %+v", f)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for _, tlsConfig := range []*tls.Config{nil, web.TLS} {
			conn, err := plain.Accept()
			if err != nil {
				return
			}
			speak(conn, tlsConfig)
		}
	}()
	if f := MailCertificate(t.Context(), plain.Addr().String(), "example.com", known, now); f.Key != "no_starttls" {
		t.Errorf("without STARTTLS: %+v", f)
	}
	if f := MailCertificate(t.Context(), plain.Addr().String(), "example.com", known, now); f.Key != "certificate_fine" {
		t.Errorf("with STARTTLS: %+v", f)
	}
}

// speak is one SMTP session, with STARTTLS where there is a configuration.
func speak(conn net.Conn, config *tls.Config) {
	defer conn.Close()
	conn.Write([]byte("220 mx ESMTP\r\n"))
	buffer := make([]byte, 512)
	conn.Read(buffer)
	if config == nil {
		conn.Write([]byte("250 mx\r\n"))
		conn.Read(buffer)
		return
	}
	conn.Write([]byte("250-mx\r\n250 STARTTLS\r\n"))
	conn.Read(buffer)
	conn.Write([]byte("220 go\r\n"))
	encrypted := tls.Server(conn, config)
	encrypted.Read(buffer) // EHLO
	encrypted.Write([]byte("250 mx\r\n"))
	encrypted.Read(buffer) // QUIT
	encrypted.Write([]byte("221 bye\r\n"))
}
