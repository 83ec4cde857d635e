package ui

import (
	"regexp"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// defectShape is a line about a mail as it is stored (mail.Message.Defects and
// CharsetNotes, helpdesk.Message.Defects), and the sentence of the catalogue
// that says the same; what stands in the groups are the sentence's arguments.
type defectShape struct {
	key   string
	shape *regexp.Regexp
}

// defectShapes are tried from the first on: the special ones come before those
// they are a case of.
var defectShapes = shapes("defect.", [][2]string{
	{"charset_asked_unlabelled", `declared nothing, used (.+) as asked, in (.+)`},
	{"charset_asked", `declared (.+), used (.+) as asked, in (.+)`},
	{"charset_unlabelled", `declared nothing, used (.+), in (.+)`},
	{"charset", `declared (.+), used (.+), in (.+)`},
	{"word", `encoded word in (.+) cannot be decoded: left as written`},
	{"wide", `the whole mail is (.+): decoded`},
	{"line_ends", `lines end in CR alone`},
	{"header_blank", `blank line of spaces ends the header`},
	{"header_continuation", `continuation line without its blank: (.+)`},
	{"header_end", `no blank line after the header: the body begins at (.+)`},
	{"header_line", `malformed header line (.+): ignored`},
	{"header_none", `no header: everything is read as body`},
	{"header_first", `continuation line before any field: ignored`},
	{"header_large", `the header has more than (\d+) fields or (\d+) bytes: the rest is in the source only`},
	{"header_field_large", `a header field has more than (\d+) bytes: the rest is in the source only`},
	{"header_addresses", `more than (\d+) addresses in (.+): the rest is in the source only`},
	{"header_identifiers", `more than (\d+) identifiers in (.+): the rest is in the source only`},
	{"froms", `several From fields`},
	{"date", `the Date cannot be read`},
	{"levels", `more than (\d+) levels of parts: the rest is kept as an attachment`},
	{"parts", `more than (\d+) parts: the rest is kept as an attachment`},
	{"signed_parts", `more than (\d+) signed parts within each other: the rest is kept as an attachment`},
	{"cms", `(.+) cannot be read as CMS: kept as it came`},
	{"tnef", `(.+) cannot be opened as a whole: (.+)`},
	{"boundary_end", `the closing boundary of (.+) is missing`},
	{"boundary", `the boundary of (.+) is missing or wrong: (.+) is used`},
	{"structure_base64", `(.+) is itself base64: decoded`},
	{"structure_none", `(.+) has no parts: its content is read as text`},
	{"twice_quoted", `(.+): its text is quoted-printable once more than declared: decoded`},
	{"twice_base64", `(.+): its text is base64 once more than declared: decoded`},
	{"uuencoded_files", `more than (\d+) uuencoded files: the rest is left in the text`},
	{"uuencode", `(.+): uuencoded content has no block: kept as it came`},
	{"encoding", `(.+): unknown Content-Transfer-Encoding (.+): kept as it came`},
	{"base64_not", `(.+): content declared base64 is not: kept as it came`},
	{"base64_more", `(.+): text after the end of base64: kept as it came`},
	{"base64_damaged", `(.+): damaged base64: what is outside its alphabet was ignored`},
	{"base64_short", `(.+): base64 is cut short or joined of several`},
	{"message_id", `the Message-ID of (\d+) bytes is not kept; a line holds (\d+)`},
	{"addresses", `of the (\d+) addresses under (.+) the first (\d+) are shown; all are in the source`},
	{"long", `the (.+) of (\d+) bytes is shown up to (\d+) bytes; the whole is in the source`},
	{"relay", `could not be sent as a reply: (.+)`},
	{"more", `and (\d+) more`},
})

// defectPlaces are what stands in the groups of a line and has a word of its own.
var defectPlaces = shapes("defect.place.", [][2]string{
	{"text", `text`},
	{"html", `HTML`},
	{"calendar", `calendar`},
	{"file_name", `file name`},
	{"attached_subject", `the Subject of an attached mail`},
	{"subject", `subject`},
	{"sender_name", `sender's name`},
	{"sender_address", `sender's address`},
	{"answer_address", `address for answers`},
	{"address_name", `name of an address`},
	{"address", `address`},
	{"utf7_mended", `utf-7 of (.+) taken for (.+)`},
	{"tnef_short", `the stream ends too early`},
	{"tnef_signature", `it does not begin with the signature`},
	{"tnef_many", `more than (\d+) (?:mails within each other|attributes|attachments|properties)`},
	{"tnef_mail", `attached mail: (.+)`},
	{"relay_repeats", `the same words have left for the customer before: is it an automatic answer\?`},
	{"relay_often", `more than (\d+) of them on one ticket in an hour: is it an automatic answer\?`},
})

func shapes(prefix string, list [][2]string) []defectShape {
	out := make([]defectShape, len(list))
	for i, s := range list {
		out[i] = defectShape{prefix + s[0], regexp.MustCompile(`(?s)^` + s[1] + `$`)}
	}
	return out
}

// DescribeDefect says in the reader's language what was malformed in a mail, or
// how its character set was read. A line of no known shape is returned as it is.
func DescribeDefect(p locale.Printer, line string) string {
	return describeShape(p, defectShapes, line)
}

func describeShape(p locale.Printer, list []defectShape, line string) string {
	if said, known := sentenceOf(p, list, line); known {
		return said
	}
	return line
}

// sentenceOf is the sentence for a line of a known shape.
func sentenceOf(p locale.Printer, list []defectShape, line string) (said string, known bool) {
	for _, s := range list {
		groups := s.shape.FindStringSubmatch(line)
		if groups == nil {
			continue
		}
		args := make([]any, 0, len(groups))
		for _, group := range groups[1:] {
			args = append(args, describeShape(p, defectPlaces, group))
		}
		return p.T(s.key, args...), true
	}
	return "", false
}

// unsentLine begins the line that says why an agent's mail could not be sent as a reply.
const unsentLine = "could not be sent as a reply: "

// defects says the lines about the form of a mail.
func defects(p locale.Printer, lines []string) (said []string) {
	for _, line := range lines {
		said = append(said, DescribeDefect(p, line))
	}
	return said
}

// storedDefects says the lines stored with a mail.
func storedDefects(p locale.Printer, m helpdesk.Message) (said []string) {
	for _, line := range slices.Concat(m.Defects, m.CharsetNotes) {
		if m.Unsent != "" && strings.HasPrefix(line, unsentLine) {
			said = append(said, p.T("defect.relay", explain(p, helpdesk.KeptError(m.Unsent, strings.TrimPrefix(line, unsentLine)))))
			continue
		}
		said = append(said, DescribeDefect(p, line))
	}
	return said
}
