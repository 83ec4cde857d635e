package ui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// enter presses Enter as a keyboard does: whoever takes the key down gets no
// character of it, which KeyEvent would send apart.
func (b *tab) enter() {
	b.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		press := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"}
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, press); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestTemplateJourney writes a template in the settings, puts it into an answer
// with "/" and sends it, in Japanese and in English.
func TestTemplateJourney(t *testing.T) {
	h := newReadyHouse(t)
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	alias := aliases[0]
	alias.Signatures = []helpdesk.Localized{{Language: "ja", Text: "{{agent.name}}"}, helpdesk.NewLocalized("en", "<p><b>{{agent.name}}</b> for you</p>")}
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), alias); err != nil {
		t.Fatal(err)
	}
	h.receive(letter{subject: "営業時間", text: "年末の営業時間を教えてください。"})
	h.receive(letter{from: "alex@shop.example", name: "Alex <Morgan>", subject: "Opening hours", text: "Hello, when are you open at the end of the year?"})

	server := &restartable{t: t, handler: h.web.Handler()}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)
	b.openAs("sato@example.jp", "/inbox/open")

	t.Run("write it in two languages", func(t *testing.T) {
		b.t = t
		b.open("/settings/templates/new")
		b.do(chromedp.SendKeys(chromedp.CSS(`[name=name]`), "営業時間のご案内"), chromedp.SendKeys(chromedp.CSS(`[name=shortcut]`), "hours"))
		b.until(`document.querySelector(".rich-editor")`)
		b.click(".rich-editor")
		b.keys("{{customer.nam}}")
		b.until(says + `("{{customer.nam}} という変数はありません")`)
		for range len("}}") {
			b.keys(kb.Backspace)
		}
		b.keys("e_sama}} ")
		b.click(`[data-rich=bold]`)
		b.keys("10時から18時")
		b.click(`[data-rich=bold]`)
		b.keys("です。")
		b.until(`document.querySelector(".template-shown b")?.innerText === "10時から18時" && document.querySelector(".template-shown").innerText.includes("山田 太郎様")`)
		b.click(`[value=add]`)
		b.until(`document.querySelectorAll(".rich-editor").length === 2`)
		b.click(`[data-version="1"] .rich-editor`)
		b.keys("Hello {{customer.name}}, from {{customer.company}}.")
		eval[bool](b, `(() => { const files = new DataTransfer(); files.items.add(new File(["%PDF-1.4"], "暦.pdf", {type: "application/pdf"})); document.querySelector("[name=files_0]").files = files.files; return true; })()`)
		b.click(`.save-bar [value=save]`)
		b.until(`location.search === "?saved=1" && ` + says + `("保存しました")`)
	})

	// The letter that a reply on a ticket becomes, with the text that its author saw.
	sent := func(number string) helpdesk.MessageView {
		t.Helper()
		b.keys(kb.Enter, chromedp.ModifierCtrl)
		b.until(`document.querySelector(".toast")`)
		view, err := h.Ticket(h.ctx(), h.admin.Actor(), map[string]uint64{"1": 1, "2": 2}[number])
		if err != nil {
			t.Fatal(err)
		}
		return view.Messages[len(view.Messages)-1]
	}

	t.Run("use it in Japanese, while an input method composes", func(t *testing.T) {
		b.t = t
		b.open("/inbox/open/1")
		b.until(`document.querySelector(".editor")`)
		b.click(".editor")
		b.keys("/")
		b.until(`document.querySelectorAll(".caret-entry").length === 1 && document.querySelector(".caret-entry").innerText.includes("田村 美咲様")`)
		if _, err := chromedp.Call(b.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "えいぎょう", SelectionStart: 5, SelectionEnd: 5}); err != nil {
			t.Fatal(err)
		}
		b.until(`document.querySelectorAll(".caret-entry").length === 0`)
		eval[bool](b, `(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", keyCode: 229, isComposing: true, bubbles: true, cancelable: true})), true)`)
		if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: "営業"}); err != nil {
			t.Fatal(err)
		}
		b.until(`document.querySelectorAll(".caret-entry").length === 1`)
		b.enter()
		b.until(`document.querySelector(".editor").innerText.replace(/\s+/g, " ").trim() === "田村 美咲様 10時から18時です。" && document.querySelector(".editor b")`)
		b.until(`document.querySelector("[name=upload]") && document.querySelector("[data-files]").innerText.includes("暦.pdf")`)
		if got := eval[string](b, `document.querySelector("[name=signature]").value`); got != "佐藤 遥" {
			t.Errorf("the signature is %q", got)
		}
		m := sent("1")
		if m.Body.ReplyText != "田村 美咲様 10時から18時です。" || !strings.Contains(m.Body.HTML, "<b>10時から18時</b>") || len(m.Message.Templates) != 1 || len(m.Message.Attachments) != 1 {
			t.Errorf("sent %q, %q with the templates %v", m.Body.ReplyText, m.Body.HTML, m.Message.Templates)
		}
		list, err := h.Templates(h.ctx(), h.admin.Actor())
		if err != nil || len(list) != 1 || list[0].Uses != 1 {
			t.Errorf("the templates are %+v, %v", list, err)
		}
	})

	t.Run("use it in English, by its shortcut", func(t *testing.T) {
		b.t = t
		b.open("/inbox/open/2")
		b.until(`document.querySelector(".editor")`)
		b.click(".editor")
		b.keys("a/b")
		b.keys(kb.Enter + "/hou")
		b.until(`document.querySelectorAll(".caret-entry").length === 1 && document.querySelector(".caret-entry").innerText.includes("英語")`)
		b.keys(kb.Escape)
		b.until(`document.querySelector(".caret-list").hidden && document.querySelector(".editor").contains(document.activeElement)`)
		b.keys(" /hours")
		b.until(`!document.querySelector(".caret-list").hidden`)
		b.keys(kb.Tab)
		b.until(`document.querySelector(".editor").innerText.includes("Hello Alex <Morgan>, from {{customer.company}}.")`)
		b.until(`CSS.highlights.get("unfilled").size === 1`)
		b.do(chromedp.Focus(chromedp.CSS(".editor")))
		b.keys(kb.Enter, chromedp.ModifierCtrl)
		b.until(says + `("{{customer.company}} に値が入っていません")`)
		if view, err := h.Ticket(h.ctx(), h.admin.Actor(), 2); err != nil || len(view.Messages) != 1 {
			t.Errorf("it was sent at the first press: %v", err)
		}
		b.until(`document.querySelector(".editor").innerText.includes("{{customer.company}}") && document.querySelector("[name=template]")`)
		if got := eval[string](b, `document.querySelector("div.signature-text b").innerText`); got != "佐藤 遥" {
			t.Errorf("the formatted signature shows %q", got)
		}
	})

	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}
