package ui_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWideTablesKeepTheirWordsOnAPhone: a table of many columns broke letter by letter
// instead of being scrolled; what only lays a mail out still fits the screen.
func TestWideTablesKeepTheirWordsOnAPhone(t *testing.T) {
	h := newReadyHouse(t)
	server := httptest.NewServer(h.web.Handler())
	t.Cleanup(server.Close)
	row := func(cell string, words ...string) string {
		return "<tr><" + cell + ">" + strings.Join(words, "</"+cell+"><"+cell+">") + "</" + cell + "></tr>"
	}
	wide := `<p>請求いたします。</p><table border="1">` + row("th", "Order", "商品名", "Product", "数量", "Unit price", "消費税率", "Total", "納品予定日", "Reference") +
		row("td", "AB-2026-001182", "温湿度データロガー", "Wireless temperature logger", "12", "18,400円", "10%", "242,880円", "2026年12月3日", "INVOICE99821XYZ") + `</table>`
	laidOut := `<table width="600" style="width:600px"><tr><td>https://click.example/` + strings.Repeat("u001AbCdEf", 30) + `</td></tr></table>`
	h.receive(letter{subject: "表", text: "本文", html: wide})
	h.receive(letter{subject: "配置", text: "本文", html: laidOut})
	b := openTab(t, server.URL, chromedp.Flag("hide-scrollbars", false))
	b.do(chromedp.EmulateViewport(390, 844))
	b.openAs("sato@example.jp", "/inbox/open")
	const page = `document.querySelector(".mail-measured").contentDocument`
	show := func(path string) {
		b.open(path)
		b.click(`[data-as=html].switch-option`)
		b.until(`document.querySelector(".mail-measured")?.contentDocument?.querySelector("td")`)
	}
	show("/inbox/open/1")
	b.until(`[...` + page + `.querySelectorAll("th, td")].every(cell => cell.getBoundingClientRect().width >= 60)`)
	b.until(`[...` + page + `.querySelectorAll("th, td")].filter(cell => /^[A-Z][A-Za-z0-9]+$/.test(cell.innerText)).every(cell => { const words = ` + page +
		`.createRange(); words.selectNodeContents(cell); return words.getClientRects().length === 1 })`)
	b.until(page + `.documentElement.scrollWidth > ` + page + `.documentElement.clientWidth`)
	show("/inbox/open/2")
	b.until(page + `.documentElement.scrollWidth <= ` + page + `.documentElement.clientWidth`)

	// A scrollbar that takes of the height, as on many desktops, hides no line.
	b.do(chromedp.EmulateViewport(1100, 800))
	show("/inbox/open/1")
	b.until(`document.querySelector(".mail-measured").offsetHeight > ` + page + `.documentElement.clientHeight`)
	b.until(`document.querySelector(".mail-shown").offsetHeight > ` + page + `.documentElement.scrollHeight`)
}
