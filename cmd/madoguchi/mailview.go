package main

import (
	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
)

// mailView shows mail to the web as smtpd/mail understands it.
type mailView struct{}

var _ ui.MailView = mailView{}

// Sanitize implements ui.MailView.
func (mailView) Sanitize(html string, inlineURL, imageURL func(address string) string) ui.SafeHTML {
	safe := mail.SanitizeHTML(html, mail.SanitizeOptions{InlineURL: inlineURL, ImageURL: imageURL, RemoteImages: imageURL != nil, MarkMisleading: true})
	shown := ui.SafeHTML{HTML: safe.HTML, RemoteImages: safe.RemoteImages, Trackers: safe.Trackers}
	for _, l := range safe.Links {
		if l.Misleading {
			shown.Misleading = append(shown.Misleading, ui.MisleadingLink{Shown: l.Shown, Host: l.Host})
		}
	}
	return shown
}

// Fold implements ui.MailView.
func (mailView) Fold(text, html, newWords string) []ui.Segment {
	folded := mail.FoldMail(text, html, newWords)
	segments := make([]ui.Segment, len(folded))
	for i, s := range folded {
		segments[i] = ui.Segment{Kind: ui.SegmentKind(s.Kind.String()), Text: s.Text}
	}
	return segments
}

// Read implements ui.MailView. Of a mail of any size no more is shown than of a message.
func (mailView) Read(raw []byte) ui.Letter {
	m := mail.Parse(raw)
	shown := helpdesk.Message{From: deskAddress(m.From), To: deskAddresses(m.To), Cc: deskAddresses(m.Cc), Subject: m.Subject, Defects: m.Defects}
	body := helpdesk.Body{Text: m.Text, HTML: m.HTML, ReplyText: mail.SplitReply(m).New}
	helpdesk.Bound(&shown, &body)
	letter := ui.Letter{From: shown.From, To: shown.To, Cc: shown.Cc, Subject: shown.Subject, Date: m.Date,
		Text: body.Text, HTML: body.HTML, ReplyText: body.ReplyText, Signed: string(m.Protection.Signed), Encrypted: string(m.Protection.Encrypted), Defects: shown.Defects}
	for _, f := range m.Attachments {
		letter.Files = append(letter.Files, ui.LetterFile{Data: f.Data, Attachment: helpdesk.DescribeAttachment(f)})
	}
	return letter
}

func deskAddress(a mail.Address) helpdesk.Address {
	return helpdesk.Address{Name: a.Name, Email: a.Address}
}

func deskAddresses(list []mail.Address) (out []helpdesk.Address) {
	for _, a := range list {
		out = append(out, deskAddress(a))
	}
	return out
}
