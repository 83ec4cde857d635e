package mail

import (
	"strings"
)

// Classification says what kind of mail a Message is: whether a person wrote
// it, and whether it may be answered automatically.
type Classification struct {
	// AutoReply: a program answered, such as an absence note (RFC 3834).
	AutoReply bool
	// Bounce: a mail could not be delivered, or not yet; Bounces says which.
	Bounce bool
	// Report: a program reports something else: abuse (RFC 5965), a read
	// receipt (RFC 8098), a delivery that succeeded, DMARC or TLS statistics.
	Report bool
	// List: a mailing list or a bulk mailer sent it (RFC 2919, RFC 2369).
	List bool
	// SuppressAutoReply: nothing automatic may answer this mail.
	SuppressAutoReply bool
	Bounces           []Bounce
	// Reason names what decided, for the reader of a log or a timeline; empty
	// for the mail of a person.
	Reason string
}

// Bounce is the fate of one recipient.
type Bounce struct {
	// Recipient is a bare address, or what the report gives in its place.
	Recipient string
	// Status is an enhanced status code (RFC 3463) such as 5.1.1. Where the
	// report has none it is made from the SMTP reply or from the words.
	Status string
	// Action is "failed" or "delayed" (RFC 3464 section 2.3.3).
	Action string
	// Reason is what the server said, in one line of at most maxReason bytes.
	Reason string
}

// Classify decides what kind of mail m is. Header fields weigh more than words:
// a customer who writes about automatic replies is still a customer.
//
// nullSender says that its envelope had an empty sender, as that of a mail has which
// must not be answered (RFC 5321 section 4.5.5). A mail that comes by SMTP does not
// say so itself: the Return-Path field is written where it is delivered in the end.
func Classify(m *Message, nullSender bool) Classification {
	fields := indexFields(m.Header)
	if nullSender {
		fields["return-path"] = append(fields["return-path"], "<>")
	}
	subject := titleOf(m)
	c := Classification{}
	if bounces, reason := findBounces(m, fields); len(bounces) > 0 {
		c.Bounce, c.Bounces, c.Reason = true, bounces, reason
	} else if reason := findReport(m, fields, subject); reason != "" {
		c.Report, c.Reason = true, reason
	} else if reason := findAutoReply(m, fields, subject); reason != "" {
		c.AutoReply, c.Reason = true, reason
	}
	if reason := findList(fields); reason != "" {
		c.List = true
		if c.Reason == "" {
			c.Reason = reason
		}
	}
	c.SuppressAutoReply = c.Bounce || c.Report || c.AutoReply || c.List
	if !c.SuppressAutoReply {
		c.Reason = findSuppression(m, fields, subject)
		c.SuppressAutoReply = c.Reason != ""
	}
	return c
}

// titleOf returns the subject of m as phrases are looked for in it: clean and in
// lower case.
func titleOf(m *Message) string { return lowerLine(cleanedLine(m.Subject)) }

// fieldIndex holds the values of header fields by their name in lower case.
type fieldIndex map[string][]string

func indexFields(header []Field) fieldIndex {
	index := make(fieldIndex, len(header))
	values := make([]string, len(header))
	for i, f := range header {
		name := lowerName(f.Name)
		if several, ok := index[name]; ok {
			index[name] = append(several, f.Value)
			continue
		}
		values[i] = f.Value
		index[name] = values[i : i+1 : i+1] // the one value, as of most fields
	}
	return index
}

func (f fieldIndex) has(name string) bool { return len(f[name]) > 0 }

// get returns the first value of a field, trimmed.
func (f fieldIndex) get(name string) string {
	if v := f[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// word returns the first word of a field in lower case, without what follows
// ";", "(" or white space.
func (f fieldIndex) word(name string) string {
	v := strings.ToLower(f.get(name))
	if i := strings.IndexAny(v, ";( \t,"); i >= 0 {
		v = v[:i]
	}
	return v
}

// emptyReturnPath reports whether the envelope sender was empty, as it is for
// everything that must not be answered (RFC 5321 section 4.5.5).
func (f fieldIndex) emptyReturnPath() bool {
	for _, v := range f["return-path"] {
		v = strings.ToLower(strings.Trim(strings.TrimSpace(v), "<>"))
		if v == "" || strings.HasPrefix(v, "mailer-daemon") {
			return true
		}
	}
	return false
}

// automatic returns the word of Auto-Submitted where it says that no person
// sent the mail (RFC 3834 section 5).
func (f fieldIndex) automatic() string {
	for _, v := range f["auto-submitted"] {
		v = strings.ToLower(strings.TrimSpace(v))
		if i := strings.IndexAny(v, ";( \t"); i >= 0 {
			v = v[:i]
		}
		if v != "no" && v != "" {
			return v
		}
	}
	return ""
}

// findList says which field names a mailing list, "" where none does.
func findList(fields fieldIndex) string {
	for _, name := range listFields {
		if fields.has(name) {
			return "list: " + name
		}
	}
	if fields.word("precedence") == "list" {
		return "list: precedence"
	}
	if fields.has("list-unsubscribe") {
		return "bulk mail: list-unsubscribe"
	}
	return ""
}

// findSuppression says why a mail of no special kind must still not be answered
// automatically, "" where it may.
func findSuppression(m *Message, fields fieldIndex, subject string) string {
	if v := fields.automatic(); v != "" {
		return "Auto-Submitted: " + v
	}
	if m.headerCut {
		return "the header is too long to be read whole" // it may say so further down
	}
	switch v := fields.word("precedence"); v {
	case "bulk", "junk", "auto_reply", "auto-reply":
		return "Precedence: " + v
	}
	for v := range strings.FieldsFuncSeq(strings.ToLower(fields.get("x-auto-response-suppress")), func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		switch v {
		case "all", "autoreply", "oof", "-1":
			return "X-Auto-Response-Suppress: " + v
		}
	}
	for _, name := range suppressingFields {
		if fields.has(name) {
			return name
		}
	}
	if fields.emptyReturnPath() {
		return "empty return path"
	}
	from := strings.ToLower(m.From.Address)
	if from == "" {
		return "no sender"
	}
	if isMachineSender(m.From) {
		return "sender is a mail system"
	}
	// A form on a web site writes as noreply and names the customer in Reply-To.
	answer := from
	if len(m.ReplyTo) > 0 && m.ReplyTo[0].Address != "" {
		answer = strings.ToLower(m.ReplyTo[0].Address)
	}
	if IsNoReply(answer) {
		return "sender takes no replies"
	}
	if words := saysAutomatic(m, subject); words != "" {
		return "it says so: " + words
	}
	return ""
}

// IsNoReply reports whether an address in lower case says that nobody reads it.
func IsNoReply(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	local = wordMarks.Replace(local)
	return strings.Contains(local, "noreply") || strings.Contains(local, "donotreply") || strings.Contains(local, "dontreply") ||
		strings.Contains(local, "noresponse") || strings.Contains(local, "replynot")
}

// wordMarks part the words of an address: "no-reply", "no_reply".
var wordMarks = strings.NewReplacer("-", "", "_", "", ".", "")

// isMachineSender reports whether a mail system or list software writes.
func isMachineSender(a Address) bool {
	local, _, _ := strings.Cut(strings.ToLower(a.Address), "@")
	local = strings.Trim(local, `"\`)
	if machineLocalParts[local] || strings.Contains(local, " ") && containsAny(local, machineNames) {
		return true
	}
	for _, affix := range machineAffixes {
		if strings.HasPrefix(local, affix) || strings.HasSuffix(local, affix) {
			return true
		}
	}
	name := strings.ToLower(a.Name)
	for _, n := range machineNames {
		if strings.Contains(name, n) {
			return true
		}
	}
	return false
}
