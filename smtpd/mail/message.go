// Package mail understands and composes Internet mail: it decodes what arrives,
// however malformed, separates new words from quotes, tells people from
// machines, makes HTML safe to show, and writes the mails that go out.
//
// Everything here is pure: no network, no clock, no state. Parsing never fails;
// a mail that cannot be understood is still a Message, with its Defects named.
package mail

import "time"

// Address is a mailbox: a display name, decoded, and a bare address
// (local@domain, RFC 5322 section 3.4), kept as written except that the domain
// is in lower case.
type Address struct {
	Name    string
	Address string
}

// Message is a decoded mail. Strings are valid UTF-8 without NUL bytes; ids
// are without angle brackets.
type Message struct {
	// Header holds every field in the order received, values unfolded and decoded.
	Header []Field

	Subject string
	// From is the first usable author; Froms holds all of them, since several
	// authors are legal and several From fields are an attack.
	From    Address
	Froms   []Address
	ReplyTo []Address
	To      []Address
	Cc      []Address
	// Date is zero when the field is absent or cannot be read.
	Date       time.Time
	MessageID  string
	InReplyTo  []string
	References []string

	// Text is the decoded text part, or the text of HTML where there is none.
	Text string
	// HTML is the decoded HTML part as it came: hostile, never to be shown
	// before SanitizeHTML.
	HTML string
	// TextFromHTML says that the mail had no text part of its own.
	TextFromHTML bool
	Attachments  []Attachment
	// Calendar is the first invitation the mail carries; nil without one.
	Calendar *Invitation
	// Protection says whether the mail claims to be signed or encrypted.
	Protection Protection

	// CharsetNotes says, a line each, where the declared character set was not
	// the one used to decode.
	CharsetNotes []string
	// Defects says, a line each, what was malformed and how it was read.
	Defects []string

	// fields below are for this package's own analysis of structure.
	contentType string            // top-level media type, lower case
	parameters  map[string]string // of the top-level Content-Type
	parts       []part            // every leaf part, in order
	headerCut   bool              // a limit was met: there may be fields that were not read
}

// Field is one header field, its name as written.
type Field struct {
	Name  string
	Value string
}

// Attachment is any part with a file name, or that is no body; attached mails too,
// whose Data is again for Parse. A winmail.dat gives the files inside it instead.
type Attachment struct {
	// Filename is fit to be shown and saved under: one line, without invisible
	// characters, runs of blanks and directories.
	Filename string
	// RawFilename is the name as the sender wrote it, decoded, where that differs.
	RawFilename string
	// Risk says what opening the file can do.
	Risk        Risk
	ContentType string // media type in lower case, without parameters
	ContentID   string // without angle brackets
	Inline      bool   // Content-Disposition: inline, or referred to by the HTML
	Size        int64  // bytes, decoded
	SHA256      string // hex, of the decoded bytes
	// Data is the decoded content. It is not written to any record by this package.
	Data []byte
}

// part is a leaf of the MIME tree as the classifier needs it: delivery
// reports and returned headers are parts that no reader sees as text.
type part struct {
	contentType string
	parameters  map[string]string
	filename    string
	data        []byte // decoded transfer encoding, character set as it came
}
