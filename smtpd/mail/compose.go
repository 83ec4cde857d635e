package mail

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Draft is a mail to be composed. Text is UTF-8. There is no Bcc: who receives a
// copy unseen is a matter of the envelope.
type Draft struct {
	From    Address
	ReplyTo Address // optional: zero for none
	To, Cc  []Address
	Subject string
	Date    time.Time // required
	// MessageID, InReplyTo and References are without angle brackets. MessageID is
	// required; ids of other people's mails that cannot be written are left out.
	MessageID  string
	InReplyTo  string
	References []string
	// Text and HTML are the two forms of the body; each is made from the other
	// where it is empty. HTML is sent as it is.
	Text string
	HTML string
	// Attachments need ContentType and Data, and get a name where they have no Filename; one with Inline and a
	// ContentID is an image of the HTML.
	Attachments []Attachment
	// Header holds further fields, such as Auto-Submitted; not those that Compose
	// writes itself.
	Header []Field
}

// maxReferences is how many ids of a long thread are kept, besides the first.
const maxReferences = 20

// Compose writes a mail: 7-bit lines of at most 998 bytes ended by CR LF, folded
// at 76 (RFC 5322, section 2.1.1), a multipart/alternative of plain text and HTML,
// in multipart/related with inline images and in multipart/mixed with attachments.
// Only a non-ASCII local part of an address makes 8-bit header lines (RFC 6532).
// The same draft gives the same bytes.
//
// An error names the field that cannot be written. Line ends and control
// characters are refused in addresses, ids and further fields, and become spaces
// in the subject and in names, so no field can be smuggled in.
func Compose(d Draft) ([]byte, error) {
	fields, err := d.header()
	if err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	root, err := d.body()
	if err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	root.fields = append(fields, root.fields...)
	var out bytes.Buffer
	if err := root.write(&out); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	return out.Bytes(), nil
}

func (d Draft) header() ([]string, error) {
	var h headerWriter
	h.addresses("From", d.From)
	if d.ReplyTo.Address != "" {
		h.addresses("Reply-To", d.ReplyTo)
	}
	h.addresses("To", d.To...)
	h.addresses("Cc", d.Cc...)
	if len(d.To) == 0 && len(d.Cc) == 0 {
		h.fail("To", errors.New("there is no recipient; give at least one address"))
	}
	h.unstructured("Subject", d.Subject)
	if d.Date.IsZero() {
		h.fail("Date", errors.New("it is missing; give the time of sending"))
	}
	h.tokens("Date", d.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	if !IsID(d.MessageID) {
		h.fail("Message-ID", fmt.Errorf("%q is not an id such as 01J8@example.com", d.MessageID))
	}
	h.tokens("Message-ID", "<"+d.MessageID+">")
	h.ids("In-Reply-To", d.InReplyTo)
	h.ids("References", d.references()...)
	for _, field := range d.Header {
		h.further(field)
	}
	h.tokens("MIME-Version", "1.0")
	return h.fields, h.err
}

// references are the ids of the thread, the parent last, shortened in the middle
// (RFC 5322, section 3.6.4 asks for all; a line too many makes servers refuse).
func (d Draft) references() []string {
	given := append(slices.Clone(d.References), d.InReplyTo)
	first := slices.IndexFunc(given, IsID)
	if first < 0 {
		return nil
	}
	var newest []string
	for _, id := range slices.Backward(given[first+1:]) { // from the end: a stranger may have given very many
		if len(newest) == maxReferences {
			break
		}
		if IsID(id) && id != given[first] && !slices.Contains(newest, id) {
			newest = append(newest, id)
		}
	}
	slices.Reverse(newest)
	return append(given[first:first+1:first+1], newest...)
}

// IsID reports whether Compose writes an id, of a mail or of one of its parts, between angle brackets: other programs'
// ids are often not of RFC 5322's form (section 3.6.4), but must not break the line.
func IsID(id string) bool {
	if id == "" || len(id) > 900 {
		return false
	}
	return !strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c >= 0x7F || c == '<' || c == '>' })
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c >= 0x80 })
}

// ownFields are written by Compose from the draft, or must never be written.
var ownFields = regexp.MustCompile(`^(?i:from|sender|reply-to|to|cc|bcc|subject|date|message-id|in-reply-to|references|mime-version|content-.*|return-path|received|dkim-signature)$`)
