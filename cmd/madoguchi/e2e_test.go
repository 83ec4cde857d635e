package main_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The product's whole promise, told once from the first start to the analysis,
// with nothing of the program replaced.
func TestMailInTicketUpAnswerOut(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser tests")
	}
	findBrowser(t)
	t.Parallel()
	s := newStory(t)
	s.browser = openBrowser(t)

	s.setUp()
	s.logIn()
	s.api = s.program.apiOf(t)
	s.expectModelProblem("nothing answers at the address yet", s.model.address)
	s.model.start(t)

	question := s.mailArrives()
	answer := s.answerLeaves(question)
	s.customerAnswers(question, answer)
	s.agentAnswersByMail()
	s.analysisAppears()
	s.everythingIsInOrder()
}

// setUp follows the printed link and fills in the first-run page.
func (s *story) setUp() {
	s.t.Helper()
	link := s.program.setupLink()
	s.do("open the setup link", chromedp.Navigate(link))
	s.do("fill in the first-run page",
		typed(`[name=name]`, agentName), typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword),
		typed(`[name=domain]`, "desk.test"), typed(`[name=alias_name]`, "窓口サポート"),
		click(`form[action="/setup"] button.primary`),
		chromedp.WaitVisible(chromedp.CSS(`a[href="/inbox/open"]`)))
	if page := s.text("main"); !strings.Contains(page, deskAddress) || !strings.Contains(page, "10 mx.desk.test") || !strings.Contains(page, "madoguchi send-test") {
		s.t.Errorf("the page after the setup says neither the address, the MX record nor how to send a first mail:\n%s", page)
	}
	response, err := http.Get(link)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		s.t.Errorf("the setup link, used a second time: %s, want 403", response.Status)
	}
}

// logIn leaves the session that the setup opened, and enters by the door.
func (s *story) logIn() {
	s.t.Helper()
	s.do("log out", chromedp.Navigate(s.program.web+"/inbox/open"), click(`#me summary`), click(`#me form[action="/logout"] button`))
	s.do("log in", typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword), click(`form[action="/login"] button`),
		chromedp.WaitVisible(chromedp.CSS(`#list`)))
	s.do("have customers' replies forwarded", chromedp.Navigate(s.program.web+"/settings/profile"), click(`[name=forward_replies]`),
		click(`form[action="/settings/profile"] button.primary`), chromedp.WaitVisible(chromedp.CSS(`.saved`)))
	s.openInbox()
}

func (s *story) openInbox() {
	s.t.Helper()
	s.do("open the inbox", chromedp.Navigate(s.program.web+"/inbox/open"), chromedp.WaitVisible(chromedp.CSS(`#list`)),
		chromedp.WaitReady(chromedp.CSS(`html[data-live=yes]`)))
	s.mark()
}

// expectModelProblem waits until the settings page says what is wrong with the
// model.
func (s *story) expectModelProblem(what, words string) {
	s.t.Helper()
	client := s.program.login(s.t)
	eventually(s.t, time.Minute, "the settings say what is wrong with the model: "+what, func() bool {
		_, problem, found := strings.Cut(s.program.page(s.t, client, "/settings/analysis"), `class="problem"`)
		return found && strings.Contains(problem, words)
	})
}

const (
	subject      = "席数追加のお見積りについて（青葉製作所）"
	questionText = "窓口サポート ご担当者様\n\nお世話になっております。青葉製作所の田中です。\n来月から拠点が増えますので、五十席での年間費用をお教えください。\n\nよろしくお願いいたします。\n"
	answerText   = "田中様\n\nお問い合わせありがとうございます。\n五十席の年間費用は、標準プランで六十万円でございます。\n\n佐藤"
	followUp     = "早速のご回答ありがとうございます。\nそれでは六十万円で稟議にかけます。\n"
	agentAnswer  = "田中様\n\n承知いたしました。注文書をお待ちしております。\n"
)

// mailArrives sends a Japanese customer's first mail and sees it appear in the
// open inbox.
func (s *story) mailArrives() (question writing) {
	s.t.Helper()
	question = writing{from: customerMailbox, to: deskAddress, subject: subject, text: questionText, messageID: "20261120.0001@customer.test"}
	row := s.watch("the first mail stands in the list", `document.querySelector('#row-1')?.innerText.includes(`+quoted("席数追加")+`)`)
	accepted := send(s.t, s.program.smtp, customerAddress, deskAddress, signed(s.t, "customer.test", question.iso2022jp(s.t)))
	s.await(row, accepted)
	s.unreloaded()
	s.do("open the ticket", click(`#row-1`), chromedp.WaitVisible(chromedp.CSS(`#ticket[data-number="1"] .message.in .text`)))
	if got := s.text(`#ticket .message.in .body`); !strings.Contains(got, "五十席での年間費用をお教えください。") {
		s.t.Errorf("the mail reads %q", got)
	}
	if got := s.text(`#ticket .message.in .message-name`); !strings.Contains(got, customerName) {
		s.t.Errorf("the mail is from %q, want %s", got, customerName)
	}
	s.do("see that the sender is proven", chromedp.WaitVisible(chromedp.CSS(`#ticket .message.in .trust.verified`)))
	ticket := s.api.ticket(s.t, 1)
	if len(ticket.Messages) != 1 || ticket.Ticket.Subject != subject {
		s.t.Fatalf("the API has %d messages under %q, want 1 under %q", len(ticket.Messages), ticket.Ticket.Subject, subject)
	}
	m := ticket.Messages[0]
	if m.Authentication.SPF != "pass" || m.Authentication.DMARC != "pass" || m.Authentication.AlignedBy != "dkim" {
		s.t.Errorf("authentication %+v, want SPF and DMARC pass, aligned by dkim", m.Authentication)
	}
	if m.MessageID != question.messageID || m.Text != questionText {
		s.t.Errorf("message %q with the text %q", m.MessageID, m.Text)
	}
	s.unreloaded()
	return question
}

var (
	replyForm  = regexp.MustCompile(`^reply\+[a-z0-9]{16}@desk\.test$`)
	bounceForm = regexp.MustCompile(`^bounce\+[a-z0-9]{16}@desk\.test$`)
)

// answerLeaves answers in the browser and receives the answer as the customer.
func (s *story) answerLeaves(question writing) letter {
	s.t.Helper()
	// It goes away with the time to take the answer back: the page looks, which misses nothing.
	offered := s.watch("taking the answer back is offered", `document.querySelector('.toast[data-seconds]')`)
	s.do("write and send the answer", typed(`#ticket .editor`, answerText), click(`#ticket .composer .split > .send`),
		chromedp.WaitVisible(chromedp.CSS(`#ticket .message.out`)))
	s.await(offered, time.Now())
	sent := s.watch("the answer is shown as delivered", `document.querySelector('#ticket .message.out .fate.sent')`)
	l := s.mailbox.next(s.t, customerAddress, pagePatience)
	s.await(sent, time.Now())
	s.unreloaded()

	verifySigned(s.t, s.zone, l, "desk.test")
	if !bounceForm.MatchString(l.from) {
		s.t.Errorf("envelope sender %q, want bounce+<token>@desk.test", l.from)
	}
	if from := l.address(s.t, "From"); from.Address != deskAddress {
		s.t.Errorf("From %q, want %s", from, deskAddress)
	}
	if to := l.address(s.t, "To"); to.Address != customerAddress {
		s.t.Errorf("To %q, want %s", to, customerAddress)
	}
	if replyTo := l.address(s.t, "Reply-To"); !replyForm.MatchString(replyTo.Address) {
		s.t.Errorf("Reply-To %q, want reply+<token>@desk.test", replyTo)
	}
	if got := l.ids(s.t, "In-Reply-To"); !slices.Equal(got, []string{question.messageID}) {
		s.t.Errorf("In-Reply-To %q, want %q", got, question.messageID)
	}
	if got := l.ids(s.t, "References"); !slices.Contains(got, question.messageID) {
		s.t.Errorf("References %q lack %q", got, question.messageID)
	}
	if got := l.header(s.t, "Subject"); !strings.Contains(got, subject) || !strings.HasPrefix(got, "Re:") {
		s.t.Errorf("Subject %q, want Re: and %q", got, subject)
	}
	kind, texts := l.bodies(s.t)
	if kind != "multipart/alternative" {
		s.t.Errorf("the answer is %s, want multipart/alternative", kind)
	}
	for _, part := range []string{"text/plain", "text/html"} {
		if !strings.Contains(texts[part], "標準プランで六十万円でございます。") {
			s.t.Errorf("%s of the answer: %q", part, texts[part])
		}
	}
	return l
}

// customerAnswers answers to the token's address and sees it join.
func (s *story) customerAnswers(question writing, answer letter) {
	s.t.Helper()
	answerID := answer.ids(s.t, "Message-ID")[0]
	replyTo := answer.address(s.t, "Reply-To").Address
	reply := writing{from: customerMailbox, to: replyTo, subject: "Re: " + subject, messageID: "20261120.0002@customer.test",
		text: followUp + "\n2026年11月20日(金) 10:00 窓口サポート <" + deskAddress + ">:\n> 五十席の年間費用は、標準プランで六十万円でございます。\n", inReplyTo: answerID, references: []string{question.messageID, answerID}}
	joined := s.watch("the customer's answer joins the open ticket", `[...document.querySelectorAll('#ticket .message.in .text')].some(e => e.innerText.includes(`+quoted("稟議にかけます")+`))`)
	accepted := send(s.t, s.program.smtp, customerAddress, replyTo, signed(s.t, "customer.test", reply.iso2022jp(s.t)))
	s.await(joined, accepted)
	s.unreloaded()

	ticket := s.api.ticket(s.t, 1)
	m := ticket.Messages[len(ticket.Messages)-1]
	if len(ticket.Messages) != 3 || m.MessageID != reply.messageID || m.Reason != "token" {
		s.t.Errorf("%d messages, the last %q here because of %q; want 3, the answer, its token", len(ticket.Messages), m.MessageID, m.Reason)
	}
	if got := strings.TrimSpace(m.ReplyText); got != strings.TrimSpace(followUp) {
		s.t.Errorf("the new words are %q, want %q", got, followUp)
	}
	if ticket.Ticket.Assignee != adminEmail {
		s.t.Errorf("assigned to %q, want the one who answered", ticket.Ticket.Assignee)
	}
}

// agentAnswersByMail receives the copy of the customer's answer in the agent's
// own mailbox and answers it from there: with a signature it goes out to the
// customer, without one it is held.
func (s *story) agentAnswersByMail() {
	s.t.Helper()
	copied := s.mailbox.next(s.t, adminEmail, pagePatience)
	verifySigned(s.t, s.zone, copied, "desk.test")
	replyTo := copied.address(s.t, "Reply-To").Address
	if !replyForm.MatchString(replyTo) {
		s.t.Fatalf("Reply-To of the copy %q, want reply+<token>@desk.test", replyTo)
	}
	if _, texts := copied.bodies(s.t); !strings.Contains(texts["text/plain"], "稟議にかけます") {
		s.t.Errorf("the copy reads %q", texts["text/plain"])
	}
	copyID := copied.ids(s.t, "Message-ID")[0]
	mail := writing{from: agentMailbox, to: replyTo, subject: "Re: " + copied.header(s.t, "Subject"), text: agentAnswer,
		messageID: "reply.1@agents.test", inReplyTo: copyID, references: []string{copyID}}

	shown := s.watch("the agent's mail stands as the agent's reply", `document.querySelectorAll('#ticket .message.out').length === 2`)
	accepted := send(s.t, s.program.smtp, adminEmail, replyTo, signed(s.t, "agents.test", mail.iso2022jp(s.t)))
	s.await(shown, accepted)
	l := s.mailbox.next(s.t, customerAddress, pagePatience)
	verifySigned(s.t, s.zone, l, "desk.test")
	if from := l.address(s.t, "From"); from.Address != deskAddress {
		s.t.Errorf("the agent's answer is from %q, want %s: an agent's own address is nobody's business", from, deskAddress)
	}
	if _, texts := l.bodies(s.t); !strings.Contains(texts["text/plain"], "注文書をお待ちしております。") {
		s.t.Errorf("the agent's answer reads %q", texts["text/plain"])
	}

	forged := mail
	forged.text, forged.messageID = "田中様\n\n口座が変わりました。下記へお振り込みください。\n", "reply.2@agents.test"
	held := s.watch("the unsigned mail is held", `document.querySelector('#ticket .held')?.innerText.includes(`+quoted("口座が変わりました")+`)`)
	accepted = send(s.t, s.program.smtp, "bounce@elsewhere.test", replyTo, forged.iso2022jp(s.t))
	s.await(held, accepted)
	ticket := s.api.ticket(s.t, 1)
	if len(ticket.Held) != 1 || ticket.Held[0].Reason != "agent_unproven" {
		s.t.Errorf("held: %+v, want the unsigned mail", ticket.Held)
	}
	if list := s.mailbox.to(customerAddress); len(list) != 2 {
		s.t.Errorf("the customer has %d letters, want 2", len(list))
	}
	s.unreloaded()
}

// analysisAppears lets the model come up at last, and finds what it said beside
// the messages that waited for it.
func (s *story) analysisAppears() {
	s.t.Helper()
	s.expectModelProblem("the model is missing", "ollama pull "+testModel)
	shown := s.watch("the analysis stands beside the ticket", `document.querySelector('#analysis')?.innerText.includes(`+quoted("席を五十に増やしたい")+`)`)
	s.model.pull()
	pulled := time.Now()
	eventually(s.t, time.Minute, "the messages that waited are analysed", func() bool {
		analysed := 0
		for _, m := range s.api.ticket(s.t, 1).Messages {
			if m.Direction == "in" && m.Analysis != nil && m.Analysis.ReplyType == "high_value" {
				analysed++
			}
		}
		return analysed == 2
	})
	s.await(shown, pulled)
	s.unreloaded()
	for _, prompt := range s.model.asked() {
		if !strings.Contains(prompt, "五十席での年間費用") && !strings.Contains(prompt, "稟議にかけます") {
			s.t.Errorf("the model was asked about something else:\n%s", prompt)
		}
	}
}

// everythingIsInOrder has the program check itself, running and stopped.
func (s *story) everythingIsInOrder() {
	s.t.Helper()
	if got := s.api.tickets(s.t); len(got) != 1 {
		s.t.Errorf("tickets %v, want one", got)
	}
	succeed(s.t, "", "verify", "--data", s.program.data)
	s.program.stop()
	succeed(s.t, "", "verify", "--data", s.program.data)
}
