package helpdesk

import "context"

// Snippet is what the list shows of a text.
func Snippet(text string) string { return snippet(text) }

// ForgetSpecialParts makes of a message's record what a version stored that knew
// of no risk, no name as written and no invitation.
func (d *Desk) ForgetSpecialParts(ctx context.Context, messageID string) error {
	return d.update(ctx, System("test"), func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if err != nil {
			return err
		}
		m.Invitation = nil
		for i := range m.Attachments {
			m.Attachments[i].Risk, m.Attachments[i].RawFilename = "", ""
		}
		return messages.Put(c, m)
	})
}

// ClonedRecords are records, each with the copy that its table would remember of it.
func ClonedRecords(a *Alias, p *Pipeline) map[any]any {
	l := &ledger{Refused: map[RefusalReason]int{"": 1}}
	return map[any]any{a: a.clone(), p: p.clone(), l: l.clone()}
}
