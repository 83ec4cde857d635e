package ui_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/ui"
)

// TestBrowserSendsNoReplyWithoutItsFile chooses a file that does not get to the
// server: the reply waits until its author has taken the file off.
func TestBrowserSendsNoReplyWithoutItsFile(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.MaxUpload = 100 })
	h.receive(letter{subject: "見積もり", text: "見積書をお送りください。"})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.until(`document.querySelector(".editor")`)
	choose := func() {
		t.Helper()
		eval[bool](b, `(() => { const files = new DataTransfer(); files.items.add(new File(["x".repeat(2_000_000)], "見積書.pdf", {type: "application/pdf"}));
			const input = document.querySelector("[data-file-input]"); input.files = files.files; input.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
		b.until(`document.querySelector(".file.broken")`)
	}
	b.click(".editor")
	b.keys("見積書をお送りします。")
	choose()
	b.click("[data-send]")
	b.until(`document.querySelector("[data-unattached]:not([hidden])")?.textContent.includes("見積書.pdf")`)
	if n := h.messagesOf(t, 1); n != 1 {
		t.Fatalf("the ticket has %d messages: the reply left without its file", n)
	}

	// A note has no files, so none holds it back.
	eval[bool](b, `(document.querySelector("[name=mode][value=note]").click(), true)`)
	b.click("[data-text=note]")
	b.keys("見積書が大きすぎる。")
	b.click(".note-send")
	b.until(`document.querySelector(".note .text")?.textContent.includes("見積書が大きすぎる。")`)

	b.until(`document.querySelector("[data-unattached]:not([hidden])")?.textContent.includes("見積書.pdf")`)

	// Elsewhere and back: what is not attached is not forgotten.
	choose()
	b.open("/inbox/open")
	b.open("/inbox/open/1")
	b.until(`document.querySelector("[data-unattached]:not([hidden])")?.textContent.includes("見積書.pdf")`)
	b.until(`document.querySelector(".editor")?.textContent.includes("見積書をお送りします。")`)

	// Once it is taken off, the reply goes.
	choose()
	b.click(".file.broken [data-cancel]")
	b.until(`!document.querySelector(".file.broken")`)
	b.click("[data-send]")
	b.until(`document.querySelectorAll("#flow .message").length === 2`)
}
