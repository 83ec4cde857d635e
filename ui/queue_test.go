package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// A queue to many destinations shows a page of deliveries, and folds destinations.
func TestLongQueueIsShownInPages(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "年間契約", text: "本文です。"})
	for i := range 4 {
		to := make([]helpdesk.Address, 100)
		for j := range to {
			to[j].Email = fmt.Sprintf("r@d%03d.example", i*100+j)
		}
		if _, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "回答です。", To: to}); err != nil {
			t.Fatal(err)
		}
	}
	b := h.as(h.admin)
	p := b.get("/settings/queue").want(http.StatusOK).shows("送信待ち 400 件", "ほかの宛先 388 件", "メールの多い 300 件の宛先を表示しています。", "続きを表示")
	if n := strings.Count(p.body, `class="record-row"`); n != 50 {
		t.Errorf("%d deliveries on a page", n)
	}
	_, next, _ := strings.Cut(p.body, `href="/settings/queue?after=`)
	next, _, _ = strings.Cut(next, `"`)
	second := b.get("/settings/queue?after=" + next).want(http.StatusOK).shows("先頭に戻る")
	first := strings.Index(p.body, "r@d000.example")
	if first < 0 || strings.Contains(second.body, "r@d000.example") || !strings.Contains(second.body, "r@d050.example") {
		t.Error("the second page does not go on behind the first")
	}
	b.get("/settings/queue?domain=d399.example").want(http.StatusOK).shows("送信待ち 1 件", "r@d399.example", `class="chosen"`).hides("続きを表示")
	b.get("/settings/queue?after=x").want(http.StatusUnprocessableEntity)
}
