package helpdesk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// identity recognises a mail that arrives again, perhaps by another way: the
// trace fields differ, what its author wrote does not. Machines write mails that
// say neither who they are nor when: an alarm that comes again next month in the
// same words is a new one, so such a mail is told by its way, and one without a
// way by the id under which it is kept: rather twice than never.
func identity(m *mail.Message, raw []byte, id string) string {
	_, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		body = raw
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n", m.MessageID, strings.ToLower(m.From.Address), m.Date.UTC().Format(time.RFC3339), m.Subject)
	h.Write(body)
	if m.MessageID == "" && m.Date.IsZero() {
		traced := false
		for _, f := range m.Header {
			if strings.EqualFold(f.Name, "Received") {
				traced = true
				fmt.Fprintf(h, "\n%s", f.Value)
			}
		}
		if !traced {
			fmt.Fprintf(h, "\n%s", id)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sameMail is the message that a mail of an identity is another arrival of, nil
// for none.
func sameMail(r store.Reader, identity string) (*Message, error) {
	return optional(messages.First(r, "identity", identityKey(identity)))
}
