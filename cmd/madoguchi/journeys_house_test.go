package main_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// watches sees a customer wait, gives the ticket to somebody, and that person
// gets it on their own screen at once.
func (j *journey) watches() {
	j.t.Helper()
	agent := j.beside()
	agent.enter(j.agent)
	agent.open("/inbox/mine")
	agent.mark()
	j.enter(j.supervisor)
	j.open("/situation")
	j.until(`document.querySelector("h1").innerText === ` + quoted(j.words.T("situation.title")))
	j.mark()
	number := j.arrive(writing{from: j.mailboxOf(j.friend, "waits")})
	wait := fmt.Sprintf("#wait-%d", number)
	j.until(`document.querySelector("` + wait + `")?.innerText.includes(` + quoted(j.subject) + `)`)
	j.until(`document.querySelector("` + wait + ` select").selectedOptions[0].label === ` + quoted(j.words.T("ticket.unassigned")))
	give := func(to person) {
		j.t.Helper()
		j.do("choose "+to.name, chromedp.SetValue(chromedp.CSS(wait+" select"), to.id))
		j.eval(`document.querySelector("` + wait + ` select").dispatchEvent(new Event("change", {bubbles: true}))`)
	}
	give(j.agent)
	agent.until(row(number))

	// All that this agent has goes to a colleague, in one step.
	j.until(`document.querySelector("#give-` + j.agent.id + `") && !document.querySelector(".htmx-request")`)
	j.click("#give-" + j.agent.id + " summary")
	j.do("choose the colleague", chromedp.SetValue(chromedp.CSS("#give-"+j.agent.id+" [name=to]"), j.colleague.id))
	j.click("#give-" + j.agent.id + " .primary")
	agent.until(`!` + row(number))
	j.until(`document.querySelector("` + wait + ` select").value === ` + quoted(j.colleague.id))
	agent.unreloaded()
	j.unreloaded()
	agent.open("/situation") // is not for agents
	agent.until(agent.says("error.forbidden"))
}

// approves reads a reply that waits for a second person and lets it go.
func (j *journey) approves() {
	j.t.Helper()
	from := j.mailboxOf(j.customer, "careful")
	number := j.arrive(writing{from: from, to: j.approved})
	agent := j.beside()
	agent.enter(j.agent)
	agent.open(fmt.Sprintf("/inbox/open/%d", number))
	agent.until(shownTicket(number) + ` && document.querySelector("[data-send]").innerText.includes(` + quoted(j.words.T("draft.request")) + `)`)
	j.enter(j.supervisor)
	j.open("/inbox/approval")
	j.until(`!` + row(number))
	agent.click(".editor")
	agent.insert(j.answer)
	agent.click(".composer .split > .send")
	agent.until(`document.querySelector(".draft-card.review")`)
	j.until(row(number))
	j.click(fmt.Sprintf("#row-%d", number))
	j.until(`document.querySelector(".draft-card.review")?.innerText.includes(` + quoted(j.answer) + `) && ` + j.says("draft.approve"))
	j.click(`.draft-card.review form[action$="/approve"] button`)
	j.until(`document.querySelectorAll(".message.out").length === 1 && ` + flow(j.words.T("event.reply_approved", j.who(j.supervisor))))
	agent.until(`document.querySelectorAll(".message.out").length === 1 && !document.querySelector(".draft-card.review")`)
}

// arranges keeps a filtered list for the whole team, has new mail of it go to
// people in turn, and passes over who is away.
func (j *journey) arranges() {
	j.t.Helper()
	j.enter(j.supervisor)
	j.open("/inbox/open?tag=" + j.tag)
	j.click("#save-view > summary")
	j.until(`document.activeElement.name === "name"`)
	j.insert(j.view)
	j.do("share the view", chromedp.SetValue(chromedp.CSS("#save-view [name=for]"), "all"))
	j.click("#save-view .primary")
	j.until(`location.search.includes("saved=") && document.querySelector("#nav [aria-current]").innerText.includes(` + quoted(j.view) + `)`)
	j.ready()

	away := j.beside()
	away.enter(j.colleague)
	away.until(`document.querySelector("#nav").innerText.includes(` + quoted(j.view) + `)`)
	away.click("#me > summary")
	away.click("#away > summary")
	away.fill("#away [name=reason]", j.reason)
	away.click("#away [name=until][value=back]")
	away.until(`document.querySelector("#away-back")?.textContent === ` + quoted(j.words.T("away.back")))

	j.enter(j.admin)
	j.open("/settings/rules/new")
	j.fill("[name=name]", j.rule)
	j.eval(`[...document.querySelectorAll("[name=alias]")].find(box => box.closest("label").innerText.includes(` + quoted(j.billing) + `)).click()`)
	j.click(fmt.Sprintf(`[name=among][value="%s"]`, j.colleague.id))
	j.click(fmt.Sprintf(`[name=among][value="%s"]`, j.agent.id))
	j.click(".save-bar .primary")
	j.until(`location.pathname === "/settings/rules" && document.querySelector(".rules").innerText.includes(` + quoted(j.rule) + `)`)
	for i := range 2 { // in turn would be one each
		number := j.arrive(writing{from: j.mailboxOf(j.friend, fmt.Sprintf("rule%d", i)), to: j.billing})
		j.open(fmt.Sprintf("/inbox/open/%d", number))
		j.until(flow(j.words.T("event.ticket_assigned_rule", "", j.rule, j.who(j.agent))))
	}
	away.click("#me > summary")
	away.click("#away-back")
	away.until(`!document.querySelector("#away-back")`)
}

// setsUp makes an alias with a brand, moves a pipeline's stages by the
// keyboard, gives somebody a role of the house's own, and is told that the
// domain of the senders is not in order.
func (j *journey) setsUp() {
	j.t.Helper()
	j.enter(j.admin)
	j.open("/settings/aliases/new")
	shop := fmt.Sprintf("shop.%s@desk.test", j.language)
	j.fill("[name=address]", shop)
	j.fill("[name=name]", j.brand)
	j.fill("[name=brand]", j.brand)
	j.click(".save-bar .primary")
	j.until(`location.search === "?saved=1" && ` + j.says("form.saved") + ` && document.querySelector("h1").innerText === ` + quoted(shop))
	number := j.arrive(writing{from: j.mailboxOf(j.customer, "shop"), to: shop})
	j.arrive(writing{from: j.mailboxOf(j.friend, "elsewhere")})
	j.open("/inbox/open")
	j.click("#only > summary")
	j.eval(`[...document.querySelectorAll("#only [name=only]")].find(box => box.closest("label").innerText.includes(` + quoted(j.brand) + `)).click()`)
	j.click("#only .primary")
	j.until(`document.querySelector("#only > summary").innerText.includes(` + quoted(j.brand) + `) && document.querySelectorAll("#rows .row").length === 1 && ` + row(number))
	j.ready()
	j.click("#only > summary")
	j.click("#only [data-uncheck]")
	j.until(`document.querySelectorAll("#rows .row").length === 2`)

	j.open("/settings/pipelines")
	j.eval(`[...document.querySelectorAll(".record-row")].find(row => row.innerText.includes(` + quoted(j.pipeline) + `)).click()`)
	j.until(`document.querySelectorAll("[data-reorder-handle]").length === 3 && document.readyState === "complete"`)
	stages := strings.Split(j.stages, ",")
	j.eval(`document.querySelectorAll("[data-reorder-handle]")[1].focus()`)
	j.press(kb.ArrowUp)
	order := `[...document.querySelectorAll("[name=stage_name]")].map(one => one.value).join()`
	moved := strings.Join([]string{stages[1], stages[0], stages[2]}, ",")
	j.until(order + ` === ` + quoted(moved) + ` && document.activeElement.matches("[data-reorder-handle]")`)
	j.click(".save-bar .primary")
	j.until(j.says("form.saved") + ` && ` + order + ` === ` + quoted(moved))

	j.open("/settings/roles")
	j.fill(`form[action="/settings/roles/new"] [name=name]`, j.role)
	j.press(kb.Enter)
	box := `[...document.querySelectorAll("[data-grid] input[type=checkbox]")]`
	j.until(`document.readyState === "complete" && document.querySelector(` + quoted(`.grid-name[value="`+j.role+`"]`) + `)`)
	mine := `document.querySelector(` + quoted(`.grid-name[value="`+j.role+`"]`) + `).name.slice(5)`
	j.eval(box + `.find(one => one.value === ` + mine + ` + ":tickets.reply").focus()`)
	j.press(" " + kb.ArrowDown + " ") // two boxes, by the keyboard alone
	j.until(`document.activeElement.value.endsWith(":tickets.note") && !document.activeElement.checked`)
	j.eval(`(window.before = true, document.querySelector("#roles-form").requestSubmit())`)
	j.until(`!window.before && document.querySelector("#roles-form") && !` + box + `.find(one => one.value === ` + mine + ` + ":tickets.reply").checked`)

	reader := person{name: j.friend, email: fmt.Sprintf("reader.%s@desk.test", j.language)}
	j.open("/settings/users/new")
	j.fill("[name=name]", reader.name)
	j.fill("[name=email]", reader.email)
	j.fill("[name=password]", adminPassword)
	j.eval(`[...document.querySelectorAll("[name=role] option, [name=locale] option")].filter(one => [` + quoted(j.role) + `].includes(one.label) || one.value === ` + quoted(string(j.language)) + `).forEach(one => { one.selected = true })`)
	j.click(".save-bar .primary")
	j.until(`location.pathname === "/settings/users" && document.querySelector(".records").innerText.includes(` + quoted(reader.email) + `)`)

	j.open("/settings/domains")
	j.until(`document.querySelector(".domain .alert.bad") && document.querySelector(".domain .badge.bad") && ` + j.says("domain.alert"))

	other := j.beside()
	other.enter(reader)
	other.open(fmt.Sprintf("/inbox/open/%d", number))
	other.until(flow(strings.TrimSpace(j.question)) + ` && !document.querySelector("[data-composer]") && ` + j.says("composer.read_only"))
}

// tidiesUp ends an alias, whose tickets stay, reads that in the audit log, and
// makes one customer of two.
func (j *journey) tidiesUp() {
	j.t.Helper()
	shop := fmt.Sprintf("shop.%s@desk.test", j.language)
	home, office := fmt.Sprintf("home.%s@customer.test", j.language), fmt.Sprintf("office.%s@customer.test", j.language)
	number := j.arrive(writing{from: j.friend + " <" + office + ">", to: shop})
	j.arrive(writing{from: j.friend + " <" + home + ">", subject: j.other})
	j.enter(j.admin)
	j.open("/settings/aliases")
	j.eval(`[...document.querySelectorAll(".record-row")].find(row => row.innerText.includes(` + quoted(shop) + `)).click()`)
	j.click("[name=enabled]")
	j.click(".save-bar .primary")
	j.until(`location.search === "?saved=1" && ` + j.says("settings.alias.disabled"))
	client, err := dial(j.town.program.smtp)
	if err != nil {
		j.t.Fatal(err)
	}
	defer client.Close()
	if _, err := submit(client, office, shop, []byte("Subject: late\r\n\r\nlate\r\n")); smtpCode(err) != 550 {
		j.t.Errorf("mail to an alias that is off: %v, want 550", err)
	}
	j.open(fmt.Sprintf("/inbox/open/%d", number))
	j.until(flow(strings.TrimSpace(j.question)) + ` && ` + j.says("sender.disabled", shop))

	j.open("/settings/audit?person=" + j.admin.id)
	j.until(`[...document.querySelectorAll(".lines tbody tr")].slice(0, 3).some(line => line.innerText.includes(` + quoted(shop) + `) && line.querySelector("del") && line.innerText.includes(` + quoted(j.admin.name) + `))`)

	j.open("/contacts/" + office)
	j.fill(".person-add [name=address]", home)
	j.press(kb.Enter)
	j.until(j.says("contact.merged_now", home) + ` && ` + `document.body.innerText.includes(` + quoted(j.other) + `)`)
	j.click(".alert form button")
	j.until(`document.readyState === "complete" && !document.querySelector(".person-merging") && !document.body.innerText.includes(` + quoted(j.other) + `)`)
	if !slices.Contains(j.town.api.tickets(j.t), number) {
		j.t.Errorf("ticket #%d of the ended alias is gone", number)
	}
}
