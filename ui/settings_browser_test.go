package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserAdministers puts fields into an order, by the keyboard, and closes a
// ticket that needs them.
func TestBrowserAdministers(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "返金のお願い", text: "返金をお願いします。"})
	for _, name := range []string{"注文番号", "原因", "備考"} {
		if _, err := h.SaveField(t.Context(), h.admin.Actor(), helpdesk.Field{Owner: helpdesk.FieldOfTicket, Name: name, Kind: helpdesk.FieldText, Required: name == "原因"}); err != nil {
			t.Fatal(err)
		}
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/settings/fields")
	b.until(`document.readyState === "complete"`)
	order := `[...document.querySelectorAll("[data-reorder-item] b")].map(x => x.textContent).join()`
	eval[bool](b, `(document.querySelectorAll("[data-reorder-handle]")[2].focus(), true)`)
	b.keys(kb.ArrowUp)
	b.until(order + ` === "注文番号,備考,原因" && document.activeElement.matches("[data-reorder-handle]")`)
	b.until(`fetch("/settings/fields").then(r => r.text()).then(text => text.indexOf("備考") < text.indexOf("原因"))`)

	b.open("/inbox/open/1")
	b.until(`document.querySelector("#fields-ticket .missing")`)
	b.click("#close-button")
	b.until(says + `("クローズするには")`)
	b.click("#fields-ticket-edit summary")
	b.do(chromedp.SendKeys(chromedp.CSS(`#fields-ticket-edit .field-row:last-of-type textarea`), "二重請求"))
	b.click("#fields-ticket-edit .button")
	b.until(`!document.querySelector("#fields-ticket .missing") && document.querySelector("#flow").innerText.includes("二重請求")`)
	b.click("#close-button")
	b.until(`document.querySelector("#flow").innerText.includes("完了")`)
}
