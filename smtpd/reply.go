package smtpd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// maxReplyText keeps a reply line under the 512 bytes of RFC 5321 section
// 4.5.3.1.5.
const maxReplyText = 400

// finishReply takes what was answered to the current command, and draws the
// consequences.
func (w *wire) finishReply() {
	if len(w.reply) == 0 {
		return
	}
	reply, code := w.reply, replyCode(w.reply)
	w.reply = nil
	if w.command.internal {
		return
	}
	switch w.command.verb {
	case "HELO", "EHLO", "LHLO":
		if code == 250 {
			w.greeted, w.esmtp = true, w.command.verb != "HELO"
			reply = w.greeting()
		}
		w.mailID = ""
	case "RSET":
		w.mailID = ""
	case "DATA":
		if code == 354 {
			w.out = append(w.out, reply...)
			w.beginBody()
			return
		}
		if code == 250 {
			w.forgive()
		}
	}
	w.judge(code, reply)
	if w.command.verb == "DATA" {
		w.mailID = ""
	}
	if code == 421 || w.failure != nil {
		w.linger = w.linger || w.failure != nil
		w.end()
	}
	if len(w.out) > 8<<10 && w.flush() != nil {
		w.end()
	}
}

// beginBody makes the bytes that follow the text of a mail.
func (w *wire) beginBody() {
	w.body = bodyFilter{}
	w.bodyEnd = time.Now().Add(w.server.config.DataTimeout)
	w.setPhase(inBody)
}

// judge sends an answer on. It logs a refusal, holds it back where there were
// many, and ends a session in which there are too many.
func (w *wire) judge(code int, reply []byte) {
	if code < 400 {
		w.out = append(w.out, reply...)
		return
	}
	first, _, _ := strings.Cut(string(reply), "\r\n")
	what := "refused"
	if code == 421 {
		what = "session ended"
	}
	w.countRefusal(code, reply)
	w.log.Info(what, "id", w.mailID, "command", w.command.forLog(), "reply", first)
	// More recipients than one transaction may have are the sender's to send
	// again (RFC 5321 section 4.5.3.1.10), not a fault.
	if code == 421 || code == 452 && w.command.verb == "RCPT" {
		w.out = append(w.out, reply...)
		return
	}
	w.refused++
	patient := code < 500 || w.tarpit() // what is put off is not the client's fault
	w.out = append(w.out, reply...)
	if (w.refused >= w.server.config.MaxRefused || !patient) && !w.ended {
		w.out = append(w.out, "421 4.7.0 too many refused commands, closing the connection\r\n"...)
		w.log.Info("session ended", "reply", "421 4.7.0 too many refused commands", "refused", w.refused)
		w.server.count(IncidentRefused)
		w.linger = true
		w.end()
	}
}

// forLog returns the command without what may be a secret: a client that does
// not know that AUTH was refused goes on to send its password.
func (c command) forLog() string {
	switch {
	case c.verb == "MAIL" || c.verb == "RCPT" || c.verb == "HELO" || c.verb == "EHLO" || c.verb == "LHLO":
		return printable(c.line, maxReplyText)
	case slices.Contains(verbs, c.verb), c.verb == "STARTTLS", c.verb == "BDAT", c.verb == "AUTH":
		return c.verb
	default:
		return ""
	}
}

// greeting is the answer to EHLO, LHLO and HELO. It replaces go-smtp's, which
// does not begin with our name as RFC 5321 section 4.1.1.1 asks, repeats the
// client's words, and offers CHUNKING.
func (w *wire) greeting() []byte {
	lines := []string{w.server.config.Hostname}
	if w.esmtp {
		lines = append(lines, "PIPELINING", fmt.Sprintf("SIZE %d", w.server.config.MaxMessageBytes))
		if w.server.tls != nil && w.tls == nil {
			lines = append(lines, "STARTTLS")
		}
		lines = append(lines, "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8",
			fmt.Sprintf("LIMITS RCPTMAX=%d", w.server.config.MaxRecipients)) // RFC 9422
	}
	var b []byte
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		b = fmt.Appendf(b, "250%s%s\r\n", separator, line)
	}
	return b
}

// replyCode reads the three digits at the start of a reply.
func replyCode(reply []byte) int {
	if len(reply) < 3 {
		return 0
	}
	return int(reply[0]-'0')*100 + int(reply[1]-'0')*10 + int(reply[2]-'0')
}

// status makes a session's answer.
func status(code int, enhanced [3]int, format string, args ...any) *smtp.SMTPError {
	return &smtp.SMTPError{
		Code:         code,
		EnhancedCode: enhanced,
		Message:      printable(fmt.Sprintf(format, args...), maxReplyText),
	}
}

// status makes the refusal an answer that is well-formed whatever it holds.
func (r *Refusal) status() *smtp.SMTPError {
	class := r.Code / 100
	if class != 4 && class != 5 {
		return status(451, [3]int{4, 3, 0}, "%s", r.Message)
	}
	enhanced := r.Enhanced
	if enhanced[0] != class {
		enhanced = [3]int{class, 0, 0}
	}
	return status(r.Code, enhanced, "%s", r.Message)
}

// printable returns at most limit bytes of s, with everything but printable
// ASCII replaced by "?".
func printable(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
