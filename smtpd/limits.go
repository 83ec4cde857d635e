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

// gate is what the limits remember of hosts and networks.
type gate struct {
	connections, connectionsNetwork *buckets
	mails, mailsNetwork             *buckets
	refused                         *buckets // commands, by host
}

func newGate(l Limits) gate {
	return gate{
		connections: rate(l.ConnectionsPerMinute), connectionsNetwork: rate(l.ConnectionsPerMinuteNetwork),
		mails: rate(l.MailsPerMinute), mailsNetwork: rate(l.MailsPerMinuteNetwork),
		refused: newBuckets(time.Minute),
	}
}

// exempt says whether the limits of hosts do not hold for a client.
func (s *Server) exempt(a netip.Addr) bool {
	return !a.IsValid() || slices.ContainsFunc(s.config.Limits.Exempt, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
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
	host, now := hostOf(w.remote), time.Now()
	switch {
	case s.config.Limits.Tarpit.After > 0 && s.gate.refused.level(host, now) >= s.config.MaxRefused:
		return IncidentSuspect, fmt.Sprintf("421 4.7.0 %s refused too many commands from %s lately, please try again later", s.config.Hostname, w.remote)
	case !s.gate.connections.take(host, now) || !s.gate.connectionsNetwork.take(neighbourhoodOf(w.remote), now):
		return IncidentConnections, fmt.Sprintf("421 4.7.0 %s has had too many connections from %s, please try again in a minute", s.config.Hostname, w.remote)
	}
	return "", ""
}

// mayMail says whether a host may begin one more mail now.
func (s *Server) mayMail(a netip.Addr) bool {
	now := time.Now()
	if s.exempt(a) || s.gate.mails.take(hostOf(a), now) && s.gate.mailsNetwork.take(neighbourhoodOf(a), now) {
		return true
	}
	s.count(IncidentMails)
	return false
}

// forgive forgets the refused commands of a host that had a mail accepted.
func (w *wire) forgive() {
	w.refused = 0
	if n := hostOf(w.remote); n.IsValid() {
		w.server.gate.refused.clear(n)
	}
}

// tarpit holds back the answer to a refused command. It returns false where
// there is no place to wait, and the session has to end.
func (w *wire) tarpit() bool {
	t, s := w.server.config.Limits.Tarpit, w.server
	if t.After <= 0 || s.exempt(w.remote) {
		return true
	}
	over := max(w.refused, s.gate.refused.pour(hostOf(w.remote), time.Now(), s.config.MaxRefused)) - t.After
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
