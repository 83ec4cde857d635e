package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestContactJourney edits a person beside their mail while another mail comes
// in.
func TestContactJourney(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "見積", text: "見積をお願いします。", files: []file{{name: "photo.png", contentType: "image/png", data: somePicture(t)}}})
	server := &restartable{t: t, handler: h.web.Handler()}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.until(`document.querySelector(".person-thumbnail")?.naturalWidth === 160`)
	b.click(`.person-actions a[href*="/edit"]`)
	b.until(`document.activeElement?.name === "name"`)
	b.do(chromedp.SendKeys(chromedp.CSS(`.person-form [name=reading]`), "たむら みさき"), chromedp.SendKeys(chromedp.CSS(`.person-form [name=notes]`), "午後に電話"))
	h.receive(letter{subject: "見積の件", text: "お待ちしています。"})
	b.until(says + `("新着 1 件を表示")`)
	b.until(`document.querySelector(".person-form [name=notes]").value === "午後に電話"`)
	b.click(".person-buttons button")
	b.until(`document.querySelector(".person-notes")?.textContent.includes("午後に電話") && document.querySelector(".person-name").textContent.includes("たむら みさき")`)
}
