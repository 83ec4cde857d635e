package ui_test

import (
	"net/http"
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
