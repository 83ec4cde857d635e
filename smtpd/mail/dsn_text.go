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
	opens     bool // says so in its first lines
	ruled     bool // has lines or headings drawn with dashes or stars
	delayed   bool // says that it is still being tried
	code      bool // has an SMTP reply or a status
	hasStatus bool // has the fields of RFC 3464 as text
	failed    []failedRecipient
	heads     []bool // lines at which the words about a recipient begin
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
	if r.hasStatus = strings.Contains(strings.ToLower(m.Text[:min(len(m.Text), 64<<10)]), "final-recipient:"); r.hasStatus {
		r.text = m.Text
	}
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
		case "received", "return-path", "x-received", "dkim-signature", "arc-seal", "x-google-smtp-source", "authentication-results", "mime-version", "x-originating-ip":
			return value != "" || name == "return-path"
		}
	}
	if strings.Contains(lower, "not receive") {
		return false // "these did not receive a copy of your message:"
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
	r.heads = make([]bool, len(r.lines))
	filled := 0
	for i, l := range r.lines {
		if l == "" {
			continue
		}
		filled++
		lower := strings.ToLower(cleanLine(l))
		r.ruled = r.ruled || isRuled(l)
		if !r.fails {
			for _, p := range failurePhrases {
				if strings.Contains(lower, p.words) {
					r.fails = true
					r.opens = filled <= openingLines
					break
				}
			}
		}
		r.delayed = r.delayed || containsAny(lower, delayPhrases)
		r.code = r.code || findFailure(l) != "" || findReply(l) != ""
		if strings.Contains(l, "@") && len(r.failed) < maxBounces {
			r.readAddresses(i, l, lower)
		}
	}
	for _, f := range r.failed {
		r.heads[f.line] = r.heads[f.line] || f.weight >= weightAlone
	}
}

// openingLines is how many lines of a report may come before the failure is named.
const openingLines = 3

// isRuled reports whether a line begins as programs draw lines and headings; two dashes
// alone are what people put above their signature.
func isRuled(l string) bool {
	return strings.HasPrefix(l, "---") || strings.HasPrefix(l, "***") || strings.HasPrefix(l, "===")
}

// readAddresses weighs the addresses of a line.
func (r *report) readAddresses(i int, l, lower string) {
	found := addressesIn(l)
	if len(found) == 0 {
		return
	}
	for _, a := range found {
		rest := strings.TrimLeft(l[a.end:], ">\"' ")
		if ahead := strings.Trim(l[:a.start], "\"'*- \t"); strings.HasPrefix(rest, ":") && (ahead == "" || strings.HasSuffix(ahead, "<")) && !containsAny(strings.ToLower(ahead), contactMarks) {
			r.failed = append(r.failed, failedRecipient{a.address, weightHead, i})
			return
		}
	}
	first := found[0]
	before := strings.Trim(l[:first.start], "<\"'*-> \t・")
	if strings.HasSuffix(strings.ToLower(before), "dda:smtp=") {
		before = "" // an X.400 address, as Exchange writes it
	}
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
