package smtpd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// command is a command line that has passed the wire.
type command struct {
	verb string // in upper case; empty where there was none to speak of
	line string // the whole line without its end
	// internal marks a command of our own, whose reply is not the client's.
	internal bool
}

// verbs are the commands that go-smtp is shown. Others it would count as
// protocol errors on its own terms.
var verbs = []string{"HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP"}

// execute answers a command itself, or leaves it to go-smtp.
func (w *wire) execute(line []byte) {
	verb, argument, _ := bytes.Cut(line, []byte(" "))
	w.command = command{verb: strings.ToUpper(string(verb)), line: string(line)}
	if i := slices.IndexFunc(line, isControl); i >= 0 {
		// They are legal nowhere in a command (RFC 5321 section 4.1.2), and
		// would end up in trace fields and in logs.
		w.answer(500, "5.5.2", "control character 0x%02x in the command", line[i])
		return
	}
	switch w.command.verb {
	case "STARTTLS":
		w.startTLS(argument)
	case "BDAT":
		w.refuseChunk(argument)
	case "AUTH":
		w.answer(502, "5.5.1", "AUTH is not offered: this server only receives mail")
	case "GET", "POST", "PUT", "CONNECT", "OPTIONS":
		// A browser made to talk to us: its next lines may be chosen by a stranger.
		w.linger = true
		w.answer(421, "4.7.0", "this is not a web server")
	case "MAIL", "RCPT", "DATA":
		if !w.greeted {
			w.answer(503, "5.5.1", "say EHLO first")
			return
		}
		w.forward()
	default:
		if !slices.Contains(verbs, w.command.verb) {
			w.answer(500, "5.5.2", "command not recognized")
			return
		}
		w.forward()
	}
}

// forward shows the command to go-smtp.
func (w *wire) forward() {
	line := strings.TrimRight(w.command.line, " ")
	switch w.command.verb {
	case "MAIL":
		line = boundSize(line)
	case "RCPT":
		line = qualifyPostmaster(line, w.server.config.Hostname)
	}
	w.show(line + "\r\n")
}

// answer replies to a command in go-smtp's place.
func (w *wire) answer(code int, enhanced, format string, args ...any) {
	w.reply = fmt.Appendf(w.reply, "%d %s %s\r\n", code, enhanced, fmt.Sprintf(format, args...))
	w.finishReply()
}

// refuseChunk answers BDAT (RFC 3030), which is not offered, and passes over
// the chunk that may follow, since its bytes are no commands.
//
// It is not offered because go-smtp's BDAT cannot be made safe from outside: a
// last chunk cut short by the end of the connection is taken for a whole mail,
// the session's Data runs in a goroutine whose result a RSET may hand to the
// next transaction, and in LMTP an oversized last chunk gets one reply where
// every recipient is owed one.
func (w *wire) refuseChunk(argument []byte) {
	size, _, _ := strings.Cut(strings.TrimSpace(string(argument)), " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 || n > w.server.config.MaxMessageBytes {
		w.linger = true
		w.answer(502, "5.5.1", "BDAT is not offered, closing the connection")
		w.end()
		return
	}
	w.answer(502, "5.5.1", "BDAT is not offered, use DATA")
	for n > 0 && !w.ended {
		skipped, err := w.in.Discard(int(min(n, 4096)))
		n -= int64(skipped)
		if err != nil {
			w.endIdle(err)
		}
	}
}

// startTLS negotiates TLS (RFC 3207).
func (w *wire) startTLS(argument []byte) {
	config := w.server.tls
	switch {
	case config == nil:
		w.answer(502, "5.5.1", "STARTTLS is not offered")
	case w.tls != nil:
		w.answer(503, "5.5.1", "TLS is active already")
	case len(argument) > 0:
		w.answer(501, "5.5.4", "STARTTLS takes no argument")
	case w.in.Buffered() > 0:
		// Commands sent in the clear must not be executed as if they had come
		// over TLS: somebody in between could have added them.
		w.linger = true
		w.answer(501, "5.5.1", "nothing may follow STARTTLS before its answer")
		w.end()
	default:
		w.answer(220, "2.0.0", "go ahead")
		if err := w.handshake(config); err != nil {
			w.log.Info("TLS handshake failed", "error", err)
			w.end()
			return
		}
		// Section 4.2: what the client said before is forgotten. RSET has
		// go-smtp forget its transaction, and without greeted no other begins.
		w.greeted = false
		w.command = command{verb: "RSET", line: "RSET", internal: true}
		w.show("RSET\r\n")
	}
}

func (w *wire) handshake(config *tls.Config) error {
	if err := w.flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(w.server.ctx, handshakeTimeout, errors.New("timeout"))
	defer cancel()
	c := tls.Server(w.Conn, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	state := c.ConnectionState()
	w.stream, w.tls = c, &state
	return nil
}

// isControl includes DEL, and CR in the middle of a line.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// qualifyPostmaster gives "RCPT TO:<postmaster>" a domain: RFC 5321 section
// 4.1.1.3 makes it the one address that needs none, and go-smtp wants one.
func qualifyPostmaster(line, hostname string) string {
	const bare = "<postmaster>"
	i := strings.IndexByte(line, '<')
	if i < 0 || len(line)-i < len(bare) || !strings.EqualFold(line[i:i+len(bare)], bare) {
		return line
	}
	return line[:i] + "<postmaster@" + hostname + ">" + line[i+len(bare):]
}

// boundSize makes a SIZE that go-smtp cannot read the largest that it can: it reads 32
// bits where RFC 1870 section 3 allows 20 digits, and would call the number a syntax
// error. Which sizes are too large is the session's to say.
func boundSize(line string) string {
	path := strings.LastIndexByte(line, '"') + 1 // a quoted local part may look like parameters
	words := strings.Split(line[path:], " ")
	for i, word := range words {
		key, value, _ := strings.Cut(word, "=")
		if !strings.EqualFold(key, "SIZE") {
			continue
		}
		if _, err := strconv.ParseUint(value, 10, 32); errors.Is(err, strconv.ErrRange) {
			words[i] = fmt.Sprintf("SIZE=%d", uint32(math.MaxUint32))
		}
	}
	return line[:path] + strings.Join(words, " ")
}
