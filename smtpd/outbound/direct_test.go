package outbound_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

const raw = "From: desk@desk.test\r\nSubject: Re: The printer\r\n\r\n.A line with a dot\r\nBye\r\n"

// direct is a sender that delivers to the zone's hosts at the port of address.
func direct(address netip.AddrPort, resolver *net.Resolver) *outbound.Sender {
	return &outbound.Sender{Resolver: resolver, Hostname: "desk.test", Port: int(address.Port()), Timeout: time.Minute}
}

func mail(to string) outbound.Mail {
	return outbound.Mail{ID: "m1", From: "desk@desk.test", To: to, Raw: []byte(raw)}
}

func TestDeliversToTheMX(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1").Resolver())
	outcome, err := s.Deliver(t.Context(), mail("hanako@customer.test"))
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Host != "mx.customer.test" || outcome.RemoteAddr != p.address.String() || outcome.TLS != "" || !strings.HasPrefix(outcome.Response, "250 2.0.0 ") {
		t.Errorf("outcome = %+v", outcome)
	}
	got := p.only(t)
	if got.helo != "desk.test" || got.from != "desk@desk.test" || got.to != "hanako@customer.test" || got.data != raw {
		t.Errorf("received %+v", got)
	}
	if got.options.Size != int64(len(raw)) || got.options.Body != "" {
		t.Errorf("MAIL options %+v", got.options)
	}
}

func TestWithoutMXTheDomainItself(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver())
	for _, to := range []string{"a@customer.test", "b@[127.0.0.1]"} {
		if _, err := s.Deliver(t.Context(), mail(to)); err != nil {
			t.Error(err)
		}
	}
}

func TestIPv6(t *testing.T) {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	listener.Close()
	p := servePeer(t, "[::1]:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.test.", "mx.test. 60 IN AAAA ::1").Resolver())
	for _, to := range []string{"a@customer.test", "b@[IPv6:::1]"} {
		if _, err := s.Deliver(t.Context(), mail(to)); err != nil {
			t.Error(err)
		}
	}
}

func TestEmptyEnvelopeSenderAndLF(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	m := mail("a@customer.test")
	m.From, m.Raw = "", []byte(strings.ReplaceAll(raw, "\r\n", "\n"))
	if _, err := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver()).Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := p.only(t); got.from != "" || got.data != raw || got.options.Size != int64(len(raw)) {
		t.Errorf("received %+v", got)
	}
}

func TestWhatTheDNSDecides(t *testing.T) {
	s := direct(netip.MustParseAddrPort("127.0.0.1:1"), dnstest.ServeZone(t,
		"null.test. 60 IN MX 0 .", "nulls.test. 60 IN MX 0 .", "nulls.test. 60 IN MX 10 .", "broken.test. SERVFAIL", "half.test. 60 IN MX 10 mx.broken.test.", "mx.broken.test. SERVFAIL",
		"self.test. 60 IN MX 10 DESK.test.", "self.test. 60 IN MX 20 mx.other.test.", "desk.test. 60 IN A 127.0.0.1",
		"any.test. 60 IN MX 10 any.test.", "any.test. 60 IN A 0.0.0.0", "dead.test. 60 IN A 127.0.0.1",
		"nowhere.test. 60 IN MX 10 gone.nowhere.test.").Resolver())
	tests := []struct {
		domain, enhanced, message string
		permanent                 bool
	}{
		{"null.test", "5.1.10", "null MX", true},
		{"nulls.test", "5.1.10", "null MX", true},
		{"absent.test", "5.1.2", "does not exist", true},
		{"broken.test.", "4.4.3", "cannot be looked up", false},
		{"half.test", "4.4.3", "cannot be looked up", false},
		{"nowhere.test", "4.4.3", "cannot be looked up", false},
		{"self.test", "5.4.6", "this server itself", true},
		{"desk.test", "5.4.6", "this server itself", true},
		{"any.test", "4.4.4", "no usable address", false},
		{"dead.test", "4.4.1", "connection refused", false},
		{"[0.0.0.0]", "5.1.2", "no address", true},
		{"[junk]", "5.1.2", "no address", true},
	}
	for _, test := range tests {
		t.Run(test.domain, func(t *testing.T) {
			_, err := s.Deliver(t.Context(), mail("a@"+test.domain))
			e := failed(t, err)
			if e.Permanent != test.permanent || e.Enhanced != test.enhanced || !strings.Contains(e.Message, test.message) {
				t.Errorf("error = %+v", e)
			}
		})
	}
}

func TestPreferenceAndTheNextHost(t *testing.T) {
	bad := map[string]func(net.Conn, *bufio.Reader){
		"closes":              answers(""),
		"4xx greeting":        answers("421 4.3.2 too busy"),
		"5xx greeting":        answers("554 5.7.1 no service for you"),
		"4xx EHLO":            answers("220 hi", "450 4.7.1 later", "450 4.7.1 later"),
		"lost before the end": answers("220 hi", "250 hi", "250 ok", ""),
		"421 at RCPT":         answers("220 hi", "250 hi", "250 ok", "421 4.3.2 closing"),
		"not SMTP":            answers("HTTP/1.1 400 Bad Request"),
		"4xx at MAIL":         answers("220 hi", "250 hi", "451 4.3.0 my backend is away", "221 bye"),
		"4xx at RCPT":         answers("220 hi", "250 hi", "250 ok", "450 4.2.0 greylisted", "221 bye"),
		"4xx at DATA":         answers("220 hi", "250 hi", "250 ok", "250 ok", "452 4.3.1 no space", "221 bye"),
	}
	for name, talk := range bad {
		t.Run(name, func(t *testing.T) {
			p := servePeer(t, "127.0.0.2:0", nil)
			serveScript(t, fmt.Sprintf("127.0.0.1:%d", p.address.Port()), talk)
			s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 20 good.test.", "customer.test. 60 IN MX 10 bad.test.",
				"good.test. 60 IN A 127.0.0.2", "bad.test. 60 IN A 127.0.0.1").Resolver())
			outcome, err := s.Deliver(t.Context(), mail("a@customer.test"))
			if err != nil || outcome.Host != "good.test" {
				t.Fatalf("outcome %+v, error %v", outcome, err)
			}
			p.only(t)
		})
	}
}

// Three hosts put the mail off, of which two are asked; and one that put it off
// outweighs one that refuses it.
func TestHostsThatPutMailOff(t *testing.T) {
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
	first := servePeer(t, "127.0.0.1:0", func(p *peer) { p.refuse["RCPT"] = busy })
	second := servePeer(t, fmt.Sprintf("127.0.0.2:%d", first.address.Port()), func(p *peer) { p.refuse["RCPT"] = busy })
	third := servePeer(t, fmt.Sprintf("127.0.0.3:%d", first.address.Port()), func(p *peer) { p.refuse["RCPT"] = busy })
	s := direct(first.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 one.test.", "customer.test. 60 IN MX 20 two.test.", "customer.test. 60 IN MX 30 three.test.",
		"one.test. 60 IN A 127.0.0.1", "two.test. 60 IN A 127.0.0.2", "three.test. 60 IN A 127.0.0.3").Resolver())
	if _, err := s.Deliver(t.Context(), mail("a@customer.test")); failed(t, err).Host != "two.test" || third.conns != 0 {
		t.Errorf("error %v, the third host was asked %d times", err, third.conns)
	}
	second.mu.Lock()
	second.refuse["RCPT"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "write to the first"}
	second.mu.Unlock()
	if _, err := s.Deliver(t.Context(), mail("a@customer.test")); failed(t, err).Permanent || failed(t, err).Host != "one.test" {
		t.Errorf("error %v", err)
	}
}

func TestTheBestHostComesFirst(t *testing.T) {
	best := servePeer(t, "127.0.0.1:0", nil)
	other := servePeer(t, fmt.Sprintf("127.0.0.2:%d", best.address.Port()), nil)
	s := direct(best.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 20 other.test.", "customer.test. 60 IN MX 10 best.test.",
		"other.test. 60 IN A 127.0.0.2", "best.test. 60 IN A 127.0.0.1").Resolver())
	for range 5 {
		if outcome, err := s.Deliver(t.Context(), mail("a@customer.test")); err != nil || outcome.Host != "best.test" {
			t.Fatalf("outcome %+v, error %v", outcome, err)
		}
	}
	other.none(t)
}

func TestBackupMXDeliversOnlyToBetterHosts(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 better.test.", "customer.test. 60 IN MX 20 desk.test.",
		"customer.test. 60 IN MX 20 equal.test.", "better.test. 60 IN A 127.0.0.1", "equal.test. 60 IN A 127.0.0.1").Resolver())
	outcome, err := s.Deliver(t.Context(), mail("a@customer.test"))
	if err != nil || outcome.Host != "better.test" {
		t.Fatalf("outcome %+v, error %v", outcome, err)
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		command   string
		reply     *smtp.SMTPError
		permanent bool
	}{
		"unknown recipient": {"RCPT", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}, true},
		"greylisted":        {"RCPT", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "try again"}, false},
		"sender refused":    {"MAIL", &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not from you"}, true},
		"spam":              {"end of mail", &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "looks like spam"}, true},
		"disk full":         {"end of mail", &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "no space"}, false},
		"never again":       {"EHLO", &smtp.SMTPError{Code: 521, EnhancedCode: smtp.EnhancedCode{5, 3, 2}, Message: "no mail here"}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := servePeer(t, "127.0.0.1:0", func(p *peer) { p.refuse[test.command] = test.reply })
			second := servePeer(t, fmt.Sprintf("127.0.0.2:%d", p.address.Port()), func(p *peer) { p.refuse[test.command] = test.reply })
			s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.test.", "mx.test. 60 IN A 127.0.0.1",
				"customer.test. 60 IN MX 20 second.test.", "second.test. 60 IN A 127.0.0.2").Resolver())
			_, err := s.Deliver(t.Context(), mail("a@customer.test"))
			e := failed(t, err)
			code := test.reply.EnhancedCode
			want := fmt.Sprintf("%d.%d.%d", code[0], code[1], code[2])
			if e.Permanent != test.permanent || e.Code != test.reply.Code || e.Enhanced != want || e.Message != test.reply.Message || e.Command != test.command {
				t.Errorf("error = %+v", e)
			}
			if e.Host == "" || !strings.Contains(e.Error(), fmt.Sprintf("%d %s %s", e.Code, want, e.Message)) {
				t.Errorf("text = %s", e)
			}
			asked := 0 // a refusal is one, and what is put off may be taken elsewhere
			if !test.permanent {
				asked = 1
			}
			if test.command != "EHLO" && second.conns != asked {
				t.Errorf("another host was asked %d times, want %d", second.conns, asked)
			}
		})
	}
}

func TestOpportunisticTLS(t *testing.T) {
	certificate, _ := selfSigned(t, "mx.test")
	resolver := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.test.", "mx.test. 60 IN A 127.0.0.1").Resolver()
	p := servePeer(t, "127.0.0.1:0", func(p *peer) { p.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}} })
	outcome, err := direct(p.address, resolver).Deliver(t.Context(), mail("a@customer.test"))
	if err != nil {
		t.Fatal(err)
	}
	if outcome.TLS != "TLS 1.3, certificate not verified" || !p.only(t).encrypted || p.only(t).helo != "desk.test" {
		t.Errorf("outcome = %+v, received %+v", outcome, p.only(t))
	}
}

func TestBrokenTLSGoesInClearUnlessForbidden(t *testing.T) {
	resolver := dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver()
	// No certificate: the handshake fails.
	p := servePeer(t, "127.0.0.1:0", func(p *peer) {
		p.TLSConfig = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}
	})
	m := mail("a@customer.test")
	m.RequireTLS = true
	_, err := direct(p.address, resolver).Deliver(t.Context(), m)
	if e := failed(t, err); e.Permanent || e.Command != "STARTTLS" {
		t.Errorf("error = %+v", e)
	}
	p.none(t)
	outcome, err := direct(p.address, resolver).Deliver(t.Context(), mail("a@customer.test"))
	if err != nil || outcome.TLS != "" || p.only(t).encrypted {
		t.Errorf("outcome = %+v, error %v", outcome, err)
	}

	clear := servePeer(t, "127.0.0.1:0", nil)
	_, err = direct(clear.address, resolver).Deliver(t.Context(), m)
	if e := failed(t, err); e.Permanent || e.Enhanced != "4.7.10" {
		t.Errorf("error = %+v", e)
	}
	clear.none(t)
}

func TestExtensions(t *testing.T) {
	resolver := dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1", "xn--r8jz45g.test. 60 IN A 127.0.0.1").Resolver()
	plain := servePeer(t, "127.0.0.1:0", func(p *peer) { p.MaxMessageBytes = 1000 })
	utf8 := servePeer(t, "127.0.0.1:0", func(p *peer) { p.EnableSMTPUTF8 = true })

	m := mail("a@customer.test")
	m.Raw = append(m.Raw, strings.Repeat("x", 1000)...)
	_, err := direct(plain.address, resolver).Deliver(t.Context(), m)
	if e := failed(t, err); !e.Permanent || e.Enhanced != "5.3.4" || !strings.Contains(e.Message, "1000") {
		t.Errorf("error = %+v", e)
	}
	// An internationalised domain alone needs no extension.
	m = mail("a@例え.test")
	m.Raw = append(m.Raw, "お世話になります\r\n"...)
	if _, err := direct(plain.address, resolver).Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := plain.only(t); got.to != "a@xn--r8jz45g.test" || got.options.Body != smtp.Body8BitMIME || got.options.UTF8 {
		t.Errorf("received %+v", got)
	}
	for _, to := range []string{"花子@customer.test", "header"} {
		m := mail(to)
		if to == "header" {
			m.To, m.Raw = "a@customer.test", []byte("Subject: 見積\r\n\r\nx\r\n")
		}
		_, err := direct(plain.address, resolver).Deliver(t.Context(), m)
		if e := failed(t, err); !e.Permanent || e.Enhanced != "5.6.7" {
			t.Errorf("error = %+v", e)
		}
		if _, err := direct(utf8.address, resolver).Deliver(t.Context(), m); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	for _, got := range utf8.mails {
		if !got.options.UTF8 {
			t.Errorf("received %+v", got)
		}
	}
}

func TestAddressesAndMailsThatCannotBeSent(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver())
	for _, address := range []string{
		"", "a", "@customer.test", "a@", "a@customer.test\r\nRCPT TO:<b@customer.test>", "a\x00@customer.test", "a b@customer.test",
		"a>@customer.test", `"a"> <b"@customer.test`, `"@customer.test`, "<a@customer.test>", "a@customer.test SIZE=1", "\xff@customer.test", "a@\u2028.test",
	} {
		_, err := s.Deliver(t.Context(), mail(address))
		if e := failed(t, err); !e.Permanent || e.Enhanced != "5.1.3" {
			t.Errorf("to %q: %+v", address, e)
		}
		if address == "" {
			continue // an empty sender is legal
		}
		m := mail("a@customer.test")
		m.From = address
		_, err = s.Deliver(t.Context(), m)
		if e := failed(t, err); !e.Permanent || e.Enhanced != "5.1.7" {
			t.Errorf("from %q: %+v", address, e)
		}
	}
	m := mail("a@customer.test")
	m.Raw = []byte("Subject: x\r\n\r\nA\r.\rMAIL FROM:<evil@x>\r\n")
	_, err := s.Deliver(t.Context(), m)
	if e := failed(t, err); !e.Permanent || e.Enhanced != "5.6.0" {
		t.Errorf("bare CR: %+v", e)
	}
	p.none(t)
}
