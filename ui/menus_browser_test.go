package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserShowsWhatWasOpenedAndPosted opens menus that their pane would cut
// off, and looks for the reply that has just been sent.
func TestBrowserShowsWhatWasOpenedAndPosted(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "長いお問い合わせ", text: strings.Repeat("本文の一行です。\r\n", 60)})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")

	// Every edge of an open menu is in the window, and nothing lies over its last line.
	whole := func(menu string) {
		t.Helper()
		b.until(fmt.Sprintf(`(menu => {
			const { left, right, top, bottom } = menu.getBoundingClientRect();
			const over = document.elementFromPoint(left + 20, bottom - 8);
			return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && menu.contains(over);
		})(document.querySelector(%q))`, menu))
	}
	eval[bool](b, `(document.querySelector("#thread").scrollTop = 0, true)`)
	b.click("#flow .message .menu-holder > summary")
	whole("#flow .message .menu-holder > .menu")
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#flow .menu-holder[open]")`)

	b.keys("r")
	b.until(`document.activeElement.matches("[data-composer] [contenteditable]")`)
	eval[bool](b, `document.execCommand("insertText", false, "ご連絡ありがとうございます。")`)
	eval[bool](b, `(document.querySelector("#thread").scrollTop = 0, true)`)
	b.keys(kb.Enter, chromedp.ModifierCtrl)
	b.until(`(sent => sent && sent.getBoundingClientRect().bottom <= document.querySelector("#thread").getBoundingClientRect().bottom)(document.querySelectorAll("#flow > .message")[1])`)

	b.click("#flow .message:nth-of-type(2) .menu-holder > summary")
	whole("#flow .message:nth-of-type(2) .menu-holder > .menu")

	// What stood last stays in sight while the answer grows.
	b.open("/inbox/open/1")
	b.until(`document.documentElement.dataset.live === "yes"`)
	eval[bool](b, `((thread) => { thread.scrollTop = thread.scrollHeight; return true })(document.querySelector("#thread"))`)
	b.keys("r")
	b.until(`document.activeElement.matches("[data-composer] [contenteditable]")`)
	height := eval[int](b, `document.querySelector("#thread").clientHeight`)
	eval[bool](b, `document.execCommand("insertHTML", false, "<p>一行</p>".repeat(9))`)
	b.until(fmt.Sprintf(`(thread => thread.clientHeight < %d && thread.scrollHeight - thread.scrollTop - thread.clientHeight < 4)(document.querySelector("#thread"))`, height))

	// The longest words a send button has stay inside the composer, and the page inside the window.
	requireApproval(t, h.Desk, h.admin.Actor())
	for _, width := range []int64{1440, 1280, 390} {
		b.do(chromedp.EmulateViewport(width, 844))
		b.open("/inbox/open/1")
		b.until(`document.documentElement.dataset.live === "yes" && ` + says + `("承認を依頼")`)
		b.until(`document.querySelector(".send-more").getBoundingClientRect().right <= document.querySelector(".composer-end").getBoundingClientRect().right - 4 && document.scrollingElement.scrollWidth <= innerWidth`)
	}
}
