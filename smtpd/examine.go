package smtpd

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/rspamd"
)

// panicError is a panic that was caught, with where it came from.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// Examine authenticates and parses a mail, outside any transaction. Parsing
// waits for one of a few places, which follow from the number of processors; authentication and the
// content filter need none, as they spend their time waiting, and run beside it where
// that is worth it.
//
// The error is a panic of any, or the end of ctx while waiting for a place.
func (s *Server) Examine(ctx context.Context, e Envelope, raw []byte) (*Mail, error) {
	m := &Mail{Envelope: e, Raw: raw}
	verify := func() error {
		m.Verdict = s.verify(ctx, e, raw)
		return nil
	}
	filter := s.gate.Load().Filter
	var err error
	if filter == nil && len(raw) < worthParallel {
		if err = s.parse(ctx, m); err == nil {
			err = guard(verify)
		}
	} else {
		aside := []<-chan error{apart(verify)}
		if filter != nil {
			aside = append(aside, apart(func() error { s.filter(ctx, filter, m); return nil }))
		}
		err = s.parse(ctx, m)
		for _, done := range aside {
			if otherErr := <-done; err == nil {
				err = otherErr
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("examine mail: %w", err)
	}
	m.Verdict = m.Verdict.SeenAs(m.Message.From.Address)
	return m, nil
}

// worthParallel is from which size on, in bytes, a mail is read and verified at the same
// time: with less, a goroutine takes longer than it saves.
const worthParallel = 256 << 10

func apart(work func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- guard(work) }()
	return done
}

// filter asks the content filter. One that gives no answer stops no mail.
func (s *Server) filter(ctx context.Context, filter ContentFilter, m *Mail) {
	request := rspamd.Request{ID: m.ID, HELO: m.HELO, MailFrom: m.MailFrom, Recipients: m.Recipients, TLS: m.TLS, Raw: m.Raw}
	if !m.LMTP && !s.exempt(m.RemoteIP) { // else it is the address of a relay in front
		request.RemoteIP = m.RemoteIP
	}
	result, err := filter.Check(ctx, request)
	if err != nil {
		m.FilterError = err
		s.log.Warn("content filter not asked: the mail is taken without it", "id", m.ID, "error", err)
		s.count(IncidentFilterSilent)
		return
	}
	m.Filtered = &result
}

func (s *Server) parse(ctx context.Context, m *Mail) error {
	places := s.budget.of(int64(len(m.Raw))).places
	if err := places.Acquire(ctx, 1); err != nil {
		return err
	}
	defer places.Release(1)
	return guard(func() error {
		m.Message = mail.Parse(m.Raw)
		return nil
	})
}

// verify says nothing of mail whose sender it cannot see: over LMTP the server
// in front is the one who spoke to the client.
func (s *Server) verify(ctx context.Context, e Envelope, raw []byte) auth.Verdict {
	reason := ""
	switch {
	case s.verifier == nil:
		reason = "authentication is switched off"
	case e.LMTP:
		reason = "received over LMTP: the mail server in front knows the sender"
	default:
		return s.verifier.Verify(ctx, auth.Request{
			RemoteIP: e.RemoteIP,
			HELO:     e.HELO,
			MailFrom: e.MailFrom,
			Raw:      raw,
		})
	}
	return auth.Verdict{
		SPF:   auth.SPF{Result: auth.None, Reason: reason},
		DMARC: auth.DMARC{Result: auth.None, Reason: reason},
		ARC:   string(auth.None),
	}
}

// guard turns a panic of work into an error.
func guard(work func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return work()
}
