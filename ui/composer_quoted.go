package ui

import (
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// quotedView is the mail that stands below a reply, folded.
type quotedView struct{ Who, When, Text string }

// maxQuotedShown is in characters: whoever quotes has the mail above.
const maxQuotedShown = 1500

func (v *visit) quoted(m helpdesk.MessageView) *quotedView {
	text := strings.TrimSpace(m.Body.Text)
	if text == "" {
		return nil
	}
	if runes := []rune(text); len(runes) > maxQuotedShown {
		text = string(runes[:maxQuotedShown]) + "…"
	}
	who := m.Message.From.Email
	if m.Message.From.Name != "" {
		who = v.T("person.customer", m.Message.From.Name)
	}
	return &quotedView{Who: who, When: v.Long(m.Message.At), Text: text}
}
