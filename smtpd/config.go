package smtpd

import (
	"crypto/tls"
	"os"
	"time"
)

// Limits that no configuration needs to change.
const (
	// maxCommandLine is in bytes with CRLF. RFC 5321 section 4.5.3.1.4 asks for
	// 512, and every extension adds to that; nothing legitimate comes near 2,000.
	maxCommandLine = 2000
	// maxBodyLine is in bytes without CRLF. RFC 5321 section 4.5.3.1.6 allows
	// senders 998; real mail has lines of tens of thousands.
	maxBodyLine = 128 << 10
	// maxReceived is the number of Received fields at which a mail is taken to
	// be in a loop (RFC 5321 section 6.3 asks for at least 100; Postfix and
	// others stop at 50).
	maxReceived = 50
	// memorySpool is how much of a mail is kept in memory while it arrives.
	memorySpool = 1 << 20
	// recipientTimeout and deliverTimeout stay under what RFC 5321 section
	// 4.5.3.2 tells clients to wait for the answers: 5 and 10 minutes.
	recipientTimeout = 4 * time.Minute
	deliverTimeout   = 9 * time.Minute
	// handshakeTimeout bounds a STARTTLS handshake.
	handshakeTimeout = 30 * time.Second
	// faultPatience is how long the end of a mail that is refused already is
	// waited for: a client that ends its lines with LF alone never sends it.
	faultPatience = 30 * time.Second
)

// Config says how a Server listens. A field that is zero stands for its value
// in DefaultConfig; see there for what is sensible.
type Config struct {
	// Hostname names this server in its greeting and in trace fields.
	Hostname string
	// Listen is the address as configured; it only appears in logs.
	Listen string
	// TLS is offered with STARTTLS (RFC 3207). Nil offers none.
	TLS *tls.Config

	// MaxMessageBytes is the size of the largest mail taken, as RFC 1870 counts:
	// line ends as CRLF, without dot-stuffing.
	MaxMessageBytes int64
	// MaxRecipients is the number of recipients taken in one transaction.
	MaxRecipients int
	// MaxSessions is the number of sessions at a time; MaxSessionsPerIP the same
	// for one IPv4 address or one IPv6 /64 network that is not exempt.
	MaxSessions, MaxSessionsPerIP int
	// MaxRefused is the number of commands refused in a row, without a mail
	// accepted between them, after which the session is ended.
	MaxRefused int
	// MaxMailsPerSession is the number of transactions one session may begin.
	MaxMailsPerSession int
	// Budget bounds what all mails take while they are examined and delivered;
	// others wait their turn. A mail still arriving takes at most 1 MiB of memory
	// more, and a file in SpoolDir beyond that. Nil is one of DefaultBudget.
	Budget *Budget

	// ReadTimeout and WriteTimeout bound one read from, and one write to, a client.
	ReadTimeout, WriteTimeout time.Duration
	// DataTimeout bounds the transfer of one mail; SessionTimeout is the age at
	// which a session that is between mails is ended.
	DataTimeout, SessionTimeout time.Duration

	// LMTP speaks RFC 2033 instead of SMTP, for a mail server in front. The
	// sender's authentication is then that server's affair.
	LMTP bool
	// SpoolDir is where mails over 1 MiB wait while they arrive, in files without
	// names. Empty is the system's directory for temporary files.
	SpoolDir string

	// Guard is what may change later: SetGuard.
	Guard
	// Count is told of each incident; nil counts nothing. It must not block.
	Count func(Incident)
	// Refused is called for every mail and recipient that is refused, for good or for now,
	// and for sessions that are turned away: by many sessions at once, and while they wait.
	// Nil calls nobody.
	Refused func(Reason)

	// Now is the clock for identifiers, trace fields and ReceivedAt.
	Now func() time.Time
}

// DefaultConfig returns the values that suit a server on the open Internet.
func DefaultConfig() Config {
	hostname, err := os.Hostname()
	if err != nil || hostname == "" {
		hostname = "localhost"
	}
	return Config{
		Hostname:           hostname,
		MaxMessageBytes:    35 << 20, // 25 MB of attachments in base64
		MaxRecipients:      100,      // RFC 5321 section 4.5.3.1.8
		MaxSessions:        500,
		MaxSessionsPerIP:   100,
		MaxRefused:         20,
		MaxMailsPerSession: 1000,
		ReadTimeout:        5 * time.Minute, // RFC 5321 section 4.5.3.2.7
		WriteTimeout:       time.Minute,
		DataTimeout:        30 * time.Minute,
		SessionTimeout:     time.Hour,
		SpoolDir:           os.TempDir(),
		Guard:              Guard{Limits: DefaultLimits()},
		Now:                time.Now,
	}
}

// withDefaults fills in what c leaves out.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	c.Hostname = orDefault(c.Hostname, d.Hostname)
	c.MaxMessageBytes = orDefault(c.MaxMessageBytes, d.MaxMessageBytes)
	c.MaxRecipients = orDefault(c.MaxRecipients, d.MaxRecipients)
	c.MaxSessions = orDefault(c.MaxSessions, d.MaxSessions)
	c.MaxSessionsPerIP = orDefault(c.MaxSessionsPerIP, d.MaxSessionsPerIP)
	c.MaxRefused = orDefault(c.MaxRefused, d.MaxRefused)
	c.MaxMailsPerSession = orDefault(c.MaxMailsPerSession, d.MaxMailsPerSession)
	if c.Budget == nil {
		c.Budget = NewBudget(DefaultBudget)
	}
	c.ReadTimeout = orDefault(c.ReadTimeout, d.ReadTimeout)
	c.WriteTimeout = orDefault(c.WriteTimeout, d.WriteTimeout)
	c.DataTimeout = orDefault(c.DataTimeout, d.DataTimeout)
	c.SessionTimeout = orDefault(c.SessionTimeout, d.SessionTimeout)
	c.SpoolDir = orDefault(c.SpoolDir, d.SpoolDir)
	if c.Now == nil {
		c.Now = d.Now
	}
	return c
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
