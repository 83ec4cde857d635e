package auth_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// zone is a DNS server on loopback. Names it does not know are NXDOMAIN.
type zone struct {
	address string
	records map[string][]dns.RR
	failing map[string]int // name to response code
	silent  bool
	asked   atomic.Int32
}

// serveZone starts a server with records in zone-file form. "NAME SERVFAIL" and
// "NAME REFUSED" make a name fail, and "SILENT" the server deaf.
func serveZone(t testing.TB, records ...string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, failing: map[string]int{}}
	for _, line := range records {
		name, word, _ := strings.Cut(line, " ")
		if code, ok := dns.StringToRcode[word]; ok {
			z.failing[name] = code
			continue
		}
		if line == "SILENT" {
			z.silent = true
			continue
		}
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		name = strings.ToLower(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
	}
	packets, stream := listenBoth(t)
	z.address = packets.LocalAddr().String()
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: z}, {Listener: stream, Handler: z}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe()
		<-started
		t.Cleanup(func() { server.Shutdown() })
	}
	return z
}

// listenBoth listens on one port of UDP and TCP. Another program may hold the
// TCP port that the system gave for UDP.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
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

func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	z.asked.Add(1)
	q := question.Question[0]
	name := strings.ToLower(q.Name)
	if z.silent {
		return
	}
	answer := new(dns.Msg).SetReply(question)
	for _, rr := range z.records[name] {
		if rr.Header().Rrtype == q.Qtype {
			answer.Answer = append(answer.Answer, rr)
		}
	}
	if code, ok := z.failing[name]; ok {
		answer.Rcode = code
	} else if len(z.records[name]) == 0 {
		answer.Rcode = dns.RcodeNameError
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp && answer.Len() > 1200 {
		answer.Truncated, answer.Answer = true, nil
	}
	w.WriteMsg(answer)
}

// txt is a TXT record, split into strings of at most 255 bytes.
func txt(name, value string) string {
	line := name + ". 60 IN TXT"
	for len(value) > 200 {
		line += ` "` + value[:200] + `"`
		value = value[200:]
	}
	return line + ` "` + strings.ReplaceAll(value, ";", `\;`) + `"`
}
