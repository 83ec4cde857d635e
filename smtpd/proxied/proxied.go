// Package proxied tells who the client of a connection is where a proxy stands
// in front and says so: the PROXY protocol, versions 1 and 2
// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt).
package proxied

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// maxWaiting is how many connections' headers are waited for at a time.
const maxWaiting = 256

// Options say whose word is taken, and for how long it is waited for.
type Options struct {
	// Trusted are the networks of the proxies. What others send is never read as
	// a header, however much it looks like one.
	Trusted []netip.Prefix
	// Timeout bounds the wait for a header.
	Timeout time.Duration
	// Optional takes a connection from a trusted network without a header for the
	// proxy's own; else it is closed. Clients that wait for us to speak first
	// then wait Timeout for it.
	Optional bool
	Log      *slog.Logger
}

// Listen returns a listener over l whose connections have the address of the
// client, not of the proxy. Waiting for one header holds up nobody else.
func Listen(l net.Listener, o Options) net.Listener {
	p := &listener{Listener: l, options: o, ready: make(chan accepted), done: make(chan struct{}), waiting: make(chan struct{}, maxWaiting)}
	go p.run()
	return p
}

type listener struct {
	net.Listener
	options Options
	ready   chan accepted
	waiting chan struct{} // a place for each connection whose header is awaited
	done    chan struct{}
	once    sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

// Accept returns the next connection whose client is known.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close stops listening, and gives up the connections whose headers are awaited.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

func (l *listener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			l.hand(accepted{err: err})
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if !l.trusts(c.RemoteAddr()) {
			l.hand(accepted{conn: c})
			continue
		}
		select {
		case l.waiting <- struct{}{}:
		case <-l.done:
			c.Close()
			return
		}
		go func() {
			defer func() { <-l.waiting }()
			told, err := l.ask(c)
			if err != nil {
				l.options.Log.Warn("connection closed", "proxy", c.RemoteAddr().String(), "error", err)
				c.Close()
				return
			}
			l.hand(accepted{conn: told})
		}()
	}
}

// hand gives a connection to Accept, or closes it where nobody accepts any more.
func (l *listener) hand(a accepted) {
	select {
	case l.ready <- a:
	case <-l.done:
		if a.conn != nil {
			a.conn.Close()
		}
	}
}

func (l *listener) trusts(peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(l.options.Trusted, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// ask reads the header of a connection from a proxy.
func (l *listener) ask(c net.Conn) (net.Conn, error) {
	if err := c.SetReadDeadline(time.Now().Add(l.options.Timeout)); err != nil {
		return nil, fmt.Errorf("wait for the PROXY header: %w", err)
	}
	told := &conn{Conn: c, in: bufio.NewReader(c), remote: c.RemoteAddr()}
	header, err := proxyproto.Read(told.in)
	late := errors.Is(err, os.ErrDeadlineExceeded) && told.in.Buffered() == 0
	switch {
	case err == nil && !header.Command.IsLocal():
		// Without a TCP address ("UNKNOWN", a unix socket) the proxy's own stands.
		if source, ok := header.SourceAddr.(*net.TCPAddr); ok && source != nil {
			told.remote = source
		}
	case err == nil: // the proxy speaks for itself, such as to see whether we are well
	case l.options.Optional && (late || errors.Is(err, proxyproto.ErrNoProxyProtocol)):
	case late:
		return nil, fmt.Errorf("no PROXY header within %s", l.options.Timeout)
	default:
		return nil, fmt.Errorf("read the PROXY header: %w", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("wait for the PROXY header: %w", err)
	}
	return told, nil
}

// conn is a connection past its header.
type conn struct {
	net.Conn
	in     *bufio.Reader // what came with the header, then the connection
	remote net.Addr
}

// Read reads what follows the header.
func (c *conn) Read(b []byte) (int, error) { return c.in.Read(b) }

// RemoteAddr is the client's address.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// CloseWrite ends our half of the connection, where it has halves.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
