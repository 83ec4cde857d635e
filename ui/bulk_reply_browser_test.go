package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestBrowserWritesToManyCustomers chooses tickets, writes one text, sees what
// each customer gets, sends it and takes all of it back.
func TestBrowserWritesToManyCustomers(t *testing.T) {
	h := newReadyHouse(t)
	for n, name := range []string{"山田 太郎", "鈴木 花子", "高橋 一郎"} {
		h.receive(letter{from: fmt.Sprintf("k%d@kyaku.example", n), name: name, subject: "つながりません", text: name + "です。つながりません。"})
	}
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	for n := range 3 {
		eval[bool](b, fmt.Sprintf(`(document.querySelector("#row-%d .row-check").click(), true)`, n+1))
	}
	b.until(`document.querySelector("#bulk-choices [data-bulk=reply]")`)
	b.click("#bulk-choices [data-bulk=reply]")
	b.until(`location.pathname.startsWith("/bulk-replies/") && document.querySelector(".rich-editor")`)
	b.click(".rich-editor")
	b.do(chromedp.KeyEvent("{{customer.name_sama}} "), chromedp.KeyEvent("復旧しました。"))
	b.until(`/^(山田 太郎|鈴木 花子|高橋 一郎)様 復旧しました。$/.test(document.querySelector(".bulk-mail .template-shown")?.innerText.trim())`)
	first := eval[string](b, `document.querySelector(".bulk-mail .template-shown").innerText`)
	b.click(".bulk-preview [href$='at=1']")
	b.until(`document.querySelector(".bulk-mail .template-shown")?.innerText !== ` + fmt.Sprintf("%q", first))
	eval[bool](b, `(document.querySelector(".bulk-form [value=send]").removeAttribute("data-confirm"), true)`)
	b.click(".bulk-form [value=send]")
	b.until(`document.querySelector("#bulk-progress .bulk-done")?.innerText.includes("3 件に返信しました。")`)
	list, err := h.BulkReplies(t.Context(), h.admin.Actor())
	if err != nil || len(list) != 1 || list[0].Posted != 3 || list[0].State != helpdesk.BulkReplyPosted {
		t.Fatalf("%+v, %v", list, err)
	}
	b.click("#bulk-progress .button")
	b.until(`document.querySelector("#bulk-progress .bulk-done")?.innerText.includes("3 件の返信を取り消しました。")`)
	if found := b.complaints("Content Security Policy", "TypeError", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}
