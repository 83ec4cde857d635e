package main_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// zone is a DNS server on loopback. A name that it does not know is NXDOMAIN.
type zone struct {
	address string

	mu      sync.Mutex
	records map[string][]dns.RR
}

// serveZone starts a server with records in zone-file form.
func serveZone(t testing.TB, records ...string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}}
	z.add(t, records...)
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

func (z *zone) add(t testing.TB, records ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, line := range records {
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		name := strings.ToLower(record.Header().Name)
		z.records[name] = append(z.records[name], record)
	}
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

// ServeDNS answers one question.
func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	q := question.Question[0]
	name := strings.ToLower(q.Name)
	answer := new(dns.Msg).SetReply(question)
	z.mu.Lock()
	known := z.records[name]
	z.mu.Unlock()
	for _, record := range known {
		if record.Header().Rrtype == q.Qtype {
			answer.Answer = append(answer.Answer, record)
		}
	}
	if len(known) == 0 {
		answer.Rcode = dns.RcodeNameError
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp && answer.Len() > 1200 {
		answer.Truncated, answer.Answer = true, nil
	}
	w.WriteMsg(answer)
}

// lookupTXT answers from the zone, for a verifier that the test runs itself.
func (z *zone) lookupTXT(name string) ([]string, error) {
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

// txt is a TXT record, cut into strings of less than 256 bytes.
func txt(name, value string) string {
	line := name + ". 60 IN TXT"
	for len(value) > 200 {
		line += ` "` + value[:200] + `"`
		value = value[200:]
	}
	return line + ` "` + strings.ReplaceAll(value, ";", `\;`) + `"`
}

// dkimRecord publishes a key as a domain owner would.
func dkimRecord(t testing.TB, domain, selector string, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return txt(selector+"._domainkey."+domain, "v=DKIM1; k=rsa; p="+base64.StdEncoding.EncodeToString(der))
}
