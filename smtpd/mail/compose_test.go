package mail

import (
	"bytes"
	"fmt"
	"mime"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"
)

func draft() Draft {
	return Draft{
		From:      Address{"サポート窓口", "support@example.com"},
		ReplyTo:   Address{"", "reply+abcdefgh23456789@example.com"},
		To:        []Address{{"Ann Lee", "ann@example.org"}},
		Subject:   "Re: お見積りについて",
		Date:      time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("JST", 9*3600)),
		MessageID: "01abc@example.com",
		Text:      "お世話になっております。\nhttps://example.com/a?b=1&c=2 をご覧ください。\n\n> 見積りをください。\n",
	}
}

func compose(t *testing.T, d Draft) []byte {
	t.Helper()
	raw, err := Compose(d)
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, raw)
	return raw
}

// checkLines proves the form of every line of a mail.
func checkLines(t *testing.T, raw []byte) {
	t.Helper()
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		t.Errorf("the mail does not end with CR LF: %q", raw[max(0, len(raw)-40):])
	}
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	inHeader, unicode := true, !isASCII(string(header)) // as an address may need (RFC 6532)
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		inHeader = inHeader && len(line) > 0
		if len(line) > maxLineLength || inHeader && bytes.Contains(line, []byte("=?")) && len(line) > foldWidth || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line of %d bytes: %.100q", len(line), line)
		}
		if inHeader && len(line) > 0 && strings.TrimSpace(string(line)) == "" {
			t.Error("a header line is blank")
		}
		if !unicode && !isASCII(string(line)) {
			t.Errorf("8-bit line: %q", line)
		}
	}
}

func TestComposeReadsBackTheSame(t *testing.T) {
	d := draft()
	d.Cc = []Address{{`O'Neil, "Jo"`, "jo@例え.jp"}, {"", `"a..b"@example.net`}, {"長い名前の株式会社カスタマーサクセス本部テクニカルサポート部門第一グループ", "x@example.net"}}
	d.InReplyTo = "parent@example.org"
	d.References = []string{"first@example.org", "bad id", "parent@example.org"}
	d.Header = []Field{{"Auto-Submitted", "auto-replied"}, {"X-Note", "メモ"}}
	d.Attachments = []Attachment{
		{Filename: "見積書 2026年3月分（株式会社サンプル様・改訂版その二・確認済み・社外秘）.pdf", ContentType: "application/pdf", Data: []byte("%PDF\x00\xff")},
		{Filename: "notes.txt", ContentType: "text/plain", Data: []byte("caf\xe9")},
		{Filename: "logo.png", ContentType: "image/png", ContentID: "logo@example.com", Inline: true, Data: bytes.Repeat([]byte{1, 2, 3}, 500)},
		{Filename: "original.eml", ContentType: "message/rfc822", Data: []byte("From: a@example.org\r\nSubject: x\r\n\r\nHello\r\n")},
	}
	raw := compose(t, d)
	if again := compose(t, d); !bytes.Equal(raw, again) {
		t.Error("the same draft gave other bytes")
	}

	m := Parse(raw)
	if len(m.Defects) > 0 || len(m.CharsetNotes) > 0 {
		t.Errorf("defects %q, charset notes %q", m.Defects, m.CharsetNotes)
	}
	if m.From != d.From || !slices.Equal(m.To, d.To) || len(m.ReplyTo) != 1 || m.ReplyTo[0] != d.ReplyTo {
		t.Errorf("from %v to %v reply to %v", m.From, m.To, m.ReplyTo)
	}
	if len(m.Cc) != 3 || m.Cc[0].Name != d.Cc[0].Name || m.Cc[0].Address != "jo@xn--r8jz45g.jp" || m.Cc[2] != d.Cc[2] {
		t.Errorf("cc %+v", m.Cc)
	}
	if m.Subject != d.Subject || !m.Date.Equal(d.Date) || m.MessageID != d.MessageID {
		t.Errorf("subject %q date %v id %q", m.Subject, m.Date, m.MessageID)
	}
	if !slices.Equal(m.InReplyTo, []string{"parent@example.org"}) || !slices.Equal(m.References, []string{"first@example.org", "parent@example.org"}) {
		t.Errorf("in reply to %q, references %q", m.InReplyTo, m.References)
	}
	if strings.TrimSpace(m.Text) != strings.TrimSpace(d.Text) {
		t.Errorf("text %q", m.Text)
	}
	if !strings.Contains(m.HTML, `<a href="https://example.com/a?b=1&amp;c=2">`) || !strings.Contains(m.HTML, "<blockquote") {
		t.Errorf("HTML %q", m.HTML)
	}
	if field := headerValue(m, "X-Note"); field != "メモ" {
		t.Errorf("X-Note %q", field)
	}
	if len(m.Attachments) != 4 {
		t.Fatalf("%d attachments", len(m.Attachments))
	}
	for _, want := range d.Attachments {
		index := slices.IndexFunc(m.Attachments, func(a Attachment) bool { return a.Filename == want.Filename })
		if index < 0 {
			t.Errorf("attachment %q is missing", want.Filename)
			continue
		}
		got := m.Attachments[index]
		if !bytes.Equal(bytes.TrimSpace(got.Data), bytes.TrimSpace(want.Data)) || got.ContentType != want.ContentType || got.ContentID != want.ContentID || got.Inline != want.Inline {
			t.Errorf("attachment %q: type %q id %q inline %v, %d bytes", got.Filename, got.ContentType, got.ContentID, got.Inline, len(got.Data))
		}
	}
}

func headerValue(m *Message, name string) string {
	for _, field := range m.Header {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

func TestComposeStructure(t *testing.T) {
	inline := Attachment{Filename: "a.png", ContentType: "image/png", ContentID: "a@x", Inline: true}
	file := Attachment{Filename: "a.pdf", ContentType: "application/pdf"}
	for _, c := range []struct {
		name        string
		attachments []Attachment
		want        string
	}{
		{"plain", nil, "alternative"},
		{"inline image", []Attachment{inline}, "related alternative"},
		{"file", []Attachment{file}, "mixed alternative"},
		{"both", []Attachment{file, inline}, "mixed related alternative"},
		{"inline without an id is a file", []Attachment{{Filename: "b.png", Inline: true}}, "mixed alternative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := draft()
			d.Attachments = c.attachments
			var got []string
			for line := range strings.SplitSeq(string(compose(t, d)), "\r\n") {
				if rest, ok := strings.CutPrefix(line, "Content-Type: multipart/"); ok {
					subtype, _, _ := strings.Cut(rest, ";")
					got = append(got, subtype)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestComposeEncodesWhatOthersRead(t *testing.T) {
	d := draft()
	d.Subject = "=?utf-8?q?x?= " + strings.Repeat("日本語の長い件名", 12) + "😀 end"
	d.To = []Address{{"山田 太郎（営業部）", "taro@example.org"}}
	raw := compose(t, d)
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	decoder := new(mime.WordDecoder)
	if subject, err := decoder.DecodeHeader(message.Header.Get("Subject")); err != nil || subject != d.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if to, err := message.Header.AddressList("To"); err != nil || to[0].Name != d.To[0].Name || to[0].Address != "taro@example.org" {
		t.Errorf("to %v, %v", to, err)
	}
	for word := range strings.FieldsSeq(message.Header.Get("Subject")) {
		if _, err := decoder.Decode(word); err != nil || len(word) > 75 {
			t.Errorf("encoded-word %q of %d bytes: %v", word, len(word), err)
		} else if text, _ := decoder.Decode(word); strings.Contains(text, "\uFFFD") {
			t.Errorf("encoded-word %q divides a character", word)
		}
	}
	if !bytes.Contains(raw, []byte("Content-Transfer-Encoding: base64")) {
		t.Error("Japanese text is not in base64, the shorter encoding for it")
	}
	d.Text = "Plain English, with a café."
	if raw := compose(t, d); !bytes.Contains(raw, []byte("caf=C3=A9")) {
		t.Error("Latin text is not quoted-printable")
	}
}

// TestComposeNamesCharsetsOfFiles: programs that show a text file in the mail read
// it as ASCII where nothing is said.
func TestComposeNamesCharsetsOfFiles(t *testing.T) {
	sjis := "\x96\xbc\x91O,\x83t\x83\x8a\x83K\x83i\r\n\x82\xbd\x82\xe9,\x82\xcd\x82\xc8\r\n" // 名前,フリガナ, as Excel saves it
	for _, c := range []struct{ kind, data, want string }{
		{"text/csv", "名前,住所", "text/csv; charset=utf-8"},
		{"text/csv", sjis, "text/csv; charset=shift_jis"},
		{"text/plain", "\x1b$B;0?M\x1b(B", "text/plain; charset=iso-2022-jp"},
		{"text/plain", "names", "text/plain"},
		{"text/plain", "\xff\xfen\x00", "text/plain"},
		{"Text/CSV; charset=us-ascii", "名前", "text/csv; charset=utf-8"},
		{"application/json; charset=utf-8", "名前", "application/json"},
	} {
		d := draft()
		d.Attachments = []Attachment{{Filename: "一覧.txt", ContentType: c.kind, Data: []byte(c.data)}}
		fields := strings.Split(strings.ReplaceAll(string(compose(t, d)), "\r\n ", " "), "\r\nContent-Type: ")
		got, _, _ := strings.Cut(fields[len(fields)-1], "; name=")
		if got != c.want {
			t.Errorf("%q of %s is sent as %q, want %q", c.data, c.kind, got, c.want)
		}
	}
}

// TestComposeNamesFilesWithoutNames composes parts as they come from programs that name none: a picture amid the words
// stays one.
func TestComposeNamesFilesWithoutNames(t *testing.T) {
	d := draft()
	d.Attachments = []Attachment{
		{ContentType: "image/png", ContentID: "one@example.com", Inline: true, Data: []byte("\x89PNG")},
		{ContentType: "image/jpeg", Inline: true, Data: []byte("\xff\xd8")},
		{ContentType: "application/pdf", Data: []byte("%PDF-1.7")},
		{Filename: " .. ", ContentType: "application/x-nobody-knows", Data: []byte("?")},
		{ContentType: "message/rfc822", Data: []byte("Subject: caf\xe9\r\n\r\n")}, // it goes as a file
	}
	var got []string
	for _, a := range Parse(compose(t, d)).Attachments {
		got = append(got, fmt.Sprint(a.Filename, " ", a.ContentType, " ", a.ContentID, " ", a.Inline))
	}
	want := []string{"image1.png image/png one@example.com true", "image2.jpg image/jpeg  true", "attachment3.pdf application/pdf  false",
		"attachment4 application/x-nobody-knows  false", "attachment5.eml application/octet-stream  false"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the parts are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestComposeRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Draft)
		want   string
	}{
		{"line end in an address", func(d *Draft) { d.To[0].Address = "a@example.org\r\nBcc: b@example.org" }, "To: "},
		{"line end in a quoted local part", func(d *Draft) { d.Cc = []Address{{"", "\"a\r\n\"@example.org"}} }, "Cc: "},
		{"second address", func(d *Draft) { d.To[0].Address = "a@example.org, b@example.org" }, ""},
		{"angle brackets", func(d *Draft) { d.To[0].Address = "a@example.org>" }, "To: "},
		{"no domain", func(d *Draft) { d.From.Address = "support" }, "From: "},
		{"no sender", func(d *Draft) { d.From = Address{} }, "From: "},
		{"no recipient", func(d *Draft) { d.To = nil }, "To: "},
		{"no date", func(d *Draft) { d.Date = time.Time{} }, "Date: "},
		{"line end in the id", func(d *Draft) { d.MessageID = "a@b\r\nX: y" }, "Message-ID: "},
		{"line end in a field", func(d *Draft) { d.Header = []Field{{"X-A", "b\r\nBcc: c@example.org"}} }, "X-A: "},
		{"line end in a field name", func(d *Draft) { d.Header = []Field{{"X-A\r\nBcc", "b"}} }, "not a field name"},
		{"field of its own", func(d *Draft) { d.Header = []Field{{"bCC", "b@example.org"}} }, "bCC: "},
		{"field too long", func(d *Draft) { d.Header = []Field{{"X-A", strings.Repeat("a", 2000)}} }, "X-A: "},
		{"line end in a Content-ID", func(d *Draft) { d.Attachments = []Attachment{{ContentID: "a\r\nX: y"}} }, "Content-ID: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := draft()
			c.change(&d)
			raw, err := Compose(d)
			if c.want == "" { // harmless once quoted
				if to := Parse(raw).To; err != nil || len(to) != 1 {
					t.Errorf("to %v, %v", to, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestComposeCannotBeInjected(t *testing.T) {
	d := draft()
	d.Subject = "Hello\r\nBcc: evil@example.org\r\n\r\nbody\u2028\x00"
	d.From.Name = "A\r\nBcc: evil@example.org"
	d.Attachments = []Attachment{{Filename: "../..\\evil\r\nX: y\u202Efdp.exe", ContentType: "text/html\r\nX: y"}}
	m := Parse(compose(t, d))
	if headerValue(m, "Bcc") != "" || headerValue(m, "X") != "" {
		t.Errorf("header %+v", m.Header)
	}
	if m.Subject != "Hello Bcc: evil@example.org body" || m.From.Name != "A Bcc: evil@example.org" {
		t.Errorf("subject %q, from %q", m.Subject, m.From.Name)
	}
	if got := m.Attachments[0]; got.Filename != "_.._evil X: yfdp.exe" || got.ContentType != "application/octet-stream" {
		t.Errorf("attachment %q %q", got.Filename, got.ContentType)
	}
}

func TestComposeLongThread(t *testing.T) {
	d := draft()
	for i := range 500 {
		d.References = append(d.References, strings.Repeat("x", i%50)+string(rune('a'+i%26))+"-"+strings.Repeat("9", i/26)+"@example.org")
	}
	d.InReplyTo = d.References[499]
	got := Parse(compose(t, d)).References
	want := append([]string{d.References[0]}, d.References[480:]...)
	if !slices.Equal(got, want) {
		t.Errorf("%d references, want %d: %q", len(got), len(want), got)
	}
	d.References = append([]string{"first@example.org", "again@example.org", "first@example.org"}, d.References[490:]...)
	d.InReplyTo = "again@example.org"
	want = append(append([]string{"first@example.org"}, d.References[3:]...), "again@example.org")
	if got := Parse(compose(t, d)).References; !slices.Equal(got, want) {
		t.Errorf("what is named twice: %q, want %q", got, want)
	}
}

func TestHeadersAreASCIIButForLocalParts(t *testing.T) {
	d := draft()
	d.To = []Address{{"", "support@例え.jp"}}
	if raw := compose(t, d); !isASCII(string(raw)) {
		t.Errorf("a domain is not written in ASCII:\n%s", raw)
	}
	d.To = []Address{{"", "山田@例え.jp"}}
	raw := compose(t, d)
	if !bytes.Contains(raw, []byte("\r\nTo: 山田@")) && !bytes.Contains(raw, []byte("\r\nTo: <山田@")) {
		t.Errorf("a local part was changed:\n%s", raw)
	}
	if to := Parse(raw).To; len(to) != 1 || to[0].Address != "山田@xn--r8jz45g.jp" {
		t.Errorf("to %v", to)
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		subject, plain string
		forward        bool
	}{
		{"見積り", "見積り", false},
		{"Re: RE: re : 見積り", "見積り", false},
		{"Fwd: Re: Order", "Order", true},
		{"Re: Fwd: Order", "Order", false},
		{"RE：転送: 件名", "件名", false},
		{"転送： 件名", "件名", true},
		{"Re[2]: AW: Antw: SV: x", "x", false},
		{"回复: 答复：x", "x", false},
		{"FW:x", "x", true},
		{"Order (fwd)", "Order", true},
		{"Restaurant: a table", "Restaurant: a table", false},
		{"Refund", "Refund", false},
		{"Re:", "", false},
		{"  Re:\u3000 x", "x", false},
	} {
		if got := PlainSubject(c.subject); got != c.plain {
			t.Errorf("PlainSubject(%q) = %q, want %q", c.subject, got, c.plain)
		}
		if got := IsForwardSubject(c.subject); got != c.forward {
			t.Errorf("IsForwardSubject(%q) = %v", c.subject, got)
		}
		if got, want := ReplySubject(c.subject), strings.TrimSpace("Re: "+c.plain); got != want {
			t.Errorf("ReplySubject(%q) = %q, want %q", c.subject, got, want)
		}
	}
}

func TestHTMLFromText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"paragraphs", "One\r\nTwo\n\n\nThree <b>&", "<p>One<br>\nTwo</p>\n<p>Three &lt;b&gt;&amp;</p>\n"},
		{"spaces", "  a  b\tc", "<p>\u00a0 a\u00a0 b\u00a0 \u00a0 c</p>\n"},
		{"links", "See https://example.com/a_(b)?x=1&y=2). ask@example.co.jpまで",
			`<p>See <a href="https://example.com/a_(b)?x=1&amp;y=2">https://example.com/a_(b)?x=1&amp;y=2</a>). <a href="mailto:ask@example.co.jp">ask@example.co.jp</a>まで</p>` + "\n"},
		{"link in Japanese", "詳細はhttps://example.com/をご覧ください", `<p>詳細は<a href="https://example.com/">https://example.com/</a>をご覧ください</p>` + "\n"},
		{"quotations", "Yes.\n> A?\n>> B\n> \n> C", "<p>Yes.</p>\n" + quoteStart + "\n<p>A?</p>\n" + quoteStart + "\n<p>B</p>\n</blockquote>\n<p>C</p>\n</blockquote>\n"},
		{"script link", "javascript:alert(1) http://\"onclick=x", "<p>javascript:alert(1) http://&#34;onclick=x</p>\n"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := HTMLFromText(c.text); got != c.want {
				t.Errorf("HTMLFromText(%q)\n got %q\nwant %q", c.text, got, c.want)
			}
		})
	}
	text := "お世話になっております。\n山田です。\n\n> 一行目\n>\n>> 二行目\n\n以上"
	if got := TextFromHTML(HTMLFromText(text)); got != "お世話になっております。\n山田です。\n\n> 一行目\n>\n>> 二行目\n\n以上" {
		t.Errorf("read back as %q", got)
	}
}

func TestQuote(t *testing.T) {
	if got, want := QuoteText("On Monday,\nAnn wrote:", "\nHi\n\n> old  \n"), "On Monday, Ann wrote:\n> Hi\n>\n>> old\n"; got != want {
		t.Errorf("QuoteText = %q, want %q", got, want)
	}
	quoted := QuoteHTML("山田 <ann@example.org> さん:", SanitizeHTML(`<p onclick=x>Hi <img src="cid:logo@x"></p>`, SanitizeOptions{}))
	for _, want := range []string{"山田 &lt;ann@example.org&gt; さん:", `<blockquote type="cite"`, `<p>Hi <img src="cid:logo@x"/></p>`} {
		if !strings.Contains(quoted, want) {
			t.Errorf("QuoteHTML = %q lacks %q", quoted, want)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("山田", "a@example.org", "件名", "本文\n\n> x", "", "ファイル.pdf", []byte("data"))
	f.Add("A \"B\" =?", "a..b.@例え.jp", "=?utf-8?q?x?=", "\xff\r\r\n.\n", "<p>x</p>", "a/../b\".exe", []byte("From x\r\n--=_"))
	f.Fuzz(func(t *testing.T, name, address, subject, text, html, filename string, data []byte) {
		d := draft()
		d.To, d.Subject, d.Text, d.HTML = []Address{{name, address}}, subject, text, html
		d.Attachments = []Attachment{{Filename: filename, ContentType: "application/octet-stream", Data: data}}
		raw, err := Compose(d)
		if err != nil {
			return
		}
		checkLines(t, raw)
		if strings.Contains(strings.ToValidUTF8(name+subject+text+html, "\uFFFD"), "\uFFFD") {
			return // what was lost before composing, parsing may guess at
		}
		m := Parse(raw)
		oneSpace := func(s string) string { return strings.Join(strings.Fields(headerText(s)), " ") }
		if len(m.To) != 1 || oneSpace(m.To[0].Name) != oneSpace(name) {
			t.Errorf("name %q read back as %+v from\n%.600s", name, m.To, raw)
		}
		if oneSpace(m.Subject) != oneSpace(subject) {
			t.Errorf("subject %q read back as %q from\n%.600s", subject, m.Subject, raw)
		}
		if strings.TrimSpace(normalizeLines(text)) != "" && strings.TrimSpace(m.Text) != strings.TrimSpace(normalizeLines(text)) {
			t.Errorf("text %q read back as %q", text, m.Text)
		}
		if len(m.Attachments) != 1 || !bytes.Equal(m.Attachments[0].Data, data) || m.Attachments[0].Filename == "" {
			t.Errorf("attachment %q of %d bytes read back as %+v", filename, len(data), m.Attachments)
		}
	})
}

func BenchmarkCompose(b *testing.B) {
	d := draft()
	d.Attachments = []Attachment{{Filename: "a.pdf", ContentType: "application/pdf", Data: make([]byte, 1<<20)}}
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := Compose(d); err != nil {
			b.Fatal(err)
		}
	}
}
