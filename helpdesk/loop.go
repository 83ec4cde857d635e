package helpdesk

import (
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// What leaves by itself says so (automatic.go), and programs that read it do not
// answer. Some do not read it, or stand behind something that takes it off, and
// write as a person would. Mail to an agent's own mailbox is where that can go on
// without end: what comes back is a new mail, of which the agent has to be told.
// So a chain ends here by what does not depend on anybody's header.

// loopField is in each notice that we mail (RFC 3834 has nothing for it): another
// house like this one must not tell its people of it by mail, or two whose people
// have each other's addresses would tell each other for ever.
const loopField = "X-Madoguchi-Loop"

// isNotice reports whether a mail is a notice that a house like this one mailed.
func isNotice(m *mail.Message) bool {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, loopField) {
			return true
		}
	}
	return false
}

// subjectOf is the message that a notice is about: the newest, or else the first of
// its ticket; nil where there is none.
func subjectOf(r store.Reader, n *Notice) (*Message, error) {
	if n.Message != "" {
		if m, err := optional(messages.Get(r, key(n.Message))); m != nil || err != nil {
			return m, err
		}
	}
	if n.Ticket == 0 {
		return nil, nil
	}
	about, err := messagesOf(r, n.Ticket)
	if err != nil || len(about) == 0 {
		return nil, err
	}
	return about[0], nil
}

// echoes reports whether to mail a notice would be the next link of a chain: it is
// about another house's notice, or about what its own user's mailbox has sent.
// What a colleague causes is none.
func (n *Notice) echoes(about *Message, user *User) bool {
	if about == nil || about.Direction != Inbound || n.By.Kind == ActorUser {
		return false
	}
	return about.Notice || n.By.Kind == ActorCustomer && mailboxOf(about.From.Email) == mailboxOf(user.Email)
}

const (
	// copiesPerHour is how many mails of one sender are copied to one mailbox.
	copiesPerHour = 60
	// noticesPerDay is how many notices about one sender's mails are mailed to one
	// user. They leave three minutes after what they tell of, so that an hour would
	// be too short to see that they go round.
	noticesPerDay = 50
	// relaysPerHour is how many mails of one agent become replies on one ticket.
	relaysPerHour = 10
)

func copyLimit(recipient string, m *Message) []automaticLimit {
	return []automaticLimit{{"copy:" + mailboxOf(recipient) + " of " + withoutSubaddress(m.From.Email), copiesPerHour, time.Hour}}
}

// noticeLimit is none for what a colleague causes.
func (n *Notice) noticeLimit(about *Message, user *User) []automaticLimit {
	if about == nil || about.Direction != Inbound || n.By.Kind == ActorUser {
		return nil
	}
	return []automaticLimit{{"notice:" + mailboxOf(user.Email) + " about " + withoutSubaddress(about.From.Email), noticesPerDay, 24 * time.Hour}}
}

// limitRelay refuses an agent's mail on a ticket where the agent's mailbox seems to
// write by itself: more in an hour than a person does.
func (c *command) limitRelay(number uint64, author *User) error {
	refusal, err := c.limitAutomatic([]automaticLimit{{fmt.Sprintf("relay:%s on #%d", mailboxOf(author.Email), number), relaysPerHour, time.Hour}})
	if err == nil && refusal != nil {
		err = conflict("relay_often", "more than %d of them on one ticket in an hour: is it an automatic answer?", relaysPerHour)
	}
	return err
}

// relayRepeats refuses words that the same agent sent on a ticket before, since
// programs repeat themselves.
func relayRepeats(r store.Reader, number uint64, author *User, text string, now time.Time) error {
	thread, err := messagesOf(r, number)
	if err != nil {
		return err
	}
	for _, m := range thread {
		if m.Direction != Outbound || m.AuthorID != author.ID || now.Sub(m.At).Abs() >= 24*time.Hour {
			continue
		}
		body, err := optional(bodies.Get(r, key(m.ID)))
		if err != nil {
			return err
		}
		if body != nil && sameWords(body.ReplyText, text) {
			return conflict("relay_repeats", "the same words have left for the customer before: is it an automatic answer?")
		}
	}
	return nil
}

func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

// withoutSubaddress is the mailbox behind an address (RFC 5233), in lower case: a
// program that writes from another "desk+12@…" for each of its tickets is one.
func withoutSubaddress(email string) string {
	email = mailboxOf(email)
	local, domain, found := cutLast(email, "@")
	if i := strings.IndexByte(local, '+'); found && i > 0 {
		return local[:i] + "@" + domain
	}
	return email
}
