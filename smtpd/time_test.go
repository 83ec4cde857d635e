package smtpd_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
)

// pipes is a listener in memory, so that deadlines keep the time of a synctest
// bubble.
type pipes struct {
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// inBubble runs a test at the default timeouts, none of which takes any time.
func inBubble(t *testing.T, d *desk, test func(t *testing.T, s *smtpd.Server, dial func() *client)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{accept: make(chan net.Conn), done: make(chan struct{})}
		s := smtpd.NewServer(smtpd.Config{Hostname: "mx.example.org", SpoolDir: t.TempDir()}, d, nil, slog.New(slog.DiscardHandler))
		served := make(chan error, 1)
		go func() { served <- s.Serve(p) }()
		test(t, s, func() *client {
			server, own := net.Pipe()
			p.accept <- server
			c := newClient(t, own)
			own.SetDeadline(time.Time{})
			c.expect("220 ")
			c.do("EHLO client.example.net", "250")
			return c
		})
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestIdleSessionEnds(t *testing.T) {
	inBubble(t, &desk{}, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		started := time.Now()
		c.expect("421 4.4.2 timeout")
		c.expectClosed()
		if idle := time.Since(started); idle != 5*time.Minute {
			t.Errorf("ended after %v", idle)
		}
	})
}

func TestOldSessionEnds(t *testing.T) {
	inBubble(t, &desk{}, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		started := time.Now()
		for {
			time.Sleep(4 * time.Minute)
			if _, err := io.WriteString(c, "NOOP\r\n"); err != nil {
				t.Fatal(err)
			}
			reply, err := c.reply()
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(reply, "421 4.4.2") {
				break
			}
			if time.Since(started) > time.Hour {
				t.Fatal("the session goes on for ever")
			}
			if time.Since(started) == 56*time.Minute {
				c.expect("421 4.4.2")
				break
			}
		}
		c.expectClosed()
		if age := time.Since(started); age != time.Hour {
			t.Errorf("ended after %v", age)
		}
	})
}

// TestTimeoutInData: go-smtp goes on to execute the rest of the mail as commands.
func TestTimeoutInData(t *testing.T) {
	d := &desk{}
	inBubble(t, d, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		c.begin()
		c.send("Subject: x\r\n\r\nslow\r\n")
		started := time.Now()
		c.expect("421 4.4.2 timeout in the message")
		if waited := time.Since(started); waited != 5*time.Minute {
			t.Errorf("ended after %v", waited)
		}
		c.expectClosed()
		if _, err := io.WriteString(c, smuggled); err == nil {
			t.Error("the rest of the mail was read")
		}
		if len(d.delivered()) > 0 || len(d.askedFor()) != 1 {
			t.Errorf("delivered %v, asked for %q", d.delivered(), d.askedFor())
		}
	})
}

// TestSlowMail: go-smtp's one deadline would end it after five minutes.
func TestSlowMail(t *testing.T) {
	d := &desk{}
	inBubble(t, d, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		c.begin()
		for range 6 {
			time.Sleep(4*time.Minute + 50*time.Second)
			c.send("slowly\r\n")
		}
		c.send(".\r\n")
		c.expect("250 ")

		c.begin()
		started := time.Now()
		for time.Since(started) < 28*time.Minute {
			time.Sleep(4 * time.Minute)
			c.send("too slowly\r\n")
		}
		c.expect("421 4.4.2")
		if took := time.Since(started); took != 30*time.Minute {
			t.Errorf("ended after %v", took)
		}
		c.expectClosed()
		if n := len(d.delivered()); n != 1 {
			t.Errorf("%d mails delivered", n)
		}
	})
}

// TestClientWithLFAlone sends an end that is none; it hears why, and soon.
func TestClientWithLFAlone(t *testing.T) {
	inBubble(t, &desk{}, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		c.begin()
		c.send("Subject: x\n\nx\n.\n")
		started := time.Now()
		c.expect("554 5.6.0 line 1 of the message has a line feed without a carriage return")
		c.expectClosed()
		if waited := time.Since(started); waited != 30*time.Second {
			t.Errorf("answered after %v", waited)
		}
	})
}

func TestClientThatDoesNotRead(t *testing.T) {
	inBubble(t, &desk{}, func(t *testing.T, _ *smtpd.Server, dial func() *client) {
		c := dial()
		c.send("NOOP\r\n")
		started := time.Now()
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if rest, err := io.ReadAll(c.r); len(rest) > 0 {
			t.Errorf("read %q, error %v", rest, err)
		}
		if waited := time.Since(started); waited > time.Minute {
			t.Errorf("ended after %v", waited)
		}
	})
}

// TestShutdown: go-smtp waits without end for sessions that are idle.
func TestShutdown(t *testing.T) {
	entered, commit := make(chan struct{}), make(chan error)
	d := &desk{}
	inBubble(t, d, func(t *testing.T, s *smtpd.Server, dial func() *client) {
		entered, commit = make(chan struct{}), make(chan error)
		d.deliver = func(context.Context, *smtpd.Mail) error {
			close(entered)
			return <-commit
		}
		idle, sending, committing := dial(), dial(), dial()
		idle.do("MAIL FROM:<customer@example.net>", "250 ")
		sending.begin()
		committing.begin()
		committing.send("Subject: x\r\n\r\nx\r\n.\r\n")
		<-entered

		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(t.Context()) }()
		idle.expect("421 4.3.2 mx.example.org is shutting down")
		idle.expectClosed()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("Shutdown returned with a mail in flight: %v", err)
		default:
		}
		commit <- nil
		committing.expect("250 ")
		committing.expect("421 4.3.2")
		committing.expectClosed()

		d.deliver = func(context.Context, *smtpd.Mail) error { return errors.New("store closed") }
		sending.send("Subject: y\r\n\r\ny\r\n.\r\n")
		sending.expect("451 4.3.0")
		sending.expect("421 4.3.2")
		sending.expectClosed()
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

func TestShutdownIsBounded(t *testing.T) {
	cancelled := make(chan error, 1)
	d := &desk{deliver: func(ctx context.Context, _ *smtpd.Mail) error {
		<-ctx.Done()
		cancelled <- ctx.Err()
		return ctx.Err()
	}}
	inBubble(t, d, func(t *testing.T, s *smtpd.Server, dial func() *client) {
		sending, committing := dial(), dial()
		sending.begin()
		sending.send("half\r\n")
		committing.begin()
		go io.WriteString(committing, "Subject: x\r\n\r\nx\r\n.\r\n")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		started := time.Now()
		err := s.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 sessions") {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(started); took != 20*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		synctest.Wait()
		if len(cancelled) != 1 {
			t.Error("the delivery was not cancelled")
		}
	})
}

func TestServeAfterShutdown(t *testing.T) {
	s := smtpd.NewServer(smtpd.Config{}, &desk{}, nil, slog.New(slog.DiscardHandler))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener was left open")
	}
}
