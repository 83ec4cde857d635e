package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEraseJourney erases a person's data: what will go and what stays is said before, the
// wrong address is refused, and what was done is proven without a name.
func TestEraseJourney(t *testing.T) {
	h := newReadyHouse(t)
	first := h.receive(letter{subject: "解約", text: "解約をお願いします。"})
	server := &restartable{t: t, handler: h.web.Handler()}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)
	b.openAs("sato@example.jp", "/settings/erasures")
	b.until(says + `("まだ何も消去していません")`)
	b.open("/contacts/tamura@kyaku.example")
	b.click(`.person-actions a[href$="/erase"]`)
	b.until(says + `("このお客様だけのチケット 1 件を") && ` + says + `("消去したデータは元に戻せません")`)
	b.click(`.erase a[href^="/inbox/"]`)
	b.until(`document.querySelector("#find-text").value === '"tamura@kyaku.example"'`)
	b.do(chromedp.NavigateBack())
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=confirm]`), "other@kyaku.example"))
	b.click(".erase-actions button")
	b.until(says + `("確認のアドレスが違います")`)
	b.open("/contacts/tamura@kyaku.example")
	b.click(`.person-actions a[href$="/erase"]`)
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=confirm]`), "tamura@kyaku.example"))
	b.click(".erase-actions button")
	b.until(`location.pathname === "/contacts" && ` + says + `("消去を始めました")`)
	b.click(`.alert a[href="/settings/erasures"]`)
	b.until(says + `("チケットを消去中") && ` + says + `("佐藤 遥")`)

	list, err := h.Erasures(h.ctx(), h.admin.Actor())
	if err != nil || len(list) != 1 {
		t.Fatalf("erasures: %+v, %v", list, err)
	}
	for _, step := range []func() error{
		func() error { return h.EraseRecords(h.ctx(), list[0].ID) },
		func() error { return h.FinishErasure(h.ctx(), list[0].ID) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	b.open("/settings/erasures")
	b.until(says + `("完了") && ` + says + `("` + list[0].ID + `") && !` + says + `("tamura")`)
	b.open("/tickets/1")
	b.until(says + `("お客様の個人情報とともに消去されました") && !` + says + `("解約")`)
	if row, err := h.TicketRow(h.ctx(), h.admin.Actor(), first.Ticket); err != nil || row.Ticket.ErasedAt.IsZero() {
		t.Errorf("the ticket: %+v, %v", row, err)
	}
}
