package ui_test

import (
	"testing"
)

// TestQuarantineInABrowser ticks mails, rejects them and releases one with trust,
// as an admin with keyboard and mouse does; the navigation counts along.
func TestQuarantineInABrowser(t *testing.T) {
	h := newReadyHouse(t)
	for _, subject := range []string{"振込先の変更", "請求書の件", "至急ご確認ください"} {
		h.disowned(subject)
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	b.click(`#nav a[href="/quarantine"]`)
	b.until(`document.querySelectorAll(".quarantine-row").length === 3 && document.querySelector("[data-tick-do]").disabled`)
	b.click(`.quarantine-row:first-child [data-tick]`)
	b.until(`document.querySelector("[data-tick-all]").indeterminate && !document.querySelector("[data-tick-do]").disabled`)
	b.click(`[data-tick-all]`)
	b.click(`.quarantine-row:first-child [data-tick]`)
	b.until(`document.querySelector("[data-tick-count]").textContent.startsWith("2")`)
	// Several at once are asked about, with their number: a slip takes nothing with it.
	b.until(`(window.asked = [], window.confirm = words => { asked.push(words); return asked.length > 1; }) && true`)
	b.click(`[data-tick-do][value=reject]`)
	b.until(`asked.length === 1 && asked[0].includes("2 通を拒否しますか") && document.querySelectorAll(".quarantine-row").length === 3`)
	b.click(`[data-tick-do][value=reject]`)
	b.until(`document.querySelectorAll(".quarantine-row").length === 1 && document.querySelector("#nav [aria-current] b").textContent === "1" && document.querySelector('.alert.good a[href="/quarantine?state=rejected"]')`)
	b.click(`.quarantine-row > a`)
	b.until(`document.querySelector(".quarantine-text")`)
	b.click(`.quarantine-trust summary`)
	b.click(`[name=sender][value=domain]`)
	b.click(`.quarantine-trust button`)
	b.until(`document.querySelector("#ticket") && document.querySelector("#ticket").innerText.includes("隔離されていたこのメールを受け取りました")`)
	b.open("/settings/trusted")
	b.until(`document.querySelector(".records").innerText.includes("bank.example")`)
}
