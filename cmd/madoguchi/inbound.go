package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/ui"
)

// inboundTimeout is how long a mail that came over the API may take to become durable.
const inboundTimeout = 2 * time.Minute

// inbound takes a mail that a relay brings over the API, by the way of the
// listener's mails. A request that was answered before is answered the same.
func (s *server) inbound(ctx context.Context, m ui.InboundMail) (ui.InboundResult, error) {
	spooled, once, err := s.spoolInbound(m)
	if err != nil {
		return ui.InboundResult{}, err
	}
	defer spooled.Close()
	ctx, cancel := context.WithTimeout(ctx, inboundTimeout)
	defer cancel()
	if once != nil {
		receipt, answer, err := s.desk.HandedInBefore(ctx, *once)
		if err != nil {
			return ui.InboundResult{}, err
		}
		if receipt != nil {
			s.log.Info("mail over the API: repeated", "id", receipt.MessageID, "by", m.By)
			var recipients []ui.InboundRecipient
			err := json.Unmarshal(answer, &recipients)
			return inboundResult(*receipt, recipients), err
		}
	}
	desk := s.intake()
	var receipt helpdesk.Receipt
	injected, err := s.smtp.Inject(ctx, smtpd.Injection{RemoteIP: m.RemoteIP, HELO: m.HELO, MailFrom: m.From, Recipients: m.To, Mail: spooled},
		func(ctx context.Context, mail *smtpd.Mail, refused []smtpd.RefusedRecipient) (err error) {
			if once != nil {
				if once.Answer, err = json.Marshal(inboundRecipients(smtpd.Injected{ID: mail.ID, Taken: mail.Recipients, Refused: refused})); err != nil {
					return err
				}
			}
			receipt, err = desk.receive(ctx, mail, once)
			return err
		})
	var refusal *smtpd.Refusal
	var used *helpdesk.Error
	switch {
	case errors.As(err, &refusal):
		injected.Taken, injected.Refused = nil, nil
		for _, address := range m.To {
			injected.Refused = append(injected.Refused, smtpd.RefusedRecipient{Address: address, Refusal: *refusal})
		}
	case errors.As(err, &used) && used.Code == helpdesk.CodeConflict:
		return ui.InboundResult{}, err
	case err != nil:
		s.log.Error("mail over the API: temporary failure", "id", injected.ID, "error", err)
		return ui.InboundResult{}, fmt.Errorf("take mail %s: %w", injected.ID, err)
	}
	s.log.Info("mail over the API", "id", injected.ID, "from", m.From, "taken", len(injected.Taken), "refused", len(injected.Refused), "size", spooled.Size())
	return inboundResult(receipt, inboundRecipients(injected)), nil
}

// spoolInbound keeps a mail while it arrives, and says what the request is known by;
// nil where it has no key.
func (s *server) spoolInbound(m ui.InboundMail) (*smtpd.Spooled, *helpdesk.HandedIn, error) {
	digest := sha256.New()
	fmt.Fprintf(digest, "%q %q %q %s\n", m.From, m.To, m.HELO, m.RemoteIP)
	spooled, err := s.smtp.Spool(io.TeeReader(m.Raw, digest))
	if err != nil {
		s.log.Error("mail over the API: it did not arrive", "by", m.By, "error", err)
		return nil, nil, err
	}
	if m.Key == "" {
		return spooled, nil, nil
	}
	return spooled, &helpdesk.HandedIn{By: m.By, Key: m.Key, Digest: hex.EncodeToString(digest.Sum(nil))}, nil
}

// inboundRecipients says of each recipient what SMTP would have answered.
func inboundRecipients(injected smtpd.Injected) (list []ui.InboundRecipient) {
	for _, address := range injected.Taken {
		list = append(list, ui.InboundRecipient{Address: address, Code: 250, Status: "2.0.0", Message: "queued as " + injected.ID})
	}
	for _, r := range injected.Refused {
		e := r.Refusal.Enhanced
		list = append(list, ui.InboundRecipient{Address: r.Address, Code: r.Refusal.Code, Status: fmt.Sprintf("%d.%d.%d", e[0], e[1], e[2]), Message: r.Refusal.Message})
	}
	return list
}

func inboundResult(r helpdesk.Receipt, recipients []ui.InboundRecipient) ui.InboundResult {
	return ui.InboundResult{Message: r.MessageID, Ticket: r.Ticket, State: r.State, Duplicate: r.Duplicate, Recipients: recipients}
}
