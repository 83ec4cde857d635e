package outbound_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

const password = "correct horse"

func TestSmarthostTLSAndLogin(t *testing.T) {
	certificate, roots := selfSigned(t, "relay.test")
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	resolver := dnstest.ServeZone(t, "relay.test. 60 IN A 127.0.0.1").Resolver()
	tests := map[string]struct {
		tls        string
		user       string
		roots      bool
		mechanisms []string
		want       string // TLS of the outcome, or "" in clear
		err        string // or the error
	}{
		"verified STARTTLS":           {tls: "starttls", roots: true, want: "TLS 1.3, certificate verified"},
		"STARTTLS, unknown authority": {tls: "starttls", err: "unknown authority"},
		"implicit":                    {tls: "implicit", roots: true, want: "TLS 1.3, certificate verified"},
		"implicit, unknown authority": {tls: "implicit", err: "unknown authority"},
		"opportunistic":               {tls: "opportunistic", want: "TLS 1.3, certificate not verified"},
		"default without login":       {want: "TLS 1.3, certificate not verified"},
		"none":                        {tls: "none"},
		"PLAIN":                       {tls: "starttls", user: "desk", roots: true, mechanisms: []string{"LOGIN", "PLAIN"}, want: "TLS 1.3, certificate verified"},
		"LOGIN":                       {tls: "implicit", user: "desk", roots: true, mechanisms: []string{"LOGIN"}, want: "TLS 1.3, certificate verified"},
		"default with login verifies": {user: "desk", mechanisms: []string{"PLAIN"}, err: "unknown authority"},
		"login in clear is refused":   {tls: "none", user: "desk", mechanisms: []string{"PLAIN"}, err: "in clear"},
		"login, perhaps in clear":     {tls: "opportunistic", user: "desk", mechanisms: []string{"PLAIN"}, err: "in clear"},
		"no mechanism in common":      {tls: "starttls", user: "desk", roots: true, mechanisms: []string{"CRAM-MD5"}, err: "neither AUTH PLAIN nor AUTH LOGIN"},
		"a word that means nothing":   {tls: "tls", err: `must be "starttls"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address := "127.0.0.1:0"
			p := servePeer(t, address, func(p *peer) { p.TLSConfig, p.mechanisms = config, test.mechanisms })
			if test.tls == "implicit" {
				listener, err := tls.Listen("tcp", address, config)
				if err != nil {
					t.Fatal(err)
				}
				go p.Serve(listener)
				p.address = netip.MustParseAddrPort(listener.Addr().String())
			}
			_, port, _ := net.SplitHostPort(p.address.String())
			s := &outbound.Sender{Hostname: "desk.test", Resolver: resolver, Timeout: time.Minute, Smarthost: &outbound.Smarthost{
				Address: "relay.test:" + port, TLS: test.tls, Username: test.user, Password: password}}
			if test.roots {
				s.TLS = &tls.Config{RootCAs: roots}
			}
			outcome, err := s.Deliver(t.Context(), mail("a@customer.test"))
			if test.err != "" {
				if e := failed(t, err); e.Permanent || !strings.Contains(e.Message, test.err) {
					t.Errorf("error = %+v, want %q", e, test.err)
				}
				p.none(t)
				return
			}
			if err != nil || outcome.TLS != test.want || outcome.Host != "relay.test" {
				t.Fatalf("outcome %+v, error %v", outcome, err)
			}
			if got := p.only(t); got.to != "a@customer.test" || got.encrypted != (test.want != "") || got.helo != "desk.test" {
				t.Errorf("received %+v", got)
			}
			if test.user != "" && p.login != test.user+" "+password {
				t.Errorf("login %q", p.login)
			}
		})
	}
}

func TestSmarthostOnLoopbackMayLogInWithoutTLS(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", func(p *peer) { p.mechanisms = []string{"PLAIN"} })
	for _, mode := range []string{"", "none", "opportunistic"} {
		s := &outbound.Sender{Smarthost: &outbound.Smarthost{Address: p.address.String(), Username: "desk", Password: password, TLS: mode}}
		if _, err := s.Deliver(t.Context(), mail("a@customer.test")); err != nil {
			t.Errorf("%q: %v", mode, err)
		}
	}
}

func TestRefusedLoginIsTemporaryAndKeepsThePassword(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("\x00desk\x00" + password))
	for name, address := range map[string]netip.AddrPort{
		"server": servePeer(t, "127.0.0.1:0", func(p *peer) {
			p.mechanisms = []string{"PLAIN"}
			p.refuse["AUTH"] = &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "bad " + password}
		}).address,
		"server that repeats the command": serveScript(t, "127.0.0.1:0",
			answers("220 hi", "250-hi\r\n250 AUTH PLAIN", "535 5.7.8 cannot do AUTH PLAIN "+encoded, "500 what", "221 bye")),
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := &outbound.Sender{Smarthost: &outbound.Smarthost{Address: address.String(), Username: "desk", Password: password},
				Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			_, err := s.Deliver(t.Context(), mail("a@customer.test"))
			e := failed(t, err)
			if e.Permanent || e.Code != 535 || e.Command != "AUTH" {
				t.Errorf("error = %+v", e)
			}
			for _, text := range []string{e.Error(), log.String()} {
				if strings.Contains(text, password) || strings.Contains(text, encoded) || !strings.Contains(text, "[password]") {
					t.Errorf("text %q", text)
				}
			}
			if !strings.Contains(log.String(), "mail=m1") {
				t.Errorf("the log does not name the mail: %s", log.String())
			}
		})
	}
}

func TestSmarthostFaultsThatAreOursAreTemporary(t *testing.T) {
	for name, lines := range map[string][]string{
		"530 at MAIL": {"220 hi", "250 hi", "530 5.7.0 log in first", "221 bye"},
		"535 at RCPT": {"220 hi", "250 hi", "250 ok", "535 5.7.8 not you", "221 bye"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &outbound.Sender{Smarthost: &outbound.Smarthost{Address: serveScript(t, "127.0.0.1:0", answers(lines...)).String()}}
			_, err := s.Deliver(t.Context(), mail("a@customer.test"))
			if e := failed(t, err); e.Permanent || e.Code == 0 {
				t.Errorf("error = %+v", e)
			}
		})
	}
	s := &outbound.Sender{Resolver: dnstest.ServeZone(t).Resolver(), Smarthost: &outbound.Smarthost{Address: "absent.test"}}
	_, err := s.Deliver(t.Context(), mail("a@customer.test"))
	if e := failed(t, err); e.Permanent || !strings.Contains(e.Message, "absent.test") {
		t.Errorf("error = %+v", e)
	}
}

func TestRequireTLSHoldsForASmarthostInClear(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := &outbound.Sender{Smarthost: &outbound.Smarthost{Address: p.address.String(), TLS: "none"}}
	m := mail("a@customer.test")
	m.RequireTLS = true
	_, err := s.Deliver(t.Context(), m)
	if e := failed(t, err); e.Permanent || e.Enhanced != "4.7.10" {
		t.Errorf("error = %+v", e)
	}
	p.none(t)
}

func TestSmarthostValidate(t *testing.T) {
	for _, good := range []outbound.Smarthost{
		{Address: "mail.example.com"}, {Address: "mail.example.com:25"}, {Address: "[2001:db8::1]:587"}, {Address: "2001:db8::1"},
		{Address: "mail.example.com", Username: "u", TLS: "implicit"}, {Address: "localhost:25", Username: "u", TLS: "none"},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []outbound.Smarthost{
		{}, {Address: ":25"}, {Address: "mail.example.com:smtp"}, {Address: "mail.example.com:99999"}, {Address: "smtp://mail.example.com"},
		{Address: "m.example.com", TLS: "yes"}, {Address: "m.example.com", Username: "u", TLS: "none"}, {Address: "m.example.com", Username: "u\x00"},
	} {
		if err := bad.Validate(); err == nil || strings.Contains(err.Error(), "\x00") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
