package acme_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/acme"
	"github.com/madoguchi/madoguchi/smtpd/acme/acmetest"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// here answers that every name of mail.test is on this machine.
func here(t *testing.T) string {
	t.Helper()
	return dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if !strings.HasSuffix(q.Question[0].Name, "mail.test.") {
			answer.Rcode = dns.RcodeNameError
		} else if q.Question[0].Qtype == dns.TypeA {
			record, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 127.0.0.1")
			answer.Answer = append(answer.Answer, record)
		}
		w.WriteMsg(answer)
	}))
}

// news is what a keeper told.
type news struct {
	mu   sync.Mutex
	said map[string][]string
	some chan struct{}
}

func (n *news) tell(name string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := "obtained"
	if err != nil {
		text = err.Error()
	}
	n.said[name] = append(n.said[name], text)
	select {
	case n.some <- struct{}{}:
	default:
	}
}

// wait returns once count things were said of name.
func (n *news) wait(t *testing.T, name string, count int) []string {
	t.Helper()
	for {
		n.mu.Lock()
		said := append([]string{}, n.said[name]...)
		n.mu.Unlock()
		if len(said) >= count {
			return said
		}
		select {
		case <-n.some:
		case <-time.After(time.Minute):
			t.Fatalf("of %s it was only said %q", name, said)
		}
	}
}

// TestCertificatesAreObtainedKeptAndRenewed goes through the life of
// certificates with a real authority that comes and validates, both ways.
func TestCertificatesAreObtainedKeptAndRenewed(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the ACME server")
	}
	program := filepath.Join(t.TempDir(), "pebble")
	if err := acmetest.Build(t.Context(), program); err != nil {
		t.Skipf("SKIPPED, not passed: the ACME server cannot be built, so nothing was obtained: %v", err)
	}
	zone := here(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	const keyID, macKey = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	var log bytes.Buffer
	pebble, err := acmetest.Start(t.Context(), program, acmetest.Settings{Directory: t.TempDir(), Resolver: zone,
		HTTPPort: port(plain), TLSPort: port(encrypted), Lifetime: 12 * time.Second, KeyID: keyID, MACKey: macKey}, &log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pebble.Stop()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	text, err := os.ReadFile(pebble.Roots)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)

	told := &news{said: map[string][]string{}, some: make(chan struct{}, 1)}
	self := tls.Certificate{Certificate: [][]byte{[]byte("none")}}
	options := acme.Options{Directory: pebble.URL, Roots: roots, KeyID: keyID, MACKey: macKey, Storage: filepath.Join(t.TempDir(), "acme"),
		Host: "mx.mail.test", Fallback: &self, Resolver: dnstest.Resolver(zone), Told: told.tell, Log: slog.New(slog.DiscardHandler), Every: 200 * time.Millisecond}
	// One way to prove each, so that both are.
	options.Proofs = acme.Proofs{Host: "127.0.0.1", HTTP: port(plain)}
	byHTTP, err := acme.New(options)
	if err != nil {
		t.Fatal(err)
	}
	options.Proofs = acme.Proofs{Host: "127.0.0.1", TLSALPN: port(encrypted)}
	byTLS, err := acme.New(options)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(byHTTP.AnswerChallenge)}
	go web.Serve(plain)
	go func() {
		listener := tls.NewListener(encrypted, &tls.Config{GetCertificate: byTLS.GetCertificate, NextProtos: []string{"h2", "acme-tls/1"}})
		(&http.Server{}).Serve(listener)
	}()
	t.Cleanup(func() { plain.Close(); encrypted.Close() })

	shown := func(k *acme.Keeper, name string) *tls.Certificate {
		t.Helper()
		c, err := k.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if shown(byHTTP, "mx.mail.test") != &self {
		t.Error("without a certificate there is not the fallback")
	}
	byHTTP.Manage(t.Context(), []string{"MX.mail.test.", "nowhere.test"})
	byTLS.Manage(t.Context(), []string{"desk.mail.test"})
	for _, name := range []string{"mx.mail.test", "desk.mail.test"} {
		if said := told.wait(t, name, 1); said[0] != "obtained" {
			t.Fatalf("of %s it was said %q", name, said)
		}
	}
	issued, err := pebble.Issued(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// It is stored first and used a moment later.
	obtained := func(k *acme.Keeper, name string, not *x509.Certificate) *x509.Certificate {
		t.Helper()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			c := shown(k, name)
			if c == &self || not != nil && c.Leaf.Equal(not) {
				continue
			}
			chain := x509.NewCertPool()
			for _, der := range c.Certificate[1:] {
				if between, err := x509.ParseCertificate(der); err == nil {
					chain.AddCert(between)
				}
			}
			if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: issued, Intermediates: chain, CurrentTime: c.Leaf.NotBefore}); err != nil {
				t.Fatalf("the certificate of %s: %v", name, err)
			}
			return c.Leaf
		}
		t.Fatalf("no new certificate of %s", name)
		return nil
	}
	first := obtained(byHTTP, "mx.mail.test", nil)
	obtained(byTLS, "desk.mail.test", nil)
	if other := shown(byHTTP, ""); !other.Leaf.Equal(shown(byHTTP, "mx.mail.test").Leaf) {
		t.Error("who names nobody does not get the certificate of the host")
	}
	if states := byHTTP.States(); len(states) != 2 || states[0].Phase != acme.Valid || states[0].Issuer == "" || states[1].Phase != acme.Absent {
		t.Errorf("states: %+v", states)
	}
	// A third of its time before the end, a new one is there by itself.
	obtained(byHTTP, "mx.mail.test", first)

	// Nobody else can read the keys.
	err = filepath.WalkDir(options.Storage, func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && entry.Name() == "locks" {
			return filepath.SkipDir // certmagic's own, and empty but for who works
		}
		if info, statErr := entry.Info(); statErr == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	// A program that starts with the same storage has them at once, also where it
	// is to ask another authority, which is not there.
	byHTTP.Close()
	byTLS.Close()
	options.Directory = "https://127.0.0.1:1/dir"
	moved, err := acme.New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	kept := shown(moved, "mx.mail.test")
	if kept == &self {
		t.Fatal("the certificate of before is gone")
	}
	moved.Manage(t.Context(), []string{"mx.mail.test"})
	told.mu.Lock()
	before := len(told.said["mx.mail.test"])
	told.mu.Unlock()
	said := told.wait(t, "mx.mail.test", before+1)
	if last := said[len(said)-1]; !strings.Contains(last, "127.0.0.1:1") {
		t.Errorf("of another authority it was said %q", last)
	}
	if state := moved.States()[0]; state.Phase != acme.Failing || state.NotAfter.IsZero() || shown(moved, "mx.mail.test") != kept {
		t.Errorf("with another authority: %+v", state)
	}
	if stored := acme.Stored(options.Storage); len(stored) != 2 || stored[1].Name != "mx.mail.test" {
		t.Errorf("stored: %+v", stored)
	}
}

// TestFailuresThatNeedSomebody tells a renewal that has time from one that has
// not.
func TestFailuresThatNeedSomebody(t *testing.T) {
	now := time.Now()
	state := func(failure string, left time.Duration) acme.State {
		return acme.State{Failure: failure, NotAfter: now.Add(left), NotBefore: now.Add(left - 90*24*time.Hour)}
	}
	for name, test := range map[string]struct {
		state acme.State
		want  bool
	}{
		"never had one": {acme.State{Failure: "no"}, true}, "a month left": {state("no", 30*24*time.Hour), false},
		"three weeks left": {state("no", 21*24*time.Hour), true}, "over": {state("no", -time.Hour), true},
		"all is well": {state("", 30*24*time.Hour), false}, "nobody renewed it": {state("", 24*time.Hour), true}, "asked for": {acme.State{}, false},
	} {
		if test.state.Pressing(now) != test.want {
			t.Errorf("%s: %v", name, !test.want)
		}
	}
}
