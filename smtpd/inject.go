package smtpd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/oklog/ulid/v2"
)

// Injection is a mail that comes by another way than a connection, with the
// envelope that whoever brings it vouches for.
type Injection struct {
	// RemoteIP and HELO are of the client that the relay in front received the mail
	// from. Without RemoteIP the sender is not authenticated, as over LMTP.
	RemoteIP   netip.Addr
	HELO       string
	MailFrom   string // empty for a bounce
	Recipients []string
	Raw        []byte // its lines may end in LF alone
}

// Injected says what became of an Injection.
type Injected struct {
	ID    string   // of the mail, as in Envelope
	Taken []string // the recipients that took it
	// Refused are the others, in order.
	Refused []RefusedRecipient
}

// RefusedRecipient is a recipient that was not taken, and why.
type RefusedRecipient struct {
	Address string
	Refusal Refusal
}

// Inject takes a mail as a session does: each recipient is asked for as at RCPT,
// and the mail is examined and handed to deliver within the same bounds as after
// DATA, with the recipients that were refused. deliver stands for Handler.Deliver; nil from it means that the mail is
// durable. Where no recipient takes it, deliver is not called and there is no
// error. The error is a *Refusal for the whole mail, or temporary trouble.
func (s *Server) Inject(ctx context.Context, in Injection, deliver func(context.Context, *Mail, []RefusedRecipient) error) (Injected, error) {
	raw, err := s.injectedText(in.Raw)
	if err != nil {
		return Injected{}, err
	}
	e := Envelope{ID: ulid.MustNew(ulid.Timestamp(s.config.Now()), rand.Reader).String(), RemoteIP: in.RemoteIP, HELO: in.HELO,
		Protocol: "HTTP", ReceivedAt: s.config.Now(), SMTPUTF8: true, LMTP: !in.RemoteIP.IsValid()}
	out := Injected{ID: e.ID}
	if in.MailFrom != "" {
		if e.MailFrom, err = mailbox(in.MailFrom, true); err != nil {
			return out, &Refusal{Code: 553, Enhanced: [3]int{5, 1, 7}, Message: "the sender: " + err.Error()}
		}
	}
	if err := s.askRecipients(ctx, &e, in.Recipients, &out); err != nil || len(out.Taken) == 0 {
		return out, err
	}
	e.Recipients = out.Taken
	e.Received = received(&e, s.config.Hostname)
	leave, err := s.budget.enter(ctx, int64(len(raw)))
	if err != nil {
		return out, err
	}
	defer leave()
	m, err := s.Examine(ctx, e, raw)
	if err != nil {
		return out, err
	}
	return out, guard(func() error { return deliver(ctx, m, out.Refused) })
}

// askRecipients asks for each recipient as at RCPT.
func (s *Server) askRecipients(ctx context.Context, e *Envelope, recipients []string, out *Injected) error {
	for _, given := range recipients {
		address, err := mailbox(given, true)
		if err != nil {
			out.Refused = append(out.Refused, RefusedRecipient{given, Refusal{Code: 553, Enhanced: [3]int{5, 1, 3}, Message: err.Error()}})
			continue
		}
		err = guard(func() error { return s.handler.Recipient(ctx, e.MailFrom, address) })
		refusal, refused := errors.AsType[*Refusal](err)
		switch {
		case refused:
			out.Refused = append(out.Refused, RefusedRecipient{address, *refusal})
		case err != nil:
			return err
		case !slices.Contains(out.Taken, address):
			out.Taken = append(out.Taken, address)
		}
	}
	return nil
}

// injectedText gives a mail the line ends of RFC 5322 and refuses what a session
// would.
func (s *Server) injectedText(raw []byte) ([]byte, error) {
	if int64(len(raw)) > s.config.MaxMessageBytes {
		return nil, &Refusal{Code: 552, Enhanced: [3]int{5, 3, 4}, Message: fmt.Sprintf("message too large, the limit is %d bytes", s.config.MaxMessageBytes)}
	}
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
		return nil, &Refusal{Code: 554, Enhanced: [3]int{5, 6, 0}, Message: "the message has a carriage return without a line feed"}
	}
	if n := countReceived(raw); n > maxReceived {
		return nil, &Refusal{Code: 554, Enhanced: [3]int{5, 4, 6}, Message: fmt.Sprintf("mail loop: %d Received fields", n)}
	}
	return raw, nil
}
