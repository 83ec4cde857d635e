package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestNewMailJourney writes to a customer first: from the keyboard to the ticket
// that the mail began, taken back and sent again.
func TestNewMailJourney(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.admin.Actor()
	first, err := h.Aliases(h.ctx(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, alias := range []helpdesk.Alias{{Address: "shop@example.jp", Name: "店", PipelineID: first[0].PipelineID, Language: "ja", Signature: "店の {{agent.name}}"}} {
		if _, err := h.SaveAlias(h.ctx(), admin, alias); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.SaveTemplate(h.ctx(), admin, helpdesk.Template{Name: "発送", Shortcut: "sent", Versions: []helpdesk.TemplateVersion{{Language: "ja", Subject: "発送しました", Text: "{{customer.name_sama}} へ"}}}); err != nil {
		t.Fatal(err)
	}
	h.receive(letter{subject: "先の件", text: "よろしくお願いします。"}) // from 田中: somebody known
	server := &restartable{t: t, handler: h.web.Handler()}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)
	b.openAs("sato@example.jp", "/inbox/open")

	b.keys("c")
	b.until(`location.pathname === "/compose" && document.activeElement?.classList.contains("recipient-input")`)
	b.keys("stranger@elsewhere.example,")
	b.until(`document.querySelector("[name=to]").value === "stranger@elsewhere.example"`)
	eval[bool](b, `(() => { const from = document.querySelector("[name=alias]"); from.selectedIndex = [...from.options].findIndex(o => o.text.includes("shop@")); from.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
	b.until(`document.querySelector("[name=signature]").value === "店の 佐藤 遥"`)
	b.click(".editor")
	b.keys("/sen")
	b.until(`document.querySelector(".caret-list [aria-selected=true]")`)
	b.enter()
	b.until(`document.querySelector(".editor").innerText.includes("へ") && document.querySelector("[name=subject]").value === "発送しました"`)
	b.keys("お届けします。")
	b.until(says + `("下書き保存済み")`)

	// Who loads the page again goes on writing.
	b.do(chromedp.Reload())
	b.until(`document.querySelector(".editor")?.innerText.includes("お届けします。") && document.querySelector("[name=subject]").value === "発送しました"`)
	b.until(`document.documentElement.dataset.live === "yes"`)
	b.click("[data-send]")
	b.until(`document.querySelector(".warnings")?.innerText.includes("stranger@elsewhere.example")`)
	b.click("[data-send]")
	b.until(`location.pathname.startsWith("/inbox/") && document.querySelector(".ticket-title h1")?.innerText === "発送しました" && document.querySelector(".toast-action")`)
	b.until(`document.querySelector(".message.out").innerText.includes("お届けします。")`)
	if left := eval[string](b, `JSON.stringify(Object.keys(localStorage).filter(key => key.startsWith("draft:")))`); left != "[]" {
		t.Errorf("what was sent is still in the browser: %s", left)
	}
	b.click(".toast-action")
	b.until(`location.pathname === "/compose" && document.querySelector(".editor")?.innerText.includes("お届けします。")`)
	b.until(`document.documentElement.dataset.live === "yes"`)

	// Later, it waits on its card.
	b.click(".send-more")
	b.click(`.send-menu .menu-item[name=then]:not([value=close])`)
	b.until(`document.querySelector(".warnings")`)
	b.click(".send-more")
	b.click(`.send-menu .menu-item[name=then]:not([value=close])`)
	b.until(`document.querySelector(".draft-card.scheduled") && document.querySelector("[name=subject]").value === ""`)
	mails, err := h.MailDrafts(h.ctx(), admin)
	if err != nil || len(mails) != 1 || mails[0].State != helpdesk.DraftScheduled {
		t.Fatalf("scheduled %+v, %v", mails, err)
	}
	b.click(".draft-card summary")
	b.click(`.draft-card .button.primary`)
	b.until(`location.pathname.startsWith("/inbox/") && document.querySelector(".ticket-title h1")?.innerText === "発送しました"`)
	rows, _, err := h.Tickets(h.ctx(), admin, helpdesk.TicketQuery{View: helpdesk.ViewMine})
	if err != nil || len(rows) != 1 || rows[0].Contact.Email != "stranger@elsewhere.example" {
		t.Errorf("the tickets are %+v, %v", rows, err)
	}
	if bad := b.complaints("TypeError", "ReferenceError", "Content Security Policy"); len(bad) > 0 {
		t.Errorf("the console: %q", bad)
	}
}
