package smtpd_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
)

// script is a client that has said all it will say, and hears every answer.
type script struct {
	in     *bytes.Reader
	out    bytes.Buffer
	closed chan struct{}
	once   sync.Once
}

func (s *script) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *script) Write(b []byte) (int, error)      { return s.out.Write(b) }
func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 9} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// FuzzSession feeds bytes to a session. Mail holding "fail" is not delivered,
// "panic" makes the handler panic, and only addresses with an "a" are taken.
func FuzzSession(f *testing.F) {
	const hello = "EHLO x\r\nMAIL FROM:<b@b>\r\nRCPT TO:<a@b>\r\n"
	for _, seed := range []string{
		hello + "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n",
		hello + "RCPT TO:<c@d>\r\nDATA\r\nfail\r\n.\r\nDATA\r\n",
		hello + "DATA\r\npanic\r\n.\r\n" + hello + "DATA\r\nx\r\n.\r\n",
		hello + "DATA\r\nx\n.\nMAIL FROM:<s@s>\r\n.\r\nNOOP\r\n",
		hello + "DATA\r\n.\r\r\n.\r\n..\r\n.\r\n",
		hello + "DATA\r\nx\r\n.\rX\r\n.\r\n",
		hello + "BDAT 5 LAST\r\nQUIT\r\nNOOP\r\n",
		hello + "BDAT 5\r\nhelloRSET\r\nBDAT 0 LAST\r\n",
		"STARTTLS\r\n\x16\x03\x01", "HELO x\rY\r\nLHLO z\r\nAUTH PLAIN\r\n",
		"RCPT TO:<@a,@b:c@d>\r\nMAIL FROM:<\"a\\\"@\"@b> SMTPUTF8 BODY=8BITMIME SIZE=1\r\n",
		"\r\n\r\n\r\n\r\n\r\n\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	refusal := errors.New("refused")
	d := &desk{
		recipient: func(address string) error {
			if strings.Contains(address, "a") {
				return nil
			}
			return refusal
		},
		deliver: func(_ context.Context, m *smtpd.Mail) error {
			switch {
			case bytes.Contains(m.Raw, []byte("panic")):
				panic("panic")
			case bytes.Contains(m.Raw, []byte("fail")):
				return refusal
			}
			return nil
		},
	}
	listener := &pipes{accept: make(chan net.Conn), done: make(chan struct{})}
	server := smtpd.NewServer(smtpd.Config{Hostname: "mx", MaxMessageBytes: 4096, SpoolDir: f.TempDir(), TLS: selfSigned(f)}, d, nil, slog.New(slog.DiscardHandler))
	go server.Serve(listener)
	f.Cleanup(func() { server.Shutdown(context.Background()) })

	f.Fuzz(func(t *testing.T, input []byte) {
		d.mu.Lock()
		d.mails, d.asked = nil, nil
		d.mu.Unlock()
		s := &script{in: bytes.NewReader(input), closed: make(chan struct{})}
		listener.accept <- s
		<-s.closed

		replies := s.out.String()
		mails := d.delivered()
		if got := strings.Count("\n"+replies, "\n250 2.0.0 queued as "); got != len(mails) {
			t.Errorf("%d mails acknowledged, %d delivered:\n%s", got, len(mails), replies)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(replies, "\r\n"), "\r\n") {
			if len(line) < 5 || strings.ContainsAny(line, "\r\n\x00") || len(line) > maxReply {
				t.Errorf("malformed reply line %q", line)
			}
		}
		for _, m := range mails {
			checkMail(t, m, d.askedFor())
		}
	})
}

// maxReply leaves room for go-smtp's own replies that repeat an address.
const maxReply = 2100

func checkMail(t *testing.T, m *smtpd.Mail, asked []string) {
	if len(m.Recipients) == 0 {
		t.Error("a mail without recipients")
	}
	for _, address := range m.Recipients {
		if !strings.Contains(address, "a") || !slices.Contains(asked, address) {
			t.Errorf("delivered to %q, which was not taken", address)
		}
	}
	if bytes.ContainsAny(bytes.ReplaceAll(m.Raw, []byte("\r\n"), nil), "\r\n") {
		t.Errorf("bare line end in %q", m.Raw)
	}
	if len(m.Raw) > 4096 {
		t.Errorf("%d bytes delivered", len(m.Raw))
	}
	field := strings.ReplaceAll(strings.TrimSuffix(m.Received, "\r\n"), "\r\n\t", " ")
	if !strings.HasPrefix(field, "Received: from ") || strings.ContainsFunc(field, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("trace field %q", m.Received)
	}
}
