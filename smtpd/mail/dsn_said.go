package mail

import (
	"cmp"
	"strings"
	"unicode"
)

// bounces makes the result for a report that is only text.
func (r *report) bounces(m *Message, fields fieldIndex) []Bounce {
	chosen := r.choose(m, fields)
	if len(chosen) == 0 {
		chosen = []failedRecipient{{line: -1}}
	}
	action := actionFailed
	if r.delayed {
		action = actionDelayed
	}
	whole := shortLine(strings.Join(r.lines, " "))
	bounces := make([]Bounce, 0, len(chosen))
	for _, f := range chosen {
		b := Bounce{Recipient: f.address, Action: action}
		if f.line >= 0 {
			b.Reason = r.saidAt(f.line, f.weight >= weightLeading)
		}
		b.Status = statusOf(b.Reason)
		// What the server said may stand apart from the address; with several
		// addresses it is anyone's.
		if said := r.sentence(); said != "" && (b.Status == "" || len(chosen) == 1 && findFailure(b.Reason) == "" && findReply(b.Reason) == "") {
			b.Reason, b.Status = said, cmp.Or(statusOf(said), b.Status)
		}
		b.Status = cmp.Or(b.Status, statusOf(whole), statusOf(m.Subject), "5.0.0")
		if action == actionDelayed {
			b.Status = "4" + b.Status[1:]
		}
		b.Reason = cmp.Or(b.Reason, whole)
		bounces = append(bounces, b)
	}
	return bounces
}

// said returns what the report says of a recipient, "" where it says nothing.
// only tells that the report is of that recipient alone.
func (r *report) said(address string, only bool) string {
	for _, f := range r.failed {
		if f.weight == weightHead && strings.EqualFold(f.address, address) {
			return r.saidAt(f.line, true)
		}
	}
	if only {
		return r.sentence()
	}
	return ""
}

// saidAt returns the words of lines[i] and of the lines that belong to it: up
// to a blank line or the next recipient. after leaves out what stands before
// the end of the address.
func (r *report) saidAt(i int, after bool) string {
	l := r.lines[i]
	if found := addressesIn(l); after && len(found) > 0 {
		l = strings.TrimLeft(l[found[0].end:], ">\"': .")
	}
	var b strings.Builder
	b.WriteString(l)
	for j := i + 1; j < len(r.lines) && b.Len() < 4*maxReason; j++ {
		if said := strings.TrimSpace(b.String()); r.lines[j] == "" {
			if hasWords(said) && !strings.HasSuffix(said, ":") {
				break
			}
			continue
		}
		if r.heads[j] {
			break
		}
		b.WriteByte(' ')
		b.WriteString(r.lines[j])
	}
	if said := shortLine(b.String()); hasWords(said) {
		return said
	}
	return ""
}

// hasWords reports whether s says anything: two letters at least.
func hasWords(s string) bool {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			if n++; n >= 2 {
				return true
			}
		}
	}
	return false
}

// sentence returns the first line that carries a code, with the next.
func (r *report) sentence() string {
	for i, l := range r.lines {
		if findFailure(l) == "" && findReply(l) == "" {
			continue
		}
		if name, _, ok := fieldLine(l); ok && statusFields[name] && name != "diagnostic-code" {
			continue
		}
		if i+1 < len(r.lines) {
			l += " " + r.lines[i+1]
		}
		return shortLine(l)
	}
	return ""
}
