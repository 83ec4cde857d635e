package ui_test

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"testing"
)

func TestAttachmentsAreSavedNeverOpened(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "件名", text: "添付します", files: []file{
		{name: "第2工場_一覧.xlsx", contentType: "application/vnd.ms-excel", data: "cells"},
		{name: "page.html", contentType: "text/html", data: "<script>alert(1)</script>"},
		{name: "pic.svg", contentType: "image/svg+xml", data: "<svg onload=alert(1)>"},
		{name: `..\..\"evil".exe`, contentType: "bad type", data: "MZ"},
		{contentType: "application/pdf", data: "%PDF-1.7"},
	}})
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows("第2工場_一覧.xlsx", "page.html")
	base := "/messages/" + receipt.MessageID + "/attachments/"
	want := []struct{ path, contentType, name, body string }{
		{"0", "application/vnd.ms-excel", "第2工場_一覧.xlsx", "cells"},
		{"1", "application/octet-stream", "page.html", "<script>alert(1)</script>"},
		{"2", "application/octet-stream", "pic.svg", "<svg onload=alert(1)>"},
		{"3", "text/plain", "", "MZ"},
		{"4", "application/pdf", "attachment-5.pdf", "%PDF-1.7"},
	}
	for _, w := range want {
		p := b.get(base + w.path).want(http.StatusOK)
		disposition, parameters, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" || strings.ContainsAny(parameters["filename"], `/\`) || (w.name != "" && parameters["filename"] != w.name) {
			t.Errorf("attachment %s: disposition %q, %v", w.path, p.Header.Get("Content-Disposition"), err)
		}
		if p.Header.Get("Content-Type") != w.contentType || p.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(p.Header.Get("Content-Security-Policy"), "sandbox") || p.body != w.body {
			t.Errorf("attachment %s: %v %q", w.path, p.Header, p.body)
		}
	}
	b.get(base + "9").want(http.StatusNotFound)
	b.get(base + "x").want(http.StatusNotFound)
	h.browser().get(base + "0").want(http.StatusSeeOther) // strangers go to the login page

	source := b.get("/messages/" + receipt.MessageID + "/source").want(http.StatusOK).shows("Message-ID: <1@kyaku.example>")
	if source.Header.Get("Content-Type") != "message/rfc822" || !strings.HasPrefix(source.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("source headers %v", source.Header)
	}
}

func TestMailHTMLIsAloneInItsFrame(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "件名", text: "本文",
		html:  `<p>太字は<b>これ</b></p><script>alert(1)</script><img src="cid:logo"><img src="cid:none"><img src="cid:vector"><img src="https://track.example/x.png" width="20" height="20"><a href="javascript:alert(1)">x</a><form action="https://evil.example"><input></form>`,
		files: []file{{contentID: "logo", contentType: "image/png", data: "\x89PNG"}, {contentID: "vector", contentType: "image/svg+xml", data: "<svg/>"}}})
	b := h.as(h.admin)
	path := "/messages/" + receipt.MessageID
	b.get("/inbox/open/1").shows(`data-as="html"`)
	frame := b.get(path+"/html").want(http.StatusOK).shows("<b>これ</b>", `src="data:image/png;base64,iVBORw`).
		hides("<script", "https://track.example", "javascript:", "<form", "<input", "image/svg", "/static/")
	policy := frame.Header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "img-src data:", "form-action 'none'", "frame-ancestors 'self'", "sandbox allow-popups allow-popups-to-escape-sandbox"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("policy %q lacks %q", policy, rule)
		}
	}
	for _, word := range []string{"allow-scripts", "allow-same-origin", "script-src", "'self';"} {
		if strings.Contains(strings.ReplaceAll(policy, "frame-ancestors 'self';", ""), word) {
			t.Errorf("policy %q has %q", policy, word)
		}
	}
	measured := b.get(path + "/html?measure=1").want(http.StatusOK).Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(measured, "sandbox allow-same-origin") || strings.Contains(measured, "allow-scripts") || strings.Contains(measured, "allow-popups") {
		t.Errorf("the measured copy has the policy %q", measured)
	}
	shown := b.fragment(path+"/body?as=html", "body").want(http.StatusOK).
		shows(`sandbox="allow-popups allow-popups-to-escape-sandbox"`, "外部の画像 1 点", `src="`+path+`/html"`)
	if strings.Contains(shown.body, "allow-same-origin") || strings.Contains(shown.body, "srcdoc") {
		t.Error("the shown frame shares our origin")
	}
	b.fragment(path+"/body?as=text", "body").want(http.StatusOK).shows("本文").hides("<iframe")
	h.browser().get(path + "/html").want(http.StatusSeeOther)
}

// TestPicturesAreSeenBesidePlainText looks at mails whose pictures stand amid
// their HTML, are attached, or are many, and at one without plain text.
func TestPicturesAreSeenBesidePlainText(t *testing.T) {
	h := newReadyHouse(t)
	large := strings.Repeat("x", 30<<10)
	files := []file{{name: "写真.png", contentType: "image/png", data: large}, {contentType: "image/png", contentID: "screen", data: large}, {contentType: "image/gif", contentID: "logo", data: "GIF89a"}}
	for range 12 {
		files = append(files, file{name: "測定.csv", contentType: "text/csv", data: "a,b"})
	}
	id := h.receive(letter{subject: "画面の写真", html: `<img src="cid:screen">`, files: files}).MessageID
	b := h.as(h.admin)
	p := b.get("/inbox/open/1").want(http.StatusOK).shows("「HTML」を選ぶと", "本文中の画像", "ほか 6 件のファイル")
	base := "/messages/" + id + "/attachments/"
	for index, want := range []bool{true, true, false} {
		if got := strings.Contains(p.body, fmt.Sprintf(`class="file picture" href="%s%d"`, base, index)); got != want {
			t.Errorf("attachment %d is shown small: %v", index, got)
		}
		if !strings.Contains(p.body, fmt.Sprintf(`href="%s%d" download`, base, index)) {
			t.Errorf("attachment %d cannot be saved", index)
		}
	}
	before, folded, found := strings.Cut(p.body, `<details class="more-files">`)
	if shown, hidden := strings.Count(before, "測定.csv</span>"), strings.Count(folded, "測定.csv</span>"); !found || shown != 6 || hidden < 6 {
		t.Errorf("%d of 12 files are listed, %d folded", shown, hidden)
	}
	h.receive(letter{subject: "空"})
	b.get("/inbox/open/2").want(http.StatusOK).shows("本文はありません。").hides("「HTML」を選ぶと", "本文中の画像")
}

// TestQuoteThatOnlyTheHTMLTellsIsFolded: some mail programs write nothing but HTML, and wrap the mail that they answer in
// an element of theirs.
func TestQuoteThatOnlyTheHTMLTellsIsFolded(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "Re: 確認", html: `<div>届きました。</div><div name="quote"><div><b>Xx:</b> 窓口</div><div>もうお手元にありますか。</div></div>`, authentication: proven})
	page := h.as(h.admin).get("/messages/" + receipt.MessageID + "/body").want(http.StatusOK)
	before, after, folded := strings.Cut(page.body, "<details")
	if !folded || !strings.Contains(before, "届きました。") || strings.Contains(before, "もうお手元に") || !strings.Contains(after, "もうお手元に") {
		t.Errorf("the text of the mail: %s", page.body)
	}
}
