package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
	"github.com/madoguchi/madoguchi/ui"
)

// inbound takes a mail that a relay brings over the API, by the way of the
// listener's mails.
func (s *server) inbound(ctx context.Context, m ui.InboundMail) (ui.InboundResult, error) {
	desk := s.intake()
	var receipt helpdesk.Receipt
	injected, err := s.smtp.Inject(ctx, smtpd.Injection{RemoteIP: m.RemoteIP, HELO: m.HELO, MailFrom: m.From, Recipients: m.To, Raw: m.Raw},
		func(ctx context.Context, m *smtpd.Mail) (err error) {
			receipt, err = desk.receive(ctx, m)
			return err
		})
	var refusal *smtpd.Refusal
	switch {
	case errors.As(err, &refusal):
		injected.Taken, injected.Refused = nil, nil
		for _, address := range m.To {
			injected.Refused = append(injected.Refused, smtpd.RefusedRecipient{Address: address, Refusal: *refusal})
		}
	case err != nil:
		s.log.Error("mail over the API: temporary failure", "id", injected.ID, "error", err)
		return ui.InboundResult{}, fmt.Errorf("take mail %s: %w", injected.ID, err)
	}
	result := ui.InboundResult{Message: receipt.MessageID, Ticket: receipt.Ticket, State: receipt.State, Duplicate: receipt.Duplicate}
	for _, address := range injected.Taken {
		result.Recipients = append(result.Recipients, ui.InboundRecipient{Address: address, Code: 250, Status: "2.0.0", Message: "queued as " + injected.ID})
	}
	for _, r := range injected.Refused {
		e := r.Refusal.Enhanced
		result.Recipients = append(result.Recipients, ui.InboundRecipient{Address: r.Address, Code: r.Refusal.Code,
			Status: fmt.Sprintf("%d.%d.%d", e[0], e[1], e[2]), Message: r.Refusal.Message})
	}
	s.log.Info("mail over the API", "id", injected.ID, "from", m.From, "taken", len(injected.Taken), "refused", len(injected.Refused), "size", len(m.Raw))
	return result, nil
}
