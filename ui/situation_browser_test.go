package ui_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

// TestSupervisorsMorning goes through a day with the clock in hand, in both
// languages: rules in an order, due times, a ticket that becomes overdue.
func TestSupervisorsMorning(t *testing.T) {
	var passed atomic.Int64 // since Tuesday at ten in Tokyo
	clock := func() time.Time {
		return time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load()))
	}
	h := newReadyHouse(t, func(o *ui.Options) { o.Now = clock })
	h.Desk.Now = clock
	mori := h.user("mori@example.jp", "森 健太", helpdesk.RoleAgent)
	ono := h.user("ono@example.jp", "小野 真理", helpdesk.RoleSupervisor)
	agentPage := h.as(mori)
	agentPage.get("/situation").want(403)

	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open")
	for _, language := range []string{"ja", "en"} {
		t.Run("rules and due times in "+language, func(t *testing.T) {
			b.t = t
			eval[bool](b, fmt.Sprintf(`document.querySelector("#me").open = true, fetch("/settings/profile", {method: "POST", body: new URLSearchParams({name: "佐藤 遥", locale: %q})}).then(r => r.ok)`, language))
			name := map[string]string{"ja": "順番に", "en": "In turn"}[language]
			b.open("/settings/rules/new")
			b.do(chromedp.SendKeys(chromedp.CSS(`[name=name]`), name))
			b.click(fmt.Sprintf(`[name=among][value="%s"]`, mori.ID))
			b.click(".save-bar .primary")
			b.until(`location.pathname === "/settings/rules" && document.querySelector(".rules").innerText.includes("` + name + `")`)
			b.open("/settings/due/house")
			b.click(`[name=mode][value=own]`)
			b.do(chromedp.SetValue(chromedp.CSS(`[name=first_normal]`), "2"))
			b.click(".save-bar .primary")
			words := map[string]string{"ja": "最初の返信 2 時間", "en": "First reply within 2 h"}[language]
			b.until(`location.pathname === "/settings/due" && document.querySelector(".records").innerText.includes("` + words + `")`)
		})
	}
	t.Run("the order of rules by keyboard", func(t *testing.T) {
		b.t = t
		b.open("/settings/rules")
		first := eval[string](b, `document.querySelector(".rule").dataset.id`)
		b.do(chromedp.Focus(chromedp.CSS("#down-" + first)))
		b.keys(kb.Enter)
		b.until(`document.querySelectorAll(".rule")[1].dataset.id === "` + first + `"`)
		rules, err := h.Rules(h.ctx(), h.admin.Actor())
		if err != nil || rules[1].ID != first {
			t.Errorf("the desk has the order %v, %v", rules, err)
		}
	})
	b.t = t
	b.logOut()
	b.openAs("ono@example.jp", "/inbox/open")

	for i, language := range []string{"ja", "en"} {
		t.Run("watching in "+language, func(t *testing.T) {
			b.t = t
			eval[bool](b, fmt.Sprintf(`fetch("/settings/profile", {method: "POST", body: new URLSearchParams({name: "小野 真理", locale: %q})}).then(r => r.ok)`, language))
			b.open("/situation")
			word := map[string]map[string]string{
				"ja": {"title": "状況", "late": "0秒超過", "overdue": "期限超過"},
				"en": {"title": "Live status", "late": "late", "overdue": "Overdue"},
			}[language]
			b.until(`document.documentElement.dataset.live === "yes" && document.querySelector("h1").innerText === "` + word["title"] + `"`)
			eval[bool](b, `window.stayed = true`)

			subject := fmt.Sprintf("お問い合わせ%d", i)
			receipt := h.receive(letter{from: fmt.Sprintf("c%d@kyaku.example", i), name: fmt.Sprintf("客%d", i), subject: subject, text: "本文"})
			b.until(fmt.Sprintf(`document.querySelector("#wait-%d")?.innerText.includes("%s")`, receipt.Ticket, subject))
			b.until(fmt.Sprintf(`document.querySelector("#wait-%d select").value === "%s"`, receipt.Ticket, mori.ID))
			b.until(`document.querySelector("#situation-figures b").innerText.trim() === "1"`)

			passed.Add(int64(2 * time.Hour))
			h.doDue(helpdesk.TimerOverdue, h.MarkOverdue)
			b.until(`document.querySelectorAll("#situation-figures li")[2].querySelector("b.bad")?.innerText.trim() === "1"`)
			b.until(fmt.Sprintf(`document.querySelector("#wait-%d .due.late")`, receipt.Ticket))

			if !eval[bool](b, `window.stayed === true`) {
				t.Error("the page was loaded again")
			}

			b.open("/inbox/overdue")
			b.until(fmt.Sprintf(`document.querySelector("#row-%d .due.late") && document.querySelector("h1").innerText === "%s"`, receipt.Ticket, word["overdue"]))
			if _, err := h.Reply(h.ctx(), ono.Actor(), helpdesk.Reply{Ticket: receipt.Ticket, Text: "お待たせしました。"}); err != nil {
				t.Fatal(err)
			}
			b.until(fmt.Sprintf(`!document.querySelector("#row-%d")`, receipt.Ticket))
		})
	}
	if found := b.complaints("Content Security Policy", "TypeError: Cannot", "ReferenceError", "SyntaxError", "Uncaught"); len(found) > 0 {
		t.Errorf("the console complained:\n%s", strings.Join(found, "\n"))
	}
}

// doDue does what is due of a kind, as the program's own loop would.
func (h *house) doDue(kind helpdesk.TimerKind, do func(context.Context, string) error) {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.ctx(), kind, 100, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		if err := do(h.ctx(), timer.ID); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestSituationNamesPeopleOnce has more people than a list in the row of each could hold, and hands
// the tickets of one to another.
func TestSituationNamesPeopleOnce(t *testing.T) {
	h := newReadyHouse(t)
	var people []*helpdesk.User
	for i := range 12 {
		u := h.user(fmt.Sprintf("tantou%d@example.jp", i), fmt.Sprintf("担当%d番", i), helpdesk.RoleAgent)
		people = append(people, u)
		receipt := h.receive(letter{from: fmt.Sprintf("c%d@kyaku.example", i), subject: "件名", text: "本文"})
		if _, err := h.Change(h.ctx(), h.admin.Actor(), receipt.Ticket, helpdesk.Change{Assignee: &u.ID}); err != nil {
			t.Fatal(err)
		}
	}
	from, to := people[3], people[7]
	page := h.as(h.admin).get("/situation").want(200)
	_, table, _ := strings.Cut(page.body, `id="people-title"`)
	if n := strings.Count(table, `<option value="`+to.ID+`"`); n != 1 {
		t.Errorf("a person stands in %d lists below the table of people", n)
	}
	h.as(h.admin).post("/situation/reassign", "from", from.ID).want(422) // to nobody, since the list was not there yet
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/situation")
	b.click("#give-" + from.ID + " summary")
	b.until(`document.querySelector("#give-` + from.ID + ` select").options.length === 13`) // the others, the admin and nobody
	if eval[bool](b, `[...document.querySelector("#give-`+from.ID+` select").options].some(o => o.value === "`+from.ID+`")`) {
		t.Error("tickets can be handed to who has them")
	}
	b.do(chromedp.SetValue(chromedp.CSS("#give-"+from.ID+" select"), to.ID))
	b.click("#give-" + from.ID + " .primary")
	b.until(`document.querySelector(".alert.good")?.innerText.includes("1")`)
	row, err := h.TicketRow(h.ctx(), h.admin.Actor(), 4)
	if err != nil || row.Ticket.AssigneeID != to.ID {
		t.Errorf("ticket 4 is %+v's, %v", row, err)
	}
}
