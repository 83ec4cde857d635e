package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserWorksInTheList takes and closes tickets where they stand in the
// list, and darkens the page, without leaving it.
func TestBrowserWorksInTheList(t *testing.T) {
	h := newReadyHouse(t)
	for n, colour := range []string{"赤", "青", "緑"} {
		h.receive(letter{from: fmt.Sprintf("k%d@kyaku.example", n), name: "客", subject: colour + "い件名", text: colour + "い本文"})
	}
	b := openTab(t, h.http.URL)
	b.open("/login")
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=email]`), "sato@example.jp"), chromedp.SendKeys(chromedp.CSS(`[name=password]`), password+kb.Enter))
	b.until(`document.documentElement.dataset.live === "yes"`)
	eval[bool](b, `window.stayed = true`)
	over := func(selector string) {
		at := eval[[]float64](b, fmt.Sprintf(`(r => [r.left + 40, r.top + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
		b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	}
	over("#row-3")
	b.until(`!document.querySelector("#row-actions").hidden`)
	b.click("[data-row=assign]")
	b.until(`document.querySelector("#row-3 .row-assignee") && "mine" in document.querySelector("#row-3").dataset`)
	over("#row-2")
	over("#row-3")
	b.until(`document.querySelector("[data-row=assign]").hidden && !document.querySelector("[data-row=close]").hidden`)
	b.click("[data-row=close]")
	b.until(`document.querySelector("#nav [aria-current] b").textContent === "2"`)
	over("#conversation")

	eval[bool](b, `(document.querySelector("#me").open = true)`)
	b.click(`#me [value=dark]`)
	b.until(`getComputedStyle(document.documentElement).colorScheme === "dark"`)
	if !eval[bool](b, `window.stayed === true`) {
		t.Error("the page was loaded again")
	}
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}
