package main_test

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// composed is one reply of TestFormattedReplyArrives, with the words of its
// language.
type composed struct {
	language, customer, question      string
	greeting, strong, words, items    string
	warning, anyway, symbol, symbolIs string
}

// TestFormattedReplyArrives writes a reply with all that the editor offers, in
// Japanese and in English, and reads what a customer's server takes.
func TestFormattedReplyArrives(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser tests")
	}
	findBrowser(t)
	t.Parallel()
	s := newStory(t)
	s.browser = openBrowser(t)
	s.setUp()
	s.do("log in", chromedp.Navigate(s.program.web+"/inbox/open"), chromedp.WaitVisible(chromedp.CSS(`#list`)))
	for number, c := range []composed{
		{"ja", customerAddress, questionText, "田中様", "至急", "手順書", "見積書", "まだメールのやり取りがありません", "このまま送信", "やじるし", "→"},
		{"en", "emily@customer.test", "Could you send the manual?\n", "Dear Emily,", "urgent", "manual", "quote", "has exchanged mail with", "Send anyway", "circled one", "①"},
	} {
		t.Run(c.language, func(t *testing.T) {
			s.t = t
			s.composes(number+1, c)
		})
	}
}

func (s *story) composes(number int, c composed) {
	s.t.Helper()
	s.do("watch the inbox", chromedp.Navigate(s.program.web+"/inbox/open"), chromedp.WaitVisible(chromedp.CSS(`#list`)))
	question := writing{from: c.customer, to: deskAddress, subject: "Manual " + c.language, text: c.question, messageID: c.language + ".1@customer.test"}
	send(s.t, s.program.smtp, c.customer, deskAddress, signed(s.t, "customer.test", question.iso2022jp(s.t)))
	eventually(s.t, pagePatience, "the ticket is there", func() bool {
		return s.hasRow(number)
	})
	s.script(`fetch("/settings/profile", {method: "POST", body: new URLSearchParams({name: "` + agentName + `", locale: "` + c.language + `"})}).then(() => true)`)
	s.do("open the ticket", chromedp.Navigate(s.program.web+"/tickets/"+strconv.Itoa(number)), chromedp.WaitVisible(chromedp.CSS(`.editor`)), chromedp.Focus(chromedp.CSS(`.editor`)))

	s.insert(c.greeting)
	s.press(kb.Enter)
	s.press("b", chromedp.ModifierCtrl)
	s.insert(c.strong)
	s.press("b", chromedp.ModifierCtrl)
	s.press(kb.Enter)
	// A link of what is selected, by Ctrl-K.
	s.insert(c.words)
	s.script(`(getSelection().modify("extend", "backward", "lineboundary"), true)`)
	s.do("press Ctrl-K", chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS(`[data-panel=link]`)))
	s.insert("example.com/manual")
	s.do("make the link", click(`[data-link-apply]`))
	s.wait("the link is made", `document.querySelector(".editor a")?.href === "https://example.com/manual"`)
	s.script(`(getSelection().selectAllChildren(document.querySelector(".editor")), getSelection().collapseToEnd(), true)`)
	s.press(kb.Enter)
	s.press("-")
	s.press(" ")
	s.insert(c.items)
	s.press(kb.Enter)
	s.press(kb.Enter)
	s.do("open the symbols", click(`[data-pop=symbols]`), chromedp.WaitVisible(chromedp.CSS(`.symbol`)))
	s.insert(c.symbol)
	s.press(kb.Enter)
	s.wait("the symbol is in the text", `document.querySelector(".editor").innerText.includes("`+c.symbolIs+`")`)
	s.script(pasteTable)
	s.wait("the table is pasted", `document.querySelector(".editor td[align=right]") && !document.querySelector(".editor [style]")`)
	s.script(pasteImage)
	s.wait("the image is in the text", `document.querySelector(".editor img")?.naturalWidth === 40`)

	s.do("ask for Bcc", click(`.recipients summary`), click(`[data-show=bcc]`))
	s.insert("audit@customer.test")
	s.press(kb.Enter)
	s.wait("the hidden recipient is a chip", `document.querySelector("[name=bcc]").value === "audit@customer.test"`)
	// Enter of an input method never sends, nor does Ctrl-Enter of it.
	s.script(`["Enter", "Process"].forEach(key => document.querySelector(".editor").dispatchEvent(new KeyboardEvent("keydown", {key, keyCode: 229, ctrlKey: true, bubbles: true, cancelable: true}))), true`)
	s.do("send", chromedp.Focus(chromedp.CSS(`.editor`)))
	s.press(kb.Enter, chromedp.ModifierCtrl)
	s.wait("the stranger is named before anything is sent", `document.querySelector(".warnings")?.innerText.includes("`+c.warning+`") && document.querySelector("[data-send]").innerText.includes("`+c.anyway+`")`)
	if list := s.mailbox.to(c.customer); len(list) > 0 {
		s.t.Fatal("the reply left before the warning was answered")
	}
	s.do("send all the same", chromedp.Focus(chromedp.CSS(`.editor`)))
	s.press(kb.Enter, chromedp.ModifierCtrl)
	s.wait("it is on its way", `document.querySelector(".toast") && document.querySelector(".editor")?.innerText.includes("`+c.greeting+`") === false`)

	l := s.mailbox.next(s.t, c.customer, pagePatience)
	s.mailbox.next(s.t, "audit@customer.test", pagePatience)
	s.isWhatWasComposed(l, c)
}

// isWhatWasComposed reads the mail with our own parser.
func (s *story) isWhatWasComposed(l letter, c composed) {
	s.t.Helper()
	if bytes.Contains(l.raw, []byte("audit@")) {
		s.t.Error("the mail names the hidden recipient")
	}
	m := mail.Parse(l.raw)
	for _, want := range []string{c.greeting, c.strong, c.words + " <https://example.com/manual>", "- " + c.items, c.symbolIs, "ロガー\t30"} {
		if !strings.Contains(m.Text, want) {
			s.t.Errorf("the plain part lacks %q:\n%s", want, m.Text)
		}
	}
	for _, want := range []string{"<b>" + c.strong + "</b>", `<a href="https://example.com/manual"`, "<li", "<table", "text-align:right", `<img src="cid:`, "Hiragino Sans"} {
		if !strings.Contains(m.HTML, want) {
			s.t.Errorf("the HTML part lacks %q:\n%s", want, m.HTML)
		}
	}
	if len(m.Attachments) != 1 || !m.Attachments[0].Inline || m.Attachments[0].ContentType != "image/png" || !strings.Contains(m.HTML, m.Attachments[0].ContentID) {
		s.t.Errorf("files %+v", m.Attachments)
	}
	if kind, _ := l.bodies(s.t); kind != "multipart/related" {
		s.t.Errorf("the mail is %s, want multipart/related", kind)
	}
}

const (
	pasteTable = `(() => {
		const data = new DataTransfer();
		data.setData("text/html", '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><style>td {color: red}</style><table style="width:1px"><tr><td style="mso-number-format:General">ロガー</td><td style="text-align:right">30</td></tr></table></html>');
		data.setData("text/plain", "x");
		document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
		return true;
	})()`
	pasteImage = `(async () => {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 40;
		const blob = await new Promise(done => canvas.toBlob(done));
		const data = new DataTransfer();
		data.items.add(new File([blob], "graph.png", {type: "image/png"}));
		document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
		return true;
	})()`
)

func (s *story) hasRow(number int) bool {
	return result(s.browser, "look for the row", chromedp.Evaluate[bool](`Boolean(document.querySelector("#row-`+strconv.Itoa(number)+`"))`))
}

func (s *story) script(expression string) {
	s.t.Helper()
	result(s.browser, "run a script", chromedp.Evaluate[bool](`(async () => (`+expression+`))()`, chromedp.EvalAwaitPromise))
}

func (s *story) insert(text string) {
	s.t.Helper()
	s.do("type "+text, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

func (s *story) press(key string, modifiers ...chromedp.Modifier) {
	s.t.Helper()
	s.do("press a key", chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

func (s *story) wait(what, expression string) {
	s.t.Helper()
	eventually(s.t, pagePatience, what, func() bool {
		return result(s.browser, what, chromedp.Evaluate[bool](`Boolean(`+expression+`)`))
	})
}
