package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestSupervisorReadsInsights: a supervisor sees what a finding rests on marked in
// the mail, corrects it, sees it counted, and ticks an action item off.
func TestSupervisorReadsInsights(t *testing.T) {
	h := newReadyHouse(t)
	h.user("ono@example.jp", "小野 真理", helpdesk.RoleSupervisor)
	receipt := h.receive(letter{subject: "第2工場", text: "お世話になっております。\n\n第2工場にも三十台を\n追加したいと考えております。"})
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", PromptVersion: "reply-2", ReplyType: "standard", Sentiment: "neutral",
		Urgency: "normal", Opportunity: 4, ProductInterest: "none", Language: "ja", ActionItems: []string{"見積書を送る"},
		Evidence: map[helpdesk.Finding][]string{helpdesk.FindingOpportunity: {"三十台を\n追加したい"}}}); err != nil {
		t.Fatal(err)
	}
	b := openTab(t, h.http.URL)
	b.openAs("ono@example.jp", "/inbox/open")

	eval[bool](b, `fetch("/settings/profile", {method: "POST", body: new URLSearchParams({name: "小野 真理", locale: "ja"})}).then(r => r.ok)`)
	b.open("/inbox/open/1")
	b.until(`document.documentElement.dataset.live === "yes" && document.querySelector(".evidence summary")`)
	b.click(".evidence summary")
	marked := `[...(CSS.highlights.get("evidence") ?? [])].map(range => range.toString().replace(/\s+/g, "")).join()`
	b.until(marked + ` === "三十台を追加したい"`)
	b.until(`document.querySelector(".evidence[open] blockquote").innerText.includes("追加したい")`)

	b.click("#analysis a[data-picker]")
	b.until(`document.querySelector("#picker").open && document.querySelector("#picker [name=reply_type]")`)
	b.do(chromedp.SetValue(chromedp.CSS("#picker [name=reply_type]"), "high_value"))
	b.click("#picker .correction .primary")
	b.until(`!document.querySelector("#picker").open && document.querySelector("#analysis").innerText.includes("修正済み")`)

	b.open("/insights")
	b.until(`document.querySelector("#types-title").closest("section").innerText.includes("1 通のうち、要対応 0 通、高価値 1 通です。")`)
	b.click(".insight-actions label")
	b.until(`document.querySelector("#actions-title").closest("section").innerText.includes("未完了の対応事項はありません。")`)
	b.until(`[...document.querySelectorAll(".insights-figures li")].some(li => li.innerText.includes("修正されたメール") && li.querySelector("b").innerText === "1")`)
	if said := b.complaints("Content-Security-Policy", "Content Security Policy", "rror"); len(said) > 0 {
		t.Errorf("the browser complained: %q", said)
	}
}

// TestInsightsFitTheirPage: on a telephone every label of the chart can be read, and on a desk the list beside it is no
// longer than the chart.
func TestInsightsFitTheirPage(t *testing.T) {
	h := newReadyHouse(t)
	h.user("ono@example.jp", "小野 真理", helpdesk.RoleSupervisor)
	for range 12 {
		receipt := h.receive(letter{subject: "第2工場", text: "三十台を追加したいと考えております。"})
		if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", PromptVersion: "reply-2", ReplyType: "high_value", FollowUp: true, Sentiment: "neutral",
			Urgency: "normal", Opportunity: 5, ProductInterest: "very_interested", Language: "ja"}); err != nil {
			t.Fatal(err)
		}
	}
	b := openTab(t, h.http.URL)
	b.openAs("ono@example.jp", "/insights")
	b.do(chromedp.EmulateViewport(1440, 900))
	b.until(`(() => {
		const height = id => document.getElementById(id).closest("section").getBoundingClientRect().height;
		const list = document.querySelector(".insight-rows");
		return Math.abs(height("due-title") - height("types-title")) < 1 && list.scrollHeight > list.clientHeight;
	})()`)
	b.do(chromedp.EmulateViewport(390, 844))
	b.until(`(() => {
		const chart = document.querySelector(".insight-chart"), card = chart.closest("section").getBoundingClientRect();
		return getComputedStyle(chart).overflow === "visible" && [...chart.querySelectorAll("text")].every(text => {
			const box = text.getBoundingClientRect();
			return box.width === 0 || box.left >= card.left && box.right <= card.right && box.top >= card.top;
		});
	})()`)
	b.until(`document.querySelector(".insight-rows").scrollHeight - document.querySelector(".insight-rows").clientHeight < 2`)
}
