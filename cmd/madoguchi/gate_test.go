package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// from is what a proxy says of a client at an address.
func from(ip string) string { return "PROXY TCP4 " + ip + " 198.51.100.1 4711 25\r\n" }

// startGate runs a server of desk.test behind a proxy on this machine, with more
// of a configuration.
func startGate(t *testing.T, z *dnstest.Zone, config string) *running {
	t.Helper()
	file := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[proxy_protocol]\ntrusted = [\"127.0.0.1\"]\nlisteners = [\"smtp\"]\n[ai]\nenabled = false\n[check]\noutgoing = \"\"\nblocklists = []\nclock = \"\"\n"+
		"[dns]\nresolver = %q\n[[alias]]\naddress = \"support@desk.test\"\n%s", z.Address, config))
	return start(t, t.TempDir(), "--config", file)
}

func letterFrom(author, subject string) string {
	return "From: " + author + "\r\nTo: support@desk.test\r\nSubject: " + subject + "\r\nMessage-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@customer.test>\r\n\r\nHello.\r\n"
}

// TestBlocklistsRefuseAndMark sends mail from addresses that are on lists of a
// real name server.
func TestBlocklistsRefuseAndMark(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out blocklists")
	}
	t.Parallel()
	z := dnstest.ServeZone(t, "2.0.0.127.zen.test. 60 IN A 127.0.0.2", "7.2.0.192.zen.test. 60 IN A 127.0.0.4", dnstest.TXT("7.2.0.192.zen.test", "https://zen.test/query/192.0.2.7"),
		"2.0.0.127.weak.test. 60 IN A 127.0.0.2", "8.2.0.192.weak.test. 60 IN A 127.0.0.3", "2.0.0.127.public.test. 60 IN A 127.255.255.254", "9.2.0.192.public.test. 60 IN A 127.255.255.254")
	s := startGate(t, z, `[[incoming.dnsbl]]
zone = "zen.test"
action = "refuse"
[[incoming.dnsbl]]
zone = "weak.test"
action = "mark"
[[incoming.dnsbl]]
zone = "public.test"
action = "refuse"
`)
	c := talkThrough(t, s.smtp, from("192.0.2.7"))
	c.do("MAIL FROM:<tamura@customer.test>", "250")
	c.do("RCPT TO:<support@desk.test>", "554 5.7.1 [192.0.2.7] is on the blocklist zen.test: https://zen.test/query/192.0.2.7")
	c.do("RCPT TO:<postmaster@desk.test>", "250")
	c.do("DATA", "354")
	c.say(strings.TrimSuffix(letterFrom("tamura@customer.test", "We are listed by mistake"), "\r\n") + "\r\n.")
	c.want("250")
	for _, sender := range []string{"192.0.2.8", "192.0.2.9"} {
		if answer := talkThrough(t, s.smtp, from(sender)).send("tamura@customer.test", "support@desk.test", letterFrom("tamura@customer.test", "From "+sender)); !strings.HasPrefix(answer, "250") {
			t.Fatalf("%s: %s", sender, answer)
		}
	}
	const spam = "A filter took it for spam"
	for ticket, want := range map[string]struct {
		text string
		spam bool
	}{
		"1": {"zen.test: taken for spam. 127.0.0.4 https://zen.test/query/192.0.2.7", false}, // the postmaster's
		"2": {"weak.test: taken for spam. 127.0.0.3", true},
		"3": {"", false},
	} {
		told := succeed(t, "", "explain", ticket, "--data", s.data)
		if !strings.Contains(told, want.text) || strings.Contains(told, spam) != want.spam {
			t.Errorf("ticket %s: want %q, spam %v in\n%s", ticket, want.text, want.spam, told)
		}
	}
	s.log.waitFor(t, "list=public.test")
	printed, _, _ := run(t, "", "check", "--data", s.data)
	for _, want := range []string{"The blocklist zen.test answers questions", "The blocklist public.test refuses this server", `→ dns.resolver = "127.0.0.1:53"`} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in:\n%s", want, printed)
		}
	}
}
