package auth_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// overUDP tells how a question came.
func overUDP(w dns.ResponseWriter) bool {
	_, udp := w.RemoteAddr().(*net.UDPAddr)
	return udp
}

// resolvers are the two kinds that ask a server.
func resolvers(address string) map[string]auth.Resolver {
	return map[string]auth.Resolver{"plain": auth.NewResolver(address), "caching": auth.NewCachingResolver(address, time.Now)}
}

// silently asks in vain, for as long as nobody has to wait for it.
func silently(t *testing.T, r auth.Resolver, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if texts, err := r.LookupTXT(ctx, name); err == nil {
		t.Fatalf("%s answers %q", name, texts)
	}
}

func wantText(t *testing.T, r auth.Resolver, name, want string) {
	t.Helper()
	texts, err := r.LookupTXT(t.Context(), name)
	if err != nil || strings.Join(texts, "") != want {
		t.Errorf("TXT of %s = %q, %v", name, texts, err)
	}
}

// TestServerThatAnswersOverTCPAlone has nothing listen on UDP, and then something that is
// silent there.
func TestServerThatAnswersOverTCPAlone(t *testing.T) {
	long := strings.Repeat("x", 2000) // more than the resolver reads of a packet
	z := dnstest.ServeZone(t, dnstest.TXT("a.test", "one"), dnstest.TXT("b.test", "two"), dnstest.TXT("long.test", long))
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{Listener: stream, Handler: z, NotifyStartedFunc: func() { close(started) }}
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() { server.Shutdown() })
	silent := dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		if !overUDP(w) {
			z.ServeDNS(w, question)
		}
	}))
	for how, address := range map[string]string{"refused": stream.Addr().String(), "silent": silent} {
		for kind, r := range resolvers(address) {
			t.Run(how+"/"+kind, func(t *testing.T) {
				if how == "silent" {
					silently(t, r, "a.test.")
				}
				wantText(t, r, "a.test.", "one")
				wantText(t, r, "b.test.", "two")
				wantText(t, r, "long.test.", long)
				if _, err := r.LookupTXT(t.Context(), "none.test."); err == nil || !strings.Contains(err.Error(), "no such host") {
					t.Errorf("a name that is not there: %v", err)
				}
			})
		}
	}
}

// TestServerThatAnswersOverUDPAlone is silent about one name, which must not have it asked
// over TCP from then on.
func TestServerThatAnswersOverUDPAlone(t *testing.T) {
	z := dnstest.ServeZone(t, dnstest.TXT("a.test", "one"), "slow.test. SILENT")
	address := dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		if !overUDP(w) {
			w.Close()
			return
		}
		z.ServeDNS(w, question)
	}))
	for kind, r := range resolvers(address) {
		t.Run(kind, func(t *testing.T) {
			silently(t, r, "slow.test.")
			wantText(t, r, "a.test.", "one")
		})
	}
}
