package ui_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// restartable is a web server that can be stopped, with every connection cut,
// and started again at the same address.
type restartable struct {
	t       *testing.T
	handler http.Handler
	address string
	server  *http.Server
}

func (r *restartable) start() {
	r.t.Helper()
	listener, err := net.Listen("tcp", cmp.Or(r.address, lowAddress()))
	for tries := 0; err != nil && r.address == "" && tries < 1000; tries++ {
		listener, err = net.Listen("tcp", lowAddress())
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.address = listener.Addr().String()
	r.server = &http.Server{Handler: r.handler}
	go r.server.Serve(listener)
}

// lowAddress has a port below those that systems give to whoever asks for any, to
// connections among them: nobody takes it while the server is stopped.
func lowAddress() string { return fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)) }

func (r *restartable) stop() { r.server.Close() }

// TestBrowser is a morning at the desk in a real browser.
func TestBrowser(t *testing.T) {
	h := newReadyHouse(t)
	var posts atomic.Int32 // of the composer
	server := &restartable{t: t, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/compose") {
			posts.Add(1)
		}
		h.web.Handler().ServeHTTP(w, r)
	})}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)

	b.open("/login")
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=email]`), "sato@example.jp"), chromedp.SendKeys(chromedp.CSS(`[name=password]`), password+kb.Enter))
	b.until(`document.documentElement.dataset.live === "yes" && location.pathname === "/inbox/open"`)
	b.until(says + `("対応中のチケットはありません")`)
	eval[bool](b, `window.stayed = true`) // gone after any reload

	t.Run("mail appears by itself", func(t *testing.T) {
		b.t = t
		h.receive(letter{subject: "一通目の件名", text: "一通目です。"})
		b.until(`document.querySelector("#row-1") && ` + says + `("一通目の件名")`)
		b.until(`document.querySelector("#nav [aria-current] b")?.textContent === "1"`)
		if eval[string](b, `Intl.DateTimeFormat().resolvedOptions().timeZone`) == "" || !eval[bool](b, `document.cookie.includes("zone=")`) {
			t.Error("the server does not learn the reader's zone")
		}
	})

	t.Run("a cut connection is resumed", func(t *testing.T) {
		b.t = t
		for round := range 2 {
			server.stop()
			b.until(`document.documentElement.dataset.live === undefined`)
			h.receive(letter{from: fmt.Sprintf("away%d@kyaku.example", round), name: "留守中", subject: fmt.Sprintf("留守中の件名%d", round), text: "本文"})
			server.start()
			b.until(fmt.Sprintf(says+`("留守中の件名%d")`, round))
			b.until(`document.documentElement.dataset.live === "yes"`)
		}
		if !eval[bool](b, `window.stayed === true`) {
			t.Error("the page was loaded again")
		}
	})

	t.Run("the order of an unseen list waits for the hand to leave", func(t *testing.T) {
		b.t = t
		b.click("#row-1")
		b.until(`document.querySelector("#ticket").dataset.number === "1" && location.pathname === "/inbox/open/1"`)
		first := eval[string](b, `document.querySelector("#rows .row").id`)
		h.receive(letter{from: "strip@kyaku.example", name: "控え", subject: "控えの件名", text: "本文"})
		b.until(`!document.querySelector("#arrivals").hidden && ` + says + `("新着 1 件を表示")`)
		if now := eval[string](b, `document.querySelector("#rows .row").id`); now != first {
			t.Errorf("the list moved from %s to %s under the hand", first, now)
		}
		b.click("#arrivals")
		b.until(`document.querySelector("#arrivals").hidden && document.querySelector("#rows .row").innerText.includes("控えの件名")`)
	})

	// From here on ticket 1 is open and has been answered once, so that its
	// customer can write again.
	earlier, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "一つ目の返信です。"})
	if err != nil {
		t.Fatal(err)
	}

	t.Run("what is typed is not touched by what arrives", func(t *testing.T) {
		b.t = t
		b.until(says + `("一つ目の返信です。")`)
		eval[bool](b, `(document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "r", bubbles: true})), true)`)
		b.until(`document.activeElement.matches(".editor")`)
		b.keys("書きかけの文 e j")
		eval[bool](b, `(getSelection().collapse(document.activeElement.querySelector("div").firstChild, 2), true)`)
		h.receive(letter{to: earlier.ReplyAddress, subject: "Re: 一通目の件名", text: "二通目が来ました。", authentication: proven})
		b.until(`document.querySelector("#flow").innerText.includes("二通目が来ました。")`)
		if got := eval[string](b, `document.activeElement.dataset.text + getSelection().focusOffset + document.activeElement.innerText`); got != "reply2書きかけの文 e j" {
			t.Errorf("the editor, caret and text are %q", got)
		}
		if !eval[bool](b, `document.querySelector("#new-mark").nextElementSibling.innerText.includes("二通目が来ました。")`) {
			t.Error("no line above what is new")
		}
	})

	t.Run("neither Enter nor an input method sends", func(t *testing.T) {
		b.t = t
		b.keys(kb.Enter)
		if _, err := chromedp.Call(b.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "にほん", SelectionStart: 3, SelectionEnd: 3}); err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{
			`{key: "Enter", keyCode: 13, isComposing: true}`,
			`{key: "Enter", keyCode: 13, isComposing: true, ctrlKey: true}`,
			`{key: "Process", keyCode: 229, ctrlKey: true}`,
			`{key: "Enter", keyCode: 229, ctrlKey: true}`, // Safari ends a composition so
		} {
			eval[bool](b, `(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...`+event+`})), true)`)
		}
		if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: "日本"}); err != nil {
			t.Fatal(err)
		}
		eval[bool](b, `(document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "e", isComposing: true, bubbles: true})), true)`)
		b.until(`document.querySelector("[data-text=reply]").value.includes("日本")`)
		eval[bool](b, `(document.querySelector(".recipients").open = true)`)
		b.click(`[data-show=cc]`)
		b.keys("a@kyaku.example" + kb.Enter)
		b.until(`document.querySelector("[name=cc]").value === "a@kyaku.example"`)
		b.keys(kb.Backspace)
		b.until(`document.querySelector("[name=cc]").value === ""`)
		if posts.Load() != 0 || !eval[bool](b, `document.querySelector("#close-button").innerText.includes("クローズ")`) {
			t.Errorf("%d posts of the composer: something was sent, or the ticket closed", posts.Load())
		}
	})

	t.Run("a reply the customer overtook is stopped, then sent, then taken back", func(t *testing.T) {
		b.t = t
		text := eval[string](b, `document.querySelector("[data-text=reply]").value`)
		b.do(chromedp.Focus(chromedp.CSS(`.editor`)))
		b.keys(kb.Enter, chromedp.ModifierCtrl)
		b.until(says + `("書いている間にお客様から新しいメールが届いたため")`)
		if got := eval[string](b, `document.querySelector("[data-text=reply]").value`); got != text {
			t.Fatalf("the text is %q, was %q", got, text)
		}
		before := h.messagesOf(t, 1)
		b.keys(kb.Enter, chromedp.ModifierCtrl)
		b.until(`document.querySelector(".toast")`)
		b.until(`document.querySelector("[data-text=reply]").value === ""`)
		if after := h.messagesOf(t, 1); after != before+1 || posts.Load() != 2 {
			t.Errorf("%d messages before, %d after sending in %d posts, want 2", before, after, posts.Load())
		}
		b.until(`Object.keys(localStorage).filter(k => k.startsWith("draft:")).length === 0`)
		b.click(".toast-action")
		b.until(fmt.Sprintf(`document.querySelector("[data-text=reply]").value === %q && !document.querySelector(".toast")`, text))
		if after := h.messagesOf(t, 1); after != before {
			t.Errorf("%d messages after taking back, %d before sending", after, before)
		}
	})

	t.Run("a draft survives a reload", func(t *testing.T) {
		b.t = t
		b.until(`document.querySelector("[data-draft-state]").textContent === "下書き保存済み"`)
		b.until(`Object.keys(localStorage).filter(k => k.startsWith("draft:")).length === 0`) // it is on the server
		b.until(`document.querySelector(".editor")`)
		b.do(chromedp.Focus(chromedp.CSS(`.editor`)))
		b.keys("追記。")
		b.until(`document.querySelector("[data-text=reply]").value.includes("追記。")`)
		text := eval[string](b, `document.querySelector("[data-text=reply]").value`)
		b.do(chromedp.Reload())
		b.until(fmt.Sprintf(`document.querySelector("[data-text=reply]").value === %q`, text))
	})

	t.Run("going back keeps the stream", func(t *testing.T) {
		b.t = t
		b.until(`document.documentElement.dataset.live === "yes"`)
		eval[bool](b, `window.stayed = true`)
		b.click("#row-2")
		b.until(`document.querySelector("#ticket").dataset.number === "2"`)
		eval[bool](b, `(history.back(), true)`)
		b.until(`document.querySelector("#ticket").dataset.number === "1" && document.querySelector("#row-1").ariaSelected === "true"`)
		h.receive(letter{to: earlier.ReplyAddress, subject: "Re: 一通目の件名", text: "戻ったあとの便りです。", authentication: proven})
		b.until(`document.querySelector("#flow").innerText.includes("戻ったあとの便りです。")`)
		if !eval[bool](b, `window.stayed === true`) {
			t.Error("the page was loaded again")
		}
	})

	t.Run("mail as HTML has the height it needs and runs nothing", func(t *testing.T) {
		b.t = t
		h.receive(letter{to: earlier.ReplyAddress, subject: "Re: 一通目の件名", text: "HTML です。", authentication: proven,
			html: `<div style="height:640px">高い</div><img src=x onerror="parent.ran = true"><script>parent.ran = true</script>`})
		b.until(`document.querySelector("[data-as=html].switch-option")`)
		eval[bool](b, `(document.querySelector("[data-as=html].switch-option").click(), true)`)
		b.until(`document.querySelector(".mail-shown")?.getBoundingClientRect().height > 640`)
		if eval[bool](b, `Boolean(window.ran)`) || eval[bool](b, `document.querySelector(".mail-shown").contentDocument !== null`) {
			t.Error("the frame ran a script, or our page can look into it")
		}
		h.receive(letter{to: earlier.ReplyAddress, subject: "Re: 一通目の件名", text: "さらに一通。", authentication: proven})
		b.until(`document.querySelector("#flow").innerText.includes("さらに一通。")`)
		if !eval[bool](b, `Boolean(document.querySelector(".mail-shown"))`) {
			t.Error("a refresh turned the mail back into text")
		}
	})

	t.Run("who has travelled sees the times of where they are", func(t *testing.T) {
		b.t = t
		eval[bool](b, `(document.cookie = "zone=Pacific%2FKiritimati; path=/", location.assign("/inbox/open"), true)`)
		b.until(`location.pathname === "/inbox/open" && performance.getEntriesByType("navigation")[0].type === "reload"`)
		b.until(`document.querySelector("#row-1 time") && !document.cookie.includes("Kiritimati")`)
	})

	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

func (h *house) messagesOf(t *testing.T, number uint64) int {
	t.Helper()
	ticket, err := h.Ticket(h.ctx(), h.admin.Actor(), number)
	if err != nil {
		t.Fatal(err)
	}
	return len(ticket.Messages)
}
