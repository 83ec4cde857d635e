package helpdesk

import (
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// forModel are the new words of a mail as a person sees them: what HTML hides by
// a class or by its colour would be orders to a model that nobody notices.
func (b *Body) forModel() string {
	seen, unseen := mail.WithoutUnseen(b.HTML)
	if !unseen || !b.fromHTML() {
		return b.newWords()
	}
	m := &mail.Message{HTML: seen, Text: mail.TextFromHTML(seen), TextFromHTML: true}
	shown := Body{Text: m.Text, ReplyText: mail.SplitReply(m).New}
	return shown.newWords()
}

// fromHTML reports whether the text was made of the HTML. Of what was too long to
// be kept, the beginnings are compared.
func (b *Body) fromHTML() bool {
	const enough = 1000
	text := mail.TextFromHTML(b.HTML)
	return b.Text == text || len(b.HTML) > maxBodyText/2 && strings.HasPrefix(b.Text, strings.ToValidUTF8(text[:min(enough, len(text))], ""))
}
