package main

import (
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
)

// mailView shows mail to the web as smtpd/mail understands it.
type mailView struct{}

var _ ui.MailView = mailView{}

// Sanitize implements ui.MailView.
func (mailView) Sanitize(html string, inlineURL, imageURL func(address string) string) ui.SafeHTML {
	safe := mail.SanitizeHTML(html, mail.SanitizeOptions{InlineURL: inlineURL, ImageURL: imageURL, RemoteImages: imageURL != nil, MarkMisleading: true})
	shown := ui.SafeHTML{HTML: safe.HTML, RemoteImages: safe.RemoteImages}
	for _, l := range safe.Links {
		if l.Misleading {
			shown.Misleading = append(shown.Misleading, ui.MisleadingLink{Shown: l.Shown, Host: l.Host})
		}
	}
	return shown
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
