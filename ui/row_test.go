package ui_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Rows are kept as they were written, for every reader: each change of a ticket, and each
// reader's own language and part in it, must be seen all the same.
func TestRowsSayWhatHoldsNow(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("ito@example.jp", "伊藤 美咲", helpdesk.RoleAgent)
	h.receive(letter{subject: "請求書の再発行", text: "お願いします。"})
	h.receive(letter{from: "b@kyaku.example", name: "客", subject: "別の件", text: "本文"})
	const list = "/inbox/open"
	ours, theirs := h.as(h.admin), h.as(agent)
	for range 2 { // written, then kept
		ours.fragment(list, "rows").want(http.StatusOK).shows("請求書の再発行", "別の件", "担当なし", "未読").hides("data-mine", "伊藤 美咲")
	}
	if _, err := h.Change(h.ctx(), agent.Actor(), 1, helpdesk.Change{Assignee: &agent.ID}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ours.fragment(list, "rows").shows("担当 伊藤 美咲").hides("data-mine")
		theirs.fragment(list, "rows").shows("担当 伊藤 美咲", "data-mine")
	}
	h.inEnglish()
	for range 2 {
		ours.fragment(list, "rows").shows("Assigned to 伊藤 美咲", "Unread").hides("担当 伊藤 美咲", "未読")
		theirs.fragment(list, "rows").shows("担当 伊藤 美咲")
	}
	ours.get("/inbox/open/1").shows(`id="row-1" role="option" aria-selected="true"`)
	ours.fragment(list, "rows").hides(`aria-selected="true"`)
	h.receive(letter{subject: "請求書の再発行", text: "急ぎです。<b>"})
	ours.fragment(list, "rows").shows("急ぎです。&lt;b&gt;")
}

// The rows of a search are kept but for what it found: another search, a change and a subject
// with the character that marks the place must be seen all the same.
func TestRowsSayWhatASearchFound(t *testing.T) {
	h, index := newSearchableHouse(t)
	h.receive(letter{subject: "請求書の再発行", text: "納品書と <請求書> の金額が異なります。"})
	h.receive(letter{from: "b@kyaku.example", name: "客", subject: "外字\ue000の\ue000請求書", text: "請求書の宛名です。"})
	index()
	reader := h.as(h.admin)
	find := func(text string) *page { return reader.fragment("/inbox/open?q="+url.QueryEscape(text), "rows") }
	for range 2 { // written, then kept
		find("請求書").want(http.StatusOK).
			shows("&lt;<mark>請求書</mark>&gt; の金額が異なります。</span>", "外字\ue000の\ue000請求書</b>", "<span><mark>請求書</mark>の宛名です。</span>")
		find("金額").shows("&gt; の<mark>金額</mark>が").hides("<mark>請求書</mark>", "外字")
	}
	reader.fragment("/inbox/open", "rows").shows("請求書の再発行").hides("<mark>")
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Tags: &[]string{"急ぎ"}}); err != nil {
		t.Fatal(err)
	}
	index()
	find("金額").shows("急ぎ", "<mark>金額</mark>").hides("\ue000")
}
