package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// findAutoReply says by what a mail is known as an automatic answer, "" where
// it is none. One certain field is enough; a field that only says "automatic"
// needs a subject or a reference to what it answers; a subject alone must be in
// the exact form that programs give it.
func findAutoReply(m *Message, fields fieldIndex) string {
	automatic := fields.automatic()
	if strings.HasPrefix(automatic, "auto-replied") || strings.HasPrefix(automatic, "auto-reply") || automatic == "auto" || automatic == "yes" {
		return "Auto-Submitted: " + automatic
	}
	for _, name := range autoReplyFields {
		if v := strings.ToLower(fields.get(name)); fields.has(name) && v != "no" && v != "false" {
			return name
		}
	}
	switch {
	case strings.Contains(strings.ToLower(fields.get("preference")), "auto_reply"):
		return "Preference: auto_reply"
	case fields.word("precedence") == "auto_reply", fields.word("precedence") == "auto-reply":
		return "Precedence: auto_reply"
	case fields.get("x-post-messageclass") == "9; Autoresponder":
		return "X-POST-MessageClass"
	case strings.Contains(strings.ToLower(fields.get("delivered-to")), "autoresponder"):
		return "Delivered-To: Autoresponder"
	}
	for _, name := range []string{"x-mailer", "user-agent"} {
		v := strings.ToLower(fields.get(name))
		for _, p := range []string{"vacation", "autoresponder", "autoreply", "auto-reply", "out-of-office"} {
			if strings.Contains(v, p) {
				return name + ": " + p
			}
		}
	}
	weak := weakSign(fields, automatic)
	phrase, exact := autoSubject(m.Subject)
	switch {
	case weak != "" && phrase != "":
		return weak + ", subject: " + phrase
	case weak != "" && automatic != "" && (len(m.InReplyTo) > 0 || len(m.References) > 0):
		return weak + ", in reply"
	case exact:
		return "subject: " + phrase
	}
	return ""
}

// weakSign names a field that says a program is at work, without saying which.
func weakSign(fields fieldIndex, automatic string) string {
	if automatic != "" {
		return "Auto-Submitted: " + automatic
	}
	switch v := fields.word("precedence"); v {
	case "bulk", "junk":
		return "Precedence: " + v
	}
	for _, name := range []string{"x-auto-response-suppress", "x-ms-exchange-inbox-rules-loop", "x-ms-exchange-generated-message-source"} {
		if fields.has(name) {
			return name
		}
	}
	if fields.emptyReturnPath() {
		return "empty return path"
	}
	return ""
}

// autoSubject finds the phrase by which a subject announces an automatic
// answer. exact says that it stands as programs put it: first, and followed by
// a colon or the end, or in brackets; never behind "Re:", for that is a person
// who answers an automatic mail.
func autoSubject(subject string) (phrase string, exact bool) {
	s := strings.ToLower(cleanLine(subject))
	for _, p := range replySubjects {
		if strings.HasPrefix(s, p) {
			return "", false
		}
	}
	for _, p := range autoSubjects {
		i := strings.Index(s, p)
		if i < 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		rest := s[i+len(p):]
		after, _ := utf8.DecodeRuneInString(rest)
		if first, _ := utf8.DecodeRuneInString(p); spacedScript(first) && (i > 0 && unicode.IsLetter(before) || unicode.IsLetter(after)) {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		switch {
		case i == 0:
			exact = rest == "" || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "re:")
		case strings.ContainsRune("[【(《", before) && utf8.RuneCountInString(s[:i]) == 1:
			exact = rest != "" && strings.ContainsRune("]】)》", after)
		}
		return p, exact
	}
	return "", false
}

// findReport says what kind of report a mail is, "" where it is none.
func findReport(m *Message, fields fieldIndex) string {
	kind := strings.ToLower(m.parameters["report-type"])
	switch {
	case kind == "feedback-report" || m.hasPart("message/feedback-report"):
		return "abuse report (ARF)"
	case kind == "disposition-notification" || m.hasPart("message/disposition-notification"):
		return "read receipt (MDN)"
	case kind == "tlsrpt" || fields.has("tls-report-domain") || m.hasPart("application/tlsrpt+gzip") || m.hasPart("application/tlsrpt+json"):
		return "TLS report"
	case kind == "delivery-status" || m.hasPart("message/delivery-status") || m.hasPart("message/global-delivery-status"):
		return "delivery report without failure"
	case isAggregateReport(m):
		return "DMARC report"
	}
	if n, ok := readNotification(m.Text); ok {
		return "Amazon SES " + n.kind
	}
	return ""
}

// isAggregateReport recognises a DMARC aggregate report by the name RFC 7489
// section 7.2.1.1 gives its file, "receiver!domain!begin!end.xml.gz".
func isAggregateReport(m *Message) bool {
	for _, a := range m.Attachments {
		name := strings.ToLower(a.Filename)
		if strings.Count(name, "!") >= 3 && (strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".zip") || strings.HasSuffix(name, ".xml")) {
			return true
		}
	}
	s := strings.ToLower(cleanLine(m.Subject))
	return strings.HasPrefix(s, "report domain:") && strings.Contains(s, "submitter:")
}

// hasPart reports whether any leaf of m is of a media type.
func (m *Message) hasPart(contentType string) bool {
	if m.contentType == contentType {
		return true
	}
	for i := range m.parts {
		if m.parts[i].contentType == contentType {
			return true
		}
	}
	return false
}
