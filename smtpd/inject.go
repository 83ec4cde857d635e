package smtpd

import (
	"context"
	"crypto/rand"
	"errors"
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
	Mail       *Spooled // the giver closes it
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
// DATA, with the recipients that were refused. deliver stands for Handler.Deliver; nil
// from it means that the mail is durable. Where no recipient takes it, deliver is not called and there is no
// error. The error is a *Refusal for the whole mail, or temporary trouble.
func (s *Server) Inject(ctx context.Context, in Injection, deliver func(context.Context, *Mail, []RefusedRecipient) error) (Injected, error) {
	if in.Mail.refused != nil {
		return Injected{}, in.Mail.refused
	}
	e := Envelope{ID: ulid.MustNew(ulid.Timestamp(s.config.Now()), rand.Reader).String(), RemoteIP: in.RemoteIP, HELO: in.HELO,
		Protocol: "HTTP", ReceivedAt: s.config.Now(), SMTPUTF8: true, LMTP: !in.RemoteIP.IsValid()}
	out := Injected{ID: e.ID}
	var err error
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
	return out, s.examined(ctx, e, &in.Mail.held, func(m *Mail) error { return deliver(ctx, m, out.Refused) })
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
