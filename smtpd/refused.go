package smtpd

import (
	"bytes"
	"slices"
	"time"
)

// Reason says in one word why something was refused, for those who count.
type Reason string

// The reasons. A Handler may give others in Refusal.Reason.
const (
	ReasonUnknown    Reason = "unknown_recipient"
	ReasonExpired    Reason = "expired_address"
	ReasonDisabled   Reason = "disabled_recipient"
	ReasonAddress    Reason = "malformed_address"
	ReasonSize       Reason = "too_large"
	ReasonForm       Reason = "malformed_mail"
	ReasonLoop       Reason = "loop"
	ReasonPolicy     Reason = "policy"
	ReasonPutOff     Reason = "put_off"
	ReasonRecipients Reason = "too_many"
	ReasonSessions   Reason = "sessions"
	ReasonBrokenOff  Reason = "broken_off"
	ReasonNoSpace    Reason = "no_space"
	ReasonTemporary  Reason = "temporary"
	ReasonOther      Reason = "other"
)

// reasonTable tells the reason of a reply from its codes (RFC 5321, RFC 3463); the first
// line that fits counts.
var reasonTable = []struct {
	code     int
	enhanced string // its beginning
	reason   Reason
}{
	{550, "5.1.1", ReasonUnknown},
	{550, "5.2.1", ReasonDisabled},
	{552, "5.3.4", ReasonSize},
	{553, "", ReasonAddress},
	{501, "5.1", ReasonAddress},
	{554, "5.6.0", ReasonForm},
	{554, "5.4.6", ReasonLoop},
	{452, "4.5.3", ReasonRecipients},
	{452, "4.3.1", ReasonNoSpace},
	{421, "4.4.2", ReasonBrokenOff},
	{421, "4.3.2", ReasonSessions},
	{421, "4.7.0", ReasonSessions},
	{550, "5.7", ReasonPolicy},
	{554, "5.7", ReasonPolicy},
	{450, "4.7", ReasonPutOff},
	{451, "4.7", ReasonPutOff},
	{451, "", ReasonTemporary},
}

// reasonOf is the reason of a reply that refuses.
func reasonOf(code int, reply []byte) Reason {
	enhanced := reply[min(4, len(reply)):]
	for _, line := range reasonTable {
		if line.code == code && bytes.HasPrefix(enhanced, []byte(line.enhanced)) {
			return line.reason
		}
	}
	return ReasonOther
}

// countRefusal tells Config.Refused of a reply to what asks us to take mail. Other
// commands that fail are no mail.
func (w *wire) countRefusal(code int, reply []byte) {
	reason := w.reason
	w.reason = ""
	if !slices.Contains([]string{"MAIL", "RCPT", "DATA"}, w.command.verb) {
		return
	}
	if code == 503 { // commands in a wrong order
		return
	}
	if reason == "" {
		reason = reasonOf(code, reply)
	}
	w.server.turned.note(w.remote, reason, time.Now())
	if refused := w.server.config.Refused; refused != nil {
		refused(reason)
	}
}
