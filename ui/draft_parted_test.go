package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Without a script a page that is behind is refused once, and both texts are there.
func TestADraftThatAnotherPageChangedIsNotSentOver(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	save := func(page, stamp, text string) *page {
		return b.post(draftPath, "kind", "reply", "ticket", "1", "page", page, "stamp", stamp, "text", text)
	}
	save("one", "", "書きかけ").want(http.StatusOK)
	p := b.get("/inbox/open/1")
	fields := composer(p)
	fields["stamp"] = partOf(p.body, `name="stamp" value="`, `"`)
	stamp := save("two", fields["stamp"], "別の画面の文").want(http.StatusOK).told(t).Stamp
	if got := save("one", fields["stamp"], "この画面の文").want(http.StatusConflict).told(t); got.Key != "draft_elsewhere" || !strings.Contains(got.Error, "別の画面") {
		t.Errorf("saved from the page that is behind: %+v", got)
	}
	fields["mode"], fields["text"], fields["to"] = "reply", "この画面の文", "tamura@kyaku.example"
	p = b.compose("/tickets/1/compose", fields).want(http.StatusConflict).shows("まだ送信していません", "この画面の文</textarea>", "あなたの下書き", `data-parted="reply"`)
	parted := composer(p)
	if parted["key"] == fields["key"] || !strings.Contains(partOf(p.body, `id="drafts"`, `<form class="composer"`), "別の画面の文") {
		t.Errorf("the other draft is not shown, or what is written has its key %q", parted["key"])
	}
	parted["mode"], parted["text"], parted["to"], parted["stamp"] = "reply", "この画面の文", "tamura@kyaku.example", ""
	b.compose("/tickets/1/compose", parted).want(http.StatusSeeOther)
	b.get("/inbox/open/1").shows("この画面の文", "別の画面の文")

	// What the other page sends meanwhile is not taken for what is sent here.
	fields["page"], fields["stamp"], fields["text"] = "two", stamp, "別の画面の文"
	b.compose("/tickets/1/compose", fields).want(http.StatusSeeOther)
	b.compose("/tickets/1/compose", fields).want(http.StatusSeeOther) // a second press
	fields["text"] = "送信後の追記"
	b.compose("/tickets/1/compose", fields).want(http.StatusConflict).shows("すでに送信されています", "送信後の追記</textarea>")
}

// TestBrowserKeepsBothTextsOfADraft has one person write the same draft on two computers.
func TestBrowserKeepsBothTextsOfADraft(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	office, home := openTab(t, h.http.URL), openTab(t, h.http.URL)
	saved := `document.querySelector("[data-draft-state]").textContent === "下書き保存済み"`
	at := func(text string) string {
		return `document.querySelector("[data-text=reply]").value.includes("` + text + `")`
	}
	write := func(b *tab, text string) {
		t.Helper()
		b.until(`document.querySelector(".editor")`)
		b.do(chromedp.Focus(chromedp.CSS(`.editor`)))
		b.keys(text)
		b.until(at(text))
	}
	for _, b := range []*tab{office, home} {
		b.openAs("sato@example.jp", "/inbox/open/1")
		if b == office {
			write(b, "共通の書き出し。")
			b.until(saved)
		} else {
			b.until(at("共通の書き出し。"))
		}
	}
	write(home, "自宅の続き。")
	home.until(saved)
	write(office, "会社の続き。")
	both := func(mine, other string) string {
		return saved + ` && ` + at(mine) + ` && document.querySelector("#drafts").innerText.includes("` + other + `") && document.querySelector("[data-draft-alert]").innerText.includes("別の画面で書き換えられています")`
	}
	office.until(both("会社の続き。", "自宅の続き。"))
	home.until(`document.querySelector("#drafts").innerText.includes("会社の続き。") && ` + at("自宅の続き。"))

	// What is sent at home does not end what the other page has of it.
	for _, b := range []*tab{office, home} {
		b.do(chromedp.Reload())
	}
	office.until(at("会社の続き。"))
	home.until(at("会社の続き。")) // the newest
	home.click(`[data-send]`)
	home.until(`document.querySelector(".message.out")?.innerText.includes("会社の続き。")`)
	write(office, "送信後の追記。")
	office.until(`document.querySelector("[data-draft-alert]").innerText.includes("すでに送信されています")`)
	office.until(`Object.keys(localStorage).filter(k => k.startsWith("draft:")).length === 0`) // it is on the server
	office.do(chromedp.Reload())
	office.until(at("送信後の追記。"))
}
