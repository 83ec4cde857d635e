package ui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserByKeyboardAlone works through a ticket without a pointer.
func TestBrowserByKeyboardAlone(t *testing.T) {
	h := newReadyHouse(t)
	for _, subject := range []string{"一つ目", "二つ目", "三つ目"} {
		h.receive(letter{subject: subject, text: subject + "の本文です。"})
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")

	b.keys("j")
	b.until(`document.querySelector("#ticket").dataset.number === "3"`)
	b.keys("j")
	b.until(`document.querySelector("#ticket").dataset.number === "2"`)

	b.keys("a") // the assignee, the reader first below nobody
	b.until(`document.activeElement.id === "assignee"`)
	b.keys(kb.ArrowDown + kb.Enter)
	b.until(`document.querySelector("#row-2 .row-assignee") && document.activeElement.id === "thread"`)

	b.keys("l")
	b.until(`document.activeElement.id === "tag-text"`)
	b.keys("急ぎ" + kb.Enter)
	b.until(`document.querySelector("#ticket-head .tag")?.innerText.includes("急ぎ")`)
	eval[bool](b, `(document.activeElement.blur(), true)`)

	b.keys("h")
	b.until(`document.activeElement.closest("#hold") && document.activeElement.name === "until"`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#on-hold")`)
	eval[bool](b, `(document.activeElement.blur(), true)`)

	b.keys("k", chromedp.ModifierCtrl)
	b.until(`document.activeElement.id === "palette-text"`)
	b.keys("優先度 至急")
	b.until(`document.querySelector("#palette-list [aria-selected=true]")?.innerText.includes("至急")`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#ticket-head .priority-prop.urgent") && !document.querySelector("#palette").open`)
	eval[bool](b, `(document.activeElement.blur(), true)`)

	b.keys("r")
	b.until(`document.activeElement.closest("[data-composer]")`)
	b.keys("ご連絡ありがとうございます。 e j")
	b.keys(kb.Enter, chromedp.ModifierCtrl|chromedp.ModifierShift)
	b.until(`document.querySelector(".toast") && document.querySelector("#close-button").innerText.includes("再オープン") && document.activeElement.id === "thread"`)
	b.keys("z") // takes the reply back: its words are in the field again
	b.until(`document.activeElement.closest("[data-composer]")?.innerText.includes("ご連絡ありがとうございます") && !document.querySelector(".toast")`)
	b.keys(kb.Escape)
	b.until(`document.activeElement.id === "thread"`)

	b.keys("xa") // two are chosen, and the key is about both
	b.until(`document.activeElement.dataset.bulk === "assign"`)
	b.keys(kb.Escape + "k" + "x" + "a")
	b.until(`document.activeElement.dataset.bulk === "assign" && document.querySelector("#bulk-count").innerText.includes("2")`)
	b.keys(kb.Enter)
	b.until(`!document.querySelector(".row-assignee") && document.querySelector(".bulk-toast .toast-action") && document.activeElement.matches("#rows .row")`)
	b.keys("z")
	b.until(`document.querySelector(".row-assignee")`)

	b.keys("k", chromedp.ModifierCtrl)
	b.until(`document.activeElement.id === "palette-text"`)
	b.keys("一つ目")
	b.until(`document.querySelector("#palette-list [aria-selected=true]")?.dataset.href?.endsWith("/1")`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#ticket")?.dataset.number === "1" && document.documentElement.dataset.live === "yes"`)
	b.keys("g")
	b.keys("h")
	b.until(`location.pathname === "/inbox/snoozed" && document.documentElement.dataset.live === "yes"`)

	b.keys("?")
	b.until(`document.querySelector("#keys").open`)
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#keys").open`)
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

// TestFocusIsNeverNowhere goes back to the list and presses the button that sends, after which the element with the focus
// is gone or off.
func TestFocusIsNeverNowhere(t *testing.T) {
	h := newReadyHouse(t)
	for _, subject := range []string{"一つ目", "二つ目", "三つ目"} {
		h.receive(letter{subject: subject, text: subject + "の本文です。"})
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	b.click("#row-2")
	b.until(`document.querySelector("#ticket")?.dataset.number === "2"`)
	b.keys("r")
	b.until(`document.activeElement.closest("[data-composer]")`)
	eval[bool](b, `(history.back(), true)`)
	b.until(`!document.querySelector("#ticket")?.dataset.number && document.activeElement.id === "row-2"`)
	b.keys(kb.ArrowDown + kb.Enter)
	b.until(`document.querySelector("#ticket")?.dataset.number === "1"`)

	eval[bool](b, `(document.querySelector("[data-send]").focus(), true)`)
	b.keys(kb.Enter) // nothing is written
	b.until(`document.querySelector("#conversation").innerText.includes("返信が空です") && document.activeElement.matches("[data-send]")`)
	b.keys("r")
	b.until(`document.activeElement.closest("[data-composer]")`)
	b.keys("お送りします。")
	eval[bool](b, `(document.querySelector("[data-send]").focus(), true)`)
	b.keys(kb.Enter)
	b.until(`document.querySelector(".toast") && document.activeElement.id === "thread"`)
}
