// Package outbound makes one attempt to deliver one mail to one recipient: by
// a smarthost, or by the MX records of the recipient's domain (RFC 5321
// section 5.1). It keeps no queue: it says whether a failure is permanent, and
// the caller decides when to try again.
package outbound

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dane"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

// Resolver answers the DNS questions of direct delivery. A *net.Resolver is
// one. Names given to it are fully qualified: they end in a dot.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

const (
	defaultTimeout = 2 * time.Minute
	dialTimeout    = 30 * time.Second
	// finalFactor times Timeout is how long the answer to the end of a mail may
	// take: giving up there makes duplicates (RFC 5321 section 4.5.3.2.6).
	finalFactor = 5
	quitTimeout = 5 * time.Second
	// maxAttempts bounds the addresses tried in one delivery.
	maxAttempts = 8
)

// Sender delivers mails. It may be used by several goroutines at once as long
// as its fields are not changed.
type Sender struct {
	// Resolver finds the hosts; nil stands for the system's.
	Resolver Resolver
	// Hostname is the name this server gives in EHLO: its own, fully qualified.
	Hostname string
	// Smarthost takes all mails; nil stands for direct delivery.
	Smarthost *Smarthost
	// Port is the port of direct delivery; zero stands for 25.
	Port int
	// TLS holds the roots that a smarthost's certificate is verified against;
	// nil stands for the system's. It is cloned, never changed.
	TLS *tls.Config
	// Timeout bounds each step: connecting (30 seconds at most), each answer of
	// the peer, each block of the mail written. Zero stands for 2 minutes. The
	// answer to the end of the mail may take five times as long. The whole
	// delivery is bounded by the context alone.
	Timeout time.Duration
	// Accounts are smarthosts for the mail of some domains, by the domain of the
	// envelope sender in lower case; they come before Smarthost.
	Accounts map[string]*Smarthost
	// Policies finds the MTA-STS policies of recipients' domains (RFC 8461), and
	// Keys the TLSA records of their hosts (RFC 7672); nil for neither.
	Policies Policies
	Keys     Keys
	// Idle is how long a connection is kept for the next mail; zero keeps none.
	Idle time.Duration
	// Watch hears how the encryption of each new connection to a recipient's own
	// host came out (RFC 8460); nil for nobody.
	Watch func(ctx context.Context, s TLSSession)
	// Log receives a line for each host tried; nil stands for none.
	Log *slog.Logger

	idle idleConnections
}

// Policies finds what a domain says of encryption; *mtasts.Finder is one.
type Policies interface {
	Find(ctx context.Context, domain string) (mtasts.Policy, error)
}

// Keys finds what the DNS proves of a host's certificate; *dane.Resolver is one.
type Keys interface {
	Records(ctx context.Context, domain, host string, port int) (records []dane.Record, unusable bool, err error)
}

// Mail is one mail to one recipient.
type Mail struct {
	// ID names the mail in the log.
	ID string
	// From is the envelope sender, empty for mails that must not be answered;
	// To the recipient. Both are local@domain without angle brackets; domains
	// may be internationalised.
	From, To string
	// Raw is the mail as it is sent, ending in CRLF or LF lines.
	Raw []byte
	// RequireTLS forbids sending the mail over an unencrypted connection.
	RequireTLS bool
	// Unwatched keeps the connection from Watch: reports on reports would have no end.
	Unwatched bool
}

// Outcome says how a mail was delivered.
type Outcome struct {
	// Host is the name of the server that took the mail; RemoteAddr its address
	// and port.
	Host, RemoteAddr string
	// TLS describes the encryption, "TLS 1.3, certificate verified"; empty where
	// there was none.
	TLS string
	// Response is the server's answer with its code, on one line.
	Response string
}

// Deliver makes one attempt, over as many hosts as it takes. The error is
// always an *Error. A mail is delivered exactly when the error is nil; only
// after a connection lost at the end of the mail may it have been taken
// nevertheless.
func (s *Sender) Deliver(ctx context.Context, m Mail) (Outcome, error) {
	outcome, err := s.deliver(ctx, m)
	if err != nil {
		s.log().InfoContext(ctx, "delivery failed", "mail", m.ID, "to", m.To, "permanent", err.Permanent, "error", err.Error())
		return Outcome{}, err
	}
	s.log().InfoContext(ctx, "delivered", "mail", m.ID, "to", m.To, "host", outcome.Host, "address", outcome.RemoteAddr,
		"tls", outcome.TLS, "response", outcome.Response)
	return outcome, nil
}

func (s *Sender) deliver(ctx context.Context, m Mail) (Outcome, *Error) {
	e, err := newEnvelope(m)
	if err != nil {
		return Outcome{}, err
	}
	r, err := s.route(ctx, e)
	if err != nil {
		return Outcome{}, err
	}
	var failure *Error
	deferring := "" // the host that answered, and put the mail off
	for _, t := range r.targets {
		if t.host == deferring {
			continue
		}
		outcome, err := s.attemptProven(ctx, t, e, r)
		if err == nil {
			return outcome, nil
		}
		s.log().DebugContext(ctx, "host failed", "mail", m.ID, "host", t.host, "address", t.address, "error", err.Error())
		// A host that may yet take the mail outweighs one that never will.
		if failure == nil || !err.Permanent {
			failure = err
		}
		switch {
		case ctx.Err() != nil:
			return Outcome{}, err
		case err.tryNext:
		case err.Code/100 == 4 && deferring == "":
			// RFC 5321 section 5.1: each host in turn. One more is enough: what two
			// put off, all do.
			deferring = t.host
		case deferring != "":
			return Outcome{}, failure
		default:
			return Outcome{}, err
		}
	}
	return Outcome{}, failure
}

// attemptWithFallback goes on without encryption where TLS fails and is not
// required: a mail in clear arrives, and would have gone in clear to a host
// that offers none (RFC 7435).
func (s *Sender) attemptWithFallback(ctx context.Context, t target, e *envelope, r route, policy tlsPolicy) (Outcome, *Error) {
	outcome, err := s.attempt(ctx, t, e, r, policy)
	if err == nil || !err.tlsFailed || policy.required || ctx.Err() != nil {
		return outcome, err
	}
	s.log().WarnContext(ctx, "TLS failed, going on without", "mail", e.mail.ID, "host", t.host, "address", t.address, "error", err.Error())
	policy.wanted = false
	return s.attempt(ctx, t, e, r, policy)
}

func (s *Sender) timeout() time.Duration {
	if s.Timeout <= 0 {
		return defaultTimeout
	}
	return s.Timeout
}

func (s *Sender) resolver() Resolver {
	if s.Resolver == nil {
		return net.DefaultResolver
	}
	return s.Resolver
}

func (s *Sender) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
