package smtpd_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
)

// street is a server whose clients have the addresses that a test gives them,
// in the time of a synctest bubble.
type street struct {
	t      *testing.T
	pipes  *pipes
	server *smtpd.Server
	mu     sync.Mutex
	counts map[smtpd.Incident]int
}

type addressed struct {
	net.Conn
	remote net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.remote }

func onStreet(t *testing.T, limits smtpd.Limits, test func(*street)) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{t: t, pipes: &pipes{accept: make(chan net.Conn), done: make(chan struct{})}, counts: map[smtpd.Incident]int{}}
		s.server = smtpd.NewServer(smtpd.Config{Hostname: "mx.example.org", SpoolDir: t.TempDir(), MaxRefused: 20, Guard: smtpd.Guard{Limits: limits},
			Count: func(i smtpd.Incident) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.counts[i]++
			}}, &desk{}, nil, slog.New(slog.DiscardHandler))
		served := make(chan error, 1)
		go func() { served <- s.server.Serve(s.pipes) }()
		test(s)
		if err := s.server.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
	})
}

// knock connects from an address and returns the greeting.
func (s *street) knock(from string) (*client, string) {
	s.t.Helper()
	server, own := net.Pipe()
	s.pipes.accept <- addressed{server, &net.TCPAddr{IP: net.ParseIP(from), Port: 4711}}
	c := newClient(s.t, own)
	own.SetDeadline(time.Time{})
	greeting, err := c.reply()
	if err != nil {
		s.t.Fatalf("greeting for %s: %v", from, err)
	}
	return c, greeting
}

// enter is a client past EHLO.
func (s *street) enter(from string) *client {
	s.t.Helper()
	c, greeting := s.knock(from)
	if !strings.HasPrefix(greeting, "220 ") {
		s.t.Fatalf("%s is greeted with %q", from, greeting)
	}
	c.do("EHLO client.example.net", "250")
	return c
}

func (s *street) counted(i smtpd.Incident) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[i]
}

func TestConnectionsOfAMinute(t *testing.T) {
	onStreet(t, smtpd.Limits{ConnectionsPerMinute: 3, ConnectionsPerMinuteNetwork: 5, Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}, func(s *street) {
		refused := func(from string) {
			t.Helper()
			c, greeting := s.knock(from)
			if greeting != fmt.Sprintf("421 4.7.0 mx.example.org has had too many connections from %s, please try again in a minute", from) {
				t.Errorf("%s is greeted with %q", from, greeting)
			}
			c.expectClosed()
		}
		for range 3 {
			s.enter("192.0.2.1")
			s.enter("2001:db8::1")
		}
		refused("192.0.2.1")
		refused("2001:db8::ffff")              // the same /64
		s.enter("2001:db8:0:1::1")             // another one
		s.enter("192.0.2.2").do("QUIT", "221") // another host of the /24
		s.enter("192.0.2.3")
		refused("192.0.2.4") // the sixth of the /24
		s.enter("192.0.3.4")
		for range 20 {
			s.enter("198.51.100.7").do("QUIT", "221")
		}
		time.Sleep(20 * time.Second) // one of three is given back
		s.enter("192.0.2.1")
		refused("192.0.2.1")
		time.Sleep(time.Minute)
		for range 3 {
			s.enter("192.0.2.1")
		}
		if n := s.counted(smtpd.IncidentConnections); n != 4 {
			t.Errorf("%d connections were counted as refused", n)
		}
	})
}

func TestMailsOfAMinute(t *testing.T) {
	onStreet(t, smtpd.Limits{MailsPerMinute: 2, MailsPerMinuteNetwork: 3, Tarpit: smtpd.DefaultLimits().Tarpit}, func(s *street) {
		c, other := s.enter("192.0.2.1"), s.enter("192.0.2.2")
		for range 2 {
			c.begin()
			c.send("Subject: x\r\n\r\nx\r\n.\r\n")
			c.expect("250 ")
		}
		for range 10 { // being put off is no offence
			c.do("MAIL FROM:<customer@example.net>", "450 4.7.1 too many mails from 192.0.2.1, please try again in a minute")
		}
		other.do("MAIL FROM:<customer@example.net>", "250 ")
		other.do("RSET", "250 ")
		other.do("MAIL FROM:<customer@example.net>", "450 4.7.1")
		time.Sleep(30 * time.Second)
		c.do("MAIL FROM:<customer@example.net>", "250 ")
		if mails, held := s.counted(smtpd.IncidentMails), s.counted(smtpd.IncidentTarpit); mails != 11 || held != 0 {
			t.Errorf("%d mails put off, %d sessions held", mails, held)
		}
	})
}

func TestSessionsOfANetwork(t *testing.T) {
	onStreet(t, smtpd.Limits{SessionsPerNetwork: 2}, func(s *street) {
		first := s.enter("192.0.2.1")
		s.enter("192.0.2.2")
		if _, greeting := s.knock("192.0.2.3"); !strings.HasPrefix(greeting, "421 4.7.0 mx.example.org has too many sessions from 192.0.2.0/24") {
			t.Errorf("the third is greeted with %q", greeting)
		}
		s.enter("192.0.3.1")
		first.do("QUIT", "221")
		first.expectClosed()
		s.enter("192.0.2.3")
	})
}

// A scanner waits longer for each refusal, and is sent away; it finds the door
// closed when it comes back, and is forgiven with time. Others wait for nothing.
func TestScannersAreSlowedDown(t *testing.T) {
	tarpit := smtpd.Tarpit{After: 3, Delay: time.Second, Longest: 10 * time.Second, Sessions: 1}
	onStreet(t, smtpd.Limits{Tarpit: tarpit}, func(s *street) {
		scanner, neighbour := s.enter("192.0.2.1"), s.enter("192.0.2.2")
		scanner.do("MAIL FROM:<a@example.net>", "250 ")
		var waits []string
		for i := range 20 {
			began := time.Now()
			if i%2 == 0 {
				scanner.do("RCPT TO:<guess@example.org>", "550 ")
			} else {
				scanner.do("FROB", "500 ")
			}
			waits = append(waits, time.Since(began).String())
		}
		scanner.expect("421 4.7.0 too many refused commands")
		scanner.expectClosed()
		if got := strings.Join(waits[:9], " "); got != "0s 0s 0s 1s 2s 4s 8s 10s 10s" {
			t.Errorf("it waited %s", got)
		}
		began := time.Now()
		neighbour.begin()
		neighbour.send("Subject: x\r\n\r\nx\r\n.\r\n")
		neighbour.expect("250 ")
		if time.Since(began) != 0 {
			t.Errorf("the neighbour waited %s", time.Since(began))
		}

		time.Sleep(2 * time.Minute) // two are given back
		again := s.enter("192.0.2.1")
		began = time.Now()
		again.do("FROB", "500 ")
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("a new session waited %s", waited)
		}
		// The one place is taken now: who else comes to it is not held, but ended.
		other := s.enter("203.0.113.9")
		for range 4 {
			other.do("FROB", "500 ")
		}
		other.expect("421 4.7.0")
		other.expectClosed()
		for range 6 {
			again.do("FROB", "500 ")
		}
		again.do("QUIT", "221")
		if c, greeting := s.knock("192.0.2.1"); !strings.HasPrefix(greeting, "421 4.7.0 mx.example.org refused too many commands from 192.0.2.1 lately") {
			t.Errorf("it is greeted with %q", greeting)
		} else {
			c.expectClosed()
		}
		time.Sleep(20 * time.Minute)
		forgiven := s.enter("192.0.2.1")
		began = time.Now()
		forgiven.do("FROB", "500 ")
		if time.Since(began) != 0 {
			t.Error("it is held for what it did long ago")
		}
		if s.counted(smtpd.IncidentTarpit) != 2 || s.counted(smtpd.IncidentRefused) != 2 || s.counted(smtpd.IncidentSuspect) != 1 {
			t.Errorf("counts %v", s.counts)
		}
	})
}

// A mail that is accepted clears the host's name, and a shutdown waits for nobody
// who is held.
func TestTarpitForgivesAndEnds(t *testing.T) {
	onStreet(t, smtpd.Limits{Tarpit: smtpd.Tarpit{After: 2, Delay: time.Hour, Longest: time.Hour, Sessions: 5}}, func(s *street) {
		c := s.enter("192.0.2.1")
		for range 3 {
			for range 2 {
				c.do("FROB", "500 ")
			}
			c.begin()
			c.send("Subject: x\r\n\r\nx\r\n.\r\n")
			c.expect("250 ")
		}
		for range 2 {
			c.do("FROB", "500 ")
		}
		c.send("FROB\r\n") // held for an hour
		synctest.Wait()
		began := time.Now()
		go s.server.Shutdown(s.t.Context())
		c.expect("500 ")
		c.expect("421 4.3.2")
		if time.Since(began) != 0 {
			t.Errorf("the shutdown waited %s", time.Since(began))
		}
	})
}

// However many hosts knock, the limits remember a bounded number of them.
func TestManyHostsTakeBoundedMemory(t *testing.T) {
	onStreet(t, smtpd.Limits{ConnectionsPerMinute: 1}, func(s *street) {
		for i := range 20000 {
			server, own := net.Pipe()
			s.pipes.accept <- addressed{server, &net.TCPAddr{IP: net.IPv4(10, byte(i>>16), byte(i>>8), byte(i)), Port: 1}}
			own.Close()
		}
		synctest.Wait()
		s.enter("10.0.0.0") // forgotten
		if c, greeting := s.knock("10.0.78.31"); !strings.HasPrefix(greeting, "421 ") {
			t.Errorf("one that was here a moment ago is greeted with %q", greeting)
		} else {
			c.expectClosed()
		}
	})
}

// blocklists has some addresses on a list that refuses, some on one that marks.
type blocklists map[string]dnsbl.Listing

func (b blocklists) Check(_ context.Context, ip netip.Addr) []dnsbl.Listing {
	l, found := b[ip.String()]
	if !found {
		return nil
	}
	return []dnsbl.Listing{l}
}

func TestListedClientsReachThePostmasterOnly(t *testing.T) {
	refusing := dnsbl.Listing{Zone: "zen.test", Refuse: true, Answer: netip.MustParseAddr("127.0.0.4"), Reason: "https://zen.test/query/127.0.0.1"}
	f := serve(t, smtpd.Config{Guard: smtpd.Guard{Blocklists: blocklists{"127.0.0.1": refusing}}}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<customer@example.net>", "250 ")
	c.do("RCPT TO:<support@example.org>", "554 5.7.1 [127.0.0.1] is on the blocklist zen.test: https://zen.test/query/127.0.0.1")
	c.do("RCPT TO:<nobody@example.org>", "554 5.7.1") // nor is it told which addresses there are
	c.do("RCPT TO:<postmaster@example.org>", "250 ")
	c.do("DATA", "354 ")
	c.send("Subject: we are listed by mistake\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	if m := f.desk.delivered()[0]; len(m.Listings) != 1 || len(m.Recipients) != 1 {
		t.Errorf("delivered with %+v to %q", m.Listings, m.Recipients)
	}

	marking := refusing
	marking.Refuse = false
	f = serve(t, smtpd.Config{Guard: smtpd.Guard{Blocklists: blocklists{"127.0.0.1": marking}}}, &desk{}, nil)
	c = f.inData(t)
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	if m := f.desk.delivered()[0]; len(m.Listings) != 1 || m.Listings[0].Zone != "zen.test" {
		t.Errorf("delivered with %+v", m.Listings)
	}

	f = serve(t, smtpd.Config{Guard: smtpd.Guard{Blocklists: blocklists{"127.0.0.1": refusing}, Limits: smtpd.Limits{Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}}, &desk{}, nil)
	c = f.inData(t)
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
}
