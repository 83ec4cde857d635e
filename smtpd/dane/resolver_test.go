package dane_test

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/madoguchi/madoguchi/smtpd/dane"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestRecordsOverTCPAlone has nothing listen on UDP.
func TestRecordsOverTCPAlone(t *testing.T) {
	z := dnstest.ServeZone(t, "a.test. 60 IN MX 10 mx.a.test.", "mx.a.test. 60 IN A 127.0.0.1",
		"_25._tcp.mx.a.test. 60 IN TLSA 3 1 1 0d6fce3323dfe48ba0b4a4e36fdf4eb8a4a1e1a0e6bd0d0fc8fc4f2d1dd5ec6e")
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{Listener: stream, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := z.Answer(question)
		answer.AuthenticatedData = true
		w.WriteMsg(answer)
	})}
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() { server.Shutdown() })
	r := &dane.Resolver{Address: stream.Addr().String(), Timeout: time.Minute}
	records, unusable, err := r.Records(t.Context(), "a.test", "mx.a.test", 25)
	if err != nil || unusable || len(records) != 1 || records[0].Usage != 3 {
		t.Errorf("%+v, %v, %v", records, unusable, err)
	}
}
