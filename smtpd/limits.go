package smtpd

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Limits bound what one host and one network may do, and slow down who only
// tries. A host is an IPv4 address or an IPv6 /64, a network an IPv4 /24 or an
// IPv6 /48. Zero is no limit; a Config without Limits has none.
type Limits struct {
	// Exempt networks, such as a relay of the house's own, have no limits but
	// MaxSessions and MaxRefused.
	Exempt []netip.Prefix
	// SessionsPerNetwork is at a time.
	SessionsPerNetwork int
	// Connections and mails that may begin within a minute.
	ConnectionsPerMinute, ConnectionsPerMinuteNetwork int
	MailsPerMinute, MailsPerMinuteNetwork             int
	Tarpit                                            Tarpit
}

// Tarpit makes it slow to try addresses and commands. A host is given refused
// commands back at one a minute, and all of them for a mail that is accepted.
type Tarpit struct {
	// After is how many refused commands of a host are answered at once; zero is
	// no tarpit. At MaxRefused the session ends.
	After int
	// Delay is the wait before the next answer; it doubles up to Longest.
	Delay, Longest time.Duration
	// Sessions is how many may be held so at a time; further ones are ended.
	Sessions int
}

// DefaultLimits suit a server on the open internet: no mail server that means
// well comes near them.
func DefaultLimits() Limits {
	return Limits{
		SessionsPerNetwork:          200,
		ConnectionsPerMinute:        120,
		ConnectionsPerMinuteNetwork: 600,
		MailsPerMinute:              120,
		MailsPerMinuteNetwork:       600,
		Tarpit:                      Tarpit{After: 5, Delay: time.Second, Longest: 20 * time.Second, Sessions: 50},
	}
}

// Incident is something that a listener did not let happen, or could not find
// out, in a word for counters.
type Incident string

// The incidents.
const (
	IncidentSessions     Incident = "too_many_sessions" // a connection refused: at a time
	IncidentConnections  Incident = "connection_rate"   // a connection refused: within a minute
	IncidentMails        Incident = "mail_rate"         // a mail put off: within a minute
	IncidentSuspect      Incident = "suspect"           // a connection refused: too many refused commands lately
	IncidentTarpit       Incident = "tarpit"            // a session slowed down
	IncidentRefused      Incident = "refused_commands"  // a session ended: too many refused commands
	IncidentListed       Incident = "blocklisted"       // a recipient refused: the client is on a blocklist
	IncidentListSilent   Incident = "blocklist_failed"  // a blocklist could not be asked about a client
	IncidentFiltered     Incident = "filtered"          // a mail refused or put off: the content filter says so
	IncidentFilterSilent Incident = "filter_failed"     // the content filter could not be asked about a mail
	IncidentGreylisted   Incident = "greylisted"        // a mail put off: its sender is new
)

// Incidents lists them all.
func Incidents() []Incident {
	return []Incident{IncidentSessions, IncidentConnections, IncidentMails, IncidentSuspect, IncidentTarpit, IncidentRefused, IncidentListed, IncidentListSilent,
		IncidentFiltered, IncidentFilterSilent, IncidentGreylisted}
}

// Guard is what stands between the listener and the internet.
type Guard struct {
	// Limits bound hosts and networks. Here zero is none, not a default.
	Limits Limits
	// Blocklists are asked about each client that is not exempt; nil asks none.
	Blocklists Blocklists
	// Filter is asked about each mail; nil asks none.
	Filter ContentFilter
}

// gate is a guard with what its limits remember of hosts and networks.
type gate struct {
	Guard
	connections, connectionsNetwork *buckets
	mails, mailsNetwork             *buckets
	refused                         *buckets // commands, by host
}

// newGate remembers what the one before it does, where the same is counted. before
// may be nil.
func newGate(g Guard, before *gate) *gate {
	if before == nil {
		before = &gate{refused: newBuckets(time.Minute)}
	}
	l, was := g.Limits, before.Limits
	return &gate{
		Guard:              g,
		connections:        before.connections.at(was.ConnectionsPerMinute, l.ConnectionsPerMinute),
		connectionsNetwork: before.connectionsNetwork.at(was.ConnectionsPerMinuteNetwork, l.ConnectionsPerMinuteNetwork),
		mails:              before.mails.at(was.MailsPerMinute, l.MailsPerMinute),
		mailsNetwork:       before.mailsNetwork.at(was.MailsPerMinuteNetwork, l.MailsPerMinuteNetwork),
		refused:            before.refused,
	}
}

// Guard returns what stands between the listener and the internet now.
func (s *Server) Guard() Guard { return s.gate.Load().Guard }

// SetGuard has the server go by g from now on, in sessions that are open too: a
// client is asked about in blocklists as its session begins, all else as it happens.
func (s *Server) SetGuard(g Guard) {
	s.guarding.Lock()
	defer s.guarding.Unlock()
	s.gate.Store(newGate(g, s.gate.Load()))
}

// exempt says whether the limits of hosts do not hold for a client.
func (s *Server) exempt(a netip.Addr) bool {
	return !a.IsValid() || slices.ContainsFunc(s.gate.Load().Limits.Exempt, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

func (s *Server) count(i Incident) {
	if s.config.Count != nil {
		s.config.Count(i)
	}
}

// knock says why a host may not connect now, or "".
func (s *Server) knock(w *wire) (Incident, string) {
	if s.exempt(w.remote) {
		return "", ""
	}
	host, now, gate := hostOf(w.remote), time.Now(), s.gate.Load()
	switch {
	case gate.Limits.Tarpit.After > 0 && gate.refused.level(host, now) >= s.config.MaxRefused:
		return IncidentSuspect, fmt.Sprintf("421 4.7.0 %s refused too many commands from %s lately, please try again later", s.config.Hostname, w.remote)
	case !gate.connections.take(host, now) || !gate.connectionsNetwork.take(neighbourhoodOf(w.remote), now):
		return IncidentConnections, fmt.Sprintf("421 4.7.0 %s has had too many connections from %s, please try again in a minute", s.config.Hostname, w.remote)
	}
	return "", ""
}

// mayMail says whether a host may begin one more mail now.
func (s *Server) mayMail(a netip.Addr) bool {
	now, gate := time.Now(), s.gate.Load()
	if s.exempt(a) || gate.mails.take(hostOf(a), now) && gate.mailsNetwork.take(neighbourhoodOf(a), now) {
		return true
	}
	s.count(IncidentMails)
	return false
}

// forgive forgets the refused commands of a host that had a mail accepted.
func (w *wire) forgive() {
	w.refused = 0
	if n := hostOf(w.remote); n.IsValid() {
		w.server.gate.Load().refused.clear(n)
	}
}

// tarpit holds back the answer to a refused command. It returns false where
// there is no place to wait, and the session has to end.
func (w *wire) tarpit() bool {
	s := w.server
	gate := s.gate.Load()
	t := gate.Limits.Tarpit
	if t.After <= 0 || s.exempt(w.remote) {
		return true
	}
	over := max(w.refused, gate.refused.pour(hostOf(w.remote), time.Now(), s.config.MaxRefused)) - t.After
	if over <= 0 {
		return true
	}
	if !s.admission.hold(w, t.Sessions) {
		return false
	}
	if w.flush() != nil {
		return true
	}
	timer := time.NewTimer(min(t.Delay<<min(over-1, 20), t.Longest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.admission.closed:
	}
	return true
}
