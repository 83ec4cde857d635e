package helpdesk

import (
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// Attachment describes a file of a message; its bytes are read from the raw
// source.
type Attachment struct {
	Filename    string
	ContentType string
	ContentID   string
	Inline      bool
	Size        int64
	SHA256      string
	// Risk says what opening the file can do: "executable" runs, "macro" is a
	// document that carries a program; "" is neither. It is no virus check.
	Risk string `cbor:",omitempty"`
	// RawFilename is the name as the sender wrote it, where Filename was cleaned
	// of directories, invisible characters and the like; else "".
	RawFilename string `cbor:",omitempty"`
}

// SavedAs is what the file at index is saved as: its name, or a number with the extension by which programs open files of
// its type.
func (a Attachment) SavedAs(index int) string {
	if a.Filename != "" {
		return a.Filename
	}
	return fmt.Sprintf("attachment-%d%s", index+1, mail.FileExtension(a.ContentType))
}

// DescribeAttachment says of a file in a parsed mail what a record keeps of it.
func DescribeAttachment(f mail.Attachment) Attachment {
	name := f.Filename
	if len(name) > maxFileName {
		name = fileName(name)
	}
	return Attachment{Filename: name, ContentType: clip(f.ContentType), ContentID: clip(f.ContentID), Inline: f.Inline,
		Size: f.Size, SHA256: f.SHA256, Risk: string(f.Risk), RawFilename: clip(f.RawFilename)}
}

// Invitation is the first event of a calendar that a mail carries (RFC 5545,
// RFC 5546), as far as it is shown. Nothing here answers one.
type Invitation struct {
	// Method is what the mail wants, in upper case: REQUEST, REPLY, CANCEL, …
	Method   string
	UID      string
	Sequence int
	Summary  string
	Location string
	Status   string // TENTATIVE, CONFIRMED, CANCELLED or ""

	// Start and End are moments, End zero where none is given; of an event of
	// whole days midnights in UTC, End the day after the last. Of one without a
	// zone (Floating) they are the same clock time everywhere, in UTC.
	Start, End time.Time
	AllDay     bool
	Floating   bool
	Zone       string // as the sender wrote it
	Recurrence string // RFC 5545 section 3.3.10

	Organizer Address
	Attendees []Attendee
}

// Attendee is a person invited.
type Attendee struct {
	Address
	Participation string // NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE or DELEGATED
	Optional      bool
}

// Cancelled reports whether the event will not take place.
func (i *Invitation) Cancelled() bool { return i.Method == "CANCEL" || i.Status == "CANCELLED" }

// maxInvitationText bounds each text of an invitation, in bytes. The whole is
// in the source, and the calendar itself is an attachment.
const maxInvitationText = 2000

// addSpecialParts notes the files of a mail, its protection and its invitation.
func (m *Message) addSpecialParts(parsed *mail.Message) {
	m.Attachments, m.Invitation = nil, nil
	for _, f := range parsed.Attachments {
		m.Attachments = append(m.Attachments, DescribeAttachment(f))
	}
	m.Signed, m.Encrypted = string(parsed.Protection.Signed), string(parsed.Protection.Encrypted)
	if c := parsed.Calendar; c != nil {
		m.Invitation = invitation(c)
	}
}

func invitation(c *mail.Invitation) *Invitation {
	i := &Invitation{Method: clip(c.Method), UID: clip(c.UID), Sequence: c.Sequence, Summary: clip(c.Summary), Location: clip(c.Location),
		Status: clip(c.Status), Start: storable(c.Start).UTC(), End: storable(c.End).UTC(), AllDay: c.AllDay, Floating: c.Floating,
		Zone: clip(c.Zone), Recurrence: clip(c.Recurrence), Organizer: clipped(c.Organizer)}
	for _, a := range c.Attendees {
		i.Attendees = append(i.Attendees, Attendee{clipped(a.Address), clip(a.Participation), a.Optional})
	}
	return i
}

func clipped(a mail.Address) Address {
	a = mail.Address{Name: clip(a.Name), Address: clip(a.Address)}
	return lowered(a)
}

// clip shortens a text to what an invitation keeps of it, and says so.
func clip(text string) string {
	if len(text) <= maxInvitationText {
		return text
	}
	return strings.ToValidUTF8(text[:maxInvitationText], "") + "…"
}
