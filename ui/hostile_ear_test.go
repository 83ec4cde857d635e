package ui_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// ear listens where the browser believes every host of the world to be.
type ear struct {
	address string
	mu      sync.Mutex
	heard   []string // the first bytes of each connection
}

func newEar(t *testing.T) *ear {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	e := &ear{address: listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go e.listen(conn)
		}
	}()
	return e
}

// listen notes a connection at once, since one that says nothing (a preconnect)
// tells its sender enough.
func (e *ear) listen(conn net.Conn) {
	defer conn.Close()
	e.mu.Lock()
	at := len(e.heard)
	e.heard = append(e.heard, "a connection without a word")
	e.mu.Unlock()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	note := func(what string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.heard[at] = what
	}
	reader := bufio.NewReader(conn)
	first, err := reader.Peek(1)
	if err != nil {
		return
	}
	if first[0] == 0x16 { // a TLS handshake: its name is all there is to hear
		tls.Server(wordsOf{conn, reader}, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			note("TLS to " + hello.ServerName)
			return nil, errors.New("nobody is here")
		}}).Handshake()
		return
	}
	if line, err := reader.ReadString('\n'); err == nil {
		note(strings.TrimSpace(line))
		fmt.Fprint(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
}

// wordsOf is a connection whose first bytes have been looked at.
type wordsOf struct {
	net.Conn
	reader *bufio.Reader
}

func (w wordsOf) Read(p []byte) (int, error) { return w.reader.Read(p) }

// all returns what was heard and begins anew.
func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := e.heard
	e.heard = nil
	return heard
}
