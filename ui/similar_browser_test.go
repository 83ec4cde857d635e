package ui_test

import (
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestSimilarTickets is an answer that is taken from a similar ticket, and a
// customer who asks twice, in a real browser.
func TestSimilarTickets(t *testing.T) {
	h, index := newSearchableHouse(t)
	const asks = "適格請求書の登録番号が記載されていません。登録番号入りの請求書を再発行してください。"
	h.receive(letter{from: "ito@toi.example", name: "伊藤 健", subject: "適格請求書について", text: asks})
	if _, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, IdempotencyKey: "first",
		Text: "伊藤 健 様\n\n登録番号を入れて再発行いたしました。<b>ご確認</b>ください。"}); err != nil {
		t.Fatal(err)
	}
	h.receive(letter{subject: "請求書の再発行", text: "登録番号入りの適格請求書を再発行していただけますか。"})
	h.receive(letter{subject: "請求書の再発行", text: "登録番号入りの適格請求書を再発行していただけますか。まだ届きません。"})
	h.receive(letter{from: "ono@saka.example", name: "小野 光", subject: "請求書の再発行", text: "登録番号入りの適格請求書を再発行していただけますか。まだ届きません。"})
	index()
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/3")
	b.until(`document.querySelector(".editor") && document.querySelector("#similar-item-1")`)

	t.Run("its answer goes into the reply, with gaps", func(t *testing.T) {
		b.t = t
		b.click("#similar-item-1 [data-insert-answer]")
		const text = `document.querySelector("[data-text=reply]").value`
		b.until(text + `.includes("登録番号を入れて再発行いたしました。<b>ご確認</b>ください。") && ` + text + `.startsWith("{{…}} 様\n\n")`)
		b.until(`CSS.highlights.get("unfilled")?.size === 1`)
		if said := eval[string](b, text); strings.Contains(said, "伊藤") {
			t.Errorf("another customer is named: %q", said)
		}
	})

	t.Run("what may be the same matter is told apart, or merged", func(t *testing.T) {
		b.t = t
		b.until(`document.querySelectorAll("#same-3 li").length === 2`)
		if said := eval[string](b, `document.querySelector("#same-3").innerText`); !strings.Contains(said, "同じお客様からの似た内容") || !strings.Contains(said, "小野 光 様からの同じ文面") {
			t.Errorf("it says %q", said)
		}
		b.click(`#same-3 form[action="/tickets/3/distinct"]:has([name=other][value="4"]) button`)
		b.until(`document.querySelectorAll("#same-3 li").length === 1`)
		b.open("/inbox/open/3")
		b.until(`document.querySelectorAll("#same-3 li").length === 1`)
		b.click(`#same-3 form[action="/tickets/3/merge"] button`)
		b.until(`location.pathname === "/inbox/open/2" && document.querySelectorAll("#flow .message").length === 2`)
	})

	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
	h.as(h.admin).get("/inbox/open/3").want(200).shows("とは別の用件と判断しました")
}
