package main_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// answersByKeyboard takes a new mail from the list to its answer: a note that
// calls a colleague, a template, the signature, send and close.
func (j *journey) answersByKeyboard() {
	j.t.Helper()
	from := j.mailboxOf(j.customer, "first")
	j.enter(j.agent)
	j.mark()
	number := j.arrive(writing{from: from})
	j.until(row(number))
	j.press("j")
	j.until(shownTicket(number))

	j.press("n")
	j.until(`document.activeElement.dataset.text === "note"`)
	j.press("@")
	j.until(`document.querySelector(".caret-entry.person")`)
	j.insert(string([]rune(j.colleague.name)[:2]))
	j.until(`document.querySelectorAll(".caret-entry.person").length === 1 && document.querySelector(".caret-entry.person").innerText.includes(` + quoted(j.colleague.name) + `)`)
	j.press(kb.Enter)
	j.insert(j.please)
	j.press(kb.Enter, chromedp.ModifierCtrl)
	j.until(`document.querySelector(".note .mention")?.innerText === ` + quoted("@"+j.colleague.name))

	j.leave()
	j.press("r")
	j.until(`document.activeElement.matches(".editor")`)
	j.press("/")
	j.insert(j.shortcut)
	j.until(`document.querySelectorAll(".caret-entry").length === 1`)
	j.press(kb.Enter)
	j.until(`document.querySelector(".editor").innerText.includes(` + quoted(j.customer) + `) && document.querySelector(".editor").innerText.includes(` + quoted(j.template) + `)`)
	j.until(`document.querySelector("[name=signature]").value === ` + quoted(j.signature+"\n"+j.agent.name))
	j.press(kb.Enter, chromedp.ModifierCtrl|chromedp.ModifierShift)
	j.until(`document.querySelector(".toast") && document.querySelector("#close-button").innerText.includes(` + quoted(j.words.T("ticket.reopen")) + `)`)
	j.unreloaded()
	j.town.later = append(j.town.later, func(t *testing.T) {
		l := j.town.mailbox.next(t, addressOf(from), patience)
		m := mail.Parse(l.raw)
		for _, want := range []string{j.customer, j.template, j.signature, j.agent.name} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("the answer lacks %q:\n%s", want, m.Text)
			}
		}
		if strings.Contains(string(l.raw), j.please) || strings.Contains(m.Text, j.please) {
			t.Error("the note left the house")
		}
	})
}

// composes writes a reply with all that the editor offers, to somebody nobody
// has written to before, takes it back once and sends it again.
func (j *journey) composes() {
	j.t.Helper()
	from := j.mailboxOf(j.customer, "letter")
	audit := fmt.Sprintf("audit.%s@customer.test", j.language)
	number := j.arrive(writing{from: from})
	j.enter(j.agent)
	j.open(fmt.Sprintf("/inbox/open/%d", number))
	j.until(shownTicket(number))
	j.click(".editor")
	j.writesLetter()

	j.eval(`(() => { const files = new DataTransfer(), field = document.querySelector("[data-file-input]"); files.items.add(new File(["%PDF-1.4"], "list.pdf", {type: "application/pdf"})); field.files = files.files; field.dispatchEvent(new Event("change", {bubbles: true})); })()`)
	j.until(`document.querySelector("[data-files] .file")?.innerText.includes("list.pdf") && document.querySelectorAll("[name=upload]").length >= 1`)
	j.click(".recipients summary")
	for field, address := range map[string]string{"cc": "cc." + audit, "bcc": audit} {
		j.click("[data-show=" + field + "]")
		j.insert(address)
		j.press(kb.Enter)
		j.until(fmt.Sprintf(`document.querySelector("[name=%s]").value === %s`, field, quoted(address)))
	}

	// Ctrl-Enter of an input method is no command.
	j.eval(`["Enter", "Process"].forEach(key => document.querySelector(".editor").dispatchEvent(new KeyboardEvent("keydown", {key, keyCode: 229, ctrlKey: true, bubbles: true, cancelable: true})))`)
	j.sendsAllTheSame()
	if list := j.town.mailbox.to(addressOf(from)); len(list) > 0 {
		j.t.Fatal("the reply left before it could be taken back")
	}
	j.click(".toast-action")
	j.until(`!document.querySelector(".toast") && document.querySelector(".editor")?.innerText.includes(` + quoted(j.greeting) + `) && document.querySelector("[data-files]").innerText.includes("list.pdf")`)
	j.sendsAllTheSame()
	j.town.forgive("Applying inline style") // of the table from a spreadsheet
	j.town.later = append(j.town.later, func(t *testing.T) {
		for _, to := range []string{audit, "cc." + audit} {
			j.town.mailbox.next(t, to, patience)
		}
		j.isLetter(t, j.town.mailbox.next(t, addressOf(from), patience), audit)
		if list := j.town.mailbox.to(addressOf(from)); len(list) != 1 {
			t.Errorf("%d letters arrived, want the one that was not taken back", len(list))
		}
	})
}

// writesLetter types a greeting, strong words, a link, a list, a symbol, and
// pastes a table and an image.
func (j *journey) writesLetter() {
	j.t.Helper()
	j.insert(j.greeting)
	j.press(kb.Enter)
	j.press("b", chromedp.ModifierCtrl)
	j.insert(j.strong)
	j.press("b", chromedp.ModifierCtrl)
	j.press(kb.Enter)
	j.insert(j.link) // and make a link of it
	j.eval(`getSelection().modify("extend", "backward", "lineboundary")`)
	j.press("k", chromedp.ModifierCtrl)
	j.until(`document.activeElement.matches("[data-link-address]")`)
	j.insert("example.com/manual")
	j.click("[data-link-apply]")
	j.until(`document.querySelector(".editor a")?.href === "https://example.com/manual"`)
	j.eval(`(getSelection().selectAllChildren(document.querySelector(".editor")), getSelection().collapseToEnd())`)
	j.press(kb.Enter + "-" + " ")
	j.insert(j.item)
	j.press(kb.Enter + kb.Enter)
	j.click("[data-pop=symbols]")
	j.until(`document.querySelector(".symbol") && document.activeElement.matches("[data-symbol-find]")`)
	j.insert(j.symbol)
	j.press(kb.Enter)
	j.until(`document.querySelector(".editor").innerText.includes(` + quoted(j.isSymbol) + `)`)
	j.eval(pasteTable)
	j.until(`document.querySelector(".editor td[align=right]") && !document.querySelector(".editor [style]")`)
	j.eval(pasteImage)
	j.until(`document.querySelector(".editor img")?.naturalWidth === 40`)
}

// sendsAllTheSame sends a reply to a stranger: the warning comes first.
func (j *journey) sendsAllTheSame() {
	j.t.Helper()
	j.until(`!document.querySelector(".toast")`)
	j.do("go back to the letter", chromedp.Focus(chromedp.CSS(".editor")))
	j.press(kb.Enter, chromedp.ModifierCtrl)
	j.until(`document.querySelector(".warnings") && document.querySelector("[data-send]").innerText.includes(` + quoted(j.words.T("warning.send")) + `)`)
	j.do("go back to the letter", chromedp.Focus(chromedp.CSS(".editor")))
	j.press(kb.Enter, chromedp.ModifierCtrl)
	j.until(`document.querySelector(".toast") && document.querySelector(".editor")?.innerText.includes(` + quoted(j.greeting) + `) === false`)
}

// isLetter reads what was composed with our own parser.
func (j *journey) isLetter(t *testing.T, l letter, hidden string) {
	t.Helper()
	m := mail.Parse(l.raw)
	if bytes.Contains(l.raw, []byte("<"+hidden+">")) {
		t.Error("the mail names the hidden recipient")
	}
	for _, want := range []string{j.greeting, j.strong, j.link + " <https://example.com/manual>", "- " + j.item, j.isSymbol, "ロガー\t30"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the plain part lacks %q:\n%s", want, m.Text)
		}
	}
	for _, want := range []string{"<b>" + j.strong + "</b>", `<a href="https://example.com/manual"`, "<li", "<table", "text-align:right", `<img src="cid:`, "Hiragino Sans"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("the HTML part lacks %q:\n%s", want, m.HTML)
		}
	}
	var inline, files int
	for _, a := range m.Attachments {
		if a.Inline && a.ContentType == "image/png" && strings.Contains(m.HTML, a.ContentID) {
			inline++
		} else if a.Filename == "list.pdf" {
			files++
		}
	}
	if inline != 1 || files != 1 || len(m.Attachments) != 2 {
		t.Errorf("files %+v, want the image and list.pdf", m.Attachments)
	}
	if kind, _ := l.bodies(t); kind != "multipart/mixed" {
		t.Errorf("the mail is %s, want multipart/mixed", kind)
	}
}

const (
	pasteTable = `(() => {
		const data = new DataTransfer();
		data.setData("text/html", '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><style>td {color: red}</style><table style="width:1px"><tr><td style="mso-number-format:General">ロガー</td><td style="text-align:right">30</td></tr></table></html>');
		data.setData("text/plain", "x");
		document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
	})()`
	pasteImage = `await (async () => {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 40;
		const blob = await new Promise(done => canvas.toBlob(done));
		const data = new DataTransfer();
		data.items.add(new File([blob], "graph.png", {type: "image/png"}));
		document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
	})()`
)
