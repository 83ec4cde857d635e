// Package smtpd receives mail: it speaks SMTP (RFC 5321) and LMTP (RFC 2033),
// keeps clients within limits, authenticates and parses what they send, and
// asks a Handler whom mail is taken for and whether it is kept.
//
// It is not a relay, and offers no AUTH. A mail is answered 250 only after
// Handler.Deliver returned nil.
package smtpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
)

// Server is a listener for one Config. It may serve several net.Listeners.
type Server struct {
	config    Config
	tls       *tls.Config
	handler   Handler
	verifier  Verifier
	log       *slog.Logger
	protocol  *smtp.Server
	admission admission
	gate      atomic.Pointer[gate]
	guarding  sync.Mutex // held while the gate changes
	turned    *turned
	refusals  *refusalLog
	openSpool func(dir string) (*os.File, error)
	budget    *Budget

	ctx    context.Context // ends when a shutdown runs out of time
	cancel context.CancelFunc
}

// NewServer returns a server that has yet to Serve. A nil Verifier leaves the
// senders of mails unauthenticated.
func NewServer(c Config, h Handler, v Verifier, log *slog.Logger) *Server {
	c = c.withDefaults()
	s := &Server{
		config:    c,
		handler:   h,
		verifier:  v,
		log:       log,
		openSpool: openUnlinked,
		budget:    c.Budget,
	}
	if c.TLS != nil {
		s.tls = c.TLS.Clone()
		// Outlook.com gives up STARTTLS where it is offered a session ticket.
		s.tls.SessionTicketsDisabled = true
	}
	s.admission.wires = make(map[*wire]struct{})
	s.admission.networks = make(map[network]int)
	s.admission.closed = make(chan struct{})
	s.gate.Store(newGate(c.Guard, nil))
	s.turned, s.refusals = newTurned(), newRefusalLog(log)
	s.ctx, s.cancel = context.WithCancel(context.Background())

	s.protocol = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.protocol.Domain = c.Hostname
	s.protocol.LMTP = c.LMTP
	s.protocol.EnableSMTPUTF8 = true
	s.protocol.MaxRecipients = c.MaxRecipients
	s.protocol.ErrorLog = protocolLog{log}
	// Lengths, sizes, deadlines and TLS are the wire's and the session's: the
	// library's line limit does not tell commands from text, its size limit
	// refuses a mail of just that size, and its deadline spans a whole mail.
	s.protocol.MaxLineLength = 0
	s.protocol.MaxMessageBytes = 0
	return s
}

// Serve accepts sessions from l until Shutdown, and then returns nil. It closes
// l. It may be called for several listeners at a time, and returns at once
// after a Shutdown.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.admission.open(l) {
		return nil
	}
	s.log.Info("listening", "address", l.Addr().String(), "configured", s.config.Listen,
		"protocol", protocol(s.config.LMTP, true, false, false), "starttls", s.tls != nil)
	err := s.protocol.Serve(&listener{Listener: l, server: s})
	if err != nil && !s.admission.isClosing() {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no new sessions, ends with 421 those that wait for a command,
// and waits for mails in transfer to be answered. When ctx ends first, it
// closes what is left, cancels the context of its deliveries, and returns an
// error. A server that was shut down cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.admission.close()
	defer s.refusals.sum()
	err := s.protocol.Shutdown(ctx)
	if errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	s.cancel()
	if left := s.admission.abort(); left > 0 {
		return fmt.Errorf("shut down smtp: %d sessions were still receiving: %w", left, ctx.Err())
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut down smtp: %w", err)
	}
	return nil
}

// newSession is called by go-smtp at the first EHLO.
func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	w, ok := c.Conn().(*wire)
	if !ok {
		return nil, fmt.Errorf("connection is a %T", c.Conn())
	}
	begun := &session{server: s, wire: w, protocol: c}
	begun.lookUp()
	return begun, nil
}

// take examines a mail and has it delivered.
func (s *Server) take(e *Envelope, spooled *spool, listings []dnsbl.Listing) error {
	ctx, cancel := context.WithTimeout(s.ctx, deliverTimeout)
	defer cancel()
	return s.examined(ctx, *e, spooled, func(m *Mail) error {
		m.Listings = listings
		return s.handler.Deliver(ctx, m)
	})
}

// examined loads a mail, examines it and hands it to deliver, within the memory budget.
func (s *Server) examined(ctx context.Context, e Envelope, spooled *spool, deliver func(*Mail) error) error {
	leave, err := s.budget.enter(ctx, spooled.size)
	if err != nil {
		return err
	}
	defer leave()

	raw, err := spooled.load()
	if err != nil {
		return err
	}
	if n := countReceived(raw); n > maxReceived {
		return &Refusal{Code: 554, Enhanced: [3]int{5, 4, 6}, Message: fmt.Sprintf("mail loop: %d Received fields", n)}
	}
	m, err := s.Examine(ctx, e, raw)
	if err != nil {
		return err
	}
	return guard(func() error { return deliver(m) })
}

// protocolLog carries go-smtp's own reports into the log.
type protocolLog struct{ log *slog.Logger }

func (l protocolLog) Printf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }
func (l protocolLog) Println(v ...any)               { l.log.Error(fmt.Sprint(v...)) }
