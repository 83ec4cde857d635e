package smtpd_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd"
)

// TestMessageSize: go-smtp refuses a mail of exactly its limit.
func TestMessageSize(t *testing.T) {
	for _, limit := range []int{100, 1 << 20, 3<<20 + 7} {
		f := serve(t, smtpd.Config{MaxMessageBytes: int64(limit)}, &desk{}, nil)
		c := f.greeted(t)
		c.do(fmt.Sprintf("MAIL FROM:<> SIZE=%d", limit+1), "552 5.3.4")
		c.do(fmt.Sprintf("MAIL FROM:<> SIZE=%d", limit), "250 ")
		c.do("RSET", "250 ")
		// The leading dot is stuffed and does not count.
		exact := ".\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", limit/72+1)
		exact = exact[:limit-2] + "\r\n"
		if exact[limit-3] == '\r' {
			exact = exact[:limit-3] + "x\r\n"
		}
		c.begin()
		c.send("." + exact + ".\r\n")
		c.expect("250 ")
		if got := f.desk.delivered()[0].Raw; string(got) != exact {
			t.Errorf("limit %d: %d bytes delivered", limit, len(got))
		}
		c.begin()
		c.send(".x" + exact + ".\r\n")
		c.expect(fmt.Sprintf("552 5.3.4 message too large, the limit is %d bytes", limit))
		c.do("NOOP", "250 ")
		if n := len(f.desk.delivered()); n != 1 {
			t.Errorf("limit %d: %d mails delivered", limit, n)
		}
	}
}

func TestTooManyRecipientsAreNotRefusedForGood(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRecipients: 100}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<customer@example.net>", "250 ")
	var commands strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&commands, "RCPT TO:<support%d@example.org>\r\n", i)
	}
	go c.Write([]byte(commands.String()))
	for i := range 10000 {
		if i < 100 {
			c.expect("250 2.")
		} else {
			c.expect("452 4.5.3")
		}
	}
	c.do("DATA", "354 ")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
	if m := f.desk.delivered()[0]; len(m.Recipients) != 100 || strings.Contains(m.Received, "for <") {
		t.Errorf("%d recipients, trace field %q", len(m.Recipients), m.Received)
	}
}

// TestTooManyRefusals: go-smtp lets a client try addresses without end.
func TestTooManyRefusals(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRefused: 5}, &desk{}, nil)
	c := f.greeted(t)
	c.do("MAIL FROM:<customer@example.net>", "250 ")
	go c.Write(bytes.Repeat([]byte("RCPT TO:<guess@example.org>\r\n"), 5000))
	for range 5 {
		c.expect("550 5.1.1")
	}
	c.expect("421 4.7.0 too many refused commands")
	c.expectClosed()
	if n := len(f.desk.askedFor()); n != 5 {
		t.Errorf("the handler was asked %d times", n)
	}
}

func TestAcceptedMailForgivesRefusals(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRefused: 2}, &desk{}, nil)
	c := f.greeted(t)
	for range 5 {
		c.do("MAIL FROM:<customer@example.net>", "250 ")
		c.do("RCPT TO:<former@example.org>", "550 ")
		c.do("RCPT TO:<support@example.org>", "250 ")
		c.do("DATA", "354 ")
		c.send("Subject: x\r\n\r\nx\r\n.\r\n")
		c.expect("250 ")
	}
}

func TestMisbehavedCommandsEndTheSession(t *testing.T) {
	f := serve(t, smtpd.Config{MaxRefused: 3}, &desk{}, nil)
	c := f.dial(t)
	c.expect("220 ")
	c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b>\r\n")
	c.expect("421 4.7.0 this is not a web server")
	c.expectClosed()

	c = f.greeted(t)
	c.send("FROB\r\n\r\nFROB\r\nNOOP\r\n")
	for range 3 {
		c.expect("500 5.5.2")
	}
	c.expect("421 4.7.0")
	c.expectClosed()
}

func TestSessionLimits(t *testing.T) {
	for _, test := range []struct {
		config smtpd.Config
		want   string
	}{
		{smtpd.Config{MaxSessions: 2}, "421 4.3.2 mx.example.org has too many sessions"},
		{smtpd.Config{MaxSessionsPerIP: 2}, "421 4.7.0 mx.example.org has too many sessions from 127.0.0.1"},
	} {
		f := serve(t, test.config, &desk{}, nil)
		first, second := f.dial(t), f.dial(t)
		first.expect("220 ")
		second.expect("220 ")
		third := f.dial(t)
		third.expect(test.want)
		third.expectClosed()
		first.do("QUIT", "221 ")
		first.expectClosed()
		fourth := f.dial(t)
		fourth.expect("220 ")
		if !strings.Contains(f.log.String(), "session refused") {
			t.Errorf("log\n%s", f.log)
		}
	}
}

// TestAFloodIsSummedUpInTheLog: a line for each of hundreds of refused connections a
// second fills a disk. None of them is left out of the count.
func TestAFloodIsSummedUpInTheLog(t *testing.T) {
	const flood = 300
	f := serve(t, smtpd.Config{MaxSessionsPerIP: 1}, &desk{}, nil)
	f.greeted(t)
	for range flood {
		c := f.dial(t)
		c.expect("421 4.7.0 mx.example.org has too many sessions")
		c.expectClosed()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := f.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	log := f.log.String()
	lines := strings.Count(log, `msg="session refused"`)
	told := lines
	for _, found := range regexp.MustCompile(`msg="further sessions refused" sessions=(\d+) hosts=1\n`).FindAllStringSubmatch(log, -1) {
		lines++
		n, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		told += n
	}
	if told != flood || lines > flood/10 {
		t.Errorf("%d lines tell of %d refused sessions; there were %d\n%s", lines, told, flood, log)
	}
}

func TestSpoolLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	inside := make(chan []string, 1)
	d := &desk{deliver: func(context.Context, *smtpd.Mail) error {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		inside <- names
		return err
	}}
	f := serve(t, smtpd.Config{SpoolDir: dir}, d, nil)
	text := make([]byte, 5<<20)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(text)
	for i, b := range text {
		if b == '\r' || b == '\n' {
			text[i] = 'x'
		}
		if i%1000 == 999 {
			text[i-1], text[i] = '\r', '\n'
		}
	}
	text = append(text, "\r\n"...)
	c := f.inData(t)
	c.send(strings.ReplaceAll("\r\n"+string(text), "\r\n.", "\r\n..")[2:] + ".\r\n")
	c.expect("250 ")
	if !bytes.Equal(f.desk.delivered()[0].Raw, text) {
		t.Error("the mail was changed on its way through the spool")
	}
	if names := <-inside; len(names) > 0 {
		t.Errorf("spool holds %q", names)
	}
}

func TestSpoolThatCannotBeWritten(t *testing.T) {
	f := serve(t, smtpd.Config{SpoolDir: filepath.Join(t.TempDir(), "missing")}, &desk{}, nil)
	c := f.inData(t)
	c.send("Subject: x\r\n\r\n" + strings.Repeat("x\r\n", 1<<20) + ".\r\n")
	c.expect("452 4.3.1 no space")
	if !strings.Contains(f.log.String(), "missing") {
		t.Errorf("log does not say why:\n%s", f.log)
	}
	// A small mail needs no file.
	c.begin()
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("250 ")
}

func TestMemoryBudget(t *testing.T) {
	const size = 1<<20 + 2048
	var now, most atomic.Int64
	d := &desk{deliver: func(ctx context.Context, m *smtpd.Mail) error {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		return nil
	}}
	// Room for two such mails at a time beside the small ones, and for none larger than that.
	budget := smtpd.NewBudget((16*size + 3000) * 4 / 3)
	f := serve(t, smtpd.Config{Budget: budget, MaxMessageBytes: 4 * size}, d, nil)
	mail := strings.Repeat(strings.Repeat("x", 1022)+"\r\n", size/1024)
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			c, err := net.Dial("tcp", f.addr)
			if err != nil {
				t.Error(err)
				return
			}
			raw := newClient(t, c)
			raw.send("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<support@x.org>\r\nDATA\r\n" + mail + ".\r\nQUIT\r\n")
			for {
				reply, err := raw.reply()
				if err != nil {
					t.Error(err)
				}
				if err != nil || strings.HasPrefix(reply, "221") {
					return
				}
			}
		})
	}
	group.Wait()
	if n := len(f.desk.delivered()); n != 12 {
		t.Errorf("%d of 12 mails delivered", n)
	}
	if most.Load() > 2 {
		t.Errorf("%d mails were in memory at once, the budget is for 2", most.Load())
	}
	c := f.inData(t)
	c.send(strings.Repeat(mail, 3) + ".\r\n")
	c.expect("250 ")
}

func TestSmallMailsDoNotWaitForLargeOnes(t *testing.T) {
	const size = 2 << 20
	taken, end := make(chan struct{}, 3), make(chan struct{})
	d := &desk{deliver: func(ctx context.Context, m *smtpd.Mail) error {
		if len(m.Raw) >= size {
			taken <- struct{}{}
			<-end
		}
		return nil
	}}
	f := serve(t, smtpd.Config{Budget: smtpd.NewBudget(8 * size)}, d, nil) // one large mail takes its part alone
	large := strings.Repeat(strings.Repeat("x", 1022)+"\r\n", size/1024) + ".\r\n"
	var waiting []*client
	for range 3 {
		c := f.inData(t)
		c.send(large)
		waiting = append(waiting, c)
	}
	<-taken
	for range 3 {
		c := f.inData(t)
		c.send("Subject: x\r\n\r\nx\r\n.\r\n")
		c.expect("250 ")
	}
	if len(taken) > 0 {
		t.Error("a second large mail was taken in beside the first")
	}
	close(end)
	for _, c := range waiting {
		c.expect("250 ")
	}
}

func TestServersShareABudget(t *testing.T) {
	const size = 2 << 20
	taken, end := make(chan struct{}, 2), make(chan struct{})
	d := &desk{deliver: func(context.Context, *smtpd.Mail) error {
		taken <- struct{}{}
		<-end
		return nil
	}}
	budget := smtpd.NewBudget(8 * size)
	large := strings.Repeat(strings.Repeat("x", 1022)+"\r\n", size/1024) + ".\r\n"
	first := serve(t, smtpd.Config{Budget: budget}, d, nil).inData(t)
	first.send(large)
	<-taken
	second := serve(t, smtpd.Config{Budget: budget}, d, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spooled, err := second.server.Spool(strings.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	defer spooled.Close()
	_, err = second.server.Inject(ctx, smtpd.Injection{Recipients: []string{"support@x.org"}, Mail: spooled},
		func(context.Context, *smtpd.Mail, []smtpd.RefusedRecipient) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("the second server took a mail while the first had all the memory: %v", err)
	}
	close(end)
	first.expect("250 ")
}
