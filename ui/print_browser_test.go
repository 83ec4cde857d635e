package ui_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// paper lays pages out as a printer's sheet of A4 between its margins does.
func (b *tab) paper() {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(718, 1047), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
}

// TestBrowserOnPaper prints what is printed: the figures of the ledger stand below
// their heads, and a mail says its date in full, since "today" is over when
// the sheet is read. On a phone the ledger has its heads as well.
func TestBrowserOnPaper(t *testing.T) {
	h, _ := newSearchableHouse(t)
	h.receive(letter{from: "ito@toi.example", subject: "請求書", text: "お送りください。"})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/settings/ledger")

	const underHeads = `(() => {
		const heads = [...document.querySelectorAll(".ledger-days thead th")], cells = [...document.querySelectorAll(".ledger-days tbody tr:first-child > *")];
		return heads.length > 5 && heads.length === cells.length && heads.every((head, i) => head.offsetWidth > 0 && Math.abs(head.getBoundingClientRect().right - cells[i].getBoundingClientRect().right) < 1);
	})()`
	b.do(chromedp.EmulateViewport(390, 844))
	b.until(underHeads)
	b.until(`(box => box.scrollWidth > box.clientWidth && document.documentElement.scrollWidth <= innerWidth)(document.querySelector(".ledger-days").parentElement)`)
	b.paper()
	b.until(underHeads)
	b.until(`document.querySelector(".ledger-days").getBoundingClientRect().right <= innerWidth`)

	b.open("/inbox/open/1")
	b.paper()
	b.until(`(time => getComputedStyle(time, "::after").content === JSON.stringify(time.title) && /\d{4}年/.test(time.title) && time.textContent !== time.title)(document.querySelector(".message time"))`)
}
