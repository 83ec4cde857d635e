// Package fetchtest stands in for the public internet in tests.
package fetchtest

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// names is a DNS server on loopback. Every name that it knows has a list of
// answers, given in turn; the last one stays.
type names struct {
	answers map[string][]string
	asked   map[string]*atomic.Int32
}

// Resolver starts a name server with these answers and returns a resolver that
// asks it alone. A name with several addresses answers each time with the next;
// the last one stays.
func Resolver(t *testing.T, answers map[string][]string) *net.Resolver {
	t.Helper()
	n := &names{answers: answers, asked: map[string]*atomic.Int32{}}
	for name := range answers {
		n.asked[name] = &atomic.Int32{}
	}
	return dnstest.Resolver(dnstest.Serve(t, n))
}

// ServeDNS implements dns.Handler.
func (n *names) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	q := query.Question[0]
	list := n.answers[strings.TrimSuffix(q.Name, ".")]
	if list == nil {
		reply.Rcode = dns.RcodeNameError
		w.WriteMsg(reply)
		return
	}
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET}
	address := netip.MustParseAddr(list[0])
	if q.Qtype == dns.TypeA && address.Is4() {
		turn := int(n.asked[strings.TrimSuffix(q.Name, ".")].Add(1)) - 1
		address = netip.MustParseAddr(list[min(turn, len(list)-1)])
		reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: address.AsSlice()})
	}
	if q.Qtype == dns.TypeAAAA && address.Is6() {
		reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: header, AAAA: address.AsSlice()})
	}
	w.WriteMsg(reply)
}

// Network returns a network on which the given hosts ("host:443" with TLS,
// "host:80" without) are served on loopback. All other names and addresses meet the
// real dial function, with a resolver that has these answers.
func Network(t *testing.T, answers map[string][]string, hosts map[string]http.Handler) fetch.Network {
	t.Helper()
	roots := x509.NewCertPool()
	stands := map[string]string{}
	for host, handler := range hosts {
		server := httptest.NewUnstartedServer(handler)
		if strings.HasSuffix(host, ":443") {
			server.StartTLS()
			roots.AddCert(server.Certificate())
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		stands[host] = server.Listener.Addr().String()
	}
	public := fetch.DialPublic(Resolver(t, answers))
	return fetch.Network{RootCAs: roots, Timeout: 2 * time.Second, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if at, ok := stands[address]; ok {
			var d net.Dialer
			return d.DialContext(ctx, network, at)
		}
		return public(ctx, network, address)
	}}
}
