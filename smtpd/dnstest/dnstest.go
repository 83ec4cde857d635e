// Package dnstest serves real name servers on loopback for tests.
package dnstest

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Serve has h answer questions until the test ends, over UDP and TCP on one port, and
// returns its address.
func Serve(t testing.TB, h dns.Handler) string {
	t.Helper()
	packets, stream := listen(t)
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: h}, {Listener: stream, Handler: h}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe()
		<-started
		t.Cleanup(func() { server.Shutdown() })
	}
	return packets.LocalAddr().String()
}

// listen takes one port of UDP and TCP. Another program may hold the TCP port that the
// system gave for UDP.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 50 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		stream, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, stream
		}
		packets.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// Resolver asks the name server at address alone.
func Resolver(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// Zone is a name server that answers from records. Names that it does not know are
// NXDOMAIN.
type Zone struct {
	Address string // host:port

	mu      sync.Mutex
	records map[string][]dns.RR
	failing []failure
	asked   map[string]int
}

// failure is how the questions about a name, or about all that end so, are answered.
type failure struct {
	name string // an end begins with a dot
	code int    // of the response
}

// silence in place of a response code leaves questions without an answer.
const silence = -1

func (f failure) of(name string) bool {
	return name == f.name || strings.HasPrefix(f.name, ".") && strings.HasSuffix(name, f.name)
}

// ServeZone starts a name server with records in zone-file form. "NAME SERVFAIL" and
// "NAME REFUSED" make a name fail, "NAME SILENT" leaves it without an answer; ".END" in
// place of the name means all that end so, and "." every name.
func ServeZone(t testing.TB, records ...string) *Zone {
	t.Helper()
	z := &Zone{records: map[string][]dns.RR{}, asked: map[string]int{}}
	z.Add(t, records...)
	z.Address = Serve(t, z)
	return z
}

// Add adds records, as ServeZone has them.
func (z *Zone) Add(t testing.TB, records ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, line := range records {
		name, word, _ := strings.Cut(line, " ")
		code, fails := dns.StringToRcode[word]
		if word == "SILENT" {
			code, fails = silence, true
		}
		if fails {
			z.failing = append(z.failing, failure{strings.ToLower(name), code})
			continue
		}
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		name = strings.ToLower(record.Header().Name)
		z.records[name] = append(z.records[name], record)
	}
}

// Resolver asks the zone alone.
func (z *Zone) Resolver() *net.Resolver { return Resolver(z.Address) }

// Asked is how many questions came about a name, or in all where it is empty.
func (z *Zone) Asked(name string) (n int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if name != "" {
		return z.asked[name]
	}
	for _, times := range z.asked {
		n += times
	}
	return n
}

// ServeDNS implements dns.Handler.
func (z *Zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	answer := z.Answer(question)
	if answer == nil {
		return
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp && answer.Len() > 1200 {
		answer.Truncated, answer.Answer = true, nil
	}
	w.WriteMsg(answer)
}

// Answer is what a question gets; nil is silence.
func (z *Zone) Answer(question *dns.Msg) *dns.Msg {
	q := question.Question[0]
	name := strings.ToLower(q.Name)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked[name]++
	answer := new(dns.Msg).SetReply(question)
	answer.RecursionAvailable = true
	for _, record := range z.records[name] {
		if record.Header().Rrtype == q.Qtype {
			answer.Answer = append(answer.Answer, record)
		}
	}
	if len(z.records[name]) == 0 {
		answer.Rcode = dns.RcodeNameError
	}
	if i := slices.IndexFunc(z.failing, func(f failure) bool { return f.of(name) }); i >= 0 {
		if answer.Rcode = z.failing[i].code; answer.Rcode == silence {
			return nil
		}
	}
	return answer
}

// LookupTXT looks into the zone without asking it, for what takes a function.
func (z *Zone) LookupTXT(name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	var values []string
	for _, record := range z.records[dns.Fqdn(strings.ToLower(name))] {
		if text, ok := record.(*dns.TXT); ok {
			values = append(values, strings.Join(text.Txt, ""))
		}
	}
	if len(values) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return values, nil
}

// TXT is a TXT record, cut into strings of less than 256 bytes.
func TXT(name, value string) string {
	line := name + ". 60 IN TXT"
	for len(value) > 200 {
		line += ` "` + value[:200] + `"`
		value = value[200:]
	}
	return line + ` "` + strings.ReplaceAll(value, ";", `\;`) + `"`
}
