package check

import (
	"net"
	"testing"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

func TestNameServersThatAreSilentAreNamed(t *testing.T) {
	well := dnstest.ServeZone(t).Address // says NXDOMAIN to everything
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{Listener: stream, Handler: dnstest.ServeZone(t), NotifyStartedFunc: func() { close(started) }}
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() { server.Shutdown() })
	overTCP := stream.Addr().String()
	const gone = "127.0.0.1:9" // the port of RFC 863, which nothing listens on
	for _, test := range []struct {
		servers []string
		keys    []string
		states  []State
	}{
		{nil, nil, nil},
		{[]string{well, overTCP}, []string{"resolver_fine", "resolver_tcp"}, []State{Fine, Warning}},
		{[]string{gone, well}, []string{"resolver_silent", "resolver_fine"}, []State{Warning, Fine}},
		{[]string{gone}, []string{"resolver_silent"}, []State{Wrong}},
	} {
		list := NameServers(t.Context(), test.servers)
		if len(list) != len(test.keys) {
			t.Fatalf("%v: %+v", test.servers, list)
		}
		for i, f := range list {
			if f.Key != test.keys[i] || f.State != test.states[i] || f.Subject != test.servers[i] || f.Args[0] != f.Subject {
				t.Errorf("%v: %+v", test.servers, f)
			}
		}
	}
}
