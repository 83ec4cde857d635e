package main_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/ui/browsertest"
)

// holds puts a ticket on hold until its customer writes, and sees it come back.
func (j *journey) holds() {
	j.t.Helper()
	from := j.mailboxOf(j.customer, "hold")
	number := j.arrive(writing{from: from})
	to := j.answered(number)
	j.enter(j.agent)
	j.open(fmt.Sprintf("/inbox/open/%d", number))
	j.until(shownTicket(number))
	j.press("h")
	j.until(`document.activeElement.closest("#hold") && document.activeElement.name === "until"`)
	j.click("#hold [name=until][value=reply]")
	j.until(`document.querySelector("#on-hold")?.innerText.includes(` + quoted(j.words.T("hold.until_reply")) + `)`)
	j.leave()
	j.press("gh")
	j.until(`location.pathname === "/inbox/snoozed" && ` + row(number))
	j.ready()
	j.mark()
	j.arrive(writing{from: from, to: to, subject: "Re: " + j.subject, text: j.more})
	j.until(`!` + row(number))
	j.unreloaded()
	j.press("gi")
	j.until(`location.pathname === "/inbox/open" && ` + row(number))
	j.ready()
	j.click(fmt.Sprintf("#row-%d", number))
	j.until(shownTicket(number) + ` && ` + flow(j.words.T("event.ticket_woken_customer")))
	j.until(`document.querySelector("#new-mark")?.nextElementSibling.innerText.length > 0 && !document.querySelector("#on-hold")`)
}

// finds a ticket by words of its language and a filter, merges another into
// it, and takes that back.
func (j *journey) finds() {
	j.t.Helper()
	from := j.mailboxOf(j.friend, "find")
	first := j.arrive(writing{from: from, subject: j.other})
	second := j.arrive(writing{from: from, subject: j.other, text: j.more})
	j.arrive(writing{from: j.mailboxOf(j.customer, "unrelated"), subject: j.other})
	j.enter(j.agent)
	j.press("/")
	j.until(`document.activeElement.id === "find-text"`)
	word := string([]rune(j.other)[4:6]) // two characters of Japanese, the begin of a word of English
	if j.language == "en" {
		word = "probe"
	}
	j.insert(word + " from:" + addressOf(from))
	j.press(kb.Enter)
	j.until(`location.search.includes("q=") && document.querySelectorAll("#rows .row").length === 2`)
	j.ready()
	j.click(fmt.Sprintf("#row-%d", first))
	j.until(shownTicket(first))
	j.mark()

	j.press("m")
	j.until(`document.querySelector("#picker").open && document.activeElement.name === "q"`)
	j.insert(fmt.Sprint(second))
	j.press(kb.Enter) // searches, and chooses nothing
	j.until(fmt.Sprintf(`document.querySelector("#choices h3")?.innerText === `+quoted(j.words.T("picker.number"))+` && document.querySelector("#choices .choice")?.value === "%d" && document.querySelector("#ticket").dataset.number === "%d"`, second, first))
	j.click(fmt.Sprintf(`#choices .choice[value="%d"]`, second))
	j.until(shownTicket(second) + ` && !document.querySelector("#picker").open && ` + flow(j.words.T("event.ticket_merged", j.who(j.agent), fmt.Sprintf("#%d", first))))
	j.click(".toast-action")
	j.until(shownTicket(first) + ` && !document.querySelector(".toast")`)
	j.unreloaded()
}

// confirms decides on three mails of strangers to a conversation's own address.
func (j *journey) confirms() {
	j.t.Helper()
	number := j.arrive(writing{from: j.mailboxOf(j.customer, "held")})
	to := j.answered(number)
	j.enter(j.agent)
	for i, decision := range []string{"join", "split", "refuse"} {
		stranger := fmt.Sprintf("%s <%s@elsewhere.test>", j.stranger, decision)
		j.arrive(writing{from: stranger, to: to, text: j.more})
		if i == 0 {
			j.open("/inbox/held")
			j.until(row(number))
			j.click(fmt.Sprintf("#row-%d", number))
		}
		j.until(`document.querySelectorAll(".held").length === 1 && document.querySelector(".held").innerText.includes(` + quoted(j.words.T("held.title")) + `)`)
		j.click(".held [value=" + decision + "]")
		key, args := map[string]string{"join": "event.message_joined", "split": "event.message_split", "refuse": "event.message_refused"}[decision], []any{j.who(j.agent), addressOf(stranger), fmt.Sprintf("#%d", number)}
		j.until(flow(j.words.T(key, args...)))
		if decision == "split" {
			j.until(fmt.Sprintf(`Number(document.querySelector("#ticket").dataset.number) > %d && !document.querySelector(".held")`, number))
			j.open(fmt.Sprintf("/inbox/open/%d", number))
		}
	}
	j.until(`!document.querySelector(".held")`)
	if messages := j.town.api.ticket(j.t, number).Messages; len(messages) != 3 {
		j.t.Errorf("%d messages, want the question, the answer and the mail that was added", len(messages))
	}
}

// sortsOut filters a list, closes what it shows in one go and takes that back,
// sets one ticket aside as spam and brings it in again.
func (j *journey) sortsOut() {
	j.t.Helper()
	var numbers []int
	for i := range 3 {
		numbers = append(numbers, j.arrive(writing{from: j.mailboxOf(j.friend, fmt.Sprintf("many%d", i)), to: j.billing}))
	}
	j.enter(j.agent)
	j.click("#filter > summary")
	j.eval(`document.querySelector("#filter [name=tag]").closest("details").open = true`)
	tag := fmt.Sprintf(`#filter [name=tag][value=%q]`, j.tag)
	j.click(tag)
	j.until(`document.querySelector("[data-shows]").textContent === ` + quoted(j.words.N("filter.show", 3, j.words.Number(3))))
	j.click("[data-shows]")
	j.until(`location.search.startsWith("?tag=") && document.querySelectorAll("#rows .row").length === 3`)
	j.ready()
	j.do("go to the list", chromedp.Focus(chromedp.CSS("#rows .row")))
	j.press("x")
	j.until(`document.querySelector("#bulk-count").textContent === ` + quoted(j.words.N("bulk.chosen", 1)))
	j.press("a", chromedp.ModifierCtrl)
	j.until(`document.querySelectorAll("#rows [aria-checked=true]").length === 3`)
	j.click(`#bulk-choices [data-bulk=close]`)
	j.until(`document.querySelector(".bulk-toast")?.innerText.includes(` + quoted(j.words.N("bulk.changed", 3)) + `) && document.querySelectorAll("#rows .row").length === 0`)
	j.click(".bulk-toast .toast-action")
	j.until(`document.querySelector(".bulk-toast")?.innerText.includes(` + quoted(j.words.N("bulk.returned", 3)) + `) && document.querySelectorAll("#rows .row").length === 3`)

	spam := numbers[1]
	j.click(fmt.Sprintf("#row-%d", spam))
	j.until(shownTicket(spam))
	j.press("!")
	j.until(`document.querySelector(".spam-strip") && ` + j.says("spam.by", j.agent.name))
	j.open("/inbox/spam")
	j.click(fmt.Sprintf("#row-%d", spam))
	j.until(shownTicket(spam))
	j.click(".spam-strip button")
	j.until(`!document.querySelector(".spam-strip") && ` + flow(j.words.T("event.ticket_not_spam", j.who(j.agent))))
}

// answersOnThePhone reads and answers on a small screen. What is touched is
// large enough for a thumb, and nothing is left of the keyboard's ways.
func (j *journey) answersOnThePhone() {
	j.t.Helper()
	from := j.mailboxOf(j.customer, "phone")
	number := j.arrive(writing{from: from})
	j.do("take the phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	defer j.do("put the phone away", chromedp.EmulateViewport(1440, 900))
	j.enter(j.agent)
	j.tap(fmt.Sprintf("#row-%d", number))
	j.until(shownTicket(number) + ` && ` + flow(strings.TrimSpace(j.question)))
	j.until(`document.scrollingElement.scrollWidth <= 390 && !document.querySelector("#list").checkVisibility()`)
	j.tap(".editor")
	j.until(`document.activeElement.matches(".editor")`)
	j.insert(j.answer)
	j.tap(".composer .split > .send")
	j.until(`document.querySelector(".toast") && document.querySelectorAll(".message.out").length === 1`)
	j.tap("#close-button")
	j.until(`document.querySelector("#close-button").innerText.includes(` + quoted(j.words.T("ticket.reopen")) + `)`)
	j.tap("#ticket-head .bar > a")
	j.until(`document.querySelector("#list").checkVisibility() && !` + row(number))
}

// tap touches what lies under a thumb, which is wider than a pointer.
func (j *journey) tap(selector string) {
	j.t.Helper()
	j.do("touch "+selector, browsertest.AtRest(selector, func(ctx context.Context, t *chromedp.Target, at browsertest.Point) error {
		_, err := chromedp.TapXY(at.X, at.Y)(ctx, t)
		return err
	}))
}
