package main_test

import (
	"strings"
	"testing"
)

// TestClientsBehindAProxy sends mail and a browser's request as a proxy in
// front passes them on.
func TestClientsBehindAProxy(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, `[proxy_protocol]
trusted = ["127.0.0.1"]
[incoming.limits]
connections_per_minute = 2
[ai]
enabled = false
[[alias]]
address = "support@example.com"
`)
	s := start(t, t.TempDir(), "--config", file)
	web := strings.TrimPrefix(s.web, "http://")
	const header = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"

	answer := talkThrough(t, s.smtp, header).send("tamura@customer.test", "support@example.com", "From: tamura@customer.test\r\nSubject: x\r\n\r\nx\r\n")
	if !strings.HasPrefix(answer, "250") {
		t.Fatalf("the mail: %q", answer)
	}
	if told := succeed(t, "", "explain", "1", "--data", s.data); !strings.Contains(told, "from mail.customer.test [192.0.2.7]") {
		t.Errorf("the mail is not known to be from the client:\n%s", told)
	}
	// Limits are those of the client, not of the proxy.
	talkThrough(t, s.smtp, header)
	connect(t, s.smtp, header).want("421 4.7.0")
	talkThrough(t, s.smtp, strings.Replace(header, "192.0.2.7", "192.0.2.8", 1))
	browser := connect(t, web, header+"GET /healthz HTTP/1.0\r\n\r\n")
	if line, err := browser.answers.ReadString('\n'); line != "HTTP/1.0 200 OK\r\n" {
		t.Errorf("a browser behind a proxy: %q, %v", line, err)
	}
	for _, address := range []string{s.smtp, web} {
		connect(t, address, "GET /healthz HTTP/1.0\r\n\r\n").ends()
	}
	s.log.waitFor(t, "PROXY header")
}
