package helpdesk

import (
	"fmt"
	"slices"
	"strings"
)

// What is kept decoded of a mail, so that one of a stranger's cannot fill the
// lists and pages in which it stands. The whole stays in the source, and the mail
// says what was left out. Sizes are in bytes.
const (
	maxBodyText = 1 << 20
	maxHeading  = 2000 // of a subject
	maxName     = 400  // of an address
	maxEmail    = 1000 // mail can be sent to 254
	maxID       = 998  // of a mail: a line of a header holds no longer one (RFC 5322, section 2.1.1)
	maxListed   = 500  // addresses of one field
)

// Bound shortens a mail to what is shown of one, and names in its Defects what is not
// whole: for mails that are shown without being stored, such as attached ones.
func Bound(m *Message, b *Body) {
	m.bound()
	b.bound(m)
}

func (b *Body) bound(m *Message) {
	m.shorten("text", &b.Text, maxBodyText)
	m.shorten("HTML", &b.HTML, maxBodyText)
	m.shorten("new words", &b.ReplyText, maxBodyText)
}

// bound shortens what lists and pages show of a mail.
func (m *Message) bound() {
	m.shorten("subject", &m.Subject, maxHeading)
	m.shorten("sender's name", &m.From.Name, maxName)
	m.shorten("sender's address", &m.From.Email, maxEmail)
	m.shorten("address for answers", &m.ReplyTo, maxEmail)
	m.To, m.Cc = m.boundList("To", m.To), m.boundList("Cc", m.Cc)
	if len(m.MessageID) > maxID {
		m.Defects = append(m.Defects, fmt.Sprintf("the Message-ID of %d bytes is not kept; a line holds %d", len(m.MessageID), maxID))
		m.MessageID = ""
	}
	m.InReplyTo, m.References = boundedReferences(m.InReplyTo), boundedReferences(m.References)
}

func (m *Message) boundList(field string, list []Address) []Address {
	if len(list) > maxListed {
		m.Defects = append(m.Defects, fmt.Sprintf("of the %d addresses under %s the first %d are shown; all are in the source", len(list), field, maxListed))
		list = slices.Clone(list[:maxListed])
	}
	for i := range list {
		m.shorten("name of an address", &list[i].Name, maxName)
		m.shorten("address", &list[i].Email, maxEmail)
	}
	return list
}

func (m *Message) shorten(name string, text *string, limit int) {
	if len(*text) > limit {
		m.Defects = append(m.Defects, fmt.Sprintf("the %s of %d bytes is shown up to %d bytes; the whole is in the source", name, len(*text), limit))
		*text = strings.ToValidUTF8((*text)[:limit], "")
	}
}
