package mail

import (
	"bytes"
	"slices"
	"strings"
)

const (
	// maxReason bounds Bounce.Reason, bytes.
	maxReason = 500
	// maxBounces bounds the recipients taken from one report.
	maxBounces = 1000
	// maxReportLines bounds how much of a report's text is read.
	maxReportLines = 2000
)

const (
	actionFailed  = "failed"
	actionDelayed = "delayed"
)

// findBounces returns the recipients that m says were not reached, and by what
// it was known; none where m is no bounce.
func findBounces(m *Message, fields fieldIndex) ([]Bounce, string) {
	if n, ok := readNotification(m.Text); ok {
		return n.bounces, "Amazon SES notification"
	}
	s := senderOf(m, fields)
	if !s.plausible() && !gatewayTitle(titleOf(m)) {
		return nil, ""
	}
	if s.plausible() {
		if inner := wrappedReport(m); inner != nil {
			m, fields = inner, indexFields(inner.Header)
			s = senderOf(m, fields)
		}
	}
	report := readReport(m)
	report.readLines()
	if !s.plausible() {
		if gatewaySign(m, report) {
			return report.bounces(m, fields), "subject, opening and text"
		}
		return nil, "" // a person, who may well quote or forward a bounce
	}
	if groups := statusGroups(m, report); len(groups) > 0 {
		return bouncesOf(groups, m, report), "delivery status notification (RFC 3464)"
	}
	reason := bounceSign(m, s, report)
	if reason == "" {
		return nil, ""
	}
	return report.bounces(m, fields), reason
}

// sender is what the header tells of who sent a mail.
type sender struct {
	system       bool // a mail system by its address or name
	unanswerable bool // the envelope sender was empty
	machine      bool // an address that takes no replies, or list software
	report       bool // the mail is a multipart/report (RFC 6522)
	named        bool // it has X-Failed-Recipients (Exim, Gmail)
}

func senderOf(m *Message, fields fieldIndex) sender {
	from := strings.ToLower(fields.get("from"))
	return sender{
		system:       isMachineSender(m.From) || strings.Contains(from, "mailer-daemon") || from == "<>",
		unanswerable: fields.emptyReturnPath(),
		machine:      IsNoReply(strings.ToLower(m.From.Address)) || fields.has("x-mlserver"),
		report:       m.contentType == "multipart/report" || m.parameters["report-type"] == "delivery-status",
		named:        fields.get("x-failed-recipients") != "",
	}
}

func (s sender) plausible() bool {
	return s.system || s.unanswerable || s.machine || s.report || s.named
}

// bounceSign says by what a mail without a machine-readable status is known as
// a bounce. A person may quote any words and title a mail anyhow, so a mail
// system must have sent it, and subject or text must say that something failed.
func bounceSign(m *Message, s sender, r *report) string {
	subject := titleOf(m)
	answer := isAnswer(subject)
	titled := !answer && containsAny(subject, bounceSubjects)
	found, returned := len(r.failed) > 0, r.original != nil
	switch {
	case s.named:
		return "X-Failed-Recipients"
	case s.system && titled && (r.fails || found || returned):
		return "mail system, subject and text"
	case s.system && r.fails && (found || returned):
		return "mail system and text"
	case s.report && m.parameters["report-type"] == "delivery-status" && (r.fails || s.system && titled && strings.Contains(subject, "return")):
		return "report without status part"
	case s.unanswerable && titled && r.fails:
		return "empty return path, subject and text"
	case s.machine && !answer && r.fails && found && (titled || r.code || returned):
		return "machine, subject and text"
	}
	return ""
}

// gatewaySign reports whether m is the report of a gateway, such as a virus scanner's, that
// writes under an address like a person's. People title a mail so too, and paste what they
// got; so the text has to begin with the failure, has to show a recipient alone in a line
// or before what the server said, and something that only programs write.
func gatewaySign(m *Message, r *report) bool {
	set := slices.ContainsFunc(r.failed, func(f failedRecipient) bool { return f.weight >= weightAlone })
	return gatewayTitle(titleOf(m)) && set && r.opens && (r.ruled || r.delayed || r.original != nil)
}

// gatewayTitle reports whether a title, as of titleOf, is that of such a report. It is
// asked of every person's mail, before its text is read.
func gatewayTitle(title string) bool {
	return containsAny(title, bounceSubjects) && (!isAnswer(title) || strings.HasSuffix(strings.TrimRight(title, " )"), "delivery failed"))
}

// isAnswer reports whether a title, as of titleOf, is that of an answer or a forwarded mail.
func isAnswer(title string) bool {
	return slices.ContainsFunc(replySubjects, func(p string) bool { return strings.HasPrefix(title, p) })
}

// wrappedReport returns the delivery report (RFC 3464) that a gateway put into a mail of
// its own, nil where m has none or is one itself.
func wrappedReport(m *Message) *Message {
	if m.contentType == "multipart/report" || m.hasPart("message/delivery-status") || m.hasPart("message/global-delivery-status") {
		return nil
	}
	for i := range m.parts {
		p := &m.parts[i]
		if p.contentType != "message/rfc822" && p.contentType != "message/global" {
			continue
		}
		kind := strings.ToLower(readHeader(string(headOf(p.data))).get("content-type"))
		if strings.HasPrefix(kind, "multipart/report") && strings.Contains(kind, "delivery-status") {
			return Parse(p.data)
		}
	}
	return nil
}

// BounceOriginal returns the Message-ID, without angle brackets, of the mail
// that m returns: from the returned message or header, from a copy in the text,
// or from the references of the bounce itself.
func BounceOriginal(m *Message) (messageID string, ok bool) {
	if inner := wrappedReport(m); inner != nil {
		m = inner
	}
	r := readReport(m)
	if r.original != nil {
		if id := bareID(r.original.get("message-id")); id != "" {
			return id, true
		}
	}
	if n, found := readNotification(m.Text); found && n.messageID != "" {
		return n.messageID, true
	}
	switch {
	case len(m.InReplyTo) > 0:
		return m.InReplyTo[0], true
	case len(m.References) > 0:
		return m.References[len(m.References)-1], true
	}
	return "", false
}

// bareID takes the first message identifier out of a field.
func bareID(v string) string {
	if _, inner, found := strings.Cut(v, "<"); found {
		v, _, _ = strings.Cut(inner, ">")
	}
	v, _, _ = strings.Cut(strings.TrimSpace(v), " ")
	return v
}

// originalHeader returns the header of the returned mail from a part of its
// own, nil where there is none.
func originalHeader(m *Message) fieldIndex {
	var other fieldIndex
	for i := range m.parts {
		p := &m.parts[i]
		switch p.contentType {
		case "message/rfc822", "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global", "message/global-headers", "text/rfc822":
			if h := readHeader(string(headOf(p.data))); len(h) > 0 {
				return h
			}
		case "message/partial", "text/plain", "application/octet-stream":
			// Some return the header under a type that does not tell.
			if other == nil && i > 0 {
				if h := readHeader(string(headOf(p.data))); h.has("message-id") && h.has("from") {
					other = h
				}
			}
		}
	}
	return other
}

// headOf returns data up to the first blank line, 64 KiB at most.
func headOf(data []byte) []byte {
	data = bytes.TrimLeft(data[:min(len(data), 64<<10)], "\r\n \t")
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(data, []byte(end)); i >= 0 {
			data = data[:i]
		}
	}
	return data
}

// readHeader indexes header lines, unfolded; lines that are no field are skipped.
func readHeader(head string) fieldIndex {
	index := fieldIndex{}
	last := ""
	for l := range strings.Lines(head) {
		l = strings.TrimRight(l, "\r\n")
		if l != "" && (l[0] == ' ' || l[0] == '\t') && last != "" {
			v := index[last]
			if len(v[len(v)-1]) < 8192 {
				v[len(v)-1] += " " + strings.TrimSpace(l)
			}
			continue
		}
		name, value, found := fieldLine(l)
		if !found {
			last = ""
			continue
		}
		index[name] = append(index[name], value)
		last = name
	}
	return index
}

// fieldLine splits "Name: value"; the name comes in lower case.
func fieldLine(l string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(l, ":")
	if !ok || name == "" || len(name) > 76 {
		return "", "", false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f {
			return "", "", false
		}
	}
	return strings.ToLower(name), strings.TrimSpace(value), true
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
