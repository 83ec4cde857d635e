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
	silent  map[string]bool
	asked   atomic.Int32
}

// serveZone starts a server with records in zone-file form.
func serveZone(t testing.TB, records ...string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, failing: map[string]int{}, silent: map[string]bool{}}
	for _, line := range records {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		name := strings.ToLower(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z.address = packets.LocalAddr().String()
	stream, err := net.Listen("tcp", z.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: z}, {Listener: stream, Handler: z}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe()
		<-started
		t.Cleanup(func() { server.Shutdown() })
	}
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	z.asked.Add(1)
	q := question.Question[0]
	name := strings.ToLower(q.Name)
	if z.silent[name] || z.silent["*"] {
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
