package ui_test

import (
	"strings"
	"testing"
)

// TestBrowserTakesAReplyAlongIntoAMerge has a ticket merged into another while
// somebody writes on it, and sends before the draft is saved.
func TestBrowserTakesAReplyAlongIntoAMerge(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "一通目", text: "荷物が届きません。"})
	h.receive(letter{subject: "二通目", text: "まだ届きません。"})
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.until(`document.querySelector(".editor")`)
	if _, err := h.Merge(h.ctx(), h.admin.Actor(), 1, 2); err != nil {
		t.Fatal(err)
	}
	b.click(".editor")
	b.keys("すぐにお調べします。")
	// Sent with the last key: nothing of it is a draft on the server yet.
	eval[bool](b, `(document.querySelector("[data-composer]").requestSubmit(document.querySelector("[data-send]")), true)`)
	b.until(`document.querySelector("#ticket").dataset.number === "2" && location.pathname === "/inbox/open/2"`)
	b.until(`document.querySelector(".composer-alert")?.textContent.includes("#1 が #2 に統合された")`)
	b.until(`document.querySelector(".editor")?.textContent === "すぐにお調べします。"`)
	b.click("[data-send]")
	b.until(`document.querySelector("#flow .message:last-of-type").textContent.includes("すぐにお調べします。")`)
	if kept := eval[string](b, `JSON.stringify(Object.entries(localStorage))`); strings.Contains(kept, "すぐにお調べします。") {
		t.Errorf("the browser keeps what was sent: %s", kept)
	}

	// A note that somebody goes on writing on the ticket that is no more is kept too.
	h.receive(letter{subject: "三通目", text: "届きました。"})
	b.open("/inbox/open/3")
	b.until(`document.querySelector(".editor")`)
	if _, err := h.Merge(h.ctx(), h.admin.Actor(), 3, 2); err != nil {
		t.Fatal(err)
	}
	eval[bool](b, `(document.querySelector("[name=mode][value=note]").click(), true)`)
	b.click("[data-text=note]")
	b.keys("配送会社に電話した。")
	b.until(`document.querySelector("[data-draft-state]:not([hidden])")?.textContent === "下書き保存済み"`)
	b.click(".note-send")
	b.until(`document.querySelector("#ticket").dataset.number === "2" && document.querySelector("[data-text=note]").value === "配送会社に電話した。"`)
	b.click(".note-send")
	b.until(`document.querySelector("#flow .note .text")?.textContent === "配送会社に電話した。"`)
}
