package outbound_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/dane"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// memory remembers policies as long as a test runs.
type memory map[string]mtasts.Kept

func (m memory) PolicyOf(_ context.Context, domain string) (mtasts.Kept, bool, error) {
	k, known := m[domain]
	return k, known, nil
}

func (m memory) KeepPolicy(_ context.Context, domain string, k mtasts.Kept) error {
	m[domain] = k
	return nil
}

// policyServer is a real https server at mta-sts.far.test.
type policyServer struct {
	text    atomic.Pointer[string]
	fetched atomic.Int32
	down    atomic.Bool
}

func servePolicies(t *testing.T) (*policyServer, *http.Client) {
	t.Helper()
	p := &policyServer{}
	certificate, roots := selfSigned(t, "mta-sts.far.test")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetched.Add(1)
		if p.down.Load() || r.URL.Path != "/.well-known/mta-sts.txt" {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		fmt.Fprint(w, *p.text.Load())
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return p, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
		}}}
}

func (p *policyServer) say(mode, mx string) {
	text := fmt.Sprintf("version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n", mode, mx)
	p.text.Store(&text)
}

func TestMTASTS(t *testing.T) {
	certificate, roots := selfSigned(t, "mx.far.test")
	encrypted := servePeer(t, "127.0.0.1:0", func(p *peer) {
		p.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	})
	plain := servePeer(t, "127.0.0.1:0", nil)
	web, client := servePolicies(t)
	now := time.Now()
	remembered := memory{}
	zone := []string{"far.test. MX 10 mx.far.test.", "mx.far.test. A 127.0.0.1"}
	attempt := func(p *peer, roots *x509.CertPool, id string) (outbound.Outcome, error) {
		t.Helper()
		records := zone
		if id != "" {
			records = append(records[:len(records):len(records)], `_mta-sts.far.test. TXT "v=STSv1; id=`+id+`"`)
		}
		resolver := dnstest.ServeZone(t, records...).Resolver()
		s := direct(p.address, resolver)
		s.TLS = &tls.Config{RootCAs: roots}
		s.Policies = &mtasts.Finder{Resolver: resolver, Client: client, Memory: remembered, Now: func() time.Time { return now }}
		return s.Deliver(t.Context(), mail("tanaka@far.test"))
	}

	if _, err := attempt(plain, roots, ""); err != nil {
		t.Fatalf("without a policy: %v", err)
	}
	web.say("testing", "mx.far.test")
	if _, err := attempt(plain, roots, "1"); err != nil {
		t.Fatalf("in testing, a host without encryption: %v", err)
	}
	web.say("enforce", "mx.far.test")
	outcome, err := attempt(encrypted, roots, "2")
	if err != nil || !strings.Contains(outcome.TLS, "certificate verified") {
		t.Fatalf("enforced: %+v, %v", outcome, err)
	}
	if e := failed(t, second(attempt(plain, roots, "2"))); e.Permanent || e.Enhanced != "4.7.10" {
		t.Errorf("enforced, a host without encryption: %v", e)
	}
	if e := failed(t, second(attempt(encrypted, x509.NewCertPool(), "2"))); e.Permanent || e.Command != "STARTTLS" {
		t.Errorf("enforced, a certificate that nobody knows: %v", e)
	}
	before := web.fetched.Load()
	if e := failed(t, second(attempt(plain, roots, ""))); e.Permanent || web.fetched.Load() != before {
		t.Errorf("a policy was forgotten with its record: %v, fetched %d times more", e, web.fetched.Load()-before)
	}
	web.down.Store(true)
	if e := failed(t, second(attempt(plain, roots, "3"))); e.Permanent {
		t.Errorf("a policy was forgotten since its new version is not there: %v", e)
	}
	web.down.Store(false)
	web.say("enforce", "elsewhere.test")
	if e := failed(t, second(attempt(encrypted, roots, "4"))); e.Permanent || !strings.Contains(e.Message, "names none of its hosts (mx.far.test)") {
		t.Errorf("a host that the policy does not name: %v", e)
	}
	now = now.Add(25 * time.Hour)
	if _, err := attempt(plain, roots, ""); err != nil {
		t.Errorf("a policy that is over still holds: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// serveSigned is a name server that checks DNSSEC: it says so of every name but
// those in unsigned.
func serveSigned(t *testing.T, unsigned string, records ...string) *dane.Resolver {
	t.Helper()
	z := dnstest.ServeZone(t, records...)
	address := dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := z.Answer(question)
		answer.AuthenticatedData = question.AuthenticatedData && !strings.Contains(unsigned, question.Question[0].Name)
		w.WriteMsg(answer)
	}))
	return &dane.Resolver{Address: address, Timeout: time.Minute}
}

func TestDANE(t *testing.T) {
	certificate, _ := selfSigned(t, "mx.far.test")
	other, _ := selfSigned(t, "mx.far.test")
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	chained := tls.Certificate{Certificate: [][]byte{certificate.Certificate[0], certificate.Certificate[0]}, PrivateKey: certificate.PrivateKey}
	serve := func(c *tls.Certificate) *peer {
		return servePeer(t, "127.0.0.1:0", func(p *peer) {
			if c != nil {
				p.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*c}}
			}
		})
	}
	right, wrong, plain, chain := serve(&certificate), serve(&other), serve(nil), serve(&chained)
	key, whole := sha256.Sum256(leaf.RawSubjectPublicKeyInfo), sha256.Sum256(leaf.Raw)
	host := []string{"far.test. MX 10 mx.far.test.", "mx.far.test. A 127.0.0.1"}
	for name, test := range map[string]struct {
		peer     *peer
		unsigned string
		tlsa     string // %d is the port
		want     string // in the error, or how it was encrypted
	}{
		"3 1 1":                        {right, "", "3 1 1 " + hex.EncodeToString(key[:]), "verified by DANE"},
		"2 0 1, in the chain":          {chain, "", "2 0 1 " + hex.EncodeToString(whole[:]), "verified by DANE"},
		"another certificate":          {wrong, "", "3 1 1 " + hex.EncodeToString(key[:]), "none of those that its TLSA records name"},
		"no encryption":                {plain, "", "3 1 1 " + hex.EncodeToString(key[:]), "no STARTTLS"},
		"no record":                    {plain, "", "", ""},
		"records of an unsigned MX":    {wrong, "far.test.", "3 1 1 " + hex.EncodeToString(key[:]), "not verified"},
		"records that nobody knows":    {wrong, "", "0 0 1 " + hex.EncodeToString(key[:]), "not verified"},
		"the same without encryption":  {plain, "", "0 0 1 " + hex.EncodeToString(key[:]), "no STARTTLS"},
		"an answer that does not come": {right, "", "SERVFAIL", "protected by DANE is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			records := host
			at := fmt.Sprintf("_%d._tcp.mx.far.test.", test.peer.address.Port())
			switch test.tlsa {
			case "":
			case "SERVFAIL":
				records = append(records[:2:2], at+" SERVFAIL")
			default:
				records = append(records[:2:2], at+" TLSA "+test.tlsa)
			}
			s := direct(test.peer.address, dnstest.ServeZone(t, host...).Resolver())
			s.Keys = serveSigned(t, test.unsigned, records...)
			outcome, err := s.Deliver(t.Context(), mail("tanaka@far.test"))
			if err == nil && (!strings.Contains(outcome.TLS, test.want) || test.want == "" && outcome.TLS != "") {
				t.Errorf("delivered with %q, want %q", outcome.TLS, test.want)
			}
			if err != nil {
				if e := failed(t, err); e.Permanent || test.want == "" || !strings.Contains(e.Error(), test.want) {
					t.Errorf("%v, want %q", e, test.want)
				}
			}
		})
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	p := servePeer(t, "127.0.0.1:0", nil)
	s := direct(p.address, dnstest.ServeZone(t, "far.test. MX 10 mx.far.test.", "mx.far.test. A 127.0.0.1", "near.test. MX 10 mx.far.test.").Resolver())
	s.Idle = time.Minute
	defer s.Close()
	for i := range 5 {
		if _, err := s.Deliver(t.Context(), mail(fmt.Sprintf("customer%d@far.test", i))); err != nil {
			t.Fatal(err)
		}
	}
	p.mu.Lock()
	if p.conns != 1 || len(p.mails) != 5 {
		t.Errorf("%d mails over %d connections", len(p.mails), p.conns)
	}
	p.refuse["RCPT"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	p.mu.Unlock()
	if e := failed(t, second(s.Deliver(t.Context(), mail("nobody@far.test")))); !e.Permanent || e.Command != "RCPT" {
		t.Errorf("a refusal over a used connection: %v", e)
	}
	p.mu.Lock()
	delete(p.refuse, "RCPT")
	p.mu.Unlock()
	if _, err := s.Deliver(t.Context(), mail("customer@far.test")); err != nil {
		t.Fatal(err)
	}
	// A server that takes no more over one connection takes more over another.
	p.mu.Lock()
	p.perConn = 2
	before := p.conns
	p.mu.Unlock()
	for range 3 {
		if _, err := s.Deliver(t.Context(), mail("customer@far.test")); err != nil {
			t.Fatalf("over a connection that has had its fill: %v", err)
		}
	}
	p.mu.Lock()
	if p.conns == before {
		t.Error("all went over one connection")
	}
	p.mu.Unlock()
	// The server goes away and comes back: an idle connection that is dead costs nothing.
	p.Close()
	again := servePeer(t, p.address.String(), nil)
	if _, err := s.Deliver(t.Context(), mail("customer@far.test")); err != nil {
		t.Fatalf("after the server was started again: %v", err)
	}
	if again.only(t).to != "customer@far.test" {
		t.Error("the mail is not there")
	}
}

func TestSmarthostsByTheSendersDomain(t *testing.T) {
	first, second := servePeer(t, "127.0.0.1:0", nil), servePeer(t, "127.0.0.1:0", nil)
	s := &outbound.Sender{Smarthost: &outbound.Smarthost{Address: first.address.String()},
		Accounts: map[string]*outbound.Smarthost{"shop.test": {Address: second.address.String()}}}
	for _, from := range []string{"bounce@desk.test", "bounce@Shop.test"} {
		m := mail("tanaka@far.test")
		m.From = from
		if _, err := s.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if first.only(t).from != "bounce@desk.test" || second.only(t).from != "bounce@Shop.test" {
		t.Errorf("the first got %v, the second %v", first.mails, second.mails)
	}
}
