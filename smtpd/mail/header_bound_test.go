package mail_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// repeated is as many of unit as make size bytes; %d in it counts.
func repeated(unit string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		if strings.Contains(unit, "%d") {
			fmt.Fprintf(&b, unit, i)
		} else {
			b.WriteString(unit)
		}
	}
	return b.String()
}

// What a listener takes as one mail may be all header, and each few bytes of it a field,
// an address or a word that is remembered.
func TestAHeaderOfManyMegabytesTakesNoMoreThanTheMail(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out headers of many megabytes")
	}
	const size = 16 << 20
	const head, body = "From: a@customer.example\r\nSubject: Hello\r\n", "Content-Type: text/plain\r\n\r\nhi\r\n"
	for name, c := range map[string]struct{ raw, defect string }{
		"fields":          {head + repeated("X: b\r\n", size) + body, "more than 50000 fields"},
		"addresses":       {head + "Cc: " + repeated("a%d@b,\r\n ", size) + "z@z\r\n" + body, "more than 10000 addresses in Cc"},
		"address fields":  {head + repeated("Cc: a@b,c@d\r\n", size) + body, "more than 10000 addresses in Cc"},
		"comments":        {head + "Cc: " + repeated("(a)\r\n ", size) + "z@z\r\n" + body, "more than 10000 addresses in Cc"},
		"identifiers":     {head + "References: " + repeated("<%d@b>\r\n ", size) + "\r\n" + body, "more than 50000 identifiers in References"},
		"bare ids":        {head + "References: " + repeated("%d@b\r\n ", size) + "\r\n" + body, "more than 50000 identifiers in References"},
		"words":           {head + "X: " + repeated("=?utf-8?q?a?=\r\n =?us-ascii?q?b?=\r\n ", size) + "\r\n" + body, "a header field has more than"},
		"one field":       {head + "X: " + repeated("字字字\r\n ", size) + "\r\n" + body, "a header field has more than"},
		"fields of parts": {head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n" + repeated("X: b\r\n", size) + "\r\n--b--\r\n", "more than 50000 fields"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(c.raw)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m := mail.Parse(raw)
			runtime.ReadMemStats(&after)
			if all := strings.Join(m.Defects, "\n"); !strings.Contains(all, c.defect) {
				t.Errorf("the defects are %q, none says %q", m.Defects, c.defect)
			}
			// All that was ever allocated, of which the peak is a part.
			if took := after.TotalAlloc - before.TotalAlloc; took > 5*size {
				t.Errorf("%d bytes of mail took %d bytes", len(raw), took)
			}
			if m.From.Address != "a@customer.example" || m.Subject != "Hello" || !strings.Contains(m.Text, "hi") {
				t.Errorf("from %q, subject %q, text %.20q", m.From.Address, m.Subject, m.Text)
			}
			for _, f := range m.Header {
				if strings.ContainsRune(f.Value, '\uFFFD') {
					t.Errorf("%s was cut inside a character", f.Name)
				}
			}
		})
	}
}

func TestALongHeaderOfARealMailIsWhole(t *testing.T) {
	raw := "From: a@customer.example\r\nTo: " + strings.TrimSuffix(repeated("member%d@company.example,\r\n ", 200<<10), ",\r\n ") +
		"\r\nReferences: " + repeated("<%d@mail.customer.example>\r\n ", 60<<10) + "\r\n" + repeated("X-Trace-%d: passed\r\n", 60<<10) + "\r\nhi\r\n"
	m := mail.Parse([]byte(raw))
	if len(m.To) != strings.Count(raw, "@company.example") || len(m.References) != strings.Count(raw, "@mail.customer.example") {
		t.Errorf("%d addresses, %d references", len(m.To), len(m.References))
	}
	if len(m.Header) != 3+strings.Count(raw, "X-Trace-") || len(m.Defects) > 0 {
		t.Errorf("%d fields, defects %q", len(m.Header), m.Defects)
	}
}

// What says that a mail is automatic may stand where it is not read.
func TestNothingAutomaticAnswersAHeaderThatIsNotReadWhole(t *testing.T) {
	const head, end = "From: a@customer.example\r\nSubject: Hello\r\n", "Auto-Submitted: auto-replied\r\n\r\nhi\r\n"
	for name, raw := range map[string]string{
		"fields":    head + strings.Repeat("X: b\r\n", 50_000) + end,
		"one field": head + "X: " + strings.Repeat("b\r\n ", 1<<20) + "\r\n" + end,
	} {
		c := mail.Classify(mail.Parse([]byte(raw)), false)
		if !c.SuppressAutoReply || c.Reason == "" {
			t.Errorf("%s: may be answered: %+v", name, c)
		}
	}
}

// Each of a million files in a text was an attachment, and what they took was never given
// back in time: the mail was put off for ever.
func TestVeryManyUUEncodedFilesStayInTheText(t *testing.T) {
	const file = "begin 644 a\n#86%A\nend\n"
	m := mail.Parse([]byte("From: a@b.example\n\n" + strings.Repeat(file, 5000) + "the end\n"))
	if len(m.Attachments) != 1000 || strings.Count(m.Text, file) != 4000 || !strings.HasSuffix(m.Text, "the end\n") {
		t.Errorf("%d attachments, %d files in the text", len(m.Attachments), strings.Count(m.Text, file))
	}
	if all := strings.Join(m.Defects, "\n"); !strings.Contains(all, "more than 1000 uuencoded files") {
		t.Errorf("defects %q", m.Defects)
	}
}

// Put into HTML, a text of these signs is four times as long.
func TestAVeryLongTextBesideHTMLIsReadAsText(t *testing.T) {
	long := strings.Repeat(strings.Repeat("<", 70)+"\n", 70_000)
	for words, wantHTML := range map[string]bool{"<short>": true, long: false} {
		m := mail.Parse([]byte("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Dear <i>team</i>\n--b\n\n" + words + "\n--b--\n"))
		if !strings.Contains(m.Text, "Dear team") || !strings.Contains(m.Text, strings.TrimSpace(words)) || (m.HTML != "") != wantHTML {
			t.Errorf("%d bytes of text: %d are read, and %d of HTML", len(words), len(m.Text), len(m.HTML))
		}
	}
}

func TestHTMLBeyondAllMeasureIsShownAsText(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HTML of many megabytes")
	}
	source := strings.Repeat("<p>It <i>prints</i> nothing.\n", 400_000)
	safe := mail.SanitizeHTML(source, mail.SanitizeOptions{}).HTML
	if strings.Contains(safe, "<i>") || strings.Count(safe, "It prints nothing.") != 400_000 {
		t.Errorf("of %d bytes there are %d: %.100q", len(source), len(safe), safe)
	}
}
