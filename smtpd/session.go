package smtpd

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
)

// session answers the commands that go-smtp has taken apart. All its methods
// are called by the goroutine that serves the connection.
type session struct {
	server   *Server
	wire     *wire
	protocol *smtp.Conn
	envelope *Envelope            // of the transaction; nil where there is none
	mails    int                  // transactions begun
	listed   chan []dnsbl.Listing // holds the answer of the blocklists; nil where none are asked
}

// Mail begins a transaction.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	config := s.server.config
	if s.envelope != nil {
		// go-smtp would keep the recipients of the sender before.
		return status(503, [3]int{5, 5, 1}, "nested MAIL command")
	}
	if s.mails >= config.MaxMailsPerSession {
		return status(421, [3]int{4, 7, 0}, "%d mails in one session are enough, please connect again", s.mails)
	}
	if !s.server.mayMail(s.wire.remote) {
		return status(450, [3]int{4, 7, 1}, "too many mails from %s, please try again in a minute", s.wire.remote)
	}
	if opts.Size > config.MaxMessageBytes {
		return tooLarge(config.MaxMessageBytes)
	}
	if from != "" {
		var err error
		if from, err = mailbox(from, opts.UTF8); err != nil {
			return addressStatus(err, [3]int{5, 1, 7})
		}
	}
	s.mails++
	id := ulid.MustNew(ulid.Timestamp(config.Now()), rand.Reader).String()
	s.wire.mailID = id
	s.envelope = &Envelope{
		ID:       id,
		RemoteIP: s.wire.remote,
		HELO:     strings.Map(withoutControl, strings.ToValidUTF8(s.protocol.Hostname(), "?")),
		MailFrom: from,
		TLS:      tlsText(s.wire.tls),
		Protocol: protocol(config.LMTP, s.wire.esmtp, s.wire.tls != nil, opts.UTF8),
		SMTPUTF8: opts.UTF8,
		LMTP:     config.LMTP,
	}
	return nil
}

// Rcpt asks the handler for a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	to, err := mailbox(to, s.envelope.SMTPUTF8)
	if err != nil {
		return addressStatus(err, [3]int{5, 1, 3})
	}
	if err := s.refusedAsListed(to); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.server.ctx, recipientTimeout)
	defer cancel()
	err = guard(func() error { return s.server.handler.Recipient(ctx, s.envelope.MailFrom, to) })
	if err != nil {
		return s.answer("check recipient", err)
	}
	if !slices.Contains(s.envelope.Recipients, to) {
		s.envelope.Recipients = append(s.envelope.Recipients, to)
	}
	return nil
}

// Data receives a mail and hands it on. It reads from the wire, which leaves but the
// end to go-smtp's reader. What it returns is sent as it is, so success is a status
// too, and every error has to be one.
func (s *session) Data(io.Reader) error {
	started := time.Now()
	config := s.server.config
	spooled := &spool{limit: config.MaxMessageBytes, open: func() (*os.File, error) { return s.server.openSpool(config.SpoolDir) }}
	defer spooled.close()

	err := spooled.receive(readerFunc(s.wire.readText))
	if fault := s.wire.body.fault; fault != "" {
		return status(554, [3]int{5, 6, 0}, "%s", fault)
	}
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge(config.MaxMessageBytes)
	case errors.Is(err, errSpool):
		s.logger().Error("mail not received", "error", err)
		return status(452, [3]int{4, 3, 1}, "no space to receive the message, please try again later")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return status(421, [3]int{4, 4, 2}, "timeout in the message, closing the connection")
	case err != nil:
		return status(421, [3]int{4, 4, 2}, "connection lost in the message")
	}

	e := s.envelope
	e.ReceivedAt = config.Now()
	e.Received = received(e, config.Hostname)
	if err := s.server.take(e, spooled, s.listings()); err != nil {
		return s.answer("deliver mail", err)
	}
	s.wire.log.Info("mail accepted", "id", e.ID, "from", e.MailFrom, "recipients", len(e.Recipients), "size", spooled.size,
		"tls", e.TLS, "protocol", e.Protocol, "duration", time.Since(started))
	return status(250, [3]int{2, 0, 0}, "queued as %s", e.ID)
}

// Reset forgets the transaction.
func (s *session) Reset() { s.envelope = nil }

// Logout is called when the connection ends; the session holds nothing.
func (s *session) Logout() error { return nil }

func (s *session) logger() *slog.Logger { return s.wire.log.With("id", s.envelope.ID) }

// answer makes an error of the handler, or of our own, the client's reply. Only
// a Refusal's words leave the house.
func (s *session) answer(doing string, err error) error {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		s.wire.reason = refusal.Reason
		return refusal.status()
	}
	attributes := []any{"doing", doing, "error", err}
	if p, ok := errors.AsType[*panicError](err); ok {
		attributes = append(attributes, "stack", string(p.stack))
	}
	s.logger().Error("temporary failure", attributes...)
	return status(451, [3]int{4, 3, 0}, "temporary failure, please try again later (%s)", s.envelope.ID)
}

func tooLarge(limit int64) error {
	return status(552, [3]int{5, 3, 4}, "message too large, the limit is %d bytes", limit)
}

func addressStatus(err error, syntax [3]int) error {
	if errors.Is(err, errAddressUTF8) {
		syntax = [3]int{5, 6, 7} // RFC 6531 section 3.5
	}
	return status(553, syntax, "%s", err)
}

// withoutControl is a mapping for strings.Map.
func withoutControl(r rune) rune {
	if isControlRune(r) {
		return '?'
	}
	return r
}
