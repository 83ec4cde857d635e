package smtpd

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnsbl"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/rspamd"
)

// Handler decides what is taken and keeps it. Its methods are called by many
// sessions at once. A panic in them is answered 451 and logged; it ends neither
// the session nor the process.
type Handler interface {
	// Recipient says at RCPT whether mail to address is taken: nil takes it, a
	// *Refusal refuses it with its code, and any other error is answered
	// 451 4.3.0. The server takes no recipient that this method did not take:
	// source routes and percent signs are given no meaning of their own.
	//
	// Addresses are as in RFC 5321, with a local part quoted only where it
	// has to be: split them at the last "@". mailFrom is empty for a bounce.
	// RCPT TO:<postmaster> comes as postmaster@ this server's hostname.
	Recipient(ctx context.Context, mailFrom, address string) error

	// Deliver returns nil only when the mail is durable: then, and only then,
	// the client is answered 250. A *Refusal is answered as it says, any other
	// error 451 4.3.0. The context does not end when the client goes away, since
	// the mail is either taken or not: an answer that is lost makes the client
	// send a duplicate. The mail is the handler's until it returns.
	Deliver(ctx context.Context, m *Mail) error
}

// Verifier authenticates the sender of a mail. *auth.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, r auth.Request) auth.Verdict
}

// Blocklists say which lists of bad senders a client is on. *dnsbl.Checker is one.
type Blocklists interface {
	Check(ctx context.Context, ip netip.Addr) []dnsbl.Listing
}

// ContentFilter says what it thinks of a mail. *rspamd.Client is one.
type ContentFilter interface {
	Check(ctx context.Context, r rspamd.Request) (rspamd.Result, error)
}

// Refusal is the error by which a Handler chooses its answer.
type Refusal struct {
	// Code is an SMTP reply code from 400 to 599. Anything else, and 451 is sent.
	Code int
	// Enhanced is a status code of RFC 3463. Zero stands for class.0.0.
	Enhanced [3]int
	// Message is one line for the person who reads the bounce.
	Message string
	// Reason is what it counts as; empty is told from the codes.
	Reason Reason
}

// Error writes the refusal as it appears in a session.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %d.%d.%d %s", r.Code, r.Enhanced[0], r.Enhanced[1], r.Enhanced[2], r.Message)
}

// Envelope is how a mail came: everything that is not in the mail itself.
type Envelope struct {
	// ID is a ULID. It stands in the logs, in Received and in the 250 answer.
	ID string
	// RemoteIP is the client's address; the zero Addr on a unix socket.
	RemoteIP netip.Addr
	// HELO is the name that the client gave; not to be believed, and without
	// control characters, but not always a domain.
	HELO string
	// MailFrom is empty for a bounce.
	MailFrom string
	// Recipients holds each address once, as Handler.Recipient took it.
	Recipients []string
	// TLS is the version and cipher suite, such as "TLS1.3
	// TLS_AES_128_GCM_SHA256", or empty.
	TLS string
	// Protocol is the word of RFC 3848 and RFC 6531 section 4.3: SMTP, ESMTP,
	// ESMTPS, LMTP, UTF8SMTPS and so on.
	Protocol string
	// ReceivedAt is when the last byte of the mail had come.
	ReceivedAt time.Time
	// Received is the trace field of RFC 5321 section 4.4 that belongs in front
	// of the mail: name, folded value and CRLF. It is never part of Mail.Raw.
	Received string
	SMTPUTF8 bool // the client announced RFC 6531 for this mail
	LMTP     bool
}

// Mail is one mail as received and as understood.
type Mail struct {
	Envelope
	// Raw is the mail exactly as received, dot-stuffing removed. Its lines end
	// in CRLF, and it holds no other CR or LF.
	Raw     []byte
	Message *mail.Message
	Verdict auth.Verdict
	// Listings are the blocklists that the client is on, without having been
	// refused for it.
	Listings []dnsbl.Listing
	// Filtered is what the content filter thinks; nil where none was asked or it
	// gave no answer, and FilterError says why.
	Filtered    *rspamd.Result
	FilterError error
}
