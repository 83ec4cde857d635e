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
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(patience))
	c := &conversation{t, connection, bufio.NewReader(connection)}
	c.want("220")
	c.say("EHLO mail.customer.test")
	c.want("250")
	return c
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
