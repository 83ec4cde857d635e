package main_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// The people of the main story.
const (
	customerName    = "田中 一郎"
	customerAddress = "tanaka@customer.test"
	customerMailbox = customerName + " <" + customerAddress + ">"
	agentName       = "佐藤 花"
	agentMailbox    = agentName + " <" + adminEmail + ">"
)

// story is everything around one running server: the correspondents' DNS and
// mail server, the model, a browser with somebody in front of it.
type story struct {
	*browser
	zone    *dnstest.Zone
	mailbox *mailbox
	model   *ollama
	program *running
	api     api
}

// newStory starts the world, and the program in it.
func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{mailbox: serveMailbox(t), model: reserveOllama(t)}
	s.zone = dnstest.ServeZone(t,
		"customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1",
		dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"), dnstest.TXT("_dmarc.customer.test", "v=DMARC1; p=reject"),
		dkimRecord(t, "customer.test", "s1", dkimKey()),
		// The agents' mail leaves from elsewhere: only a signature proves it.
		"agents.test. 60 IN MX 10 mx.customer.test.",
		dnstest.TXT("agents.test", "v=spf1 ip4:192.0.2.25 -all"), dnstest.TXT("_dmarc.agents.test", "v=DMARC1; p=none"),
		dkimRecord(t, "agents.test", "s1", dkimKey()),
		dnstest.TXT("elsewhere.test", "v=spf1 ip4:127.0.0.1 -all"),
		dkimRecord(t, "desk.test", "counter", dkimKey()),
	)
	config := fmt.Sprintf(`[server]
hostname = "mx.desk.test"

[outbound]
port = %s

[helpdesk]
undo_window = "2s"

[ai]
address = %q
model = %q

[[dkim]]
domain = "desk.test"
selector = "counter"
key_file = %q
`, s.mailbox.port(), s.model.address, testModel, writeKey(t))
	s.program = start(t, t.TempDir(), "--config", writeConfig(t, config), "--resolver", s.zone.Address)
	return s
}

func writeKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(dkimKey())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dkim.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
