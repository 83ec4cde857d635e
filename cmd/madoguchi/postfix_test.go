package main_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestMailWithPostfix exchanges mail with a real Postfix, both ways: it hands on
// to the desk over TLS alone, and takes what the desk delivers to its domain's MX,
// or refuses it.
func TestMailWithPostfix(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := startPostfix(t, "tamura@customer.test", fmt.Sprintf("myhostname = mx.customer.test\ntransport_maps = inline:{ { desk.test = smtp:[127.0.0.1]:%s } }\nsmtp_tls_security_level = encrypt\n", port))
	if p == nil {
		t.Skip("SKIPPED, not passed: no Postfix that may be started here (apt-get install postfix; as root)")
	}
	_, peerPort, _ := net.SplitHostPort(p.address)
	z := serveZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1")
	d := startDesk(t, z, "desk.test", "127.0.0.1:"+port, peerPort)

	write := func(author, subject string) {
		t.Helper()
		if answer := talk(t, p.address).send(author, "support@desk.test", letterFrom(author, subject)); !strings.HasPrefix(answer, "250") {
			t.Fatalf("Postfix answers %q", answer)
		}
	}
	happened := func(kind string, n int) {
		t.Helper()
		eventually(t, patience, fmt.Sprintf("%s happens %d times", kind, n), func() bool {
			counts, _ := d.kinds(t)
			return counts[kind] == n
		})
	}
	write("tamura@customer.test", "A question")
	happened("message.received", 1)
	happened("delivery.sent", 1) // the acknowledgement
	if status := d.api.do(t, http.MethodPost, "/tickets/1/replies", nil, map[string]string{"text": "はい、承知しました。"}, nil); status != http.StatusCreated {
		t.Fatalf("reply: %d", status)
	}
	happened("delivery.sent", 2)
	eventually(t, patience, "both are in the mailbox", func() bool { return p.delivered() == 2 })

	write("suzuki@customer.test", "From an address that takes no mail")
	happened("message.received", 2)
	happened("delivery.failed", 1)
	if told := succeed(t, "", "explain", "2", "--data", d.data); !strings.Contains(told, "suzuki@customer.test") {
		t.Errorf("explained as\n%s", told)
	}
}
