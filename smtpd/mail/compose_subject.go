package mail

import (
	"regexp"
	"strings"
)

const (
	replyWords   = `re|aw|antw|antwort|sv|vs|res|odp|ynt|返信|回复|回覆|答复|答覆|회신|답장`
	forwardWords = `fwd?|wg|tr|rv|vb|vl|enc|pd|ilt|doorst|転送|转发|轉寄|轉發|전달`
	prefixEnd    = `[ \t]*(?:\[[0-9]{1,3}\]|\([0-9]{1,3}\)|\^[0-9]{1,3}|\*[0-9]{1,3})?[ \t]*[:：][\s\x{3000}]*`
)

var (
	subjectPrefixes = regexp.MustCompile(`^[\s\x{3000}]*(?:(?i:` + replyWords + `|` + forwardWords + `)` + prefixEnd + `)+`)
	forwardPrefix   = regexp.MustCompile(`^[\s\x{3000}]*(?i:` + forwardWords + `)` + prefixEnd)
	forwardSuffix   = regexp.MustCompile(`(?i:\s*\(fwd\)\s*)$`)
)

// PlainSubject returns a subject without the prefixes that mail programs of many
// languages put before it for replies and forwards ("Re:", "AW:", "Re[2]:", "転送:").
func PlainSubject(subject string) string {
	subject = subjectPrefixes.ReplaceAllString(subject, "")
	return strings.TrimSpace(forwardSuffix.ReplaceAllString(subject, ""))
}

// ReplySubject returns the subject of a reply: the plain subject after one "Re: ".
func ReplySubject(subject string) string {
	return strings.TrimSpace("Re: " + PlainSubject(subject))
}

// ForwardSubject returns the subject of a forwarded mail: the plain subject
// after one "Fwd: ".
func ForwardSubject(subject string) string {
	return strings.TrimSpace("Fwd: " + PlainSubject(subject))
}

// IsForwardSubject reports whether a subject says that its mail forwards another;
// a reply to a forwarded mail does not.
func IsForwardSubject(subject string) bool {
	return forwardPrefix.MatchString(subject) || forwardSuffix.MatchString(subject)
}
