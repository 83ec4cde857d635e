package outbound_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

func TestRepliesAreReadCarefully(t *testing.T) {
	tests := map[string]struct{ reply, enhanced, message string }{
		"many lines":        {"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user", "5.1.1", "no such user"},
		"no status":         {"550 no such user", "5.0.0", "no such user"},
		"status alone":      {"550 5.2.1", "5.2.1", ""},
		"of another class":  {"550 4.2.1 confused", "5.0.0", "confused"},
		"control and bytes": {"550 5.1.1 \x1b[31mno\x00 \xff\xfe user\u202e", "5.1.1", "[31mno ? user"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address := serveScript(t, "127.0.0.1:0", answers("220 hi", "250 hi", "250 ok", test.reply, "221 bye"))
			_, err := direct(address, dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver()).Deliver(t.Context(), mail("a@customer.test"))
			e := failed(t, err)
			if !e.Permanent || e.Code != 550 || e.Enhanced != test.enhanced || e.Message != test.message {
				t.Errorf("error = %+v", e)
			}
		})
	}
}

func TestServersThatMisbehaveAreTemporary(t *testing.T) {
	flood := func(prefix string) func(net.Conn, *bufio.Reader) {
		return func(conn net.Conn, _ *bufio.Reader) {
			block := strings.Repeat(prefix, 4096/len(prefix))
			for {
				if _, err := io.WriteString(conn, block); err != nil {
					return
				}
			}
		}
	}
	tests := map[string]struct {
		talk    func(net.Conn, *bufio.Reader)
		message string
		command string
	}{
		"says nothing":          {answers(), "no answer within 1s", "greeting"},
		"stops at EHLO":         {answers("220 hi"), "no answer within 1s", "EHLO"},
		"stops at RCPT":         {answers("220 hi", "250 hi", "250 ok"), "no answer within 1s", "RCPT"},
		"stops at the end":      {answers("220 hi", "250 hi", "250 ok", "250 ok", "354 go"), "no answer within 5s", "end of mail"},
		"closes at DATA":        {answers("220 hi", "250 hi", "250 ok", "250 ok", ""), "closed the connection", "DATA"},
		"speaks HTTP":           {answers("HTTP/1.1 400 Bad Request"), "does not speak SMTP", "greeting"},
		"endless line":          {flood("x"), "talks without end", "greeting"},
		"endless reply":         {flood("220-more\r\n"), "talks without end", "greeting"},
		"wrong code":            {answers("220 hi", "250 hi", "354 what?"), "unexpected answer 354", "MAIL"},
		"250 instead of 354":    {answers("220 hi", "250 hi", "250 ok", "250 ok", "250 ok"), "unexpected answer 250", "DATA"},
		"drips without an end":  {drip, "no answer within 1s", "greeting"},
		"refuses, then is gone": {answers("554 go away", ""), "go away", "greeting"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := direct(serveScript(t, "127.0.0.1:0", test.talk), dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver())
			if strings.Contains(test.message, "no answer") {
				s.Timeout = time.Second
			}
			_, err := s.Deliver(t.Context(), mail("a@customer.test"))
			e := failed(t, err)
			if e.Permanent || e.Command != test.command || !strings.Contains(e.Message, test.message) || e.Host != "customer.test" {
				t.Errorf("error = %+v", e)
			}
		})
	}
}

// drip sends a line at a time, each well within the time for an answer.
func drip(conn net.Conn, _ *bufio.Reader) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for range ticker.C {
		if _, err := io.WriteString(conn, "220-more\r\n"); err != nil {
			return
		}
	}
}

func TestPeerThatStopsReadingDoesNotHoldTheDelivery(t *testing.T) {
	talk := answers("220 hi", "250 hi", "250 ok", "250 ok", "354 go")
	s := direct(serveScript(t, "127.0.0.1:0", talk), dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver())
	s.Timeout = time.Second
	m := mail("a@customer.test")
	m.Raw = append(m.Raw, strings.Repeat("a line of a long mail\r\n", 2<<20)...)
	_, err := s.Deliver(t.Context(), m)
	if e := failed(t, err); e.Permanent || e.Command != "DATA" || !strings.Contains(e.Message, "no answer within") {
		t.Errorf("error = %+v", e)
	}
}

func TestServerThatHasEnoughSaysWhy(t *testing.T) {
	address := serveScript(t, "127.0.0.1:0", func(conn net.Conn, r *bufio.Reader) {
		answers("220 hi", "250 hi", "250 ok", "250 ok", "354 go")(conn, r)
		io.CopyN(io.Discard, r, 1<<16)
		io.WriteString(conn, "552 5.3.4 too big\r\n")
		conn.Close()
	})
	m := mail("a@customer.test")
	m.Raw = append(m.Raw, strings.Repeat("a line of a long mail\r\n", 1<<20)...)
	_, err := direct(address, dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver()).Deliver(t.Context(), m)
	if e := failed(t, err); e.Code != 552 || !e.Permanent {
		t.Errorf("error = %+v", e)
	}
}

func TestContextEndsADelivery(t *testing.T) {
	for name, talk := range map[string]func(net.Conn, *bufio.Reader){"greeting": answers(), "RCPT": answers("220 hi", "250 hi", "250 ok")} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			silent := func(conn net.Conn, r *bufio.Reader) {
				talk(conn, r)
				stop(errors.New("the server is stopping"))
			}
			s := direct(serveScript(t, "127.0.0.1:0", silent), dnstest.ServeZone(t, "customer.test. 60 IN A 127.0.0.1").Resolver())
			s.Timeout = time.Hour
			_, err := s.Deliver(ctx, mail("a@customer.test"))
			if e := failed(t, err); e.Permanent || !strings.Contains(e.Message, "interrupted: the server is stopping") {
				t.Errorf("error = %+v", e)
			}
		})
	}
}
