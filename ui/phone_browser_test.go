package ui_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserInLittleRoom reads and answers a ticket on a phone and in a low
// window: whatever stands above it, the conversation is there, and what one
// presses is as large as a finger.
func TestBrowserInLittleRoom(t *testing.T) {
	h, index := newSearchableHouse(t)
	const asks = "登録番号入りの適格請求書を再発行していただけますか。まだ届きません。"
	long := strings.Repeat("Rechnungsnummernberichtigungsantrag", 6)
	for _, from := range []string{"ito@toi.example", "ono@saka.example", "abe@kawa.example"} {
		h.receive(letter{from: from, name: "寿限無寿限無五劫の擦り切れ海砂利水魚の水行末", subject: long, text: strings.Repeat(asks+"\n\n", 12)})
	}
	tags := []string{"見積", "校正"}
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 3, helpdesk.Change{Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	index()
	b := openTab(t, h.http.URL)
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.openAs("sato@example.jp", "/inbox/open/3")
	b.until(`document.querySelector(".editor") && document.querySelectorAll("#same-3 li").length === 2`)
	b.until(`document.querySelector("#thread").clientHeight > 60 && document.querySelector("[data-send]").getBoundingClientRect().bottom <= innerHeight`)

	small := eval[string](b, `[...document.querySelectorAll("#ticket-head :is(select, #add-tag summary)")].filter(x => x.offsetHeight < 44).map(x => x.id || x.title).join()`)
	if small != "" {
		t.Errorf("too small for a finger: %s", small)
	}
	b.until(`[...document.querySelectorAll(".tag-remove")].every(x => {
		const { left, right, top, bottom } = x.getBoundingClientRect();
		return [-20, 20].every(by => document.elementFromPoint((left + right) / 2, (top + bottom) / 2 + by) === x);
	})`)

	for _, width := range []int64{360, 390} { // a ticket of some years on: its number takes one line
		b.do(chromedp.EmulateViewport(width, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
		b.until(`innerWidth === ` + strconv.FormatInt(width, 10))
		if told := eval[string](b, `(number => {
			const was = number.textContent, bar = number.closest(".bar")
			number.textContent = "#123456"
			const told = number.getClientRects().length + " " + (number.offsetHeight < 30) + " " + (bar.scrollWidth <= bar.clientWidth) +
				" " + (number.scrollWidth <= number.offsetWidth) + " " + (bar.lastElementChild.getBoundingClientRect().right <= innerWidth)
			number.textContent = was
			return told
		})(document.querySelector(".ticket-number"))`); told != "1 true true true true" {
			t.Errorf("at %d pixels the number of a ticket is in pieces (boxes, low, bar, itself, last button): %s", width, told)
		}
	}

	b.click(".editor")
	b.do(chromedp.SendKeys(chromedp.CSS(".editor"), "承知いたしました。"))
	b.click("[data-send]")
	b.until(`!CSS.supports("top", "anchor(--a bottom)") || document.querySelector(".toast").getBoundingClientRect().top >= document.querySelector("#ticket-head").getBoundingClientRect().bottom`)

	// The button that asks for approval is long: what stands before it is still to be read.
	requireApproval(t, h.Desk, h.admin.Actor())
	if _, err := h.BeginBulkReply(h.ctx(), h.admin.Actor(), []uint64{1}); err != nil {
		t.Fatal(err)
	}
	b.open("/inbox/open/2")
	b.until(`document.querySelector(".composer .send").textContent === "承認を依頼"`)
	b.until(`(word => word.scrollWidth <= word.clientWidth)(document.querySelector(".composer-end .check span"))`)
	b.open("/bulk-replies")
	b.until(`document.querySelector(".bulk-replies .badge").offsetHeight > 0`)

	b.do(chromedp.EmulateViewport(720, 450)) // 1440 by 900 at 200 %
	b.open("/inbox/open/2")
	b.until(`document.querySelector(".editor") && document.querySelector("#thread").clientHeight > 200`)
	reached := `(send => { send.scrollIntoView(); const { top, bottom } = send.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; })(document.querySelector("[data-send]"))`
	b.until(reached)

	b.do(chromedp.EmulateViewport(320, 256)) // 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10)
	b.open("/inbox/open/2")
	b.until(`document.querySelector(".editor") && document.querySelector("#thread").clientHeight > 100 && document.documentElement.scrollWidth <= innerWidth`)
	b.until(reached)
}
