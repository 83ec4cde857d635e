package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserSortsItOut filters a list, keeps it as a view, closes several
// tickets at once, takes that back, and sets one aside as spam.
func TestBrowserSortsItOut(t *testing.T) {
	h := newReadyHouse(t)
	tags := []string{"請求"}
	for n := range 4 {
		h.receive(letter{from: fmt.Sprintf("k%d@kyaku.example", n), name: "客", subject: fmt.Sprintf("件名%d", n), text: "本文"})
		if n < 3 {
			if _, err := h.Change(h.ctx(), h.admin.Actor(), uint64(n+1), helpdesk.Change{Tags: &tags}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := openTab(t, h.http.URL)
	b.open("/login")
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=email]`), "sato@example.jp"), chromedp.SendKeys(chromedp.CSS(`[name=password]`), password+kb.Enter))
	b.until(`document.documentElement.dataset.live === "yes"`)

	b.click("#filter > summary")
	eval[bool](b, `(document.querySelector("[name=tag]").closest("details").open = true)`)
	b.click(`#filter [name=tag]`)
	b.until(`document.querySelector("[data-shows]").textContent.includes("3 件")`)
	b.click("[data-shows]")
	b.until(`location.search.startsWith("?tag=") && document.querySelectorAll("#rows .row").length === 3 && document.documentElement.dataset.live === "yes"`)
	b.click("#save-view > summary")
	b.until(`document.activeElement.name === "name"`)
	b.keys("請求のもの" + kb.Enter)
	b.until(`location.search.includes("saved=") && document.querySelector("#nav [aria-current]").innerText.includes("請求のもの") && document.documentElement.dataset.live === "yes"`)

	b.do(chromedp.Focus(chromedp.CSS("#rows .row")))
	b.keys("x")
	b.until(`!document.querySelector("#bulk-bar").hidden && document.querySelector("#bulk-count").textContent === "1 件を選択"`)
	b.keys("a", chromedp.ModifierCtrl)
	b.until(`document.querySelectorAll("#rows [aria-checked=true]").length === 3`)
	b.click(`#bulk-choices [data-bulk=close]`)
	b.until(`document.querySelector(".bulk-toast").innerText.includes("3 件を変更しました") && document.querySelectorAll("#rows .row").length === 0`)
	b.click(".bulk-toast .toast-action")
	b.until(`document.querySelector(".bulk-toast").innerText.includes("3 件を元に戻しました") && document.querySelectorAll("#rows .row").length === 3`)

	b.click("#row-2")
	b.until(`document.querySelector("#ticket").dataset.number === "2"`)
	b.keys("!")
	b.until(`document.querySelector(".spam-strip")`)
	b.open("/inbox/spam")
	b.until(`document.querySelector("#row-2") && document.querySelectorAll("#rows .row").length === 1`)
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}
