package main_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

const (
	colleagueEmail = "mori@agents.test"
	colleagueName  = "森 葵"
)

// deskmate is somebody before a browser of their own.
type deskmate struct {
	*browser
	program *running
}

// comes opens a browser and logs in, at a ticket.
func comes(t *testing.T, program *running, email string, ticket int) *deskmate {
	t.Helper()
	p := &deskmate{openBrowser(t), program}
	p.do("log in", chromedp.Navigate(program.web+"/login"), typed(`[name=email]`, email), typed(`[name=password]`, adminPassword), click(`form[action="/login"] button`),
		chromedp.WaitVisible(chromedp.CSS(`#list`)))
	p.do("open the ticket", chromedp.Navigate(fmt.Sprintf("%s/inbox/open/%d", program.web, ticket)), chromedp.WaitVisible(chromedp.CSS(`.editor`)),
		chromedp.WaitReady(chromedp.CSS(`html[data-live=yes]`)))
	return p
}

// sees waits until an expression holds in the person's page.
func (p *deskmate) sees(what, expression string) {
	p.t.Helper()
	eventually(p.t, pagePatience, what, func() bool {
		return result(p.browser, what, chromedp.Evaluate[bool](`(() => { try { return Boolean(`+expression+`); } catch { return false; } })()`))
	})
}

func (p *deskmate) writes(text string) {
	p.t.Helper()
	p.do("write "+text, click(`.editor`), chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error { return insertText(ctx, t, text) }))
}

// TestTwoPeopleAtOneTicket is what two people at one ticket see of each other:
// who writes, what is written, what the customer writes meanwhile, and how a
// reply that needs a second person goes to and fro until it leaves, once.
func TestTwoPeopleAtOneTicket(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser tests")
	}
	findBrowser(t)
	t.Parallel()
	mailbox := serveMailbox(t)
	zone := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1",
		dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"), dnstest.TXT("_dmarc.customer.test", "v=DMARC1; p=reject"))
	data := t.TempDir()
	succeed(t, adminPassword+"\n", "user", "add", adminEmail, "--role", "agent", "--name", agentName, "--password-file", "-", "--data", data)
	succeed(t, adminPassword+"\n", "user", "add", colleagueEmail, "--role", "supervisor", "--name", colleagueName, "--password-file", "-", "--data", data)
	config := fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[outbound]\nport = %s\n[helpdesk]\nundo_window = \"0s\"\n[[alias]]\naddress = %q\nname = \"窓口\"\napproval = true\n", mailbox.port(), deskAddress)
	program := start(t, data, "--config", writeConfig(t, config), "--resolver", zone.Address)
	question := writing{from: customerMailbox, to: deskAddress, subject: "Price", text: questionText, messageID: "1@customer.test"}
	send(t, program.smtp, customerAddress, deskAddress, question.iso2022jp(t))

	sato, mori := comes(t, program, adminEmail, 1), comes(t, program, colleagueEmail, 1)
	sato.mark()
	mori.mark()
	sato.sees("each of them sees the other", `document.querySelector("#presence").innerText.includes("`+colleagueName+`")`)

	writing := mori.watch("the colleague sees who writes", `document.querySelector("#presence").innerText.includes("`+agentName+`") && document.querySelector("#presence .writing")`)
	draft := mori.watch("the colleague sees what", `document.querySelector("#drafts").innerText.includes("六十万円")`)
	began := time.Now()
	sato.writes("六十万円です。")
	mori.await(writing, began)
	mori.await(draft, began)

	// The customer writes meanwhile: nothing goes out over their head.
	more := sato.watch("the new mail stands in the open ticket", `[...document.querySelectorAll(".message.in")].length === 2`)
	second := question
	second.text, second.messageID, second.inReplyTo, second.references = "五席を足してください。\n", "2@customer.test", "1@customer.test", []string{"1@customer.test"}
	accepted := send(t, program.smtp, customerAddress, deskAddress, second.iso2022jp(t))
	sato.await(more, accepted)
	mori.sees("and in the colleague's", `[...document.querySelectorAll(".message.in")].length === 2`)
	sato.do("ask for approval", click(`[data-send]`))
	sato.sees("the sending stopped, with the words still there", `document.querySelector(".composer-alert.warn") && document.querySelector(".editor").innerText.includes("六十万円")`)
	if list := mailbox.to(customerAddress); len(list) > 0 {
		t.Fatal("a mail left that nobody approved")
	}
	sato.writes("五席分を含みます。")
	sato.do("ask for approval again", click(`[data-send]`))
	sato.sees("it waits", `document.querySelector(".draft-card.review") && document.querySelector(".editor").innerText.trim() === ""`)

	mori.sees("the colleague can decide", `document.querySelector(".draft-card.review .send-back")?.checkVisibility()`)
	mori.do("send it back", typed(`.send-back [name=comment]`, "税込みで書いてください"), click(`.send-back button`))
	mori.sees("it is a draft again", `document.querySelector(".draft-card.writing") && !document.querySelector(".draft-card.review")`)
	sato.sees("its author sees it", `document.querySelector(".draft-card.writing")`)
	sato.do("go on with it", click(`.draft-card.writing summary`), click(`.draft-card.writing form[action$="/take"] button`))
	sato.sees("the words are in the composer, with the reason", `document.querySelector(".editor").innerText.includes("五席分を含みます。") && document.querySelector(".composer-alert.warn").innerText.includes("税込みで書いてください")`)
	sato.writes("税込みです。")
	sato.do("ask once more", click(`[data-send]`))
	sato.sees("it waits once more", `document.querySelector(".draft-card.review") && document.querySelector(".editor").innerText.trim() === ""`)

	mori.sees("the colleague sees the mended words", `document.querySelector(".draft-card.review")?.innerText.includes("税込みです。")`)
	mori.do("approve it", click(`.draft-card.review form[action$="/approve"] button`))
	mori.sees("it is in the conversation", `document.querySelector(".message.out")?.innerText.includes("税込みです。") && !document.querySelector(".draft-card")`)
	sato.sees("and in its author's", `document.querySelector(".message.out")?.innerText.includes("税込みです。") && !document.querySelector(".draft-card")`)
	left := mailbox.next(t, customerAddress, pagePatience)
	if _, texts := left.bodies(t); len(texts) == 0 {
		t.Error("the mail is empty")
	}
	if list := mailbox.to(customerAddress); len(list) != 1 {
		t.Errorf("%d mails left, want one", len(list))
	}
	sato.unreloaded()
	mori.unreloaded()
}
