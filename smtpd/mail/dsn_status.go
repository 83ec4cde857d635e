package mail

import (
	"cmp"
	"strings"
)

// statusGroup is what a delivery report says of one recipient (RFC 3464
// section 2.3): field values by name in lower case.
type statusGroup map[string]string

// statusFields mark a group; the first two name its recipient.
var statusFields = map[string]bool{
	"final-recipient": true, "original-recipient": true, "action": true, "status": true, "diagnostic-code": true, "remote-mta": true,
	"x-actual-recipient": true, "last-attempt-date": true, "will-retry-until": true, "final-log-id": true, "x-display-name": true, "x-postfix-sender": true,
}

// statusGroups returns the recipients' groups of all status parts of m or, where
// a broken mail has them as text, of its text.
func statusGroups(m *Message, r *report) []statusGroup {
	var groups []statusGroup
	for i := range m.parts {
		p := &m.parts[i]
		switch p.contentType {
		case "message/delivery-status", "message/global-delivery-status", "text/delivery-status":
			groups = append(groups, readGroups(strings.ToValidUTF8(string(p.data), "�"))...)
		}
	}
	if len(groups) == 0 && r.hasStatus {
		groups = readGroups(r.text)
	}
	return groups
}

// readGroups reads groups of fields; lines that are no field of a report are
// passed over, so that a report inside other text is read too.
func readGroups(text string) []statusGroup {
	var groups []statusGroup
	current, last := statusGroup{}, ""
	flush := func() {
		if current.recipient() != "" || current["status"] != "" && current["action"] != "" {
			groups = append(groups, current)
		}
		current, last = statusGroup{}, ""
	}
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n \t")
		if l == "" {
			last = ""
			// Some put a blank line between the fields of one recipient.
			if current.recipient() != "" && current["status"] != "" {
				flush()
			}
			continue
		}
		if (l[0] == ' ' || l[0] == '\t') && last != "" {
			if len(current[last]) < 8192 {
				current[last] += " " + strings.TrimSpace(l)
			}
			continue
		}
		name, value, ok := fieldLine(strings.TrimLeft(l, " \t"))
		if !ok || !statusFields[name] {
			last = ""
			continue
		}
		if _, again := current[name]; again && (name == "final-recipient" || name == "original-recipient" || name == "status" || name == "action") {
			flush()
			if len(groups) >= maxBounces {
				return groups
			}
		}
		if _, again := current[name]; !again {
			current[name], last = value, name
		}
	}
	flush()
	return groups
}

// recipient returns the group's mailbox: the final one, where that is none the
// one first given.
func (g statusGroup) recipient() string {
	best := ""
	for _, name := range []string{"final-recipient", "original-recipient", "x-actual-recipient"} {
		a := recipientAddress(g[name])
		if _, domain, found := strings.Cut(a, "@"); found && strings.Contains(domain, ".") {
			return a
		}
		if best == "" {
			best = a
		}
	}
	return best
}

// recipientAddress takes the address out of "rfc822; <taro@example.jp>".
func recipientAddress(v string) string {
	if kind, rest, found := strings.Cut(v, ";"); found && !strings.ContainsAny(kind, "@<\"") {
		v = rest
	}
	v = strings.TrimSpace(v)
	if _, inner, found := strings.Cut(v, "<"); found {
		if inner, _, found = strings.Cut(inner, ">"); found {
			v = strings.TrimSpace(inner)
		}
	}
	v = strings.Trim(v, "<> ")
	if route, rest, found := strings.Cut(v, ":"); found && strings.HasPrefix(route, "@") {
		v = rest // a source route (RFC 5321 appendix C)
	}
	return v
}

// failure reports whether the group says that the recipient was not reached,
// or not yet.
func (g statusGroup) failure() (action string, failed bool) {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(g["action"])), " ")
	word = strings.TrimRight(word, ";,.")
	switch {
	case strings.HasPrefix(word, "fail"), word == "error", word == "expired", word == "rejected":
		return actionFailed, true
	case strings.HasPrefix(word, "delay"), word == "deferred", word == "pending":
		return actionDelayed, true
	case word == "delivered", word == "relayed", word == "expanded":
		return "", false
	}
	switch status := findStatus(g["status"]); {
	case strings.HasPrefix(status, "2"):
		return "", false
	case strings.HasPrefix(status, "4"):
		return actionDelayed, true
	}
	return actionFailed, true
}

// bouncesOf turns groups into bounces.
func bouncesOf(groups []statusGroup, m *Message, r *report) []Bounce {
	var bounces []Bounce
	for _, g := range groups {
		action, failed := g.failure()
		if !failed {
			continue
		}
		diagnostic := g["diagnostic-code"]
		if kind, rest, found := strings.Cut(diagnostic, ";"); found && len(kind) <= 20 && !strings.Contains(strings.TrimSpace(kind), " ") {
			diagnostic = rest
		}
		b := Bounce{Recipient: g.recipient(), Action: action, Reason: shortLine(diagnostic)}
		if !strings.Contains(b.Recipient, "@") {
			if known := r.known(m); len(known) == 1 {
				b.Recipient = known[0]
			}
		}
		if !hasWords(b.Reason) {
			_, comment, _ := strings.Cut(g["status"], "(")
			b.Reason = cmp.Or(shortLine(strings.TrimSuffix(comment, ")")), r.said(b.Recipient, len(groups) == 1), b.Reason)
		}
		b.Status = betterStatus(findStatus(g["status"]), b.Reason, action)
		bounces = append(bounces, b)
		if len(bounces) >= maxBounces {
			break
		}
	}
	return bounces
}

// betterStatus returns the most telling status of a class: that of the server
// which refused the mail, the one that its words mean, or the reported one,
// which many systems leave at x.0.0 or 5.1.1 for whatever happened.
func betterStatus(reported, said, action string) string {
	fromWords := statusOf(said)
	switch {
	case reported == "" && fromWords == "" && action == actionDelayed:
		return "4.0.0"
	case reported == "" && fromWords == "":
		return "5.0.0"
	case reported == "":
		return fromWords
	case fromWords == "" || fromWords[0] != reported[0] || strings.HasSuffix(fromWords, ".0.0"):
		return reported
	case strings.HasSuffix(reported, ".0.0") || fromWords == findFailure(said):
		return fromWords
	}
	return reported
}

// shortLine collapses white space and bounds the length.
func shortLine(s string) string {
	if len(s) > 4*maxReason {
		s = s[:4*maxReason]
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxReason {
		s = s[:maxReason]
	}
	return strings.ToValidUTF8(s, "")
}
