package main_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// conversation is an SMTP session in which the test says what it likes.
type conversation struct {
	t          *testing.T
	connection net.Conn
	answers    *bufio.Reader
}

// talk opens a session and says EHLO.
func talk(t *testing.T, address string) *conversation {
	t.Helper()
	return talkThrough(t, address, "")
}

// talkThrough opens a session and says EHLO, with what a proxy in front says
// before anything else.
func talkThrough(t *testing.T, address, header string) *conversation {
	t.Helper()
	c := connect(t, address, header)
	c.want("220")
	c.do("EHLO mail.customer.test", "250")
	return c
}

// connect opens a connection and says something at once.
func connect(t *testing.T, address, first string) *conversation {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(connection, first); err != nil {
		t.Fatal(err)
	}
	return &conversation{t, connection, bufio.NewReader(connection)}
}

func (c *conversation) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.connection, line+"\r\n"); err != nil {
		c.t.Fatalf("say %q: %v", line, err)
	}
}

// hear returns the last line of the next answer.
func (c *conversation) hear() string {
	c.t.Helper()
	for {
		line, err := c.answers.ReadString('\n')
		if err != nil || len(line) < 5 {
			c.t.Fatalf("hear an answer: %q, %v", line, err)
		}
		if line[3] == ' ' {
			return strings.TrimSpace(line)
		}
	}
}

func (c *conversation) want(code string) {
	c.t.Helper()
	if answer := c.hear(); !strings.HasPrefix(answer, code) {
		c.t.Fatalf("answer %q, want %s", answer, code)
	}
}

// do says a line and wants an answer that begins with code.
func (c *conversation) do(line, code string) {
	c.t.Helper()
	c.say(line)
	c.want(code)
}

// begin goes as far as a mail's first line.
func (c *conversation) begin(from, to string) {
	c.t.Helper()
	c.do("MAIL FROM:<"+from+">", "250")
	c.do("RCPT TO:<"+to+">", "250")
	c.do("DATA", "354")
}

// send sends a mail and returns the answer to its end.
func (c *conversation) send(from, to, raw string) string {
	c.t.Helper()
	c.begin(from, to)
	c.say(strings.TrimSuffix(raw, "\r\n") + "\r\n.")
	return c.hear()
}

// ends wants the server to have closed the connection.
func (c *conversation) ends() {
	c.t.Helper()
	if rest, err := c.answers.ReadString('\n'); err == nil {
		c.t.Fatalf("the connection is open, and says %q", rest)
	}
}
