package mail_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func TestParseReadsDates(t *testing.T) {
	for written, want := range map[string]string{
		"Sat, 21 Nov 2026 10:15:00 +0900":          "2026-11-21T10:15:00+09:00",
		"21 Nov 2026 10:15 +0900":                  "2026-11-21T10:15:00+09:00",
		"Sat, 21 Nov 26 10:15:00 JST":              "2026-11-21T10:15:00+09:00",
		"Sat,21 Nov 2026 10:15:00 +0900 (JST)":     "2026-11-21T10:15:00+09:00",
		"Sat, 21 Nov 2026 10:15:00 (JST)":          "2026-11-21T10:15:00+09:00",
		"Wed, 21 Nov 2026 10:15:00 +09:00":         "2026-11-21T10:15:00+09:00",
		"21 Nov 99 10:15:00 EST":                   "1999-11-21T10:15:00-05:00",
		"Sat Nov 21 10:15:00 2026":                 "2026-11-21T10:15:00Z",
		"Sat Nov 21 10:15:00 JST 2026":             "2026-11-21T10:15:00+09:00",
		"Saturday, November 21, 2026 10:15 PM GMT": "2026-11-21T22:15:00Z",
		"2026-11-21T10:15:00+09:00":                "2026-11-21T10:15:00+09:00",
		"2026-11-21 01:15:00.123Z":                 "2026-11-21T01:15:00Z",
		"2026/11/21 10:15:00 +0900":                "2026-11-21T10:15:00+09:00",
		"21.11.2026 10:15:00 +0100":                "2026-11-21T10:15:00+01:00",
		"Sat, 021 Nov 2026 10:15:00 +0900":         "2026-11-21T10:15:00+09:00",
		"21-Nov-2026 10:15:00 GMT+9":               "2026-11-21T10:15:00+09:00",
		"2026年11月21日(土) 10:15:00 +0900":            "2026-11-21T10:15:00+09:00",
		"2026年11月21日 午後1時05分":                      "2026-11-21T13:05:00Z",
		"Sat, 21 Nov 2026 24:00:00 +0000":          "2026-11-22T00:00:00Z",
		"Sat, 21 Nov 2026 23:59:60 +0000":          "2026-11-22T00:00:00Z",
		"Sat, 31 Nov 2026 10:15:00 +0900":          "",
		"tomorrow":                                 "",
		"%date%":                                   "",
		"99 99 99 99:99:99":                        "",
		"":                                         "",
	} {
		got := ""
		if d := mail.Parse([]byte("From: a@b.example\r\nDate: " + written + "\r\n\r\n")).Date; !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("Date %q read as %q, want %q", written, got, want)
		}
	}
}

// Every character that a set can carry arrives, in a body and in a subject.
func TestParseDecodesWholeCharsets(t *testing.T) {
	for _, set := range []struct {
		label   string
		enc     encoding.Encoding
		reframe func([]byte) []byte
	}{
		{"Shift_JIS", japanese.ShiftJIS, nil},
		{"EUC-JP", japanese.EUCJP, nil},
		{"ISO-2022-JP", japanese.EUCJP, eucToJIS},
		{"Big5", traditionalchinese.Big5, nil},
		{"EUC-KR", korean.EUCKR, nil},
		{"GB2312", simplifiedchinese.GB18030, nil},
	} {
		t.Run(set.label, func(t *testing.T) {
			text, encoded := everyCharacter(set.enc)
			if set.reframe != nil {
				encoded = set.reframe(encoded)
			}
			raw := "From: a@b.example\r\nSubject: =?" + set.label + "?Q?" + hexEscaped(encoded) + "?=\r\n" +
				"Content-Type: text/plain; charset=" + set.label + "\r\n\r\n" + string(encoded)
			m := mail.Parse([]byte(raw))
			if m.Text != text {
				t.Errorf("body: %s", firstDifference(m.Text, text))
			}
			if want := strings.ReplaceAll(text, "\n", " "); m.Subject != strings.TrimSpace(want) {
				t.Errorf("subject: %s", firstDifference(m.Subject, want))
			}
			if len(m.CharsetNotes) > 0 {
				t.Errorf("the label was right, but: %v", m.CharsetNotes)
			}
		})
	}
}

// everyCharacter returns lines of all characters beyond ASCII that enc can
// write and read back.
func everyCharacter(enc encoding.Encoding) (text string, encoded []byte) {
	var b strings.Builder
	count := 0
	for r := rune(0xA0); r < 0x10000; r++ {
		if r >= 0xD800 && r < 0xF900 {
			continue // surrogates and private use
		}
		code, err := enc.NewEncoder().Bytes([]byte(string(r)))
		if err != nil || len(code) > 3 || r == '\u00AD' {
			continue
		}
		if back, err := enc.NewDecoder().Bytes(code); err != nil || string(back) != string(r) {
			continue
		}
		b.WriteRune(r)
		encoded = append(encoded, code...)
		if count++; count%30 == 0 {
			b.WriteByte('\n')
			encoded = append(encoded, '\n')
		}
	}
	return b.String(), encoded
}

// eucToJIS rewrites EUC-JP with the escapes of ISO-2022-JP, line by line.
func eucToJIS(euc []byte) []byte {
	var out []byte
	set := "(B"
	enter := func(next string) {
		if set != next {
			set = next
			out = append(append(out, 0x1B), next...)
		}
	}
	for i := 0; i < len(euc); i++ {
		switch c := euc[i]; {
		case c == 0x8E:
			enter("(I")
			out = append(out, euc[i+1]&0x7F)
			i++
		case c == 0x8F:
			enter("$(D")
			out = append(out, euc[i+1]&0x7F, euc[i+2]&0x7F)
			i += 2
		case c >= 0xA1:
			enter("$B")
			out = append(out, c&0x7F, euc[i+1]&0x7F)
			i++
		default:
			enter("(B")
			out = append(out, c)
		}
	}
	enter("(B")
	return out
}

func hexEscaped(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		fmt.Fprintf(&b, "=%02X", c)
	}
	return b.String()
}

func firstDifference(got, want string) string {
	g, w := []rune(got), []rune(want)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("character %d is %q, want %q", i, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d characters, want %d", len(g), len(w))
}

// Short unlabelled texts are the common case of a guess: a subject, a name.
func TestParseGuessesShortTexts(t *testing.T) {
	for _, text := range []string{
		"お問い合わせの件", "ご連絡ください", "商品が届かない", "カタログ請求", "表示されません", "至急：返品について",
		"電話番号変更のお願い", "【重要】アンケート", "ソフトの予約", "請求書を再発行してください。",
	} {
		for name, enc := range map[string]encoding.Encoding{
			"shift_jis": japanese.ShiftJIS, "euc-jp": japanese.EUCJP, "iso-2022-jp": japanese.ISO2022JP,
		} {
			raw, err := enc.NewEncoder().String(text)
			if err != nil {
				t.Fatal(err)
			}
			m := mail.Parse([]byte("Subject: " + raw + "\r\n\r\n" + raw))
			if m.Subject != text || m.Text != text {
				t.Errorf("%s in %s read as %q and %q", text, name, m.Subject, m.Text)
			}
		}
	}
}

func TestParseNamesItsLimitsAndKeepsTheRest(t *testing.T) {
	const words = "the words at the bottom"
	var deep strings.Builder
	deep.WriteString("From: a@b.example\r\n")
	for i := range 1000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	deep.WriteString("\r\n" + words)
	many := "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		strings.Repeat("--b\r\n\r\nx\r\n", 12000) + "--b\r\n\r\n" + words + "\r\n--b--\r\n"
	for name, raw := range map[string]string{"depth": deep.String(), "parts": many} {
		m := mail.Parse([]byte(raw))
		kept := slices.ContainsFunc(m.Attachments, func(a mail.Attachment) bool { return bytes.Contains(a.Data, []byte(words)) })
		if !kept {
			t.Errorf("%s: the content beyond the limit is in none of %d attachments", name, len(m.Attachments))
		}
		named := slices.ContainsFunc(m.Defects, func(d string) bool {
			return strings.Contains(d, "more than") && strings.Contains(d, "kept as an attachment")
		})
		if !named {
			t.Errorf("%s: no defect names the limit: %v", name, m.Defects)
		}
	}
}

// What a hostile sender can repeat a hundred thousand times must neither crash
// nor take more than linear time; a quadratic reading would not end.
func TestParseSurvivesRepetition(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size = 1 << 17
	}
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, raw := range map[string]string{
		"nul":                 repeat("\x00"),
		"bad header lines":    "From: a@b\n" + repeat("bad line\n") + "To: c@d\n\nhi",
		"continuations":       "Subject: a\n" + repeat(" folded\n") + "\nhi",
		"fields":              "Subject: a\n" + repeat("X-A: b\n") + "\nhi",
		"long field":          "Subject: " + repeat("a") + "\n\nhi",
		"escaped quotes":      "From: " + repeat(`"\`) + "\n\nhi",
		"quotes escaped":      "From: " + repeat(`\"`) + "\n\nhi",
		"parentheses":         "From: " + repeat("(") + "\n\nhi",
		"angles":              "From: " + repeat("<") + ">\n\nhi",
		"commas":              "To: " + repeat("a,") + "b <c@d>\n\nhi",
		"at signs":            "To: " + repeat("@") + "\n\nhi",
		"wide separators":     "To: " + repeat("＠，") + "\n\nhi",
		"groups":              "To: " + repeat("a:") + ";\n\nhi",
		"open words":          "Subject: " + repeat("=?a?Q?") + "\n\nhi",
		"one word end":        "Subject: " + repeat("=?a?Q?") + "?=\n\nhi",
		"open base64 words":   "Subject: " + repeat("=?a?B?YWFh ") + "\n\nhi",
		"question marks":      "Subject: " + repeat("=?utf-8?Q?a?=41") + "\n\nhi",
		"identifiers":         "References: " + repeat("<") + "\n\nhi",
		"parameters":          "Content-Type: text/plain; " + repeat(`a="x"y;`) + "\n\nhi",
		"parameters in one":   "Content-Type: text/plain; " + repeat("name=b ") + "\n\nhi",
		"quoted parameter":    "Content-Type: text/plain; " + repeat(`"`) + "\n\nhi",
		"delimiters":          "Content-Type: multipart/mixed; boundary=b\n\n" + repeat("--b\n"),
		"alternatives":        "Content-Type: multipart/alternative; boundary=b\n\n" + repeat("--b\n\nhi\n"),
		"missing boundaries":  "From: a@b\n" + repeat("Content-Type: multipart/mixed\n\n--b\n"),
		"reused boundary":     "From: a@b\n" + repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
		"uuencoded beginning": "From: a@b\n\n" + repeat("begin 644 a\n"),
		"uuencoded blocks":    "From: a@b\n\n" + repeat("begin 644 a\n#86%A\nend\n"),
		"escapes":             "From: a@b\n\n" + repeat("\x1b$B"),
		"stripped escapes":    "Content-Type: text/plain; charset=iso-2022-jp\n\n" + repeat("$B"),
		"content identifiers": "Content-Type: text/html\n\n" + repeat("cid:"),
		"base64 seams":        "Content-Transfer-Encoding: base64\n\n" + repeat("QUJD="),
		"equal signs":         "Content-Transfer-Encoding: quoted-printable\n\n" + repeat("="),
		"carriage returns":    repeat("\r"),
	} {
		t.Run(name, func(t *testing.T) { checkInvariants(t, mail.Parse([]byte(raw))) })
	}
}

// Of these a listener takes tens of megabytes, and looking through the rest for each
// line or word would take it hours.
func TestParseLooksOnceThroughAMailOfManyMegabytes(t *testing.T) {
	size := 16 << 20
	if testing.Short() {
		size = 1 << 17
	}
	for name, parts := range map[string][2]string{
		"words never ended":        {"Subject: ", "=?utf-8?q?a\r\n "},
		"base64 words never ended": {"Subject: ", "=?utf-8?b?a<\r\n "},
		"armor never ended":        {"Subject: a\r\n\r\n", "-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\na\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			m := mail.Parse([]byte(parts[0] + strings.Repeat(parts[1], size/len(parts[1])) + "\r\n\r\nhi\r\n"))
			if !strings.HasSuffix(m.Text, "hi\n") {
				t.Errorf("the text ends in %q", m.Text[max(0, len(m.Text)-20):])
			}
		})
	}
}

func TestParseLeavesTheSourceAlone(t *testing.T) {
	raw := []byte("From: a@b.example\r\nSubject: one\r\n two\r\n\tthree\r\nTo: c@d.example\r\n\r\nbody\r\n")
	before := bytes.Clone(raw)
	if got := mail.Parse(raw).Subject; got != "one two three" {
		t.Errorf("subject %q", got)
	}
	if !bytes.Equal(raw, before) {
		t.Errorf("Parse changed its input to %q", raw)
	}
}
