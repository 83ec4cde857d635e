package smtpd

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// network is what sessions are counted by: an IPv4 address, or an IPv6 /64,
// which is the least that anybody gets. The zero network is a unix socket.
type network = netip.Prefix

// admission knows the sessions there are, and whether there may be one more.
type admission struct {
	mu        sync.Mutex
	listeners []net.Listener
	wires     map[*wire]struct{}
	networks  map[network]int
	closing   bool
}

// open registers a listener, unless the server was shut down. go-smtp would
// never close one that comes after.
func (a *admission) open(l net.Listener) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listeners = append(a.listeners, l)
	return !a.closing
}

func (a *admission) isClosing() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closing
}

// listener gives go-smtp the connections that are admitted, as wires. The
// library makes its session only at EHLO, too late to refuse a connection.
type listener struct {
	net.Listener
	server *Server
}

// Accept waits for a connection within the limits; others are told why not.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		w := newWire(c, l.server, remoteAddr(c))
		refusal := l.server.admit(w)
		if refusal == "" {
			return w, nil
		}
		w.log.Info("session refused", "reply", refusal)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		fmt.Fprintf(c, "%s\r\n", refusal)
		c.Close()
	}
}

// admit registers a session, or returns the greeting that refuses it.
func (s *Server) admit(w *wire) string {
	a := &s.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	n := networkOf(w.remote)
	switch {
	case a.closing:
		return fmt.Sprintf("421 4.3.2 %s is shutting down", s.config.Hostname)
	case len(a.wires) >= s.config.MaxSessions:
		return fmt.Sprintf("421 4.3.2 %s has too many sessions, please try again later", s.config.Hostname)
	case n.IsValid() && a.networks[n] >= s.config.MaxSessionsPerIP:
		return fmt.Sprintf("421 4.7.0 %s has too many sessions from %s", s.config.Hostname, w.remote)
	}
	a.wires[w] = struct{}{}
	a.networks[n]++
	return ""
}

// Sessions is how many are open now.
func (s *Server) Sessions() int {
	s.admission.mu.Lock()
	defer s.admission.mu.Unlock()
	return len(s.admission.wires)
}

// release forgets a session that has ended.
func (s *Server) release(w *wire) {
	a := &s.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.wires, w)
	n := networkOf(w.remote)
	if a.networks[n]--; a.networks[n] <= 0 {
		delete(a.networks, n)
	}
}

// close admits nobody any more, and ends the sessions that wait for a command.
func (a *admission) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closing = true
	for _, l := range a.listeners {
		l.Close()
	}
	for w := range a.wires {
		w.shutdown()
	}
}

// abort closes the connections that are left, and counts them.
func (a *admission) abort() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.wires {
		w.Conn.Close()
	}
	return len(a.wires)
}

func networkOf(a netip.Addr) network {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	n, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return network{}
	}
	return n
}

func remoteAddr(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
