package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

// intake hands the listener's mails to the desk.
type intake struct {
	desk     *helpdesk.Desk
	hostname string
	running  func() *config
	log      *slog.Logger
	count    func(smtpd.Incident)
}

var _ smtpd.Handler = intake{}

func (s *server) intake() intake {
	return intake{desk: s.desk, hostname: s.config.hostname(), running: s.running.Load, log: s.log, count: s.metrics.incident}
}

// Recipient implements smtpd.Handler.
func (i intake) Recipient(ctx context.Context, _, address string) error {
	_, err := i.ours(ctx, address)
	var refused *helpdesk.RecipientError
	if errors.As(err, &refused) && i.isPostmaster(address) {
		// Every server has to take mail for its postmaster (RFC 5321, section 4.5.1),
		// and here no alias is there yet that it could go to.
		return &smtpd.Refusal{Code: 450, Enhanced: [3]int{4, 3, 5}, Message: "no address takes mail here yet, please try again later", Reason: smtpd.ReasonTemporary}
	}
	if refused != nil && refused.Problem == helpdesk.RecipientExpired && i.desk.ClockDoubted().After(time.Now()) {
		return &smtpd.Refusal{Code: 450, Enhanced: [3]int{4, 3, 5}, Message: "this server's clock may be wrong, please try again later", Reason: smtpd.ReasonTemporary}
	}
	return refusal(err)
}

// isPostmaster reports whether an address is that of the postmaster of the server itself.
func (i intake) isPostmaster(address string) bool {
	return strings.EqualFold(address, "postmaster") || strings.EqualFold(address, "postmaster@"+i.hostname)
}

// ours is the address under which the desk takes mail to address. The
// postmaster of the server itself is the house's (RFC 5321, section 4.5.1).
func (i intake) ours(ctx context.Context, address string) (string, error) {
	err := i.desk.Recipient(ctx, address)
	var refused *helpdesk.RecipientError
	if errors.As(err, &refused) && strings.EqualFold(address, "postmaster@"+i.hostname) {
		address = "postmaster"
		err = i.desk.Recipient(ctx, address)
	}
	if refused != nil && err != nil {
		if itself, failed := i.desk.IsSelfTest(ctx, address); itself || failed != nil {
			err = failed
		}
	}
	return address, err
}

// Deliver implements smtpd.Handler: nil only once the mail is durable.
func (i intake) Deliver(ctx context.Context, m *smtpd.Mail) error {
	_, err := i.receive(ctx, m, nil)
	return err
}

// receive hands a mail to the desk, with the key of the request that brings it or
// nil; its error is as Deliver's.
func (i intake) receive(ctx context.Context, m *smtpd.Mail, once *helpdesk.HandedIn) (helpdesk.Receipt, error) {
	recipients := make([]string, 0, len(m.Recipients))
	for _, address := range m.Recipients {
		if strings.EqualFold(address, "postmaster@"+i.hostname) { // all others are taken as they are
			ours, err := i.ours(ctx, address)
			var refused *helpdesk.RecipientError
			if err != nil && !errors.As(err, &refused) {
				return helpdesk.Receipt{}, err
			}
			address = ours
		}
		recipients = append(recipients, address)
	}
	in := helpdesk.Incoming{
		ID:             m.ID,
		Raw:            m.Raw,
		Message:        m.Message,
		ReceivedAt:     m.ReceivedAt,
		Authentication: authentication(m.Verdict, i.hostname),
		HandedIn:       once,
		Envelope: helpdesk.Envelope{
			RemoteIP:   remoteIP(m),
			HELO:       m.HELO,
			MailFrom:   m.MailFrom,
			Recipients: recipients,
			TLS:        m.TLS,
			Protocol:   m.Protocol,
			Received:   m.Received,
		},
	}
	if itself, err := i.takeItself(ctx, recipients, in); itself || err != nil {
		return helpdesk.Receipt{}, refusal(err)
	}
	if err := i.filter(ctx, m, &in); err != nil {
		return helpdesk.Receipt{}, err
	}
	receipt, err := i.desk.Receive(ctx, in)
	if err == nil {
		i.log.InfoContext(ctx, "mail stored", "id", m.ID, "message_id", messageID(m), "ticket", receipt.Ticket, "state", receipt.State, "reason", receipt.Reason, "duplicate", receipt.Duplicate,
			"spf", m.Verdict.SPF.Result, "dkim", len(m.Verdict.DKIM), "dmarc", m.Verdict.DMARC.Result, "arc", m.Verdict.ARC)
	}
	return receipt, refusal(err)
}

// maxLoggedID is how much of a Message-ID a line of the log has, in bytes; those of the wild
// are a quarter of it.
const maxLoggedID = 400

// messageID is what the sender's own log calls the mail.
func messageID(m *smtpd.Mail) string {
	if m.Message == nil {
		return ""
	}
	return strings.ToValidUTF8(m.Message.MessageID[:min(len(m.Message.MessageID), maxLoggedID)], "")
}

func remoteIP(m *smtpd.Mail) string {
	if !m.RemoteIP.IsValid() {
		return ""
	}
	return m.RemoteIP.String()
}

// refusal gives what the desk refuses for good its SMTP reply. Everything else
// stays as it is, and the listener answers 451.
func refusal(err error) error {
	var policy *helpdesk.PolicyError
	if errors.As(err, &policy) {
		return &smtpd.Refusal{Code: 550, Enhanced: [3]int{5, 7, 26}, Message: policy.Error(), Reason: smtpd.ReasonPolicy} // RFC 7372, section 3.3
	}
	var refused *helpdesk.RecipientError
	if !errors.As(err, &refused) {
		return err
	}
	enhanced, reason := [3]int{5, 1, 1}, smtpd.ReasonUnknown // bad destination mailbox address (RFC 3463, section 3.2)
	switch refused.Problem {
	case helpdesk.RecipientDisabled:
		enhanced, reason = [3]int{5, 2, 1}, smtpd.ReasonDisabled // mailbox disabled
	case helpdesk.RecipientExpired:
		reason = smtpd.ReasonExpired
	}
	return &smtpd.Refusal{Code: 550, Enhanced: enhanced, Message: refused.Error(), Reason: reason}
}

// authentication puts a verdict into the desk's words.
func authentication(v auth.Verdict, hostname string) helpdesk.Authentication {
	a := helpdesk.Authentication{
		SPF:       helpdesk.AuthResult{Result: string(v.SPF.Result), Domain: v.SPF.Domain, Reason: v.SPF.Reason},
		DMARC:     helpdesk.AuthResult{Result: string(v.DMARC.Result), Domain: v.DMARC.Domain, Reason: v.DMARC.Reason},
		ARC:       v.ARC,
		Policy:    v.DMARC.Policy,
		AlignedBy: v.DMARC.AlignedBy,
		Forwarder: v.Forwarder,
		Results:   v.AuthenticationResults(hostname),
	}
	for _, signature := range v.DKIM {
		a.DKIM = append(a.DKIM, helpdesk.AuthResult{Result: string(signature.Result), Domain: signature.Domain, Reason: signature.Reason})
	}
	return a
}
