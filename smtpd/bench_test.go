package smtpd_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd"
)

// taker is a Handler that takes everything and keeps nothing.
type taker struct{}

func (taker) Recipient(context.Context, string, string) error { return nil }
func (taker) Deliver(context.Context, *smtpd.Mail) error      { return nil }

// discard is a bare go-smtp backend that does the same.
type discard struct{}

func (discard) NewSession(*smtp.Conn) (smtp.Session, error) { return discard{}, nil }
func (discard) Reset()                                      {}
func (discard) Logout() error                               { return nil }
func (discard) Mail(string, *smtp.MailOptions) error        { return nil }
func (discard) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (discard) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// BenchmarkAccept is the time of one mail of 10 KiB over sessions that stay
// open, with the library's own client, beside a bare go-smtp server that
// neither parses nor checks anything.
func BenchmarkAccept(b *testing.B) {
	text := benchmarkMail()
	servers := map[string]func(l net.Listener) (serve func(net.Listener) error, stop func()){
		"madoguchi": func(net.Listener) (func(net.Listener) error, func()) {
			s := smtpd.NewServer(smtpd.Config{SpoolDir: b.TempDir(), MaxMailsPerSession: 1 << 30}, taker{}, nil, slog.New(slog.DiscardHandler))
			return s.Serve, func() { s.Shutdown(context.Background()) }
		},
		"go-smtp": func(net.Listener) (func(net.Listener) error, func()) {
			s := smtp.NewServer(discard{})
			s.ErrorLog = log.New(io.Discard, "", 0)
			return s.Serve, func() { s.Close() }
		},
	}
	for _, name := range []string{"madoguchi", "go-smtp"} {
		for _, sessions := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/sessions=%d", name, sessions), func(b *testing.B) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				serve, stop := servers[name](l)
				go serve(l)
				defer stop()
				acceptMails(b, l.Addr().String(), sessions, text)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			})
		}
	}
}

func acceptMails(b *testing.B, addr string, sessions int, text string) {
	clients := make([]*smtp.Client, sessions)
	for i := range clients {
		c, err := smtp.Dial(addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		clients[i] = c
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, sessions)
	b.SetBytes(int64(len(text)))
	b.ResetTimer()
	for _, c := range clients {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = c.SendMail("customer@example.net", []string{"support@example.org"}, strings.NewReader(text))
			}
			done <- err
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkMail is 10 KiB of words, not of one repeated byte.
func benchmarkMail() string {
	words := strings.Fields("support order invoice shipping please could you tell me whether the delivery of our last order has left your house regards")
	source := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("From: Customer <customer@example.net>\r\nTo: support@example.org\r\nSubject: Where is my order?\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	for b.Len() < 10<<10 {
		for range 10 {
			b.WriteString(words[source.IntN(len(words))])
			b.WriteByte(' ')
		}
		b.WriteString("\r\n")
	}
	return b.String()
}
