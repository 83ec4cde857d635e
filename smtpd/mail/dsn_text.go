package mail

import (
	"slices"
	"strings"
)

// report is the part of a mail that speaks, apart from the mail it returns.
type report struct {
	text      string
	lines     []string // trimmed
	original  fieldIndex
	fails     bool // says that something was not delivered
	delayed   bool // says that it is still being tried
	code      bool // has an SMTP reply or a status
	hasStatus bool // has the fields of RFC 3464 as text
	failed    []failedRecipient
}

// failedRecipient is an address of the report, and where it stands.
type failedRecipient struct {
	address string
	weight  int
	line    int
}

// How much the place of an address says that it is the recipient who failed.
const (
	weightMentioned = iota + 1 // among other words
	weightLabelled             // in a line that speaks of a recipient
	weightLeading              // first in its line, words after it
	weightAlone                // alone in its line, after words of failure
	weightHead                 // before a colon, at the head of what the server said
)

// readReport finds the report of m: its text up to where the returned mail begins.
func readReport(m *Message) *report {
	r := &report{original: originalHeader(m)}
	end, count := len(m.Text), 0
	offset := 0
	for raw := range strings.Lines(m.Text) {
		if l := strings.TrimSpace(raw); count >= maxReportLines || startsOriginal(raw, l) {
			end = offset
			break
		} else if len(l) > 2000 {
			r.lines = append(r.lines, l[:2000])
		} else {
			r.lines = append(r.lines, l)
		}
		count++
		offset += len(raw)
	}
	r.text = m.Text[:end]
	if r.original == nil && end < len(m.Text) {
		r.original = inlineOriginal(m.Text[end:])
	}
	r.hasStatus = strings.Contains(strings.ToLower(m.Text[:min(len(m.Text), 64<<10)]), "final-recipient:")
	if r.hasStatus {
		r.text = m.Text
	}
	r.readLines()
	return r
}

// startsOriginal reports whether the returned mail begins at a line: one that
// announces it, or the first of its header fields.
func startsOriginal(raw, l string) bool {
	if l == "" || len(l) > 300 {
		return false
	}
	lower := strings.ToLower(l)
	if name, value, ok := fieldLine(lower); ok {
		switch name {
		case "received", "return-path", "x-received", "dkim-signature", "arc-seal", "x-google-smtp-source", "authentication-results", "mime-version", "message-id", "x-originating-ip":
			return value != "" || name == "return-path"
		}
	}
	// Only a line that is a title announces; a sentence may use the same words.
	for _, p := range originalMarks {
		if strings.Contains(lower, p) {
			return len(l) <= 100
		}
	}
	return false
}

// inlineOriginal reads the header of the mail that a report returns in its text,
// from the line that announces it on.
func inlineOriginal(text string) fieldIndex {
	var head strings.Builder
	fields := 0
	for raw := range strings.Lines(text[:min(len(text), 64<<10)]) {
		l := strings.TrimRight(raw, "\r\n")
		if strings.TrimSpace(l) == "" {
			if fields >= 2 {
				break
			}
			continue
		}
		if _, _, ok := fieldLine(strings.TrimSpace(l)); ok {
			if fields++; fields == 1 || l[0] != ' ' && l[0] != '\t' {
				l = strings.TrimSpace(l)
			}
		} else if fields == 0 {
			continue
		}
		head.WriteString(l)
		head.WriteByte('\n')
	}
	if fields < 2 {
		return nil
	}
	return readHeader(head.String())
}

// readLines looks for words of failure, codes and addresses.
func (r *report) readLines() {
	for i, l := range r.lines {
		if l == "" {
			continue
		}
		lower := strings.ToLower(cleanLine(l))
		if !r.fails {
			for _, p := range failurePhrases {
				if strings.Contains(lower, p.words) {
					r.fails = true
					break
				}
			}
		}
		r.delayed = r.delayed || containsAny(lower, delayPhrases)
		r.code = r.code || findStatus(l) != "" || findReply(l) != ""
		if strings.Contains(l, "@") && len(r.failed) < maxBounces {
			r.readAddresses(i, l, lower)
		}
	}
}

// readAddresses weighs the addresses of a line.
func (r *report) readAddresses(i int, l, lower string) {
	found := addressesIn(l)
	if len(found) == 0 {
		return
	}
	for _, a := range found {
		if rest := strings.TrimLeft(l[a.end:], ">\"' "); strings.HasPrefix(rest, ":") && !containsAny(strings.ToLower(l[:a.start]), contactMarks) {
			r.failed = append(r.failed, failedRecipient{a.address, weightHead, i})
			return
		}
	}
	first := found[0]
	before := strings.Trim(l[:first.start], "<\"'*-> \t・")
	after := strings.Trim(l[first.end:], ">\"' \t.,;")
	if before == "" && (after == "" || strings.Trim(after, "<>") == first.address || strings.HasPrefix(after, "(") || strings.HasPrefix(after, "[")) {
		weight := weightAlone
		if !r.fails {
			weight = weightMentioned
		}
		r.failed = append(r.failed, failedRecipient{first.address, weight, i})
		return
	}
	if containsAny(lower, contactMarks) && !strings.Contains(lower, "rcpt to") {
		return
	}
	switch {
	case before == "" && r.fails:
		r.failed = append(r.failed, failedRecipient{first.address, weightLeading, i})
	case containsAny(lower, recipientMarks):
		for _, a := range found {
			r.failed = append(r.failed, failedRecipient{a.address, weightLabelled, i})
		}
	default:
		r.failed = append(r.failed, failedRecipient{first.address, weightMentioned, i})
	}
}

// known returns the addresses that failed, best evidence first: the text's,
// X-Failed-Recipients', the returned mail's.
func (r *report) known(m *Message) []string {
	var addresses []string
	for _, f := range r.choose(m, nil) {
		addresses = append(addresses, f.address)
	}
	return addresses
}

// choose returns the recipients of the greatest weight found, or those named by
// a header where the text is weak.
func (r *report) choose(m *Message, fields fieldIndex) []failedRecipient {
	own := map[string]bool{}
	for _, a := range m.To {
		own[strings.ToLower(a.Address)] = true
	}
	for weight := weightHead; weight >= weightMentioned; weight-- {
		var chosen []failedRecipient
		seen := map[string]bool{}
		for _, f := range r.failed {
			key := strings.ToLower(f.address)
			if f.weight != weight || seen[key] || own[key] && weight < weightAlone {
				continue
			}
			seen[key] = true
			chosen = append(chosen, f)
		}
		if len(chosen) > 0 {
			return chosen
		}
		if weight == weightAlone {
			if named := headerRecipients(fields["x-failed-recipients"]); len(named) > 0 {
				return named
			}
		}
		if weight == weightLabelled && r.original != nil {
			if named := headerRecipients(slices.Concat(r.original["x-original-to"], r.original["to"])); len(named) > 0 {
				return named
			}
		}
	}
	return nil
}

func headerRecipients(values []string) []failedRecipient {
	var recipients []failedRecipient
	for _, v := range values {
		for _, a := range addressesIn(v) {
			if len(recipients) < maxBounces {
				recipients = append(recipients, failedRecipient{address: a.address, line: -1})
			}
		}
		if len(recipients) > 0 {
			break
		}
	}
	return recipients
}

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
			b.Reason = r.saidAt(f.line)
		}
		b.Status = statusOf(b.Reason)
		if said := r.sentence(); b.Status == "" || said != "" && findStatus(b.Reason) == "" && findReply(b.Reason) == "" && len(chosen) == 1 {
			if status := statusOf(said); status != "" {
				b.Status = status
			}
			if said != "" {
				b.Reason = said
			}
		}
		if b.Status == "" {
			b.Status = betterStatus("", whole+" "+m.Subject, action)
		}
		if action == actionDelayed {
			b.Status = "4" + b.Status[1:]
		}
		if b.Reason == "" {
			b.Reason = whole
		}
		bounces = append(bounces, b)
	}
	return bounces
}

// said returns what the report says of a recipient, "" where it says nothing.
func (r *report) said(address string) string {
	for _, f := range r.failed {
		if f.weight == weightHead && strings.EqualFold(f.address, address) {
			return r.saidAt(f.line)
		}
	}
	return r.sentence()
}

// saidAt returns the words after the address at the head of lines[i], and the
// lines that belong to it: up to a blank line or the next head.
func (r *report) saidAt(i int) string {
	l := r.lines[i]
	if found := addressesIn(l); len(found) > 0 {
		l = strings.TrimLeft(l[found[0].end:], ">\"': ")
	}
	var b strings.Builder
	b.WriteString(l)
	for j := i + 1; j < len(r.lines) && b.Len() < 4*maxReason; j++ {
		if r.lines[j] == "" {
			if strings.TrimSpace(b.String()) != "" {
				break
			}
			continue
		}
		if slices.ContainsFunc(r.failed, func(f failedRecipient) bool { return f.line == j && f.weight >= weightAlone }) {
			break
		}
		b.WriteByte(' ')
		b.WriteString(r.lines[j])
	}
	return shortLine(b.String())
}

// sentence returns the first line that carries a code, with the next.
func (r *report) sentence() string {
	for i, l := range r.lines {
		if findStatus(l) == "" && findReply(l) == "" {
			continue
		}
		if i+1 < len(r.lines) {
			l += " " + r.lines[i+1]
		}
		return shortLine(l)
	}
	return ""
}
