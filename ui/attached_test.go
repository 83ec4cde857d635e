package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/ui"
)

// Read implements ui.MailView as the program does.
func (mailView) Read(raw []byte) ui.Letter {
	m := mail.Parse(raw)
	letter := ui.Letter{From: helpdesk.Address{Name: m.From.Name, Email: m.From.Address}, Subject: m.Subject, Date: m.Date,
		Text: m.Text, HTML: m.HTML, Signed: string(m.Protection.Signed), Encrypted: string(m.Protection.Encrypted), Defects: m.Defects}
	for _, a := range m.To {
		letter.To = append(letter.To, helpdesk.Address{Name: a.Name, Email: a.Address})
	}
	for _, f := range m.Attachments {
		letter.Files = append(letter.Files, ui.LetterFile{Data: f.Data, Attachment: helpdesk.DescribeAttachment(f)})
	}
	return letter
}

const innermost = "From: third@kyaku.example\r\nSubject: innermost\r\n\r\nthe innermost words\r\n"

// forwarded is a mail with a mail attached, which has another and files.
func forwarded() string {
	inner := "From: <second@kyaku.example>\r\nTo: =?utf-8?B?55Sw5p2R?= <tamura@kyaku.example>\r\nSubject: inner\r\nDate: Fri, 20 Nov 2026 10:00:00 +0900\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" +
		"--i\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>the <b>inner</b> words</p><script>alert(1)</script>" +
		"<img src=\"https://track.example/x.png\" width=\"20\" height=\"20\"><img src=\"https://track.example/open.gif\"><img src=\"cid:logo\"><a href=\"https://login.evil.example/\">www.bank.co.jp</a>\r\n" +
		"--i\r\nContent-Type: message/rfc822\r\n\r\n" + innermost + "\r\n" +
		"--i\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n" +
		"--i\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=page.html\r\n\r\n<script>alert(2)</script>\r\n--i--\r\n"
	return "From: hana@kaede.example\r\nTo: support@example.jp\r\nSubject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n" +
		"--o\r\nContent-Type: text/plain\r\n\r\nthe outer words\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner +
		"\r\n--o\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n--o--\r\n"
}

func TestAttachedMailIsReadable(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receiveRaw(forwarded(), "support@example.jp")
	base := "/messages/" + receipt.MessageID + "/attachments/0/mail"
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows(`<a class="file" href="` + base + `"`).hides("the innermost words")
	inner := b.get(base).want(http.StatusOK).shows("添付されたメール", "second@kyaku.example", "田村 &lt;tamura@kyaku.example&gt;", "the inner words",
		"差出人が本物かどうかは確かめられません", `href="`+base+`?part=0"`, `href="`+base+`/file?part=2" download`, `href="`+base+`/file" download`).
		hides("<script>alert", "track.example", "このメールを添付したメール", "file?part=1")
	if !strings.Contains(inner.Header.Get("Content-Security-Policy"), "script-src 'self';") {
		t.Error("the page has no policy")
	}
	b.get(base+"?part=0").want(http.StatusOK).shows("innermost", "third@kyaku.example", "このメールを添付したメール", `href="`+base+`"`)
	b.get(base+"?as=html").want(http.StatusOK).shows(`src="`+base+`/html"`, "外部の画像 1 点", "見えない画像 1 点", "「www.bank.co.jp」と書かれたリンクの行き先は「login.evil.example」です。").hides("allow-same-origin", "srcdoc")
	h.inEnglish()
	checkPage(t, h.as(h.admin).get(base+"?as=html"), "en")
}

func TestAttachedMailIsHarmless(t *testing.T) {
	h := newReadyHouse(t)
	base := "/messages/" + h.receiveRaw(forwarded(), "support@example.jp").MessageID + "/attachments/0/mail"
	b := h.as(h.admin)
	frame := b.get(base+"/html").want(http.StatusOK).shows("<b>inner</b>", "data:image/png;base64,iVBORw").hides("<script", "track.example")
	policy := frame.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "img-src data:;") || strings.Contains(policy, "allow-scripts") {
		t.Errorf("policy %q", policy)
	}
	page := b.get(base + "/file?part=2").want(http.StatusOK)
	if page.body != "<script>alert(2)</script>" || page.Header.Get("Content-Type") != "application/octet-stream" ||
		!strings.HasPrefix(page.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("file %v %q", page.Header, page.body)
	}
	if source := b.get(base + "/file?part=0").want(http.StatusOK); strings.TrimSpace(source.body) != strings.TrimSpace(innermost) {
		t.Errorf("source %q", source.body)
	}

	for _, path := range []string{base + "?part=9", base + "?part=-1", base + "?part=x", base + "?part=0.0", base + "?part=2", base + "/file?part=0.7",
		base + "?part=" + strings.Repeat("0.", 40) + "0", strings.Replace(base, "/0/", "/1/", 1), strings.Replace(base, "/0/", "/7/", 1)} {
		b.get(path).want(http.StatusNotFound)
	}
	h.browser().get(base).want(http.StatusSeeOther)
	h.browser().get(base + "/file").want(http.StatusSeeOther)
}
