package smtpd

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// network is what clients are counted by.
type network = netip.Prefix

// admission knows the sessions there are, and whether there may be one more.
type admission struct {
	mu        sync.Mutex
	listeners []net.Listener
	wires     map[*wire]struct{}
	networks  map[network]int // sessions of hosts, and of networks
	tarpit    int             // sessions held there
	closing   bool
	closed    chan struct{} // once closing
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
		incident, refusal := l.server.knock(w)
		if refusal == "" {
			incident, refusal = l.server.admit(w)
		}
		if refusal == "" {
			return w, nil
		}
		l.server.count(incident)
		now := time.Now()
		l.server.refusals.say(w, incident, refusal, now)
		l.server.turned.note(w.remote, ReasonSessions, now)
		if refused := l.server.config.Refused; refused != nil && !l.server.admission.isClosing() {
			refused(ReasonSessions)
		}
		c.SetWriteDeadline(time.Now().Add(time.Second))
		fmt.Fprintf(c, "%s\r\n", refusal)
		c.Close()
	}
}

// admit registers a session, or returns the greeting that refuses it.
func (s *Server) admit(w *wire) (Incident, string) {
	a := &s.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	host, around, most := hostOf(w.remote), neighbourhoodOf(w.remote), s.gate.Load().Limits.SessionsPerNetwork
	counted := !s.exempt(w.remote)
	switch {
	case a.closing:
		return IncidentSessions, fmt.Sprintf("421 4.3.2 %s is shutting down", s.config.Hostname)
	case len(a.wires) >= s.config.MaxSessions:
		return IncidentSessions, fmt.Sprintf("421 4.3.2 %s has too many sessions, please try again later", s.config.Hostname)
	case counted && a.networks[host] >= s.config.MaxSessionsPerIP:
		return IncidentSessions, fmt.Sprintf("421 4.7.0 %s has too many sessions from %s", s.config.Hostname, w.remote)
	case counted && most > 0 && a.networks[around] >= most:
		return IncidentSessions, fmt.Sprintf("421 4.7.0 %s has too many sessions from %s", s.config.Hostname, around)
	}
	a.wires[w] = struct{}{}
	a.networks[host]++
	a.networks[around]++
	return "", ""
}

// hold takes a session's place in the tarpit, which it keeps until its end.
func (a *admission) hold(w *wire, most int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.held {
		return true
	}
	if a.tarpit >= most {
		return false
	}
	a.tarpit++
	w.held = true
	w.server.count(IncidentTarpit)
	return true
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
	if w.held {
		a.tarpit--
	}
	for _, n := range []network{hostOf(w.remote), neighbourhoodOf(w.remote)} {
		if a.networks[n]--; a.networks[n] <= 0 {
			delete(a.networks, n)
		}
	}
}

// close admits nobody any more, and ends the sessions that wait for a command.
func (a *admission) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closing {
		close(a.closed)
	}
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

func remoteAddr(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
