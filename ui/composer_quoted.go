package ui

import (
	"context"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// quotedView is the mail that stands below a reply, folded.
type quotedView struct{ Who, When, Text string }

// maxQuotedShown is in characters: whoever quotes has the mail above.
const maxQuotedShown = 1500

// quoted is a message of an outline as it can be quoted, nil where it says nothing.
func (s *Server) quoted(ctx context.Context, v *visit, t *helpdesk.TicketView, m *helpdesk.MessageView) (*quotedView, error) {
	if err := s.desk.ReadBodies(ctx, v.actor(), t, func(other *helpdesk.MessageView) bool { return other == m }); err != nil {
		return nil, err
	}
	text := strings.TrimSpace(m.Body.Text)
	if text == "" {
		return nil, nil
	}
	if runes := []rune(text); len(runes) > maxQuotedShown {
		text = string(runes[:maxQuotedShown]) + "…"
	}
	who := m.Message.From.Email
	if m.Message.From.Name != "" {
		who = customerCalled(v.Printer, m.Message.From.Name)
	}
	return &quotedView{Who: who, When: v.Long(m.Message.At), Text: text}, nil
}
