package main

import (
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
)

// mailView shows mail to the web as smtpd/mail understands it.
type mailView struct{}

var _ ui.MailView = mailView{}

// Sanitize implements ui.MailView.
func (mailView) Sanitize(html string, inlineURL func(contentID string) string, remoteImages bool) (string, int) {
	safe := mail.SanitizeHTML(html, mail.SanitizeOptions{InlineURL: inlineURL, RemoteImages: remoteImages})
	return safe.HTML, safe.RemoteImages
}

// Fold implements ui.MailView.
func (mailView) Fold(text string) []ui.Segment {
	folded := mail.FoldText(text)
	segments := make([]ui.Segment, len(folded))
	for i, s := range folded {
		segments[i] = ui.Segment{Kind: ui.SegmentKind(s.Kind.String()), Text: s.Text}
	}
	return segments
}
