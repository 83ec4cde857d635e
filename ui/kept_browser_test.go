package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserKeepsWhatWasFilledIn ends a session while a template is written.
// After the login it is all there, once, and only for whoever wrote it.
func TestBrowserKeepsWhatWasFilledIn(t *testing.T) {
	h := newReadyHouse(t)
	h.user("suzuki@example.jp", "鈴木 一郎", helpdesk.RoleAdmin)
	b := openTab(t, h.http.URL)
	const page = "/settings/templates/new"
	write := func() {
		t.Helper()
		b.until(`document.querySelector(".rich-editor")`)
		b.fill(`[name=name]`, "再発行のご案内")
		eval[bool](b, `(document.querySelector("[name=scope][value=own]").click(), true)`)
		b.click(".rich-editor")
		b.do(chromedp.SendKeys(chromedp.CSS(".rich-editor"), "校正証明書をお送りします。"))
		b.until(`document.querySelector("[data-rich-field] textarea").value.includes("お送りします。")`)
		eval[bool](b, `(fetch("/logout", { method: "POST" }).then(() => document.querySelector("[name=name]").form.requestSubmit()), true)`)
	}
	there := `document.querySelector("[name=name]").value === "再発行のご案内" && document.querySelector("[name=scope][value=own]").checked &&
		document.querySelector(".rich-editor").innerText.includes("校正証明書をお送りします。")`
	blank := `document.querySelector(".rich-editor") && document.querySelector("[name=name]").value === "" && !document.querySelector(".rich-editor").innerText.trim()`

	b.openAs("sato@example.jp", page)
	write()
	b.logIn("sato@example.jp", page)
	b.until(there)
	b.open("/settings/templates")
	b.open(page)
	b.until(blank)

	write()
	b.logIn("suzuki@example.jp", page)
	b.until(blank)
}

// TestBrowserKeepsSearchesOfEachReader has two people search in one browser.
func TestBrowserKeepsSearchesOfEachReader(t *testing.T) {
	h := newReadyHouse(t)
	h.user("suzuki@example.jp", "鈴木 一郎", helpdesk.RoleAgent)
	b := openTab(t, h.http.URL)
	offered := func(text string) string {
		return `[...document.querySelectorAll("#find-help [role=option]")].some(option => option.innerText.includes("` + text + `"))`
	}
	search := func(text string) {
		t.Helper()
		b.fill("#find-text", text)
		eval[bool](b, `(document.querySelector("#find").requestSubmit(), true)`)
		b.until(`new URLSearchParams(location.search).get("q") === "` + text + `" && document.readyState === "complete"`)
		b.open("/inbox/open")
		b.until(`document.readyState === "complete"`)
		eval[bool](b, `(document.querySelector("#find-text").focus(), true)`)
		b.until(offered(text))
	}
	b.openAs("sato@example.jp", "/inbox/open")
	search("解約の相談")
	b.logOut()
	b.openAs("suzuki@example.jp", "/inbox/open")
	search("請求書")
	if eval[bool](b, offered("解約の相談")) {
		t.Error("a reader is offered what somebody else searched for")
	}
}

// TestBrowserEmptiesANoteBesideADraft adds a note while a reply is a draft: the
// note's field begins anew, and the reply goes on being kept.
func TestBrowserEmptiesANoteBesideADraft(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "納期の件", text: "納期はいつでしょうか。"})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.until(`document.querySelector(".editor")`)
	b.click(".editor")
	b.do(chromedp.SendKeys(chromedp.CSS(".editor"), "納期は来週です。"))
	b.until(`document.querySelector("[data-composer]").dataset.stamp`)
	for i, kind := range []string{"note", "log"} {
		eval[bool](b, `(document.querySelector("[name=mode][value=`+kind+`]").click(), true)`)
		b.until(`document.querySelector("textarea[name=` + kind + `]").offsetHeight > 0`)
		b.do(chromedp.SendKeys(chromedp.CSS(`textarea[name=`+kind+`]`), "在庫を確認しました。"))
		b.click("." + kind + "-send")
		b.until(`document.querySelectorAll(".note, .message.in").length === ` + []string{"2", "3"}[i] + ` && document.querySelector("textarea[name=` + kind + `]").value === "" &&
			document.querySelector("[data-composer]").elements.mode.value === "reply" && document.querySelector(".editor").innerText.includes("来週")`)
	}
	stamp := eval[string](b, `document.querySelector("[data-composer]").dataset.stamp`)
	b.click(".editor")
	b.do(chromedp.SendKeys(chromedp.CSS(".editor"), "お待ちください。"))
	b.until(`(kept => kept && kept !== "` + stamp + `")(document.querySelector("[data-composer]").dataset.stamp)`)
}
