package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Error says why a mail was not delivered.
type Error struct {
	// Permanent says that trying again is of no use.
	Permanent bool
	// Code is the server's reply code; zero where no server spoke.
	Code int
	// Enhanced is the status (RFC 3463): the server's, or one that fits.
	Enhanced string
	// Host is the server; empty where none was reached.
	Host string
	// Command is what the server answered to: "greeting", "EHLO", "STARTTLS",
	// "AUTH", "MAIL", "RCPT", "DATA" or "end of mail"; or "connect".
	Command string
	// Message is the server's text, or what happened, on one line. It holds
	// neither control characters nor the smarthost's password.
	Message string

	tryNext   bool  // another host may take the mail
	tlsFailed bool  // it may work without TLS
	cause     error // why TLS failed
}

// Error writes, for example, "mx.example.com, RCPT: 550 5.1.1 no such user".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Host != "" {
		b.WriteString(e.Host)
		if e.Command != "" {
			b.WriteString(", " + e.Command)
		}
		b.WriteString(": ")
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, "%d ", e.Code)
	}
	if e.Enhanced != "" {
		b.WriteString(e.Enhanced + " ")
	}
	b.WriteString(e.Message)
	return b.String()
}

func permanent(enhanced, format string, values ...any) *Error {
	return &Error{Permanent: true, Enhanced: enhanced, Message: cleanReply(fmt.Sprintf(format, values...))}
}

func temporary(enhanced, format string, values ...any) *Error {
	return &Error{Enhanced: enhanced, Message: cleanReply(fmt.Sprintf(format, values...))}
}

// failure turns what a command returned into an Error. Only a reply of class 5
// is permanent; silence, nonsense and lost connections never are.
func (c *conversation) failure(ctx context.Context, command string, err error) *Error {
	e := &Error{Host: c.target.host, Command: command, Enhanced: "4.4.2", tryNext: true}
	reply, isReply := errors.AsType[*textproto.Error](err)
	protocol, isProtocol := errors.AsType[textproto.ProtocolError](err)
	netError, isNet := errors.AsType[net.Error](err)
	// A connection's deadline can strike a moment before the context's own.
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	switch {
	case isReply && reply.Code >= 400 && reply.Code <= 599:
		e.Code = reply.Code
		e.Enhanced, e.Message = splitReply(reply.Code, c.redact(reply.Msg))
		e.Permanent = reply.Code >= 500
		// 421: the server is closing, whatever was asked of it.
		e.tryNext = reply.Code == 421
		if command == "greeting" || command == "EHLO" || command == "connect" {
			// Only 521 says that the host never takes mail (RFC 7504); others do
			// not want this client, now or from this address.
			e.Permanent = reply.Code == 521
			e.tryNext = true
		}
	case ctx.Err() != nil:
		e.Message = cleanReply(fmt.Sprintf("the delivery was interrupted: %v", context.Cause(ctx)))
	case isReply:
		e.Message = cleanReply(c.redact(fmt.Sprintf("unexpected answer %d %s", reply.Code, reply.Msg)))
	case isProtocol:
		e.Message = cleanReply(c.redact("the server does not speak SMTP: " + string(protocol)))
	case isNet && netError.Timeout():
		e.Message = fmt.Sprintf("no answer within %s", c.patience)
		if command == "connect" {
			e.Enhanced = "4.4.1"
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = "the server closed the connection"
	default:
		e.Message = cleanReply(c.redact(err.Error()))
		if command == "connect" {
			e.Enhanced = "4.4.1"
		}
	}
	return e
}

var enhancedCode = regexp.MustCompile(`^([245])\.\d{1,3}\.\d{1,3}(?:\s+|$)`)

// splitReply takes the enhanced status off a reply (RFC 2034), from each of its
// lines. One of another class than the code is not believed.
func splitReply(code int, text string) (enhanced, message string) {
	enhanced = fmt.Sprintf("%d.0.0", code/100)
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if match := enhancedCode.FindString(line); match != "" {
			if int(match[0]-'0') == code/100 {
				enhanced = strings.TrimSpace(match)
			}
			line = line[len(match):]
		}
		lines = append(lines, line)
	}
	return enhanced, cleanReply(strings.Join(lines, " "))
}

const maxReply = 1000

// cleanReply makes a server's words fit to show and to store: one line, valid
// UTF-8, no control characters, bounded.
func cleanReply(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxReply {
		s = strings.ToValidUTF8(s[:maxReply], "") + "…"
	}
	return s
}
