package auth_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// nameServer is a DNS server on loopback that counts what it is asked.
type nameServer struct {
	mu     sync.Mutex
	asked  int
	value  string
	absent bool // with a SOA that lets that be kept for 30 seconds
	ttl    uint32
}

func (s *nameServer) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	answer := new(dns.Msg).SetReply(question)
	name := question.Question[0].Name
	if s.absent {
		answer.Rcode = dns.RcodeNameError
		soa, _ := dns.NewRR(fmt.Sprintf("%s 300 IN SOA ns.example. admin.example. 1 2 3 4 30", name))
		answer.Ns = []dns.RR{soa}
	} else {
		record, _ := dns.NewRR(fmt.Sprintf("%s %d IN TXT %q", name, s.ttl, s.value))
		answer.Answer = []dns.RR{record}
	}
	w.WriteMsg(answer)
}

func (s *nameServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func TestAnswersAreKeptForTheirTime(t *testing.T) {
	server := &nameServer{value: "first", ttl: 60}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	resolver := auth.NewCachingResolver(dnstest.Serve(t, server), func() time.Time { return now })
	ask := func(name, want string, asked int) {
		t.Helper()
		got, err := resolver.LookupTXT(t.Context(), name)
		if want == "" {
			if dnsError, ok := err.(*net.DNSError); !ok || !dnsError.IsNotFound {
				t.Errorf("%s: %q, %v; want that there is none", name, got, err)
			}
		} else if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
		server.set(func() {
			if server.asked != asked {
				t.Errorf("%s: the name server was asked %d times, want %d", name, server.asked, asked)
			}
		})
	}
	ask("a.example.", "first", 1)
	server.set(func() { server.value = "second" })
	ask("a.example.", "first", 1)
	ask("A.EXAMPLE.", "second", 2) // another spelling is another question
	ask("b.example.", "second", 3)
	now = now.Add(60 * time.Second)
	ask("a.example.", "second", 4)
	server.set(func() { server.ttl = 0 })
	ask("c.example.", "second", 5)
	ask("c.example.", "second", 6)
	server.set(func() { server.absent = true })
	ask("d.example.", "", 7)
	ask("d.example.", "", 7)
	now = now.Add(30 * time.Second)
	server.set(func() { server.absent, server.ttl = false, 60 })
	ask("d.example.", "second", 8)
}

func TestBrokenNamesAreNotRemembered(t *testing.T) {
	var mu sync.Mutex
	broken := true
	address := dnstest.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		answer := new(dns.Msg).SetReply(question)
		if broken {
			answer.Rcode = dns.RcodeServerFailure
		} else {
			record, _ := dns.NewRR(question.Question[0].Name + ` 60 IN TXT "mended"`)
			answer.Answer = []dns.RR{record}
		}
		w.WriteMsg(answer)
	}))
	resolver := auth.NewCachingResolver(address, time.Now)
	if got, err := resolver.LookupTXT(t.Context(), "a.example."); err == nil {
		t.Errorf("a broken server answers %q", got)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if got, err := resolver.LookupTXT(t.Context(), "a.example."); err != nil || got[0] != "mended" {
		t.Errorf("got %q, %v", got, err)
	}
}
